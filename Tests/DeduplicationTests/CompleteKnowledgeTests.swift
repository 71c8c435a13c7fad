import ANPRModel
import Deduplication
import FeedDecoding
import Simulation
import TestSupport
import Testing

@Suite("The engine against complete knowledge")
struct CompleteKnowledgeTests {
    static let seeds: [UInt64] = [1, 2, 3, 5, 8, 13, 21, 34]
    static let rules = [
        DeduplicationRules.Window(window: 2000), DeduplicationRules.Window(window: 10_000),
        DeduplicationRules.Window(window: 60_000), DeduplicationRules.Window(window: 10_000, gap: 1500),
        DeduplicationRules.Window(window: 60_000, gap: 4000), DeduplicationRules.Window(window: 0),
        DeduplicationRules.Window(window: 700, gap: 0),
    ]

    private static func model(_ rule: DeduplicationRules.Window) -> ReferenceModel {
        ReferenceModel(ReferenceModel.Rule(window: rule.window, gap: rule.gap))
    }

    @Test(
        "Adversarial reads, out of order inside the lateness, give the model's sightings",
        arguments: seeds,
        rules
    )
    func adversarial(seed: UInt64, rule: DeduplicationRules.Window) {
        var random = SeededRandom(seed: seed)
        for round in 0..<4 {
            var shape = RandomReads.Shape()
            shape.grain = [1, 250, 1000, 1024][round]
            shape.marks = [1, 6, 3, 40][round]
            shape.span = [30_000, 120_000, 60_000, 600_000][round]
            let reads = RandomReads(seed: seed &* 10 &+ UInt64(round), shape)
            var run = EngineRun(
                reads.register,
                DeduplicationRules(window: rule, lateness: Int64(shape.delayMax)),
                feeds: reads.feeds.count
            )
            run.work(off: reads.feeds, batchMax: 200, &random)
            let answer = Self.model(rule).answer(reads.plain)
            #expect(difference(run.sightings, answer.sightings) == nil, "seed \(seed), round \(round)")
            #expect(run.counts.accepted == UInt64(answer.accepted), "seed \(seed), round \(round)")
            #expect(run.counts.redelivered == UInt64(answer.redelivered), "seed \(seed), round \(round)")
            #expect(run.counts.late == 0, "seed \(seed), round \(round)")
        }
    }

    @Test("Sites with rules of their own give the model's sightings", arguments: seeds)
    func siteRules(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let reads = RandomReads(seed: seed)
        let rules = DeduplicationRules(
            window: DeduplicationRules.Window(window: 10_000),
            sites: [
                "SITE-0": DeduplicationRules.Window(window: 30_000, gap: 2000),
                "SITE-1": DeduplicationRules.Window(window: 500),
            ],
            lateness: 20_000
        )
        let model = ReferenceModel(
            ReferenceModel.Rule(window: 10_000),
            sites: [
                "SITE-0": ReferenceModel.Rule(window: 30_000, gap: 2000),
                "SITE-1": ReferenceModel.Rule(window: 500),
            ]
        )
        var run = EngineRun(reads.register, rules, feeds: reads.feeds.count)
        run.work(off: reads.feeds, batchMax: 50, &random)
        #expect(difference(run.sightings, model.answer(reads.plain).sightings) == nil, "seed \(seed)")
    }

    @Test("Simulated feeds give the model's sightings", arguments: [1, 2, 3] as [UInt64], rules.prefix(5))
    func simulated(seed: UInt64, rule: DeduplicationRules.Window) throws {
        var random = SeededRandom(seed: seed)
        let profile = SimulationProfile.all[Int(seed) % SimulationProfile.all.count]
        let feeds = SimulatedFeeds(profile, reads: 6000, seed: seed, garbagePerMille: 10)
        let register = CameraRegister(feeds.cameras)
        let reads = zip(feeds.feeds, profile.members).map { FeedBytes.decode($0, $1.format, register).reads }
        var run = EngineRun(register, DeduplicationRules(window: rule), feeds: reads.count)
        run.work(off: reads, batchMax: 700, &random)
        let answer = Self.model(rule).answer(reads.joined().map { PlainRead($0, in: register) })
        #expect(difference(run.sightings, answer.sightings) == nil, "seed \(seed)")
        #expect(run.counts.accepted == UInt64(answer.accepted), "seed \(seed)")
        #expect(run.counts.redelivered > 0, "seed \(seed)")
        #expect(run.counts.accepted + run.counts.redelivered == UInt64(reads.joined().count), "seed \(seed)")
    }

    @Test("Working the same reads twice adds nothing", arguments: seeds)
    func twice(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let reads = RandomReads(seed: seed)
        let rules = DeduplicationRules(lateness: 20_000)
        var once = EngineRun(reads.register, rules, feeds: reads.feeds.count)
        once.work(off: reads.feeds, batchMax: 100, &random)
        var shape = RandomReads.Shape()
        shape.delayMax = 0
        var twice = EngineRun(reads.register, rules, feeds: reads.feeds.count)
        twice.work(off: reads.feeds.map { feed in feed.flatMap { [$0, $0] } }, batchMax: 100, &random)
        #expect(difference(twice.sightings, once.sightings) == nil, "seed \(seed)")
        #expect(twice.counts.accepted == once.counts.accepted, "seed \(seed)")
    }
}
