/// What a picture that came with a read shows.
public enum ImageKind: UInt8, Sendable, CaseIterable {
    /// The plate alone: the patch.
    case plate = 1
    /// The vehicle and what is around it.
    case overview = 2

    /// The name in commands, metrics and records.
    public var name: String {
        switch self {
        case .plate: "plate"
        case .overview: "overview"
        }
    }
}

/// A picture and the read it belongs to, by all that identifies the read.
public struct ReadImage: Sendable, Equatable {
    /// The read's mark.
    public var vrm: VRM
    /// When the read was captured.
    public var captured: Timestamp
    /// The read's camera in the register, and by it the owning force.
    public var camera: CameraIndex
    /// The read's confidence, or -1 where it is not known.
    public var confidence: Int8
    /// What it shows.
    public var kind: ImageKind
    /// The picture, a JPEG file.
    public var jpeg: [UInt8]

    /// A picture of a read.
    public init(of read: Read, kind: ImageKind, jpeg: [UInt8]) {
        vrm = read.vrm
        captured = read.captured
        camera = read.camera
        confidence = read.confidence
        self.kind = kind
        self.jpeg = jpeg
    }
}
