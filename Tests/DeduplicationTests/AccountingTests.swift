import ANPRModel
import Deduplication
import Simulation
import TestSupport
import Testing

@Suite("Accounting")
struct AccountingTests {
    static let seeds: [UInt64] = [1, 2, 3, 6, 28, 496]
    static let latenesses: [Int64] = [0, 1000, 20_000]

    /// How many different reads there are.
    private static func distinct(_ reads: RandomReads) -> Int {
        Set(reads.plain.map { [$0.force, $0.camera, $0.vrm, String($0.captured)] }).count
    }

    @Test(
        "The account balances after every batch, and every read is in exactly one sighting",
        arguments: seeds,
        latenesses
    )
    func everyBatch(seed: UInt64, lateness: Int64) {
        var random = SeededRandom(seed: seed)
        let reads = RandomReads(seed: seed)
        var run = EngineRun(reads.register, DeduplicationRules(lateness: lateness), feeds: reads.feeds.count)
        run.work(off: reads.feeds, batchMax: 40, &random) { run in
            #expect(run.counts.balances, "seed \(seed)")
            #expect(run.engine.counts.allSatisfy { $0.balances }, "seed \(seed)")
            #expect(run.counts.received == UInt64(run.given), "seed \(seed)")
            let out = run.newest.sightings.map(\.reads).reduce(0, +)
            #expect(UInt64(out) <= run.counts.accepted, "seed \(seed)")
        }
        let (newest, faults) = run.newest
        #expect(faults == [], "seed \(seed)")
        #expect(newest.map(\.reads).reduce(0, +) == Int(run.counts.accepted), "seed \(seed)")
        #expect(Int(run.counts.accepted) == Self.distinct(reads), "seed \(seed)")
        #expect((run.counts.late > 0) == (lateness < 20_000), "seed \(seed)")
        #expect(run.engine.waiting == (0, 0), "seed \(seed)")
    }

    @Test(
        "A sighting, amended or not, spans at most its window and agrees with its contributions",
        arguments: seeds,
        latenesses
    )
    func invariants(seed: UInt64, lateness: Int64) {
        var random = SeededRandom(seed: seed)
        let reads = RandomReads(seed: seed)
        let rule = DeduplicationRules.Window(window: 5000, gap: 2000)
        var run = EngineRun(
            reads.register,
            DeduplicationRules(window: rule, lateness: lateness),
            feeds: reads.feeds.count
        )
        run.work(off: reads.feeds, batchMax: 40, &random)
        for sighting in run.sightings {
            #expect(sighting.last - sighting.first <= rule.window, "seed \(seed): \(sighting)")
            #expect(sighting.parts.map(\.reads).reduce(0, +) == sighting.reads, "seed \(seed): \(sighting)")
            #expect(sighting.parts.map(\.first).min() == sighting.first, "seed \(seed): \(sighting)")
            #expect(
                sighting.parts.compactMap(\.confidence).max() == sighting.best.confidence,
                "seed \(seed): \(sighting)"
            )
            let order = sighting.parts.map { [$0.force, $0.camera] }
            #expect(Set(order).count == order.count, "seed \(seed): \(sighting)")
            let sorted = order.sorted { ($0[0], $0[1]) < ($1[0], $1[1]) }
            #expect(order == sorted, "seed \(seed): \(sighting)")
        }
    }

    @Test("Rejected records are the caller's, and count where they came from")
    func rejected() {
        var run = EngineRun(SmallRegister.make(), DeduplicationRules(), feeds: 2)
        run.take([Read("AB27CDE", at: 0, by: 0), Read("AB27CDE", at: 0, by: 0)], from: 1, rejected: 3)
        run.set(0, .ended)
        run.set(1, .ended)
        #expect(run.engine.counts.map(\.received) == [0, 5])
        #expect(run.engine.counts.map(\.rejected) == [0, 3])
        #expect(run.engine.counts.map(\.redelivered) == [0, 1])
        #expect(run.engine.counts.map(\.accepted) == [0, 1])
        #expect(run.counts.balances)
    }

    @Test("A copy that another feed brings counts there")
    func copyOfAnotherFeed() {
        var run = EngineRun(SmallRegister.make(), DeduplicationRules(), feeds: 2)
        run.take([Read("AB27CDE", at: 0, by: 0)], from: 1)
        run.take([Read("AB27CDE", at: 0, by: 0)], from: 0)
        run.set(0, .ended)
        run.set(1, .ended)
        #expect(run.counts.accepted == 1)
        #expect(run.counts.redelivered == 1)
        #expect(run.sightings.map(\.reads) == [1])
    }
}
