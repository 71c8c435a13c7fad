import ANPRModel
import Deduplication
import Simulation
import TestSupport
import Testing

@Suite("Order of arrival")
struct ArrivalOrderTests {
    static let seeds: [UInt64] = [1, 2, 3, 44, 555]

    /// The sightings as the bytes that are given out.
    private static func text(_ batch: SightingBatch, _ register: CameraRegister) -> [UInt8] {
        var writer = SightingNDJSON(register: register)
        var out = ByteWriter()
        for index in 0..<batch.count { writer.append(index, of: batch, to: &out) }
        return out.take()
    }

    /// Each feed put into another order in which no read is later than the lateness.
    private static func shuffled(_ feeds: [[Read]], lateness: Int, _ random: inout SeededRandom) -> [[Read]] {
        feeds.map { feed in
            feed.map {
                (
                    arrival: $0.captured.milliseconds + Int64(random.below(lateness + 1)),
                    order: random.next(), read: $0
                )
            }
            .sorted { ($0.arrival, $0.order) < ($1.arrival, $1.order) }
            .map(\.read)
        }
    }

    @Test("Any order inside the lateness, and any batching, gives byte-identical output", arguments: seeds)
    func insideLateness(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let reads = RandomReads(seed: seed)
        let rules = DeduplicationRules(
            window: DeduplicationRules.Window(window: 10_000, gap: 3000),
            lateness: 20_000
        )
        var first: [UInt8]?
        for round in 0..<12 {
            let feeds = Self.shuffled(reads.feeds, lateness: 20_000, &random)
            var run = EngineRun(reads.register, rules, feeds: feeds.count)
            run.work(off: feeds, batchMax: [1, 7, 60, 5000][round % 4], &random)
            let text = Self.text(run.output, reads.register)
            #expect(run.counts.late == 0, "seed \(seed), round \(round)")
            #expect(text == first ?? text, "seed \(seed), round \(round)")
            #expect(run.newest.faults == [], "seed \(seed), round \(round)")
            first = text
        }
        #expect(first?.isEmpty == false)
    }

    @Test("A longer lateness than is needed changes nothing", arguments: seeds)
    func moreLateness(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let reads = RandomReads(seed: seed)
        let runs = ([20_000, 120_000, 100_000_000] as [Int64]).map { lateness in
            var run = EngineRun(
                reads.register,
                DeduplicationRules(lateness: lateness),
                feeds: reads.feeds.count
            )
            run.work(off: reads.feeds, batchMax: 100, &random)
            return Self.text(run.output, reads.register)
        }
        #expect(runs[0] == runs[1], "seed \(seed)")
        #expect(runs[0] == runs[2], "seed \(seed)")
    }

    @Test("Feeds that lie days apart give what they give alone", arguments: seeds)
    func farApart(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let reads = RandomReads(seed: seed)
        let shift: [Int64] = [0, 3 * 86_400_000, 86_400_000]
        let feeds = zip(reads.feeds, shift).map { feed, shift in
            feed.map { read in
                var read = read
                read.captured.milliseconds += shift
                return read
            }
        }
        var run = EngineRun(reads.register, DeduplicationRules(lateness: 20_000), feeds: feeds.count)
        run.work(off: feeds, batchMax: 90, &random)
        let plain = feeds.joined().map { PlainRead($0, in: reads.register) }
        let answer = ReferenceModel(ReferenceModel.Rule(window: 10_000)).answer(plain)
        #expect(difference(run.sightings, answer.sightings) == nil, "seed \(seed)")
    }

    @Test("With reads beyond the lateness, too, batching does not change what is given out", arguments: seeds)
    func batchingOfLateReads(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var shape = RandomReads.Shape()
        shape.count = 3000
        shape.grain = 10
        let feed = RandomReads(seed: seed, shape).feeds[0]
        let register = RandomReads(seed: seed, shape).register
        let rules = DeduplicationRules(window: DeduplicationRules.Window(window: 10_000), lateness: 1000)
        let runs = [1, 10, 5000].map { batchMax in
            var run = EngineRun(register, rules)
            run.work(off: [feed], batchMax: batchMax, &random)
            return run
        }
        #expect(runs[0].counts.late > 100, "seed \(seed)")
        for run in runs.dropFirst() {
            #expect(run.counts == runs[0].counts, "seed \(seed)")
            #expect(difference(run.newest.sightings, runs[0].newest.sightings) == nil, "seed \(seed)")
            #expect(difference(run.sightings, runs[0].sightings) == nil, "seed \(seed), order of output")
        }
    }
}
