import ANPRModel
import FeedDecoding
import Simulation
import TestSupport
import Testing

@Suite("Bytes in pieces")
struct ChunkingLawTests {
    static let seeds: [UInt64] = [1, 2, 3, 17, 404]
    /// Each way of framing once; the vendors' formats have laws of their own beside these.
    static let formats: [FeedFormat] = [.ndjson, .csv, .axis, .hikvision, .dahua, .bof2]

    /// Fragments that put line ends, quotes, escapes and broken characters at every distance from each other.
    private static func rubbish(_ random: inout SeededRandom, _ format: FeedFormat) -> [UInt8] {
        let fragments: [[UInt8]] = [
            Array("\n".utf8), Array("\r\n".utf8), [0x0D], Array("\"".utf8), Array("\"\"".utf8),
            Array(",".utf8),
            Array("{".utf8), Array("}".utf8), Array("\\u00e9".utf8), Array("\\".utf8), Array("é".utf8),
            [0xC3], [0xFF],
            Array("•".utf8), Array(" ".utf8), Array("\"vrm\":\"ab27cde\"".utf8),
            Array("\"eventId\":\"\\uD83D\\uDE97\"".utf8),
            Array(Sample.object(#""note":"é","lane":2"#).utf8),
            Array(Sample.object(#""eventId":"a\tb""#).utf8),
            Array("2026-11-20T06:00:00Z,43,43-0-1,ab27 cde,84,\"x\r\ny\"".utf8),
            Array("2026-11-20T06:00:00Z,43,43-0-1,AB27CDE,84,z".utf8), [],
        ]
        var bytes =
            format == .csv ? Array("\u{FEFF}captured,force,camera,vrm,confidence,eventId\r\n".utf8) : []
        for _ in 0..<600 {
            bytes += random.one(of: fragments)
            if random.chance(perMille: 400) { bytes += random.one(of: [[0x0A], [0x0D, 0x0A]]) }
        }
        return bytes
    }

    @Test("Rubbish and good records cut anywhere give the same batch", arguments: seeds, formats)
    func rubbish(seed: UInt64, format: FeedFormat) {
        var random = SeededRandom(seed: seed)
        for round in 0..<10 {
            let bytes = Self.rubbish(&random, format)
            let whole = FeedBytes.decode(bytes, format, Sample.register)
            #expect(whole.received == whole.reads.count + whole.rejected, "seed \(seed), round \(round)")
            #expect(whole.position.offset == UInt64(bytes.count), "seed \(seed), round \(round)")
            for pieceMax in [1, 3, 40, 5000] {
                let pieces = FeedBytes.cut(bytes, pieceMax: pieceMax, &random)
                let cut = FeedBytes.decode(pieces, format, Sample.register)
                #expect(
                    difference(cut.refusals, whole.refusals) == nil,
                    "seed \(seed), round \(round), \(pieceMax)"
                )
                #expect(cut == whole, "seed \(seed), round \(round), pieces of up to \(pieceMax)")
            }
        }
    }

    @Test("Simulated feeds cut anywhere give the same batch", arguments: seeds)
    func simulated(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let feeds = SimulatedFeeds(SimulationProfile.all[0], reads: 3000, seed: seed, garbagePerMille: 30)
        let register = CameraRegister(feeds.cameras)
        for (bytes, member) in zip(feeds.feeds, feeds.profile.members) {
            let whole = FeedBytes.decode(bytes, member.format, register)
            for pieceMax in [7, 900, 100_000] {
                let cut = FeedBytes.decode(
                    FeedBytes.cut(bytes, pieceMax: pieceMax, &random),
                    member.format,
                    register
                )
                #expect(cut == whole, "seed \(seed), \(member.name), pieces of up to \(pieceMax)")
            }
        }
    }

    @Test("A feed taken up at any place it stood at goes on as if never left", arguments: seeds)
    func resuming(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let feeds = SimulatedFeeds(SimulationProfile.all[0], reads: 1000, seed: seed, garbagePerMille: 30)
        let register = CameraRegister(feeds.cameras)
        for (bytes, member) in zip(feeds.feeds, feeds.profile.members) {
            let whole = FeedBytes.decode(bytes, member.format, register)
            var first = FeedDecoder(format: member.format, register: register, rules: FeedRules())
            var batch = DecodedBatch()
            var buffer = FeedBuffer()
            buffer.append(bytes.prefix(random.below(bytes.count)))
            first.decode(&buffer, isFinal: false, into: &batch)
            var second = FeedDecoder(format: member.format, register: register, rules: FeedRules())
            second.resume(at: first.position, opening: Array(bytes.prefix(200)))
            buffer = FeedBuffer()
            buffer.append(bytes.dropFirst(Int(first.position.offset)))
            second.decode(&buffer, isFinal: true, into: &batch)
            #expect(difference(batch.refusals, whole.refusals) == nil, "seed \(seed), \(member.name)")
            #expect(difference(batch.reads, whole.reads) == nil, "seed \(seed), \(member.name)")
            #expect(difference(batch.details, whole.details) == nil, "seed \(seed), \(member.name)")
            #expect(second.position == whole.position, "seed \(seed), \(member.name)")
        }
    }
}
