public import ANPRModel
public import Archive

/// Why an image goes over a link, and what the two ends call it there.
public enum ImageTicket: Sendable, Hashable {
    /// The receiver asked for it, under this number of its own.
    case asked(UInt64)
    /// The sender sends it by itself: the patch of the sighting of this number in its log.
    case pushed(UInt64)
}

/// An image that a receiver asks for: of the reads of one mark by one camera within a span, the best one's.
public struct ImageWant: Sendable, Equatable {
    /// The receiver's number for it.
    public var number: UInt64
    /// What it shall show.
    public var kind: ImageKind
    /// The force's code.
    public var force: String
    /// The camera's name.
    public var camera: String
    /// The reads' mark.
    public var vrm: VRM
    /// Captured at or after this.
    public var from: Timestamp
    /// Captured at or before this; no more than `spanMax` later.
    public var to: Timestamp
    /// The node that asks.
    public var node: String
    /// Who asks there.
    public var person: String
    /// Why, in that person's words.
    public var reason: String

    /// The longest span, in milliseconds: two hours, as of a sighting.
    public static let spanMax: Int64 = 7_200_000

    /// A want.
    public init(
        number: UInt64,
        kind: ImageKind,
        force: String,
        camera: String,
        vrm: VRM,
        from: Timestamp,
        to: Timestamp,
        node: String,
        person: String,
        reason: String
    ) {
        self.number = number
        self.kind = kind
        self.force = force
        self.camera = camera
        self.vrm = vrm
        self.from = from
        self.to = to
        self.node = node
        self.person = person
        self.reason = reason
    }

    /// Whether an image is one that was asked for.
    public func matches(_ binding: ImageBinding) -> Bool {
        binding.kind == kind && binding.force == force && binding.camera == camera && binding.vrm == vrm
            && from <= binding.captured && binding.captured <= to
    }
}

/// An image with all that is known of it, whole.
public struct LinkImage: Sendable, Equatable {
    /// Why it goes.
    public var ticket: ImageTicket
    /// Whose it is.
    public var binding: ImageBinding
    /// The picture, a JPEG file.
    public var jpeg: [UInt8]

    /// An image.
    public init(ticket: ImageTicket, binding: ImageBinding, jpeg: [UInt8]) {
        self.ticket = ticket
        self.binding = binding
        self.jpeg = jpeg
    }
}

/// One message's worth of an image; the first one says what the image is.
public struct LinkImagePart: Sendable, Equatable {
    /// What the first part says beside its bytes.
    public struct Opening: Sendable, Equatable {
        /// Whose it is, and the SHA-256 of the whole.
        public var binding: ImageBinding
        /// The bytes of the whole.
        public var length: Int

        /// An opening.
        public init(binding: ImageBinding, length: Int) {
            self.binding = binding
            self.length = length
        }
    }

    /// Of which image it is.
    public var ticket: ImageTicket
    /// What that shows.
    public var kind: ImageKind
    /// What the first part says.
    public var opening: Opening?
    /// Where its bytes stand in the whole; 0 in the first part.
    public var offset: Int
    /// At least one, at most `LinkMessage.partMax`.
    public var bytes: [UInt8]

    /// A part.
    public init(ticket: ImageTicket, kind: ImageKind, opening: Opening? = nil, offset: Int, bytes: [UInt8]) {
        self.ticket = ticket
        self.kind = kind
        self.opening = opening
        self.offset = offset
        self.bytes = bytes
    }
}

/// Cuts an image into parts, each as long as the line has it then.
public struct ImageParts: Sendable {
    private let image: LinkImage
    private var offset = 0

    /// An image of which nothing was sent.
    public init(_ image: LinkImage) { self.image = image }

    /// Whether all of it was given out.
    public var isDone: Bool { offset >= image.jpeg.count }

    /// The next part; only while not all was given out.
    ///
    /// - Parameter lengthMax: its most bytes of the picture, at least 1.
    public mutating func next(_ lengthMax: Int) -> LinkImagePart {
        let end = min(offset + max(1, min(lengthMax, LinkMessage.partMax)), image.jpeg.count)
        let part = LinkImagePart(
            ticket: image.ticket,
            kind: image.binding.kind,
            opening: offset == 0 ? .init(binding: image.binding, length: image.jpeg.count) : nil,
            offset: offset,
            bytes: Array(image.jpeg[offset..<end])
        )
        offset = end
        return part
    }
}
