import Compression
import Glibc
import Simulation
import Testing

/// Numbers come back from their gaps, whatever those are, and what is no such thing leads nowhere.
struct GapCodeTests {
    private static func numbers(_ random: inout SeededRandom) -> [UInt64] {
        var numbers: Set<UInt64> = [random.next() >> UInt64(random.below(64))]
        let width = random.within(1...63)
        for _ in 0..<random.below(600) {
            numbers.insert(
                random.next() >> UInt64(random.chance(perMille: 990) ? 64 - width : random.below(64))
            )
        }
        if random.chance(perMille: 300), let least = numbers.min() {
            numbers.formUnion((0..<UInt64(random.below(200))).map { (least / 2) + $0 })
        }
        if random.chance(perMille: 100) { numbers.formUnion([0, .max]) }
        return numbers.sorted()
    }

    @Test("any ascending numbers come back, behind any bytes", arguments: [1, 2, 3, 4] as [UInt64])
    func roundTrip(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<200 {
            let numbers = Self.numbers(&random)
            let front = [UInt8](repeating: 0xEE, count: random.below(5))
            let bytes = GapCode.write(numbers, behind: front)
            let behind = (0..<random.below(12)).map { _ in UInt8(random.below(256)) }
            let found = try #require(
                GapCode.read(numbers.count, first: numbers[0], bytes + behind, at: front.count)
            )
            #expect(found.numbers == numbers && found.end == bytes.count)
        }
    }

    @Test("numbers that lie as if drawn take a tenth of a bit more than the least possible")
    func size() {
        var random = SeededRandom(seed: 9)
        let count = 20_000
        for gap in [40.0, 3000, 1e6] {
            let numbers = Set((0..<count).map { _ in random.next() % UInt64(gap * Double(count)) }).sorted()
            let bits = Double(8 * GapCode.write(numbers, behind: []).count) / Double(numbers.count)
            // Which numbers of so many there are takes about log2(gap) + 1.44 bits each.
            #expect(bits < log2(gap) + 1.55, "a gap of \(gap)")
        }
    }

    @Test("injured gaps give numbers that ascend, or nothing", arguments: [1, 2, 3] as [UInt64])
    func injuries(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<300 {
            let numbers = Self.numbers(&random)
            var bytes = GapCode.write(numbers, behind: [])
            for _ in 0...random.below(3) { bytes[random.below(bytes.count)] ^= 1 << UInt8(random.below(8)) }
            bytes.removeLast(random.below(bytes.count))
            let count = random.chance(perMille: 500) ? numbers.count : random.within(1...10_000)
            guard let found = GapCode.read(count, first: numbers[0], bytes, at: 0) else { continue }
            #expect(found.numbers.count == count && found.end <= bytes.count)
            #expect(zip(found.numbers, found.numbers.dropFirst()).allSatisfy(<))
        }
        #expect(GapCode.read(1, first: 0, [], at: 0) == nil)
        #expect(GapCode.read(0, first: 0, [3, 4], at: 0) == nil)
        #expect(GapCode.read(1, first: 0, [33, 4], at: 0) == nil)
    }
}
