import ANPRModel
import Compression
import SightingFrames
import Simulation
import TestSupport
import Testing

/// What no encoder sent is refused, or is sightings that could have been; nothing else ever comes of it.
@Suite("Injured frames of a link")
struct LinkFrameInjuryTests {
    private static let register = SmallRegister.make(sites: 3, forces: ["45", "43"], camerasEach: 3)

    /// Frames of a connection, and the decoder that waits for each of them.
    private struct Connection {
        var frames: [[UInt8]] = []
        var decoders: [LinkFrameDecoder] = []

        init(seed: UInt64) throws {
            var random = SeededRandom(seed: seed)
            let register = LinkFrameInjuryTests.register
            let batch = OddSightings.batch(&random, register, count: 1200)
            var encoder = LinkFrameEncoder(register: register)
            var link = LinkFrameDecoder()
            var found = SightingBatch()
            var start = 0
            while start < batch.count {
                let range = start..<min(start + random.within(1...150), batch.count)
                let frame = encoder.encode(batch, range)
                frames.append(frame)
                decoders.append(link)
                try link.decode(frame, by: FrameDecoder(register: register), into: &found)
                start = range.upperBound
            }
        }
    }

    /// Whether all that is said of sightings can be.
    private static func areValid(_ batch: SightingBatch) -> Bool {
        let times = Timestamp.earliest...Timestamp.latest
        var next = 0
        for (index, sighting) in batch.sightings.enumerated() {
            let parts = batch.range(index)
            guard parts.lowerBound == next, VRM(packed: sighting.vrm.packed) != nil,
                Int(sighting.camera) < register.count, (-1...100).contains(sighting.confidence),
                [sighting.first, sighting.last, sighting.captured, sighting.opened].allSatisfy(times.contains)
            else { return false }
            next = parts.upperBound
        }
        return next == batch.contributions.count
            && batch.contributions.allSatisfy { Int($0.camera) < register.count && times.contains($0.first) }
            && batch.variants.allSatisfy { (0..<batch.count).contains($0.sighting) }
    }

    /// Gives a frame to both ends of a decoder.
    ///
    /// - Returns: whether it was refused as sightings; where it was not, what came out was valid.
    @discardableResult
    private static func isRefused(_ frame: [UInt8], _ link: LinkFrameDecoder) -> Bool {
        let decoder = FrameDecoder(register: register)
        var (toSightings, toBlocks) = (link, link)
        var refused = false
        var found = SightingBatch()
        do throws(LinkFrameDecoder.Fault) {
            try toSightings.decode(frame, by: decoder, into: &found)
            #expect((1...FrameEncoder.countMax).contains(found.count) && areValid(found))
        } catch {
            refused = true
            #expect((0...frame.count).contains(error.offset) && !error.reason.isEmpty, "\(error)")
            #expect(found.isEmpty && found.contributions.isEmpty && found.variants.isEmpty)
        }
        do throws(LinkFrameDecoder.Fault) {
            let block = try toBlocks.block(frame, sequence: 0)
            var again = SightingBatch()
            let isDecoded = (try? decoder.decode(block, into: &again)) != nil
            #expect(isDecoded == !refused)
            #expect(refused || again.sightings == found.sightings)
        } catch {
            #expect(refused)
            #expect((0...frame.count).contains(error.offset) && !error.reason.isEmpty, "\(error)")
        }
        return refused
    }

    @Test(
        "a frame that was changed, cut, prolonged, left out, sent twice or is another's is refused",
        arguments: 1...4
    )
    func injuries(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let connection = try Connection(seed: UInt64(seed))
        let other = try Connection(seed: UInt64(seed + 100))
        for _ in 0..<700 {
            let place = 1 + random.below(connection.frames.count - 2)
            var frame = connection.frames[place]
            switch random.below(6) {
            case 0: frame[random.below(frame.count)] ^= 1 << UInt8(random.below(8))
            case 1: frame.removeLast(random.within(1...frame.count))
            case 2: frame += (0..<random.within(1...20)).map { _ in UInt8(random.below(256)) }
            case 3: frame = connection.frames[place + 1]
            case 4: frame = connection.frames[random.below(place)]
            default: frame = random.one(of: other.frames)
            }
            #expect(Self.isRefused(frame, connection.decoders[place]))
        }
    }

    @Test(
        "a frame whose checksum is right and whose content is not is refused, or valid all the same",
        arguments: 1...6
    )
    func hostile(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let connection = try Connection(seed: UInt64(seed))
        var refused = 0
        for _ in 0..<500 {
            let place = random.below(connection.frames.count)
            var frame = connection.frames[place]
            switch random.below(4) {
            case 0: frame[4 + random.below(frame.count - 4)] ^= 1 << UInt8(random.below(8))
            case 1: frame.removeLast(4 * random.within(1...max(1, frame.count / 4 - 4)))
            case 2: frame += (0..<4 * random.within(1...5)).map { _ in UInt8(random.below(256)) }
            default:
                frame = frame[..<4] + (0..<4 * random.within(2...60)).map { _ in UInt8(random.below(256)) }
            }
            // The chain goes on from the checksum of the frame before.
            let previous: UInt32 = place == 0 ? 0 : LittleEndian.read(connection.frames[place - 1], at: 0)
            let checksum = Checksum.crc32(frame, 4..<frame.count, continuing: previous)
            for byte in 0..<4 { frame[byte] = UInt8(truncatingIfNeeded: checksum >> UInt32(8 * byte)) }
            refused += Self.isRefused(frame, connection.decoders[place]) ? 1 : 0
        }
        #expect(refused > 300, "\(refused)")
    }

    @Test(
        "a frame that says what no frame says is refused where it says it",
        arguments: FabricatedFrame.hostile
    )
    func fabricated(frame: FabricatedFrame) {
        #expect(Self.isRefused(frame.bytes, LinkFrameDecoder()), "\(frame.name)")
    }

    @Test("a fabricated frame of which nothing is wrong is taken")
    func fabricatedRight() {
        #expect(!Self.isRefused(FabricatedFrame(name: "right").bytes, LinkFrameDecoder()))
    }

    @Test("a few bytes never unpack to more than a frame may hold")
    func bounded() throws {
        // All that a state of nothing says is zeroes, as many as are asked for.
        var frame = FabricatedFrame(name: "zeroes")
        frame.count = 65_536
        frame.told[0] = 16 << 20
        frame.columns = [:]
        #expect(Self.isRefused(frame.bytes, LinkFrameDecoder()))
        frame.told = [1 << 22, 1 << 22, 1 << 22, 1 << 22]
        #expect(Self.isRefused(frame.bytes, LinkFrameDecoder()))
    }
}
