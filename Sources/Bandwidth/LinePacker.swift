import ANPRModel
import SightingFrames

/// What sightings come to on a line: packed as a node packs them for one connection, each frame building on all before it.
///
/// The one place that knows the codec and what the link puts around it. Only lengths leave it.
struct LinePacker {
    /// The mark with each frame, by which the receiver knows how far the stream is complete.
    static let markLength = 5
    /// A message's length and kind.
    static let messageLength = FrameSizes.messageOverhead - markLength
    /// An acknowledgement, which goes the other way: length, kind, how many messages, the next sighting.
    static let acknowledgementLength = 8
    /// The most sightings in a frame.
    static let countMax = 8192

    private var encoder: LinkFrameEncoder

    /// A packer of one connection.
    init(register: CameraRegister) {
        encoder = LinkFrameEncoder(register: register)
    }

    /// Packs a run of sightings as the next frame.
    ///
    /// - Parameter range: not empty, of at most `countMax`.
    /// - Returns: the frame's bytes.
    mutating func pack(_ batch: SightingBatch, _ range: Range<Int>) -> Int {
        encoder.encode(batch, range).count
    }

    /// The bytes of the block that names the cameras, which goes before the first frame.
    static func registerLength(_ register: CameraRegister) throws -> Int {
        try RegisterBlock.encode(register, from: 0).length
    }
}
