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
    /// The oldest of them.
    public var oldest: Timestamp?
}

/// Applies a retention policy to an archive's segments.
///
/// Contributions belong to their forces: when a force's time is up its contribution goes, and the sighting goes with the
/// last. What is left of a sighting is what its remaining contributions say. Images go by their own class, and at the latest
/// with the contribution of their read: before it, so that a crash leaves no image that nothing would find.
public struct Retention {
    private let archiver: Archiver
    private let catalogue: Catalogue
    private let policy: RetentionPolicy
    private let images: ImageStore?

    /// Retention over a data folder's archive, and its images if there are any.
    public init(
        archiver: Archiver,
        catalogue: Catalogue,
        policy: RetentionPolicy,
        images: ImageStore? = nil
    ) {
        self.archiver = archiver
        self.catalogue = catalogue
        self.policy = policy
        self.images = images
    }

    /// What `apply` would delete at a moment; changes nothing.
    public func plan(now: Timestamp) throws -> [RetentionOutcome] {
        var total = RetentionSieve(policy, now: now)
        let own = try purgeImages(now, isDry: true, &total)
        for segments in try days(dueBefore: total.cutoffOfSightings) {
            var sieve = RetentionSieve(policy, now: now, notesPurged: images != nil)
            let all = try archiver.load(segments)
            _ = sieve.sift(all)
            try purgeImages(of: sieve.purged(all.register), own, isDry: true, &sieve)
            total.add(sieve.outcomes)
        }
        return total.outcomes
    }

    /// Deletes what is past its date and records it in the catalogue.
    ///
    /// - Returns: what went, by rule; rewritten files are gone from the disk when this returns.
    public func apply(now: Timestamp) throws -> [RetentionOutcome] {
        var total = RetentionSieve(policy, now: now)
        // A sighting that goes may be named by another, of a day that otherwise stays as it is.
        var gone: Set<SightingIdentity> = []
        var orphaned: Set<Int32> = []
        let own = try purgeImages(now, isDry: false, &total)
        for segments in try days(dueBefore: total.cutoffOfSightings) {
            var sieve = RetentionSieve(policy, now: now, notesPurged: images != nil)
            let all = try archiver.load(segments)
            let kept = sieve.sift(all)
            guard sieve.hasFound else { continue }
            gone.formUnion(sieve.gone)
            orphaned.formUnion(sieve.daysOfPartners)
            try purgeImages(of: sieve.purged(all.register), own, isDry: false, &sieve)
            let purges = sieve.outcomes.filter { $0.contributions > 0 }.map {
                Catalogue.Purge(
                    at: now,
                    rule: $0.rule,
                    sightings: $0.sightings,
                    contributions: $0.contributions
                )
            }
            try archiver.rewrite(segments, purges: { purges }) { _ in kept.without(sieve.gone) }
            total.add(sieve.outcomes)
        }
        for segments in try days(orphaned) {
            let all = try archiver.load(segments)
            let kept = all.without(gone)
            guard kept.batch.variants.count < all.batch.variants.count else { continue }
            try archiver.rewrite(segments) { _ in kept }
        }
        return total.outcomes
    }

    /// Purges the images that are past the date of their own class, and those that no sighting is left to hold.
    ///
    /// - Returns: the rule by which an image goes by itself, if it does.
    private func purgeImages(_ now: Timestamp, isDry: Bool, _ sieve: inout RetentionSieve) throws -> (
        ImageBinding
    ) -> Int? {
        let (policy, cutoffs) = (policy, sieve.cutoffs)
        let longest = policy.longestRule(now: now)
        let own = { (binding: ImageBinding) -> Int? in
            if let index = policy.rule(binding), binding.captured < cutoffs[index] { return index }
            if let longest, binding.captured < cutoffs[longest] { return longest }
            return nil
        }
        guard let images, let latest = cutoffs.max() else { return own }
        for day in images.days where day <= latest.day {
            sieve.add(try images.purge(day, isDry: isDry, by: own))
        }
        return own
    }

    /// Purges the images of contributions that go.
    private func purgeImages(
        of purged: PurgedContributions,
        _ own: (ImageBinding) -> Int?,
        isDry: Bool,
        _ sieve: inout RetentionSieve
    ) throws {
        guard let images else { return }
        let days = purged.days
        for day in images.days where days.contains(day) {
            // What goes by itself is counted there.
            let purge = try images.purge(day, isDry: isDry) { own($0) == nil ? purged.rule($0) : nil }
            sieve.add(purge)
        }
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
}

/// Parts what is kept from what is past its date.
struct RetentionSieve {
    let cutoffs: [Timestamp]
    private(set) var outcomes: [RetentionOutcome]
    /// The sightings that go whole, and the days of those that name one of them.
    private(set) var gone: Set<SightingIdentity> = []
    private(set) var daysOfPartners: Set<Int32> = []
    private var purgedParts: [PurgedContribution] = []
    private let notesPurged: Bool
    private let policy: RetentionPolicy

    init(_ policy: RetentionPolicy, now: Timestamp, notesPurged: Bool = false) {
        self.policy = policy
        self.notesPurged = notesPurged
        cutoffs = policy.rules.map { $0.keep.cutoff(now: now) }
        outcomes = zip(policy.rules, cutoffs).map { RetentionOutcome(rule: $0.0.text, cutoff: $0.1) }
    }

    /// Sightings before this can be due.
    var cutoffOfSightings: Timestamp? {
        zip(policy.rules, cutoffs).filter { $0.0.isAboutSightings }.map(\.1).max()
    }

    /// The contributions that were sifted out.
    func purged(_ register: CameraRegister) -> PurgedContributions {
        PurgedContributions(purgedParts, register)
    }

    mutating func add(_ purge: ImageStore.Purge) {
        for (index, count) in purge.images {
            outcomes[index].images += count
            outcomes[index].oldest = [outcomes[index].oldest, purge.oldest[index]].compactMap(\.self).min()
        }
    }

    var hasFound: Bool { outcomes.contains { $0.contributions > 0 } }

    mutating func add(_ more: [RetentionOutcome]) {
        for (index, outcome) in more.enumerated() {
            outcomes[index].contributions += outcome.contributions
            outcomes[index].sightings += outcome.sightings
            outcomes[index].images += outcome.images
            outcomes[index].oldest = [outcomes[index].oldest, outcome.oldest].compactMap(\.self).min()
        }
    }

    /// The sightings without what is past its date.
    mutating func sift(_ all: ResolvedSightings) -> ResolvedSightings {
        var kept = SightingBatch()
        for index in 0..<all.batch.count {
            let parts = all.batch.contributions(of: index)
            var left: [Contribution] = []
            var lastRule = 0
            for part in parts {
                let force = all.register.cameras[Int(part.camera)].force
                guard let rule = policy.rule(force: force, confidence: part.confidence),
                    part.first < cutoffs[rule]
                else {
                    left.append(part)
                    continue
                }
                outcomes[rule].contributions += 1
                outcomes[rule].oldest = min(outcomes[rule].oldest ?? part.first, part.first)
                lastRule = rule
                if notesPurged { notePurged(part, of: index, in: all, by: rule) }
            }
            if left.isEmpty {
                outcomes[lastRule].sightings += 1
                noteGone(index, of: all)
            } else {
                append(all, index, left, to: &kept)
            }
        }
        return ResolvedSightings(kept, all.register)
    }

    private mutating func noteGone(_ index: Int, of all: ResolvedSightings) {
        let variants = all.batch.variants(of: index)
        guard variants.contains(where: { !$0.isMerged }) else { return }
        gone.insert(SightingIdentity(index, of: all.batch, all.register))
        for other in variants {
            // A sighting lies on the day of its first read, which a late one may have moved before its opening.
            let before = Timestamp(milliseconds: other.opened.milliseconds - 3_600_000)
            daysOfPartners.formUnion([other.opened.day, before.day])
        }
    }

    /// Notes a contribution that goes, under the mark of its sighting and under those that were folded into it.
    private mutating func notePurged(
        _ part: Contribution,
        of index: Int,
        in all: ResolvedSightings,
        by rule: Int
    ) {
        let sighting = all.batch.sightings[index]
        let others = all.batch.variants(of: index).filter(\.isMerged).map(\.vrm)
        for vrm in [sighting.vrm] + others {
            purgedParts.append(
                PurgedContribution(
                    vrm: vrm,
                    camera: part.camera,
                    times: part.first...max(sighting.last, part.first),
                    rule: rule
                )
            )
        }
    }

    private func append(
        _ all: ResolvedSightings,
        _ index: Int,
        _ left: [Contribution],
        to kept: inout SightingBatch
    ) {
        guard left.count < all.batch.contributionCount(index) else {
            kept.append(index, of: all.batch)
            return
        }
        kept.append(Self.reduced(all.batch.sightings[index], to: left, all.register))
        for part in left { kept.append(part) }
        for other in all.batch.variants(of: index) {
            kept.append(other.vrm, opened: other.opened, isMerged: other.isMerged)
        }
    }

    /// A sighting as its remaining contributions tell it.
    private static func reduced(
        _ sighting: Sighting,
        to parts: [Contribution],
        _ register: CameraRegister
    ) -> Sighting {
        var reduced = sighting
        reduced.reads = parts.reduce(0) { $0 + $1.reads }
        reduced.first = parts.map(\.first).min() ?? sighting.first
        // How long each camera went on seeing it is not kept, so what is known ends with the last first read.
        reduced.last = parts.map(\.first).max() ?? sighting.last
        if parts.contains(where: { $0.camera == sighting.camera }) {
            reduced.last = max(reduced.last, sighting.captured)
            return reduced
        }
        let order = register.cameraOrder
        let best = parts.min { left, right in
            if left.confidence != right.confidence { return left.confidence > right.confidence }
            return (left.first, order[Int(left.camera)]) < (right.first, order[Int(right.camera)])
        }
        guard let best else { return reduced }
        reduced.camera = best.camera
        reduced.captured = best.first
        reduced.confidence = best.confidence
        reduced.direction = register.cameras[Int(best.camera)].direction?.rawValue ?? 0
        reduced.lane = register.cameras[Int(best.camera)].lane.map { Int8($0) } ?? -1
        reduced.speed = 0
        return reduced
    }
}
