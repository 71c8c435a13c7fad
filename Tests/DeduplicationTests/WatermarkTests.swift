import ANPRModel
import Deduplication
import Simulation
import TestSupport
import Testing

@Suite("The watermark")
struct WatermarkTests {
    private static let register = SmallRegister.make()

    private func run(window: Int64 = 10_000, lateness: Int64 = 2000, feeds: Int = 2) -> EngineRun {
        let rules = DeduplicationRules(window: DeduplicationRules.Window(window: window), lateness: lateness)
        return EngineRun(Self.register, rules, feeds: feeds)
    }

    private func read(_ time: Int64, _ mark: String = "AB27CDE") -> Read { Read(mark, at: time, by: 3) }

    @Test("A sighting leaves when the watermark passes its first read by the window, and not before")
    func closing() {
        var run = run(feeds: 1)
        run.take([read(0), read(12_000, "XY88ZZT")])
        #expect(run.engine.watermark == Timestamp(milliseconds: 10_000))
        #expect(run.output.isEmpty)
        run.take([read(10_000)])
        #expect(run.counts.late == 0)
        run.take([read(12_001, "XY88ZZT")])
        #expect(run.sightings.map(\.reads) == [2])
        #expect(run.engine.closedThrough == Timestamp(milliseconds: 1))
    }

    @Test("A live feed that has said nothing holds everything back")
    func silentFeed() {
        var run = run()
        run.take([read(0), read(1_000_000)], from: 0)
        #expect(run.output.isEmpty)
        #expect(run.engine.watermark == .distantPast)
        #expect(run.engine.waiting.reads == 2)
    }

    @Test("A feed that is idle or has ended holds nothing back", arguments: [SourceState.idle, .ended])
    func silencedFeed(state: SourceState) {
        var run = run()
        run.take([read(0), read(1_000_000)], from: 0)
        run.set(1, state)
        #expect(run.engine.watermark == Timestamp(milliseconds: 998_000))
        #expect(run.sightings.map(\.first) == [0])
        run.take([read(2_000_000)], from: 0)
        #expect(run.sightings.map(\.first) == [0, 1_000_000])
    }

    @Test("An idle feed that brings no reads, heartbeats alone, still holds nothing back")
    func heartbeats() {
        var run = run()
        run.set(1, .idle)
        run.take([], from: 1)
        run.take([read(0), read(1_000_000)], from: 0)
        #expect(run.engine.watermark == Timestamp(milliseconds: 998_000))
        #expect(run.sightings.map(\.first) == [0])
    }

    @Test("A feed never heard of holds nothing back until it speaks")
    func newFeed() {
        var run = run(feeds: 1)
        run.take([read(0), read(1_000_000)], from: 0)
        #expect(run.sightings.count == 1)
        run.take([read(1_001_000, "XY88ZZT")], from: 5)
        run.take([read(3_000_000)], from: 0)
        #expect(run.engine.watermark == Timestamp(milliseconds: 999_000))
        #expect(run.sightings.count == 1)
    }

    @Test("An idle feed that speaks again is waited for again, and what it brings from before is late")
    func speakingAgain() {
        var run = run()
        run.take([read(0)], from: 1)
        run.set(1, .idle)
        run.take([read(500), read(1_000_000)], from: 0)
        #expect(run.sightings.map(\.reads) == [2])
        run.take([read(900)], from: 1)
        #expect(run.counts.late == 1)
        #expect(run.sightings.map(\.revision) == [0, 1])
        run.take([read(2_000_000)], from: 0)
        #expect(run.engine.watermark == Timestamp(milliseconds: 998_000))
        #expect(run.engine.waiting.reads == 2)
        run.take([read(1_500_000)], from: 1)
        #expect(run.engine.watermark == Timestamp(milliseconds: 1_498_000))
    }

    @Test("When every feed has ended nothing is left waiting")
    func end() {
        var run = run()
        run.take([read(0), read(50_000)], from: 0)
        run.take([read(3000)], from: 1)
        run.set(0, .ended)
        #expect(run.output.isEmpty)
        run.set(1, .ended)
        #expect(run.sightings.map(\.reads) == [2, 1])
        #expect(run.engine.waiting == (0, 0))
    }

    @Test("A feed that ended without a read changes nothing")
    func emptyFeed() {
        var run = run()
        run.set(1, .ended)
        run.set(0, .ended)
        #expect(run.output.isEmpty)
        #expect(run.counts == FeedCounts())
    }

    @Test(
        "The watermark never goes back, and no on-time sighting opens before what was closed",
        arguments: [1, 2, 3] as [UInt64]
    )
    func monotonic(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var run = run(window: 5000, feeds: 3)
        var time: Int64 = 1_000_000
        var last = Timestamp.distantPast
        var handedOut = 0
        var through = run.engine.closedThrough
        for _ in 0..<3000 {
            time += Int64(random.below(300))
            let feed = random.below(3)
            switch random.below(20) {
            case 0: run.set(feed, .idle)
            case 1: run.set(feed, .ended)
            default: run.take([read(time - Int64(random.below(6000)), RandomReads.mark(&random))], from: feed)
            }
            #expect(run.engine.watermark >= last, "seed \(seed)")
            last = run.engine.watermark
            for sighting in run.output.sightings[handedOut...]
            where !sighting.isLate && sighting.revision == 0 {
                #expect(sighting.first >= through, "seed \(seed)")
            }
            handedOut = run.output.count
            through = run.engine.closedThrough
            #expect(run.counts.balances, "seed \(seed)")
        }
    }

    @Test("A feed that wakes soon after all were idle is taken on, however short the window")
    func wakingSoon() async {
        await #expect(processExitsWith: .success) {
            let rules = DeduplicationRules(window: DeduplicationRules.Window(window: 500), lateness: 2000)
            var run = EngineRun(SmallRegister.make(), rules)
            run.take([Read("AB27CDE", at: 0, by: 3)])
            run.set(0, .idle)
            // Not late, yet in the second that was worked off.
            run.take([Read("XY88ZZT", at: 600, by: 3)])
            run.set(0, .ended)
            precondition(run.sightings.map(\.first) == [0, 600])
        }
    }
}
