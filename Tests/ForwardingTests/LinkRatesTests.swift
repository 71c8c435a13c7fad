import Forwarding
import Testing

/// What a line may carry by the time of day.
struct LinkRatesTests {
    @Test("the first rate that holds counts, over midnight too")
    func timeOfDay() throws {
        let rates = try #require(
            LinkRates([
                .init(minutes: (7 * 60, 19 * 60), bitsPerSecond: 64_000),
                .init(minutes: (22 * 60, 5 * 60), bitsPerSecond: 2_000_000),
                .init(bitsPerSecond: 256_000),
            ])
        )
        let expected = [
            (0, 2_000_000), (299, 2_000_000), (300, 256_000), (419, 256_000), (420, 64_000), (1139, 64_000),
            (1140, 256_000), (1319, 256_000), (1320, 2_000_000), (1439, 2_000_000),
        ]
        for (minute, rate) in expected {
            #expect(rates.bitsPerSecond(minute: minute) == rate, "minute \(minute)")
        }
    }

    @Test("the last must hold all day")
    func whole() {
        #expect(LinkRates([]) == nil)
        #expect(LinkRates([.init(minutes: (0, 720), bitsPerSecond: 64_000)]) == nil)
        #expect(LinkRates(bitsPerSecond: 64_000).bitsPerSecond(minute: 3) == 64_000)
    }

    @Test("a line that grows narrower carries no more than the new rate in any second", arguments: [1, 2, 3])
    func narrower(seed: UInt64) {
        var budget = LinkBudget(bitsPerSecond: 2_000_000, isEncrypted: false)
        var now: Int64 = 0
        var sent: [(at: Int64, cost: Int)] = []
        let change: Int64 = 2_000_000_000
        var isNarrow = false
        while now < 6_000_000_000 {
            if now >= change, !isNarrow {
                budget.use(bitsPerSecond: 64_000)
                isNarrow = true
            }
            let count = min(budget.pieceMax, 100 + Int(seed) * 37)
            let wait = budget.delay(count, at: now)
            now += wait
            guard wait == 0 else { continue }
            budget.sent(count, at: now)
            sent.append((now, budget.cost(count)))
            now += 1000
        }
        let late = sent.filter { $0.at >= change }
        #expect(late.first.map { $0.at >= change + 900_000_000 } ?? false, "the wide second must pass first")
        for (place, one) in late.enumerated() {
            let second = late[place...].prefix { $0.at < one.at + 1_000_000_000 }.reduce(0) { $0 + $1.cost }
            #expect(second <= 8000)
        }
    }
}
