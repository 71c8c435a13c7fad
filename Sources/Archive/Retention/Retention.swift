public import ANPRModel

/// What one rule deletes, or would.
public struct RetentionOutcome: Sendable, Equatable {
    /// The rule as configured.
    public var rule: String
    /// Captured before this is past its date.
    public var cutoff: Timestamp
    /// Contributions past their date.
    public var contributions = 0
    /// Sightings that go whole with them.
    public var sightings = 0
    /// Images of reads that go by their own class, or with their contributions.
    public var images = 0
    /// Alerts, refused records and audit records.
    public var records = 0
    /// Contributions past their date that a legal hold keeps; none of those above.
    public var held = 0
    /// The oldest of what goes.
    public var oldest: Timestamp?

    /// Whether anything goes.
    public var isAny: Bool { contributions > 0 || images > 0 || records > 0 }
}

extension RetentionPolicy {
    /// Of each rule that nothing goes by it.
    public func outcomes(now: Timestamp) -> [RetentionOutcome] {
        rules.map { RetentionOutcome(rule: $0.text, cutoff: $0.keep.cutoff(now: now)) }
    }
}

extension RetentionOutcome {
    /// Counts records that go.
    public mutating func add(_ count: Int, at oldest: Timestamp?) {
        records += count
        if count > 0 { self.oldest = [self.oldest, oldest].compactMap(\.self).min() }
    }
}

extension [RetentionOutcome] {
    /// Counts records that go.
    public mutating func add(_ purge: RecordPurge) {
        for (rule, count) in purge.counts { self[rule].add(count, at: purge.oldest[rule]) }
    }
}

/// Applies a retention policy to an archive's segments.
///
/// Contributions belong to their forces: when a force's time is up its contribution goes, and the sighting goes with the
/// last. What is left of a sighting is what its remaining contributions say. Images go by their own class, and at the latest
/// with the contribution of their read: before it, so that a crash leaves no image that nothing would find. A day all of
/// which is past the longest period goes as a whole, under that period's rule. What a legal hold is about stays.
public struct Retention {
    private let archiver: Archiver
    private let catalogue: Catalogue
    private let policy: RetentionPolicy
    private let images: RetentionImages?
    private let recorder: PurgeRecorder
    private let looked: DaysLookedThrough

    /// Retention over a data folder's archive, and its images if there are any.
    ///
    /// - Parameters:
    ///   - recorder: makes the records that purges leave.
    ///   - looked: what was looked through before; for who applies rules more than once.
    public init(
        archiver: Archiver,
        catalogue: Catalogue,
        policy: RetentionPolicy,
        images: RetentionImages? = nil,
        recorder: PurgeRecorder = PurgeRecorder(),
        looked: DaysLookedThrough = DaysLookedThrough()
    ) {
        self.archiver = archiver
        self.catalogue = catalogue
        self.policy = policy
        self.images = images
        self.recorder = recorder
        self.looked = looked
    }

    /// What `apply` would delete at a moment; changes nothing.
    public func plan(now: Timestamp) throws -> [RetentionOutcome] {
        var total = RetentionSieve(policy, now: now)
        try purgeImages(now, isDry: true, &total)
        for segments in try days(dueBefore: total.cutoffOfSightings) {
            let holds = try catalogue.activeHolds()
            if let whole = wholeDay(segments, now, holds) {
                total.add([whole.outcome], from: whole.rule)
                continue
            }
            var sieve = RetentionSieve(policy, now: now, holds: holds, notesPurged: images != nil)
            let sections = try self.sections(of: segments, sieve, holds)
            sections.dropped.forEach { sieve.drop($0) }
            let all = try archiver.load(segments, only: sections.sifted)
            _ = sieve.sift(all)
            try purgeImages(of: sieve.purged(all.register), isDry: true, &sieve)
            total.add(sieve.outcomes)
        }
        return total.outcomes
    }

    /// Deletes what is past its date and records it in the catalogue.
    ///
    /// - Returns: what went, by rule; rewritten files are gone from the disk when this returns.
    public func apply(now: Timestamp) throws -> [RetentionOutcome] {
        var outcomes: [RetentionOutcome] = []
        try apply(now: now, into: &outcomes)
        return outcomes
    }

    /// Deletes what is past its date and records it in the catalogue, and says what went also where it throws.
    ///
    /// - Parameters:
    ///   - outcomes: what went, by rule.
    ///   - isAllFiled: whether the log has no sightings that the archive has not.
    /// - Throws: the first trouble, once all that can go is gone: what can't be read holds nothing else back.
    public func apply(now: Timestamp, into outcomes: inout [RetentionOutcome], isAllFiled: Bool = true) throws
    {
        try archiver.finishPurges()
        try noteBrokenOff()
        var attempts = Attempts()
        var total = RetentionSieve(policy, now: now)
        defer { outcomes = total.outcomes }
        attempts.make { try purgeImages(now, isDry: false, &total) }
        // A sighting that goes may be named by another, of a day that otherwise stays as it is.
        var gone = GoneSightings()
        // What is only in the log would seem to have gone.
        var unsure = try catalogue.daysNamed()
        if isAllFiled {
            unsure = unsure.filter { day in
                var recalling = Attempts()
                recalling.make { try recall(day, into: &gone) }
                attempts.make { try recalling.finish() }
                return !recalling.isGood
            }
        }
        let days = try days(dueBefore: total.cutoffOfSightings)
        looked.keep(Set(days.compactMap(\.first?.day)))
        for segments in days {
            attempts.make {
                // A hold that is placed in the meantime counts.
                while try !purge(segments[0].day, now, &total, &gone) {}
            }
        }
        attempts.make {
            try forget(gone)
            try catalogue.keepDaysNamed(unsure)
        }
        try attempts.finish()
    }

    // MARK: - Sightings

    /// Purges a day.
    ///
    /// - Returns: whether it is done; not if a hold was placed or released meanwhile.
    private func purge(
        _ day: Int32,
        _ now: Timestamp,
        _ total: inout RetentionSieve,
        _ gone: inout GoneSightings
    ) throws -> Bool {
        let holds = try catalogue.activeHolds()
        // Looked up anew: what was done to the day before may have changed what names this one's marks.
        guard let segments = try days([day]).first else { return true }
        if let whole = wholeDay(segments, now, holds) {
            let records = try recorder.records(of: [whole.outcome], at: now, day: day)
            var purge = DayPurge(day: segments, records: records, holds: holds.version)
            purge.mayBeNamed = true
            guard try archiver.commit(purge) else { return false }
            total.add([whole.outcome], from: whole.rule)
            gone.days.insert(day)
            return true
        }
        var sieve = RetentionSieve(policy, now: now, holds: holds, notesPurged: images != nil)
        guard looked.canBeDue(segments, by: policy, sieve.cutoffs) else { return true }
        let sections = try self.sections(of: segments, sieve, holds)
        sections.dropped.forEach { sieve.drop($0) }
        let all = try archiver.load(segments, only: sections.sifted)
        let kept = sieve.sift(all)
        guard sieve.hasFound else {
            sieve.leave(sections.left)
            if !sieve.hasHeld { looked.note(segments, by: policy, earliest: sieve.left) }
            total.add(sieve.outcomes)
            return true
        }
        // On record by themselves: what comes next may be broken off, or gone over again for a hold.
        do {
            defer { total.add(sieve.takeImages()) }
            try purgeImages(of: sieve.purged(all.register), isDry: false, &sieve)
        }
        var purge = DayPurge(day: segments, records: [], holds: holds.version)
        purge.records = try recorder.records(of: sieve.outcomes, at: now, day: day)
        purge.gone = sections.gone
        purge.kept = kept.without(sieve.gone)
        purge.mayBeNamed = !sieve.gone.isEmpty
        guard try archiver.commit(purge) else { return false }
        gone.identities.formUnion(sieve.gone)
        gone.partnerDays.formUnion(sieve.daysOfPartners)
        total.add(sieve.outcomes)
        return true
    }

    /// Which sections of a day have anything that is past its date.
    private func sections(
        of segments: [Catalogue.Segment],
        _ sieve: RetentionSieve,
        _ holds: ActiveHolds
    ) throws -> SectionsDue {
        // An amendment may be in another section than what it amends, and a hold can be about any of them.
        guard segments.allSatisfy({ !$0.marks.isEmpty && $0.counts?.amendments == 0 }) else {
            return SectionsDue()
        }
        let days = Set(images?.purger.days ?? [])
        return try SectionsDue(policy, sieve.cutoffs, try archiver.heads(of: segments)) { section in
            let own = section.first.day...max(section.first.day, section.last.day)
            return section.links == 0 && days.isDisjoint(with: own)
                && !holds.canContain(section.first...max(section.first, section.last))
        }
    }

    /// What goes with a day that goes as a whole, if it does: all of it is past the longest period, none of it can be held, and
    /// how much that is is known without reading it.
    private func wholeDay(
        _ segments: [Catalogue.Segment],
        _ now: Timestamp,
        _ holds: ActiveHolds
    ) -> (outcome: RetentionOutcome, rule: Int)? {
        guard let rule = policy.longestRule(now: now), let first = segments.map(\.first).min(),
            let last = segments.map(\.last).max()
        else { return nil }
        let cutoff = policy.rules[rule].keep.cutoff(now: now)
        guard last < cutoff, !holds.canContain(first...max(first, last)) else { return nil }
        let counts = segments.compactMap(\.counts)
        guard counts.count == segments.count,
            segments.count == 1 || counts.allSatisfy({ $0.amendments == 0 })
        else { return nil }
        var outcome = RetentionOutcome(rule: policy.rules[rule].text, cutoff: cutoff)
        outcome.contributions = counts.reduce(0) { $0 + $1.contributions }
        outcome.sightings = segments.reduce(0) { $0 + $1.rows }
        outcome.oldest = first
        return (outcome, rule)
    }

    /// Finds out what sightings still name of a day that a pass before this one purged, and was broken off before that was forgotten.
    ///
    /// A sighting lies on the day of its opening, or the one before, and names such of its own day or of one beside it.
    private func recall(_ day: Int32, into gone: inout GoneSightings) throws {
        let around = try self.days([day - 1, day, day + 1])
        guard around.contains(where: { $0.contains { $0.counts?.links != 0 } }) else { return }
        var named: Set<SightingIdentity> = []
        for segments in around {
            let all = try archiver.load(segments)
            named.formUnion(all.named.filter { (day...day + 1).contains($0.opened.day) })
        }
        for segments in around where !named.isEmpty {
            let all = try archiver.load(segments)
            for row in 0..<all.batch.count {
                named.remove(SightingIdentity(row, of: all.batch, all.register))
            }
        }
        gone.identities.formUnion(named)
        if !named.isEmpty { gone.partnerDays.formUnion(around.compactMap(\.first?.day)) }
    }

    /// Has no sighting name one that is gone.
    private func forget(_ gone: GoneSightings) throws {
        var attempts = Attempts()
        for day in gone.daysToLookAt.sorted() {
            attempts.make { while try !forget(gone, on: day) {} }
        }
        try attempts.finish()
    }

    /// Has no sighting of a day name one that is gone.
    ///
    /// - Returns: whether it is done; not if the day has other segments by now.
    private func forget(_ gone: GoneSightings, on day: Int32) throws -> Bool {
        guard let segments = try days([day]).first, segments.contains(where: { $0.counts?.links != 0 }) else {
            return true
        }
        if !gone.partnerDays.contains(day) {
            let edges = try gone.edges(of: day).map { try archiver.load(segments, for: $0) }
            guard edges.contains(where: { gone.isNamed(in: $0, day: day) }) else { return true }
        }
        let all = try archiver.load(segments)
        guard gone.isNamed(in: all, day: day) else { return true }
        var purge = DayPurge(day: segments, records: [], holds: nil)
        purge.kept = gone.without(all, day: day)
        return try archiver.commit(purge)
    }

    /// Segments by day, of the days on which anything can be due.
    private func days(dueBefore cutoff: Timestamp?) throws -> [[Catalogue.Segment]] {
        guard let cutoff else { return [] }
        let due = try catalogue.snapshot().segments.filter { $0.first < cutoff }
        return try self.days(Set(due.map(\.day)))
    }

    private func days(_ days: Set<Int32>) throws -> [[Catalogue.Segment]] {
        guard !days.isEmpty else { return [] }
        let all = try catalogue.snapshot().segments.filter { days.contains($0.day) }
        return Dictionary(grouping: all, by: \.day).sorted { $0.key < $1.key }.map(\.value)
    }

    // MARK: - Images

    /// Purges the images that are past the date of their own class, and those that no sighting is left to hold.
    private func purgeImages(_ now: Timestamp, isDry: Bool, _ sieve: inout RetentionSieve) throws {
        guard let images, let latest = sieve.cutoffs.max() else { return }
        let rule = try ruleOfImages(images, now)
        var attempts = Attempts()
        for day in images.purger.days where day <= latest.day {
            attempts.make { try purgeImages(images, day, isDry: isDry, by: rule, &sieve) }
        }
        try attempts.finish()
    }

    /// The rule by which an image goes by itself, if it does.
    private func ruleOfImages(_ images: RetentionImages, _ now: Timestamp) throws
        -> @Sendable (ImageBinding) -> Int?
    {
        let (policy, site) = (policy, images.site)
        let cutoffs = policy.rules.map { $0.keep.cutoff(now: now) }
        let longest = policy.longestRule(now: now)
        let holds = try images.withOtherMarks(try catalogue.activeHolds())
        return { binding in
            let times = binding.captured...binding.captured
            if holds.contain(binding.vrm, site(binding), times) { return nil }
            if let index = policy.rule(binding), binding.captured < cutoffs[index] { return index }
            if let longest, binding.captured < cutoffs[longest] { return longest }
            return nil
        }
    }

    /// Purges the images of contributions that go.
    private func purgeImages(
        of purged: PurgedContributions,
        isDry: Bool,
        _ sieve: inout RetentionSieve
    ) throws {
        guard let images else { return }
        let days = images.purger.days.filter(purged.days.contains)
        // To find what is held other days are searched, which may not be there to be read.
        if days.isEmpty { return }
        let own = try ruleOfImages(images, sieve.now)
        for day in days {
            // What goes by itself is counted there.
            try purgeImages(images, day, isDry: isDry, by: { own($0) == nil ? purged.rule($0) : nil }, &sieve)
        }
    }

    /// Purges a day's images, on record from before any of them goes.
    private func purgeImages(
        _ images: RetentionImages,
        _ day: Int32,
        isDry: Bool,
        by rule: @escaping @Sendable (ImageBinding) -> Int?,
        _ sieve: inout RetentionSieve
    ) throws {
        let now = sieve.now
        let records = { (purge: ImageStore.Purge) in
            var own = RetentionSieve(policy, now: now)
            own.add(purge)
            return try recorder.records(of: own.outcomes, at: now, day: day)
        }
        var begun: [Int64] = []
        let begin = { (due: ImageStore.Purge) in begun = try catalogue.begin(try records(due)) }
        let purge = try images.purger.purge(day, isDry: isDry, begin: begin, by: rule)
        sieve.add(purge)
        if !isDry { try catalogue.end(begun, try records(purge)) }
    }

    /// Puts on record the purges of files that were begun and did not end, whatever went by them.
    private func noteBrokenOff() throws {
        for begun in try catalogue.begunPurges() {
            try catalogue.end([begun.id], [try recorder.brokenOff(begun.record)])
        }
    }
}
