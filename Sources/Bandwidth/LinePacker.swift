import ANPRModel
import Forwarding
import SightingFrames

/// What sightings come to on a line: packed as a node packs them for one connection.
///
/// The one place that knows the link's messages. Only lengths leave it.
struct LinePacker {
    /// The bytes of a message by what they are for.
    struct Length {
        /// The frame of sightings.
        var frame: Int
        /// How far the stream is complete.
        var mark: Int
        /// The message around them.
        var message: Int

        /// All of them.
        var total: Int { frame + mark + message }
    }

    /// The most sightings in a message.
    static let countMax = Outbox.countMax
    /// An acknowledgement, which goes the other way, of a connection that has been there for a while.
    static let acknowledgementLength = LinkMessage.acknowledged(count: 1000, next: 1_000_000).bytes.count

    /// The bytes of the message that names the cameras, which goes before all others.
    let camerasLength: Int
    private var writer = LinkStreamWriter()
    private var mark = StreamMark(
        journalEntry: 0,
        closedThrough: Timestamp(milliseconds: 0),
        isEnd: false
    )

    /// A packer of one connection to a node that knows no camera yet.
    init(register: CameraRegister) throws {
        writer.use(register)
        camerasLength = try writer.cameras(atMost: .max)?.bytes.count ?? 0
    }

    /// Packs a run of sightings as the next message, with a mark of one more entry of the journal.
    ///
    /// - Parameter range: not empty, of at most `countMax`.
    mutating func pack(_ batch: SightingBatch, _ range: Range<Int>) -> Length {
        let through = batch.sightings[range.upperBound - 1].first
        let next = StreamMark(journalEntry: mark.journalEntry + 1, closedThrough: through, isEnd: false)
        // Behind the byte that says what follows, both numbers as differences.
        let step = through.milliseconds &- mark.closedThrough.milliseconds
        var told: [UInt8] = [0]
        VaryingLength.append(1, to: &told)
        VaryingLength.append(UInt64(bitPattern: step << 1 ^ step >> 63), to: &told)
        mark = next
        let message = writer.message(batch, range, next)
        guard case .sightings(let body) = message else { return Length(frame: 0, mark: 0, message: 0) }
        return Length(
            frame: body.count - told.count,
            mark: told.count,
            message: message.bytes.count - body.count
        )
    }
}
