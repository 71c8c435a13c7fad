/// What one camera added to a sighting.
public struct Contribution: Sendable, Equatable {
    /// The earliest of its reads.
    public var first: Timestamp
    /// The camera, and by it the owning force.
    public var camera: CameraIndex
    /// How many of its reads are in the sighting.
    public var reads: UInt32
    /// The best confidence of its reads, or -1 for absent.
    public var confidence: Int8

    /// A contribution.
    @inlinable
    public init(camera: CameraIndex, reads: UInt32, first: Timestamp, confidence: Int8) {
        self.first = first
        self.camera = camera
        self.reads = reads
        self.confidence = confidence
    }
}

/// One passage of one vehicle through one site, without its contributions.
public struct Sighting: Sendable, Equatable {
    /// The mark.
    public var vrm: VRM
    /// The earliest read.
    public var first: Timestamp
    /// The latest read.
    public var last: Timestamp
    /// The best read's time.
    public var captured: Timestamp
    /// The first captured time it was opened with: the part of the identity that amendments never change.
    public var opened: Timestamp
    /// The best read's camera, and by it the site and the force.
    public var camera: CameraIndex
    /// How many reads are joined in it.
    public var reads: UInt32
    /// Where its contributions start in the batch.
    @usableFromInline package var contributionStart: UInt32 = 0
    /// How many contributions it has.
    @usableFromInline package var contributionCount: UInt32 = 0
    /// The best read's speed in tenths of km/h, plus one; 0 is absent.
    public var speed: UInt16 = 0
    /// How often it was amended since it was first given out.
    public var revision: UInt16 = 0
    /// The best read's confidence, or -1 for absent.
    public var confidence: Int8 = -1
    /// The raw value of the best read's `Direction`, or 0 for absent.
    public var direction: UInt8 = 0
    /// The best read's lane, or -1 for absent.
    public var lane: Int8 = -1
    /// Whether it was opened by a read behind the watermark.
    public var isLate = false

    /// A sighting of one read.
    @inlinable
    public init(opening read: Read) {
        vrm = read.vrm
        first = read.captured
        last = read.captured
        captured = read.captured
        opened = read.captured
        camera = read.camera
        reads = 1
        speed = read.speed
        confidence = read.confidence
        direction = read.direction
        lane = read.lane
    }

    /// A sighting of which every part is known.
    public init(
        vrm: VRM,
        first: Timestamp,
        last: Timestamp,
        captured: Timestamp,
        opened: Timestamp,
        camera: CameraIndex,
        reads: UInt32
    ) {
        self.vrm = vrm
        self.first = first
        self.last = last
        self.captured = captured
        self.opened = opened
        self.camera = camera
        self.reads = reads
    }

    /// A sighting that its camera says the direction and lane of, with its contributions' place: all at once, so that it is
    /// written straight to where it goes.
    @inlinable
    package init(
        vrm: VRM,
        first: Timestamp,
        last: Timestamp,
        captured: Timestamp,
        camera: CameraIndex,
        reads: UInt32,
        contributions: Range<Int>,
        confidence: Int8,
        direction: UInt8,
        lane: Int8
    ) {
        self.vrm = vrm
        self.first = first
        self.last = last
        self.captured = captured
        opened = first
        self.camera = camera
        self.reads = reads
        contributionStart = UInt32(truncatingIfNeeded: contributions.lowerBound)
        contributionCount = UInt32(truncatingIfNeeded: contributions.count)
        speed = 0
        revision = 0
        self.confidence = confidence
        self.direction = direction
        self.lane = lane
        isLate = false
    }
}
