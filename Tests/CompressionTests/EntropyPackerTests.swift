import Compression
import Foundation
import Simulation
import Testing

/// What one end packs the other unpacks, whatever it is and however long they talk; what nobody packed does no harm.
@Suite("Learned entropy coding")
struct EntropyPackerTests {
    /// A piece of a message.
    enum Section: Equatable {
        case bytes([UInt8], kind: Int)
        case numbers([UInt64], kind: Int)
        case bits([UInt32], count: Int)
    }

    private static let kinds = 6

    private static func leb(_ numbers: [UInt64]) -> [UInt8] {
        var bytes: [UInt8] = []
        for number in numbers {
            var rest = number
            while rest >= 0x80 {
                bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
                rest >>= 7
            }
            bytes.append(UInt8(rest))
        }
        return bytes
    }

    private static func section(_ random: inout SeededRandom) -> Section {
        let count = random.one(of: [0, 1, 2, 15, 16, 17, 100, random.below(700), random.below(5000)])
        switch random.below(5) {
        case 0: return .bytes((0..<count).map { _ in UInt8(random.below(256)) }, kind: 0)
        case 1:
            let top = random.one(of: [1, 2, 20, 200])
            return .bytes((0..<count).map { _ in UInt8(random.below(top)) }, kind: random.below(2))
        case 2:
            let width = random.one(of: [3, 7, 9, 14, 30, 64])
            let numbers = (0..<count).map { _ in random.next() >> UInt64(64 - random.within(1...width)) }
            return .numbers(numbers, kind: random.one(of: [2, 4]))
        case 3: return .numbers((0..<count).map { _ in UInt64(random.below(3)) }, kind: 2)
        default:
            let width = random.below(33)
            return .bits((0..<count).map { _ in UInt32(random.below(1 << width)) }, count: width)
        }
    }

    private static func put(_ section: Section, to packer: inout EntropyPacker) {
        switch section {
        case .bytes(let bytes, let kind): packer.put(bytes, kind: kind)
        case .numbers(let numbers, let kind): packer.put(numbers: leb(numbers), kind: kind)
        case .bits(let values, let count): for bits in values { packer.put(bits: bits, count: count) }
        }
    }

    /// Reads a section of the same form; its values may be others.
    private static func take(_ section: Section, from unpacker: inout EntropyUnpacker) throws -> [UInt8] {
        var output: [UInt8] = [7]
        switch section {
        case .bytes(let bytes, let kind): unpacker.bytes(bytes.count, kind: kind, into: &output)
        case .numbers(let numbers, let kind):
            try unpacker.numbers(numbers.count, kind: kind, lengthMax: 10 * numbers.count, into: &output)
        case .bits(let values, let count): for _ in values { output += leb([UInt64(unpacker.bits(count))]) }
        }
        return output
    }

    private static func expected(_ section: Section) -> [UInt8] {
        switch section {
        case .bytes(let bytes, _): [7] + bytes
        case .numbers(let numbers, _): [7] + leb(numbers)
        case .bits(let values, _): [7] + leb(values.map { UInt64($0) })
        }
    }

    @Test("Any mix of sections over many messages comes out as it went in", arguments: 1...8)
    func roundTrip(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        var packer = EntropyPacker(kinds: Self.kinds)
        var unpacker = EntropyUnpacker(kinds: Self.kinds)
        for message in 0..<150 {
            let sections = (0..<random.below(7)).map { _ in Self.section(&random) }
            for section in sections { Self.put(section, to: &packer) }
            var bytes = [UInt8](repeating: 0xEE, count: random.below(5))
            let start = bytes.count
            packer.finish(into: &bytes)
            #expect(bytes.prefix(start).allSatisfy { $0 == 0xEE })
            try unpacker.begin(bytes, at: start)
            for section in sections {
                let found = try Self.take(section, from: &unpacker)
                try #require(found == Self.expected(section), "seed \(seed), message \(message)")
            }
            try unpacker.finish()
        }
    }

    @Test(
        "Both ends still know the same after thousands of messages, counts halved many times",
        arguments: [1, 2]
    )
    func inStep(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        var packer = EntropyPacker(kinds: Self.kinds)
        var unpacker = EntropyUnpacker(kinds: Self.kinds)
        for message in 0..<4000 {
            // What is usual changes as time goes by.
            let usual = message / 500 * 20
            let bytes = (0..<random.within(1...200)).map { _ in
                UInt8(random.chance(perMille: 20) ? random.below(256) : usual + random.below(20))
            }
            let numbers = (0..<random.below(20)).map { _ in UInt64(random.below(1000)) }
            packer.put(bytes, kind: 1)
            packer.put(numbers: Self.leb(numbers), kind: 2)
            var packed: [UInt8] = []
            packer.finish(into: &packed)
            try unpacker.begin(packed, at: 0)
            var (foundBytes, foundNumbers): ([UInt8], [UInt8]) = ([], [])
            unpacker.bytes(bytes.count, kind: 1, into: &foundBytes)
            try unpacker.numbers(numbers.count, kind: 2, lengthMax: 200, into: &foundNumbers)
            try unpacker.finish()
            try #require(foundBytes == bytes && foundNumbers == Self.leb(numbers), "message \(message)")
        }
    }

    @Test("Injured messages give other bytes or a fault, and never more than was asked for", arguments: 1...6)
    func injuries(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        var packer = EntropyPacker(kinds: Self.kinds)
        var unpacker = EntropyUnpacker(kinds: Self.kinds)
        for _ in 0..<60 {
            let sections = (0..<random.within(1...5)).map { _ in Self.section(&random) }
            for section in sections { Self.put(section, to: &packer) }
            var good: [UInt8] = []
            packer.finish(into: &good)
            for _ in 0..<12 {
                var bad = good
                switch random.below(4) {
                case 0: bad[random.below(bad.count)] ^= 1 << UInt8(random.below(8))
                case 1: bad.removeLast(random.below(bad.count + 1))
                case 2: bad = (0..<random.below(200)).map { _ in UInt8(random.below(256)) }
                default: bad += (0..<random.within(1...9)).map { _ in UInt8(random.below(256)) }
                }
                var hurt = unpacker
                do {
                    try hurt.begin(bad, at: 0)
                    for section in sections {
                        let found = try Self.take(section, from: &hurt)
                        let count: Int
                        switch section {
                        case .bytes(let bytes, _): count = bytes.count
                        case .numbers(let numbers, _): count = 10 * numbers.count
                        case .bits(let values, _): count = 5 * values.count
                        }
                        #expect(found.count <= 1 + count)
                    }
                    #expect(hurt.position <= bad.count)
                    try hurt.finish()
                } catch { #expect(error is CompressionError, "\(error)") }
            }
            try unpacker.begin(good, at: 0)
            for section in sections { _ = try Self.take(section, from: &unpacker) }
            try unpacker.finish()
        }
    }

    @Test("A number of more bytes than a number has is refused, and so are too many bytes")
    func longNumbers() throws {
        // Ten bytes that say that more follow, and nine times as many behind them.
        var packer = EntropyPacker(kinds: 2)
        for place in 0..<10 { packer.put([UInt8](repeating: 0x80, count: 10), kind: min(place, 1)) }
        var packed: [UInt8] = []
        packer.finish(into: &packed)
        for (lengthMax, fault) in [(1000, CompressionError.damaged), (99, .tooLong), (9, .tooLong)] {
            var unpacker = EntropyUnpacker(kinds: 2)
            try unpacker.begin(packed, at: 0)
            var output: [UInt8] = []
            #expect(throws: fault) {
                try unpacker.numbers(10, kind: 0, lengthMax: lengthMax, into: &output)
            }
            #expect(output.count <= 10)
        }
    }

    /// Ways for bytes to be spread, each with its entropy.
    enum Spread: CaseIterable {
        case even, letters, halves, rare

        func byte(_ random: inout SeededRandom) -> UInt8 {
            switch self {
            case .even: UInt8(random.below(256))
            case .letters: UInt8(65 + random.below(26))
            case .halves: UInt8((random.next() | 1 << 39).trailingZeroBitCount)
            case .rare: random.chance(perMille: 50) ? 200 : 7
            }
        }

        /// Bits a byte.
        var entropy: Double {
            switch self {
            case .even: 8
            case .letters: log2(26)
            case .halves: 2
            case .rare: -0.05 * log2(0.05) - 0.95 * log2(0.95)
            }
        }
    }

    @Test(
        "A byte costs its entropy and no more than 3 % besides, once its kind is known",
        arguments: Spread.allCases
    )
    func size(spread: Spread) {
        var random = SeededRandom(seed: 11)
        var packer = EntropyPacker(kinds: 1)
        var total = 0
        let (messages, each) = (100, 2000)
        for _ in 0..<messages {
            packer.put((0..<each).map { _ in spread.byte(&random) }, kind: 0)
            var packed: [UInt8] = []
            packer.finish(into: &packed)
            total += packed.count
        }
        let least = spread.entropy / 8 * Double(messages * each)
        // Two bytes a message beside what it says, four at the most; 300 to learn what there is.
        let most = 1.03 * least + 4 * Double(messages) + 300
        #expect(Double(total) <= most, "\(total) bytes, entropy \(least)")
        #expect(Double(total) >= 0.98 * least, "\(total) bytes, entropy \(least)")
    }

    @Test("A message that says nothing takes eight bytes")
    func nothing() throws {
        var packer = EntropyPacker(kinds: 1)
        packer.put([], kind: 0)
        packer.put(bits: 0, count: 0)
        var packed: [UInt8] = []
        packer.finish(into: &packed)
        #expect(packed == [0, 0, 1, 0, 0, 0, 1, 0])
        var unpacker = EntropyUnpacker(kinds: 1)
        try unpacker.begin(packed, at: 0)
        try unpacker.finish()
        #expect(throws: CompressionError.truncated) { try unpacker.begin([1, 2, 3], at: 0) }
        #expect(throws: CompressionError.damaged) {
            try unpacker.begin([UInt8](repeating: 0, count: 8), at: 0)
        }
        #expect(throws: CompressionError.damaged) {
            try unpacker.begin([UInt8](repeating: 1, count: 9), at: 0)
        }
    }

    @Test(
        "With a codebook any message is read by itself, and known bytes cost about what the codebook says",
        arguments: 1...4
    )
    func codebook(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let messages = (0..<60).map { _ in (0..<random.within(1...6)).map { _ in Self.section(&random) } }
        var counts = ByteCounts(kinds: Self.kinds)
        for section in messages.prefix(40).joined() {
            switch section {
            case .bytes(let bytes, let kind): counts.add(bytes, kind: kind)
            case .numbers(let numbers, let kind): counts.add(numbers: Self.leb(numbers), kind: kind)
            case .bits: break
            }
        }
        let made = Codebook(counts)
        let codebook = try Codebook(made.encoded, kinds: Self.kinds)
        #expect(codebook == made && codebook.encoded == made.encoded)
        var packer = EntropyPacker(codebook)
        let packed = messages.map { sections in
            for section in sections { Self.put(section, to: &packer) }
            var bytes: [UInt8] = []
            packer.finish(into: &bytes)
            return bytes
        }
        // 40 messages of which the codebook was made, less what is as good as random, and five bytes each.
        let bits = messages.prefix(40).joined().reduce(0) { sum, section in
            if case .bits(let values, let count) = section { sum + values.count * count } else { sum }
        }
        let known = packed.prefix(40).reduce(0) { $0 + $1.count }
        #expect(abs(Double(known - bits / 8) - codebook.length(of: counts)) < 40 * 6 + Double(known) / 500)
        var unpacker = EntropyUnpacker(codebook)
        for message in messages.indices.shuffled(using: &random) {
            try unpacker.begin(packed[message], at: 0)
            for section in messages[message] {
                let found = try Self.take(section, from: &unpacker)
                try #require(found == Self.expected(section), "seed \(seed), message \(message)")
            }
            try unpacker.finish()
        }
    }

    @Test("What is no codebook is refused", arguments: 1...3)
    func badCodebook(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        var counts = ByteCounts(kinds: 3)
        counts.add((0..<1000).map { _ in UInt8(random.below(40)) }, kind: 1)
        let good = Codebook(counts).encoded
        #expect(throws: CompressionError.self) { try Codebook(good, kinds: 2) }
        #expect(throws: CompressionError.self) { try Codebook(good, kinds: 4) }
        for _ in 0..<300 {
            var bad = good
            for _ in 0...random.below(3) { bad[random.below(bad.count)] ^= 1 << UInt8(random.below(8)) }
            bad.removeLast(random.below(3))
            // What is taken all the same is whole: it packs and unpacks.
            guard let codebook = try? Codebook(bad, kinds: 3) else { continue }
            var packer = EntropyPacker(codebook)
            let bytes = (0..<500).map { _ in UInt8(random.below(256)) }
            packer.put(bytes, kind: 2)
            var packed: [UInt8] = []
            packer.finish(into: &packed)
            var unpacker = EntropyUnpacker(codebook)
            var found: [UInt8] = []
            try unpacker.begin(packed, at: 0)
            unpacker.bytes(bytes.count, kind: 2, into: &found)
            try unpacker.finish()
            #expect(found == bytes)
        }
    }
}
