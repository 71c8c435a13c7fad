import ANPRModel

/// Parts what is kept from what is past its date.
struct RetentionSieve {
    let now: Timestamp
    let cutoffs: [Timestamp]
    private(set) var outcomes: [RetentionOutcome]
    /// The sightings that go whole, and the days of those that name one of them.
    private(set) var gone: Set<SightingIdentity> = []
    private(set) var daysOfPartners: Set<Int32> = []
    /// By rule, the earliest first read of what it decides about and that is not past its date.
    private(set) var left: [Timestamp]
    private var purgedParts: [PurgedContribution] = []
    private let notesPurged: Bool
    private let policy: RetentionPolicy
    private let holds: ActiveHolds

    init(
        _ policy: RetentionPolicy,
        now: Timestamp,
        holds: ActiveHolds = ActiveHolds(),
        notesPurged: Bool = false
    ) {
        self.policy = policy
        self.holds = holds
        self.now = now
        self.notesPurged = notesPurged
        cutoffs = policy.rules.map { $0.keep.cutoff(now: now) }
        outcomes = policy.outcomes(now: now)
        left = Array(repeating: .latest, count: cutoffs.count)
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

    /// What was counted of images, which is none of the rest from then on.
    mutating func takeImages() -> [RetentionOutcome] {
        var images = policy.outcomes(now: now)
        for rule in images.indices where outcomes[rule].images > 0 {
            (images[rule].images, images[rule].oldest) = (outcomes[rule].images, outcomes[rule].oldest)
            outcomes[rule].images = 0
        }
        return images
    }

    /// Takes note of sightings that go without being looked at.
    mutating func drop(_ section: SectionsDue.Dropped) {
        for (rule, contributions) in section.contributions {
            outcomes[rule].contributions += contributions
            outcomes[rule].oldest = [outcomes[rule].oldest, section.first].compactMap(\.self).min()
        }
        if let rule = section.contributions.last?.rule { outcomes[rule].sightings += section.sightings }
    }

    /// Takes note of what was left without being looked at.
    mutating func leave(_ earliest: [Int: Timestamp]) {
        for (rule, first) in earliest { left[rule] = min(left[rule], first) }
    }

    var hasHeld: Bool { outcomes.contains { $0.held > 0 } }

    var hasFound: Bool { outcomes.contains { $0.contributions > 0 } }

    /// Adds outcomes of this policy's rules, from one on.
    mutating func add(_ more: [RetentionOutcome], from first: Int = 0) {
        for (index, outcome) in zip(first..., more) {
            outcomes[index].contributions += outcome.contributions
            outcomes[index].sightings += outcome.sightings
            outcomes[index].held += outcome.held
            outcomes[index].images += outcome.images
            outcomes[index].oldest = [outcomes[index].oldest, outcome.oldest].compactMap(\.self).min()
        }
    }

    /// The sightings without what is past its date and not held.
    mutating func sift(_ all: ResolvedSightings) -> ResolvedSightings {
        var kept = SightingBatch()
        for index in 0..<all.batch.count {
            let parts = all.batch.contributions(of: index)
            var due: [Int?] = []
            for part in parts { due.append(dueRule(part, all.register)) }
            if !due.contains(where: { $0 != nil }) {
                kept.append(index, of: all.batch)
            } else if holds.contain(index, of: all) {
                for case let rule? in due { outcomes[rule].held += 1 }
                kept.append(index, of: all.batch)
            } else {
                sift(index, of: all, due: due, into: &kept)
            }
        }
        return ResolvedSightings(kept, all.register)
    }

    /// The rule by which a contribution is past its date, if it is.
    private mutating func dueRule(_ part: Contribution, _ register: CameraRegister) -> Int? {
        let force = register.cameras[Int(part.camera)].force
        guard let rule = policy.rule(force: force, confidence: part.confidence) else { return nil }
        if part.first < cutoffs[rule] { return rule }
        left[rule] = min(left[rule], part.first)
        return nil
    }

    private mutating func sift(
        _ index: Int,
        of all: ResolvedSightings,
        due: [Int?],
        into kept: inout SightingBatch
    ) {
        var left: [Contribution] = []
        var lastRule = 0
        for (part, rule) in zip(all.batch.contributions(of: index), due) {
            guard let rule else {
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
