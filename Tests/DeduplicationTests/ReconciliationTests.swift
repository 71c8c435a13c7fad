import ANPRModel
import Deduplication
import Simulation
import TestSupport
import Testing

@Suite("Reconciling")
struct ReconciliationTests {
    /// A mark for each number, all different.
    private static func mark(_ number: Int) -> String {
        let digits = String(number, radix: 26)
        return "AB27" + String(repeating: "0", count: 5 - digits.count) + digits.uppercased()
    }

    /// An engine that has closed a sighting of each of so many marks, one every 10 ms.
    private static func closed(_ count: Int, reconcileCount: Int = 20_000_000) -> EngineRun {
        let rules = DeduplicationRules(lateness: 0, reconcileCount: reconcileCount)
        var run = EngineRun(SmallRegister.make(), rules)
        for start in stride(from: 0, to: count, by: 5000) {
            run.take(
                (start..<min(count, start + 5000)).map {
                    Read(mark($0), at: Int64($0) * 10, by: 3, confidence: 50)
                }
            )
        }
        run.take([Read("XY88ZZT", at: Int64(count) * 10 + 20_000, by: 4)])
        return run
    }

    @Test(
        "Among a hundred thousand closed sightings each late read finds its own",
        arguments: [1, 2] as [UInt64]
    )
    func findsItsOwn(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var run = Self.closed(100_000)
        var numbers = Array(0..<100_000)
        numbers.shuffle(using: &random)
        let copies = numbers.prefix(700)
        let joins = numbers.dropFirst(700).prefix(700)
        let strangers = numbers.dropFirst(1400).prefix(700)
        run.take(copies.map { Read(Self.mark($0), at: Int64($0) * 10, by: 3, confidence: 50) })
        run.take(joins.map { Read(Self.mark($0), at: Int64($0) * 10 + 700, by: 0) })
        run.take(strangers.map { Read(Self.mark($0), at: Int64($0) * 10, by: 5) })
        run.set(0, .ended)
        #expect(run.counts.redelivered == 700, "seed \(seed)")
        #expect(run.counts.late == 2100, "seed \(seed)")
        let (newest, faults) = run.newest
        #expect(faults == [], "seed \(seed)")
        #expect(newest.count == 100_001 + 700, "seed \(seed)")
        let amended = newest.filter { $0.revision > 0 }
        #expect(Set(amended.map(\.vrm)) == Set(joins.map(Self.mark)), "seed \(seed)")
        #expect(
            amended.allSatisfy { $0.reads == 2 && $0.revision == 1 && $0.parts.count == 2 },
            "seed \(seed)"
        )
        #expect(newest.filter(\.isLate).allSatisfy { $0.site == "SITE-1" }, "seed \(seed)")
    }

    @Test("What is too much is forgotten from the oldest on, and nothing is lost by it")
    func countBound() {
        var run = Self.closed(100_000, reconcileCount: 40_000)
        run.take([Read(Self.mark(0), at: 0, by: 3), Read(Self.mark(99_999), at: 999_990, by: 3)])
        run.set(0, .ended)
        #expect(run.counts.redelivered == 1)
        #expect(run.sightings.filter(\.isLate).map(\.vrm) == [Self.mark(0)])
        #expect(run.sightings.map(\.reads).reduce(0, +) == Int(run.counts.accepted))
    }

    @Test("A better late copy is kept in full: direction, lane and contribution")
    func copyInFull() {
        func read(_ confidence: Int8, _ direction: Direction?, lane: Int8) -> Read {
            var read = Read("AB27CDE", at: 0, by: 3, confidence: confidence)
            read.direction = direction?.rawValue ?? 0
            read.lane = lane
            return read
        }
        let copies = [
            read(80, .west, lane: 1), read(80, .west, lane: 0), read(80, .north, lane: 5),
            read(79, nil, lane: -1),
            read(80, .south, lane: 0), read(81, .towards, lane: 9), read(81, nil, lane: 9),
            read(81, nil, lane: -1),
        ]
        var run = EngineRun(SmallRegister.make(), DeduplicationRules(lateness: 0))
        run.take([copies[0], Read("XY88ZZT", at: 60_000, by: 4)])
        for copy in copies.dropFirst() { run.take([copy]) }
        let best = run.sightings.map {
            "\($0.best.confidence ?? -1) \($0.best.direction ?? "") \($0.best.lane ?? -1)"
        }
        #expect(best == ["80 W 1", "80 W 0", "80 N 5", "81 towards 9", "81  9", "81  -1"])
        #expect(run.sightings.map(\.revision) == [0, 1, 2, 3, 4, 5])
        #expect(run.sightings.map { $0.parts[0].confidence } == [80, 80, 80, 81, 81, 81])
    }

    @Test("A better copy of a read that is not the best raises its camera's contribution")
    func raisedContribution() {
        var run = EngineRun(SmallRegister.make(), DeduplicationRules(lateness: 0))
        run.take([
            Read("AB27CDE", at: 0, by: 3, confidence: 50), Read("AB27CDE", at: 1000, by: 0, confidence: 90),
        ])
        run.take([Read("XY88ZZT", at: 60_000, by: 4), Read("AB27CDE", at: 0, by: 3, confidence: 60)])
        #expect(run.sightings.map(\.revision) == [0, 1])
        #expect(run.sightings.map(\.best.captured) == [1000, 1000])
        #expect(run.sightings.map { $0.parts.map(\.confidence) } == [[50, 90], [60, 90]])
    }
}
