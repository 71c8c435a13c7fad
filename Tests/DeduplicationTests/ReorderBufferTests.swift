import ANPRModel
import Deduplication
import Simulation
import Testing

@Suite("The reorder buffer")
struct ReorderBufferTests {
    static let seeds: [UInt64] = [1, 2, 3, 4, 5]

    struct Element: Timed, Equatable {
        var time: Timestamp
        var number: Int
    }

    /// What a buffer must do, by sorting: equal times in order of arrival.
    private static func takeOut(_ waiting: inout [Element], before limit: Timestamp) -> [Element] {
        let out = waiting.filter { $0.time < limit }.sorted { ($0.time, $0.number) < ($1.time, $1.number) }
        waiting.removeAll { $0.time < limit }
        return out
    }

    private static func drain(_ buffer: inout ReorderBuffer<Element>, before limit: Timestamp) -> [Element] {
        var out: [Element] = []
        while let (elements, end) = buffer.next(before: limit) {
            #expect(elements.allSatisfy { $0.time < end && $0.time < limit })
            #expect(!elements.isEmpty)
            out += elements
            buffer.recycle(elements)
        }
        return out
    }

    @Test("What comes out is what a sort gives, whatever the steps of time", arguments: seeds)
    func againstSort(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for grain in [1, 100, 1024, 60_000, 5_000_000] {
            var buffer = ReorderBuffer<Element>()
            var waiting: [Element] = []
            var out: [Element] = []
            var limit = Timestamp(milliseconds: Int64(random.within(-10_000_000...10_000_000)))
            for number in 0..<3000 {
                let ahead = random.chance(perMille: 20) ? random.below(20_000_000) : random.below(grain * 20)
                let time = Timestamp(milliseconds: limit.milliseconds + Int64(ahead / grain * grain))
                let element = Element(time: time, number: number)
                buffer.insert(element)
                waiting.append(element)
                if random.chance(perMille: 100) {
                    limit.milliseconds += Int64(random.below(grain * 30))
                    let expected = Self.takeOut(&waiting, before: limit)
                    out = Self.drain(&buffer, before: limit)
                    #expect(out == expected, "seed \(seed), grain \(grain)")
                }
                #expect(buffer.count == waiting.count, "seed \(seed), grain \(grain)")
            }
            let rest = Self.takeOut(&waiting, before: .distantFuture)
            out = Self.drain(&buffer, before: .distantFuture)
            #expect(out == rest, "seed \(seed), grain \(grain)")
            #expect(buffer.count == 0, "seed \(seed), grain \(grain)")
        }
    }

    @Test("A limit takes what lies before it, not at it")
    func limit() {
        var buffer = ReorderBuffer<Element>()
        var out: [Element] = []
        for time in [2, 1, 3, 2] as [Int64] {
            buffer.insert(Element(time: Timestamp(milliseconds: time), number: 0))
        }
        out = Self.drain(&buffer, before: Timestamp(milliseconds: 1))
        #expect(out.isEmpty)
        out = Self.drain(&buffer, before: Timestamp(milliseconds: 2))
        #expect(out.map(\.time.milliseconds) == [1])
        out = Self.drain(&buffer, before: Timestamp(milliseconds: 3))
        #expect(out.map(\.time.milliseconds) == [2, 2])
        out = Self.drain(&buffer, before: .distantPast)
        #expect(out.isEmpty)
        #expect(buffer.count == 1)
    }

    @Test("A bucket is sorted by time, equal times kept in order, few elements or many", arguments: seeds)
    func bucketSorter(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var sorter = BucketSorter()
        for count in [0, 1, 2, 47, 48, 49, 500, 5000] {
            var elements = (0..<count).map {
                Element(
                    time: Timestamp(milliseconds: -1024 + Int64(random.below(random.within(1...1024)))),
                    number: $0
                )
            }
            let expected = elements.sorted { ($0.time, $0.number) < ($1.time, $1.number) }
            sorter.sort(&elements)
            #expect(elements == expected, "seed \(seed), \(count) elements")
        }
    }
}
