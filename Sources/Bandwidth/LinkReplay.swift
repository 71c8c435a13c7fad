public import ANPRModel
public import Deduplication

/// Replays traffic in event time over a line, and reports what it takes.
///
/// Reads go through the deduplicator as their feeds bring them, slice by slice; a sighting leaves at the end of the slice
/// whose reads moved the watermark past it, goes in a frame with those that left within the longest delay, and goes over
/// the line when the line's budget lets it. Beside it the same reads go, uncoupled from any line, as each force would send them by itself.
/// Nothing depends on a clock: the same slices give the same report.
///
/// - Complexity: O(reads); holds what the deduplicators hold, one for all forces and one for each.
public struct LinkReplay {
    /// What is replayed over what.
    public struct Settings: Sendable {
        /// The line's rate, at least `LinkBudget.bitsPerSecondMin`.
        public var bitsPerSecond: Int
        /// Whether the line speaks TLS.
        public var isEncrypted = true
        /// How long sightings may wait for others to go with them, in milliseconds.
        public var delayMax: Int64 = 1000
        /// How long a feed is silent, in milliseconds, before the others wait for it no more.
        public var idleAfter: Int64 = 30_000
        /// What makes reads one sighting.
        public var rules = DeduplicationRules()
        /// About how many reads a day has, where the caller knows; else it is reckoned from feeds of 20 hours and more.
        public var readsPerDay: Int?

        /// Settings of a line.
        public init(bitsPerSecond: Int) { self.bitsPerSecond = bitsPerSecond }
    }

    /// How the line was used, minute by minute, those left out in which it was not; counted from `base`.
    public var minutes: [MinuteUse] { line.use.minutes }
    /// The start of the first of those minutes, if anything left.
    public var base: Timestamp? { line.base }

    /// Sightings given out so far.
    public var sightings: Int { tally.sightings }

    private let settings: Settings
    private let register: CameraRegister
    private var deduplicator: Deduplicator
    private var joiner: VariantJoiner
    private var line: ReplayedLine
    private var full: FullFrames
    private var own: OwnLines
    private var plain: PlainLines
    private var tally = SightingTally()
    private var pace = TrafficPace()
    private var closed = SightingBatch()
    private var given = SightingBatch()
    private var lastSpoke: [Timestamp?]
    private var end = Timestamp.distantPast

    /// Prepares a replay.
    ///
    /// - Parameters:
    ///   - settings: the line and the rules.
    ///   - register: the cameras that reads name.
    ///   - feeds: how many feeds there are.
    /// - Throws: `CompressionError` when there is no memory for packing.
    public init(_ settings: Settings, register: CameraRegister, feeds: Int) throws {
        self.settings = settings
        self.register = register
        deduplicator = Deduplicator(register: register, rules: settings.rules)
        joiner = VariantJoiner(
            settings.rules.variants,
            register: register,
            reconcile: settings.rules.reconcile
        )
        let settings = ReplayedLine.Settings(
            bitsPerSecond: settings.bitsPerSecond,
            isEncrypted: settings.isEncrypted,
            delayMax: settings.delayMax
        )
        line = try ReplayedLine(settings, register: register)
        full = try FullFrames(settings, register: register)
        own = try OwnLines(settings, register: register, rules: self.settings.rules)
        plain = try PlainLines(settings, register: register)
        lastSpoke = [Timestamp?](repeating: nil, count: feeds)
    }

    /// Takes the next slice.
    ///
    /// - Parameter slice: ends no earlier than those before it; of as many feeds as were announced.
    /// - Throws: `CompressionError` when a comparison can't be packed.
    public mutating func take(_ slice: TrafficSlice) throws {
        try passOverIdle(before: slice.end)
        end = slice.end
        for feed in slice.reads.indices {
            let index = FeedIndex(feed)
            deduplicator.note(received: slice.received[feed], rejected: slice.rejected[feed], of: index)
            let reads = slice.reads[feed]
            if !reads.isEmpty {
                pace.add(reads.count, at: end)
                lastSpoke[feed] = end
                deduplicator.take(reads, from: index, into: &closed)
                own.take(reads, from: index)
                plain.take(reads, at: end)
            }
            // The last one ends with the replay: what is still open then leaves in its own time.
            if slice.hasEnded[feed], lastSpoke.indices.contains(where: { $0 != feed && lastSpoke[$0] != nil })
            {
                set(feed, .ended)
            }
        }
        try leave(at: end)
    }

    /// Ends all feeds, sends what is left, and reports.
    ///
    /// - Throws: `CompressionError` when a comparison can't be packed.
    public mutating func finish() throws -> BandwidthReport {
        for feed in lastSpoke.indices { set(feed, .ended) }
        leaveLast()
        try plain.leave(at: end)
        line.finish()
        full.finish()
        try plain.finish()
        let counts = deduplicator.counts.reduce(into: FeedCounts()) { $0 += $1 }
        return BandwidthReport(
            Replayed(
                settings: settings,
                counts: counts,
                tally: tally,
                pace: pace,
                line: line,
                bytesPerFullSighting: full.bytesPerSighting,
                own: own.outcome,
                plain: plain
            )
        )
    }

    /// Feeds that fell silent before a moment hold the others back no more, from when they did.
    private mutating func passOverIdle(before moment: Timestamp) throws {
        let latest = Timestamp(milliseconds: moment.milliseconds - settings.idleAfter)
        while let feed = lastSpoke.indices.min(by: { spoke($0) < spoke($1) }), spoke(feed) < latest {
            end = max(end, Timestamp(milliseconds: spoke(feed).milliseconds + settings.idleAfter))
            set(feed, .idle)
            try leave(at: end)
        }
    }

    private func spoke(_ feed: Int) -> Timestamp { lastSpoke[feed] ?? .distantFuture }

    private mutating func set(_ feed: Int, _ state: SourceState) {
        lastSpoke[feed] = nil
        deduplicator.set(FeedIndex(feed), state, into: &closed)
        own.set(FeedIndex(feed), state)
    }

    /// Sends on what has closed by a moment.
    private mutating func leave(at moment: Timestamp) throws {
        if !closed.isEmpty || joiner.count > 0 {
            release(through: deduplicator.closedThrough)
            line.offer(given, at: moment)
        }
        own.leave(at: moment)
        try plain.leave(at: moment)
    }

    /// Sends on what the end of all feeds has closed: each when it would have left had they gone on.
    ///
    /// All at once would be a burst that live feeds never make.
    private mutating func leaveLast() {
        release(through: .distantFuture)
        let tail = Tail(settings.rules, after: end)
        tail.forEach(of: given) { line.offer($0, at: $1) }
        own.leaveLast(tail)
    }

    private mutating func release(through: Timestamp) {
        given.removeAll()
        joiner.take(closed, closedThrough: through, into: &given)
        closed.removeAll()
        tally.add(given, register: register)
        full.take(given)
    }
}

/// When the sightings that the end of all feeds closed would have left, had reads gone on coming.
struct Tail {
    /// How long after its first read a sighting leaves, in milliseconds.
    let wait: Int64
    private let end: Timestamp

    init(_ rules: DeduplicationRules, after end: Timestamp) {
        wait = rules.windowMax + rules.lateness + (rules.variants == .off ? 0 : VariantRule.apart)
        self.end = end
    }

    /// Gives out sightings by tenths of a second.
    func forEach(of batch: SightingBatch, _ body: (SightingBatch, Timestamp) -> Void) {
        var part = SightingBatch()
        var moment = end
        for index in batch.sightings.indices {
            let own = (batch.sightings[index].opened.milliseconds + wait) / 100 * 100 + 100
            if own > moment.milliseconds {
                if !part.isEmpty { body(part, moment) }
                part.removeAll()
                moment = Timestamp(milliseconds: own)
            }
            part.append(index, of: batch)
        }
        if !part.isEmpty { body(part, moment) }
    }
}
