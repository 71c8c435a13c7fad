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
                // Mostly busy, now and then idle for some moments; after the longest a handshake goes by itself.
                if random.chance(perMille: 20) {
                    let idle = Int64(random.below(3_000_000_000))
                    now += idle
                    if idle > 1_100_000_000 {
                        let handshake = random.below(bitsPerSecond / 8 / 3)
                        sent.append((now - Int64(random.below(50_000_000)), handshake))
                        budget.went(handshake, at: now)
                    }
                }
                let count = 1 + random.below(budget.pieceMax)
                let wait = budget.delay(count, at: now)
                now += wait
                #expect(budget.delay(count, at: now) == 0, "the wait is long enough")
                budget.sent(count, at: now)
                // It leaves between then and when that is known.
                let slow = random.chance(perMille: 50) ? Int64(1 + random.below(900_000_000)) : 0
                sent.append((now + slow / 2, budget.cost(count)))
                now += slow
                budget.left(at: now, wasHeldUp: slow > 0 && random.chance(perMille: 500))
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
