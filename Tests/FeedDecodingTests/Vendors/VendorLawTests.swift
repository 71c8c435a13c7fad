import ANPRModel
import FeedDecoding
import Simulation
import TestSupport
import Testing

@Suite("Laws of vendors' formats")
struct VendorLawTests {
    static let seeds: [UInt64] = [1, 2, 3, 17, 404]

    /// A feed of good documents of one row of the table and of another of the same format, some of them damaged.
    private static func feed(_ row: VendorReadTests.Row, _ random: inout SeededRandom, damagePerMille: Int)
        -> [UInt8]
    {
        var bytes: [UInt8] = []
        for _ in 0..<random.within(2...5) {
            var document = Array(row.feed.utf8)
            if random.chance(perMille: damagePerMille) { damage(&document, &random) }
            bytes += document
            if random.chance(perMille: 700) { bytes += [0x0A] }
        }
        return bytes
    }

    private static func damage(_ bytes: inout [UInt8], _ random: inout SeededRandom) {
        for _ in 0..<random.within(1...3) where !bytes.isEmpty {
            let place = random.below(bytes.count)
            switch random.below(4) {
            case 0: bytes[place] ^= 1 << UInt8(random.below(8))
            case 1: bytes.removeSubrange(place..<min(bytes.count, place + random.within(1...40)))
            case 2: bytes.removeLast(bytes.count - place)
            default:
                bytes.insert(
                    contentsOf: random.one(of: [[0x0A], [0xFF], [0x3C], [0x7B], [0x22], [0x2D, 0x2D]]),
                    at: place
                )
            }
        }
    }

    @Test("Any chunks give the same batch, and all is accounted for", arguments: VendorReadTests.rows, seeds)
    func chunks(row: VendorReadTests.Row, seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for round in 0..<6 {
            let bytes = Self.feed(row, &random, damagePerMille: 500)
            let whole = VendorSample.decode([bytes], row.format, row.rules)
            #expect(whole.received == whole.reads.count + whole.rejected, "seed \(seed), round \(round)")
            #expect(
                whole.refusals.count { !$0.isContinuation } == whole.rejected,
                "seed \(seed), round \(round)"
            )
            #expect(whole.position.offset == UInt64(bytes.count), "seed \(seed), round \(round)")
            for refusal in whole.refusals {
                let start = Int(refusal.offset)
                #expect(
                    Array(bytes[start...].prefix(refusal.raw.count)) == refusal.raw,
                    "seed \(seed), \(round)"
                )
            }
            for pieceMax in [1, 7, 300] {
                let cut = VendorSample.decode(
                    FeedBytes.cut(bytes, pieceMax: pieceMax, &random),
                    row.format,
                    row.rules
                )
                #expect(cut == whole, "seed \(seed), round \(round), pieces of up to \(pieceMax)")
            }
        }
    }

    @Test("A feed taken up where it stood goes on as if never left", arguments: VendorReadTests.rows, seeds)
    func resuming(row: VendorReadTests.Row, seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for round in 0..<12 {
            let bytes = Self.feed(row, &random, damagePerMille: 300)
            let whole = VendorSample.decode([bytes], row.format, row.rules)
            var first = FeedDecoder(format: row.format, register: VendorSample.register, rules: row.rules)
            var batch = DecodedBatch()
            var buffer = FeedBuffer()
            buffer.append(bytes.prefix(random.below(bytes.count)))
            first.decode(&buffer, isFinal: false, into: &batch)
            var second = FeedDecoder(format: row.format, register: VendorSample.register, rules: row.rules)
            second.resume(at: first.position, opening: Array(bytes.prefix(400)))
            buffer = FeedBuffer()
            buffer.append(bytes.dropFirst(Int(first.position.offset)))
            second.decode(&buffer, isFinal: true, into: &batch)
            #expect(VendorFeed(batch, second.position) == whole, "seed \(seed), round \(round)")
        }
    }

    @Test(
        "A document cut off anywhere between good ones loses none of them",
        arguments: ["axis", "rekor results", "hikvision", "tattile"]
    )
    func nothingLost(name: String) throws {
        let row = try #require(VendorReadTests.rows.first { $0.name == name })
        let good = Array((row.feed + "\n").utf8)
        for count in 0..<good.count - 2 {
            // As when a connection breaks.
            let cut = Array(good.prefix(count)) + [0x0A]
            let feed = VendorSample.decode([good + cut + good], row.format, row.rules)
            #expect(feed.reads.count >= 2, "cut behind \(count) bytes")
            #expect(feed.received == feed.reads.count + feed.rejected)
        }
    }
}
