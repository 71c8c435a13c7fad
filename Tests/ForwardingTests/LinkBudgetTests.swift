import Forwarding
import Simulation
import Testing

/// A budget holds in every second, and a busy link uses it.
struct LinkBudgetTests {
    @Test(
        "whatever is sent and whenever, no second carries more than the line's rate",
        arguments: [9600, 64_000, 2_000_000, 1_000_000_000],
        [1, 2, 3] as [UInt64]
    )
    func everySecond(bitsPerSecond: Int, seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for isEncrypted in [false, true] {
            var budget = LinkBudget(bitsPerSecond: bitsPerSecond, isEncrypted: isEncrypted)
            var now = Int64(random.below(1 << 40))
            var sent: [(at: Int64, cost: Int)] = []
            for _ in 0..<4000 {
                // Mostly busy, now and then idle for some moments.
                if random.chance(perMille: 20) { now += Int64(random.below(3_000_000_000)) }
                let count = 1 + random.below(budget.pieceMax)
                let wait = budget.delay(count, at: now)
                now += wait
                #expect(budget.delay(count, at: now) == 0, "the wait is long enough")
                budget.sent(count, at: now)
                sent.append((now, budget.cost(count)))
                if random.chance(perMille: 300) { now += Int64(random.below(2_000_000)) }
            }
            var start = 0
            var inSecond = 0
            for piece in sent {
                inSecond += piece.cost
                while sent[start].at <= piece.at - 1_000_000_000 {
                    inSecond -= sent[start].cost
                    start += 1
                }
                #expect(inSecond <= bitsPerSecond / 8, "at \(bitsPerSecond) bit/s, seed \(seed)")
            }
        }
    }

    @Test("a link that has always something to send uses its line", arguments: [9600, 64_000, 10_000_000])
    func busy(bitsPerSecond: Int) {
        var budget = LinkBudget(bitsPerSecond: bitsPerSecond, isEncrypted: true)
        var now: Int64 = 0
        var carried = 0
        while now < 60_000_000_000 {
            now += budget.delay(budget.pieceMax, at: now)
            budget.sent(budget.pieceMax, at: now)
            carried += budget.cost(budget.pieceMax)
        }
        #expect(carried > bitsPerSecond / 8 * 60 * 95 / 100)
    }
}
