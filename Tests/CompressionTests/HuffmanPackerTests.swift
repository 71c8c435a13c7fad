import Compression
import Simulation
import Testing

@Suite("Entropy coding")
struct HuffmanPackerTests {
    /// Ways for the bytes of a column to be spread.
    enum Spread: CaseIterable {
        case one, two, few, letters, bytes, steep, runs
    }

    private static func section(_ spread: Spread, _ count: Int, _ random: inout SeededRandom) -> [UInt8] {
        switch spread {
        case .one: return [UInt8](repeating: 0, count: count)
        case .two: return (0..<count).map { _ in random.chance(perMille: 3) ? 200 : 7 }
        case .few: return (0..<count).map { _ in UInt8(random.below(5)) * 60 }
        case .letters: return (0..<count).map { _ in UInt8(65 + random.below(26)) }
        case .bytes: return (0..<count).map { _ in UInt8(random.below(256)) }
        case .steep:
            // Each value half as frequent as the one before: Huffman's longest codes.
            return (0..<count).map { _ in UInt8((random.next() | 1 << 39).trailingZeroBitCount) }
        case .runs: return (0..<count).map { UInt8($0 / 37 & 0xFF) }
        }
    }

    @Test("Any inflater unpacks what was packed", arguments: [1, 2, 3, 4] as [UInt64])
    func roundTrip(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var packer = HuffmanPacker()
        for round in 0..<60 {
            var sections: [[UInt8]] = []
            for _ in 0..<random.below(8) {
                let count = random.one(of: [0, 1, 2, 3, 30, 300, 5000, 70_000, random.below(2000)])
                sections.append(Self.section(random.one(of: Spread.allCases), count, &random))
            }
            let before: [UInt8] = [1, 2, 3]
            var packed = before
            packer.pack(sections, into: &packed)
            #expect(packed.prefix(3) == before[...], "seed \(seed), round \(round)")
            let bytes = sections.flatMap(\.self)
            let unpacked = try Inflater.unpack(packed[3...], length: bytes.count)
            #expect(unpacked == bytes, "seed \(seed), round \(round)")
        }
    }

    @Test("Codes beyond deflate's longest are cut, and the stream stays whole")
    func longestCodes() throws {
        // Fibonacci numbers as frequencies: 24 symbols would need codes of 23 bits.
        var bytes: [UInt8] = []
        var (less, more) = (1, 1)
        for symbol in 0..<24 {
            bytes += [UInt8](repeating: UInt8(symbol * 10), count: less)
            (less, more) = (more, less + more)
        }
        var packer = HuffmanPacker()
        var packed: [UInt8] = []
        packer.pack([bytes], into: &packed)
        #expect(try Inflater.unpack(packed[...], length: bytes.count) == bytes)
        #expect(packed.count < bytes.count / 2)
    }

    @Test("Nothing packs to a stream of nothing")
    func nothing() throws {
        var packer = HuffmanPacker()
        for sections in [[], [[]], [[], []]] as [[[UInt8]]] {
            var packed: [UInt8] = []
            packer.pack(sections, into: &packed)
            #expect(try Inflater.unpack(packed[...], length: 0).isEmpty)
        }
    }

    @Test("No section takes more than its bytes and five more")
    func bound() {
        var random = SeededRandom(seed: 9)
        var packer = HuffmanPacker()
        for count in [1, 2, 10, 100, 1000, 60_000] {
            var packed: [UInt8] = []
            packer.pack([Self.section(.bytes, count, &random)], into: &packed)
            #expect(packed.count <= count + 5, "\(count)")
        }
    }

    @Test("What is packed depends on the sections alone")
    func noMemory() {
        var random = SeededRandom(seed: 5)
        var used = HuffmanPacker()
        for spread in Spread.allCases {
            let section = Self.section(spread, 3000, &random)
            var fresh = HuffmanPacker()
            var (first, second): ([UInt8], [UInt8]) = ([], [])
            used.pack([section], into: &first)
            fresh.pack([section], into: &second)
            #expect(first == second, "\(spread)")
        }
    }
}
