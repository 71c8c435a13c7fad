/// Bytes of a line by what they are for; together they are all that the line carried.
public struct LineBytes: Sendable, Equatable, Codable {
    /// Frames of sightings given out for the first time, headers included.
    public var sightings = 0
    /// Frames of amended sightings: of a frame with both, by their number.
    public var amendments = 0
    /// The message with the cameras, once.
    public var register = 0
    /// Marks of how far the stream is complete, one with each frame.
    public var marks = 0
    /// What makes messages of frames and marks.
    public var messages = 0
    /// What TCP and IP add, and TLS where there is.
    public var transport = 0

    /// Nothing yet.
    public init() {}

    /// All of them.
    public var total: Int { sightings + amendments + register + marks + messages + transport }

    static func += (left: inout LineBytes, right: LineBytes) {
        left.sightings += right.sightings
        left.amendments += right.amendments
        left.register += right.register
        left.marks += right.marks
        left.messages += right.messages
        left.transport += right.transport
    }
}
