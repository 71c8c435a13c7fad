public import ANPRModel
public import Deduplication
public import Simulation

/// The engine under test, with all it gave out and an account kept beside it.
public struct EngineRun: Sendable {
    /// The engine.
    public private(set) var engine: Deduplicator
    /// All that was given out, in order.
    public private(set) var output = SightingBatch()
    /// How many reads were given to it.
    public private(set) var given = 0
    private let register: CameraRegister

    /// Starts an engine with feeds `0..<feeds`, all live.
    public init(_ register: CameraRegister, _ rules: DeduplicationRules, feeds: Int = 1) {
        self.register = register
        engine = Deduplicator(register: register, rules: rules)
        engine.start(live: (0..<feeds).map { FeedIndex($0) }, into: &output)
    }

    /// Gives reads, noted as received.
    public mutating func take(_ reads: some Sequence<Read>, from feed: Int = 0, rejected: Int = 0) {
        let reads = Array(reads)
        given += reads.count
        engine.note(received: reads.count + rejected, rejected: rejected, of: FeedIndex(feed))
        engine.take(reads, from: FeedIndex(feed), into: &output)
    }

    /// Says what a feed is doing.
    public mutating func set(_ feed: Int, _ state: SourceState) {
        engine.set(FeedIndex(feed), state, into: &output)
    }

    /// Works feeds off, a batch of a random feed at a time, and ends each when it is empty.
    ///
    /// - Parameters:
    ///   - feeds: each feed's reads in order of arrival.
    ///   - batchMax: the most reads in a batch.
    ///   - random: decides whose turn it is and how long.
    ///   - afterEach: called after each batch.
    public mutating func work(
        off feeds: [[Read]],
        batchMax: Int,
        _ random: inout SeededRandom,
        afterEach: (EngineRun) -> Void = { _ in }
    ) {
        var rest = feeds.map { $0[...] }
        var waiting = Array(feeds.indices)
        while !waiting.isEmpty {
            let feed = random.one(of: waiting)
            let batch = rest[feed].prefix(random.within(1...batchMax))
            rest[feed] = rest[feed].dropFirst(batch.count)
            take(batch, from: feed)
            afterEach(self)
            guard rest[feed].isEmpty else { continue }
            set(feed, .ended)
            waiting.removeAll { $0 == feed }
            afterEach(self)
        }
    }

    /// The account of all feeds.
    public var counts: FeedCounts {
        engine.counts.reduce(into: FeedCounts()) { $0 += $1 }
    }

    /// All that was given out, in plain form.
    public var sightings: [PlainSighting] { PlainSighting.list(output, in: register) }

    /// The newest form of each sighting, by (opened, vrm, site), and what broke the chain of revisions.
    public var newest: (sightings: [PlainSighting], faults: [String]) {
        var known: [[String]: PlainSighting] = [:]
        var faults: [String] = []
        for sighting in sightings {
            let key = [sighting.vrm, sighting.site, String(sighting.opened)]
            let expected = known[key].map { $0.revision + 1 } ?? 0
            if sighting.revision != expected {
                faults.append("\(key) came with revision \(sighting.revision), expected \(expected)")
            }
            known[key] = sighting
        }
        let ordered = known.values.sorted { ($0.opened, $0.vrm, $0.site) < ($1.opened, $1.vrm, $1.site) }
        return (ordered, faults)
    }
}
