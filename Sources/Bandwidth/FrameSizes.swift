public import ANPRModel
import SightingFrames

/// What sightings take in frames of one size, measured.
public struct FrameSizes: Sendable {
    /// The most sightings that a frame can have.
    public static let sizeMax = FrameEncoder.countMax

    /// How many sightings a frame has.
    public let size: Int
    /// Bytes of all sightings on a link, each frame with a mark behind it and the framing of its message.
    public private(set) var linkBytes = 0
    /// Bytes of all sightings in frames that stand alone, without marks.
    public private(set) var restBytes = 0
    /// Seconds to pack and to unpack all sightings as on a link, the median of the rounds.
    public private(set) var linkPacking = 0.0, linkUnpacking = 0.0
    /// Seconds to pack and to unpack all sightings in frames that stand alone, the median of the rounds.
    public private(set) var restPacking = 0.0, restUnpacking = 0.0

    /// What came out of a frame is not what went in.
    public struct Difference: Error {
        /// The frame's first sighting.
        public var sighting: Int
    }

    /// Packs and unpacks all sightings, several times.
    ///
    /// - Throws: a fault of the frames, or `Difference`: neither must ever happen.
    public init(_ batch: SightingBatch, _ register: CameraRegister, size: Int, rounds: Int) throws {
        self.size = size
        var times = [[Double]](repeating: [], count: 4)
        for _ in 0..<rounds {
            var frames: [[UInt8]] = []
            times[0].append(Self.seconds { frames = Self.linkFrames(batch, register, size) })
            linkBytes = frames.reduce(0) { $0 + $1.count + Self.messageOverhead }
            var link = LinkFrameDecoder()
            let decoder = FrameDecoder(register: register)
            times[1].append(
                try Self.unpacking(frames.count, batch) { frame, unpacked in
                    try link.decode(frames[frame], by: decoder, into: &unpacked)
                }
            )
            var blocks: [Block] = []
            times[2].append(Self.seconds { blocks = Self.blocks(batch, register, size) })
            restBytes = blocks.reduce(0) { $0 + $1.length }
            times[3].append(
                try Self.unpacking(blocks.count, batch) { frame, unpacked in
                    try decoder.decode(blocks[frame], into: &unpacked)
                }
            )
        }
        let medians = times.map { $0.sorted()[$0.count / 2] }
        (linkPacking, linkUnpacking, restPacking, restUnpacking) = (
            medians[0], medians[1], medians[2], medians[3]
        )
    }

    /// A message's length and kind, and the mark that says how far the stream is complete.
    static let messageOverhead = 9

    private static func seconds(_ work: () throws -> Void) rethrows -> Double {
        let duration = try ContinuousClock().measure(work)
        return Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    }

    private static func ranges(_ count: Int, _ size: Int) -> [Range<Int>] {
        stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
    }

    private static func linkFrames(_ batch: SightingBatch, _ register: CameraRegister, _ size: Int)
        -> [[UInt8]]
    {
        var encoder = LinkFrameEncoder(register: register)
        return ranges(batch.count, size).map { encoder.encode(batch, $0) }
    }

    /// Seconds to unpack all frames, one after the other into a batch that is emptied before each, as a receiver does.
    private static func unpacking(
        _ count: Int,
        _ expected: SightingBatch,
        _ unpack: (Int, inout SightingBatch) throws -> Void
    ) throws -> Double {
        var batch = SightingBatch()
        var start = 0
        var sum = 0.0
        for frame in 0..<count {
            batch.removeAll()
            sum += try seconds { try unpack(frame, &batch) }
            try compare(batch, expected, from: start)
            start += batch.count
        }
        guard start == expected.count else { throw Difference(sighting: start) }
        return sum
    }

    private static func blocks(_ batch: SightingBatch, _ register: CameraRegister, _ size: Int) -> [Block] {
        let encoder = FrameEncoder(register: register)
        return ranges(batch.count, size).map { encoder.encode(batch, $0, sequence: UInt64($0.lowerBound)) }
    }

    private static func compare(_ one: SightingBatch, _ other: SightingBatch, from start: Int) throws {
        var expected = SightingBatch()
        expected.append(start..<min(start + one.count, other.count), of: other)
        guard one.sightings == expected.sightings, one.contributions == expected.contributions else {
            throw Difference(sighting: start)
        }
    }
}
