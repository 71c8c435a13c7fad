/// One recognition of one mark by one camera, as the pipeline carries it.
///
/// Trivially copyable, 40 bytes. Fields that may be absent say so by a value of their own, so that
/// comparing two reads needs no unwrapping: absent is always the least. What few reads have (the mark as sent, the
/// vendor's event id, a position of its own) travels beside the read in its batch.
public struct Read: Sendable, Equatable {
    /// The packed mark.
    public var vrm: VRM
    /// When the camera captured it.
    public var captured: Timestamp
    /// The camera's index in the register.
    public var camera: CameraIndex
    /// Where the details beside this read are in its batch, plus one; 0 is none.
    public var details: UInt32 = 0
    /// The feed that brought it, by its number in the node.
    public var feed: FeedIndex = 0
    /// Speed in tenths of km/h, plus one; 0 is absent.
    public var speed: UInt16 = 0
    /// Country as three letters of five bits (A is 1); 0 is absent.
    public var country: UInt16 = 0
    /// Confidence 0-100, or -1 for absent.
    public var confidence: Int8 = -1
    /// The raw value of a `Direction`, or 0 for absent.
    public var direction: UInt8 = 0
    /// Lane 0-63, or -1 for absent.
    public var lane: Int8 = -1

    /// The value of a coordinate that is not known.
    public static let noPosition = Int32.min

    /// A read with its required fields; the rest starts absent.
    @inlinable
    public init(vrm: VRM, captured: Timestamp, camera: CameraIndex) {
        self.vrm = vrm
        self.captured = captured
        self.camera = camera
    }
}

/// A feed's number in its node; 65,536 at most.
public typealias FeedIndex = UInt16

/// What a read brought along beside the usual, kept off the hot path.
public struct ReadDetails: Sendable, Equatable {
    /// The mark as the camera sent it, where normalising changed it.
    public var rawVRM: String?
    /// The vendor's own id of the event, at most 64 characters.
    public var eventID: String?
    /// Latitude in 1e-7 degrees, where it is not the register's.
    public var latitude: Int32?
    /// Longitude in 1e-7 degrees, where it is not the register's.
    public var longitude: Int32?

    /// No details yet.
    public init() {}

    /// Whether there is nothing to keep.
    public var isEmpty: Bool { self == ReadDetails() }
}
