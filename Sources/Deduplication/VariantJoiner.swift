public import ANPRModel

/// Finds misreads among closed sightings, the second step of deduplication; see `VariantRule` for what makes a pair.
///
/// A sighting is held until no other can come near it, some seconds of event time, and leaves in its place. Merging never
/// chains: the weaker has one stronger and is nobody's stronger, the stronger is nobody's weaker; whatever is not so plain
/// stays two sightings. Reads are neither lost nor counted twice. Late sightings and amendments make no pairs; what amends
/// a sighting that was merged amends what it was merged into. A function of the sightings and their order alone, however
/// they are cut into batches.
///
/// - Complexity: a comparison with each sighting of the site within seconds of it.
public struct VariantJoiner: Sendable {
    /// The other end of a pair.
    private struct Partner: Sendable {
        var number: Int
        var vrm: VRM
        var opened: Timestamp
    }

    private enum Decision { case open, stays, isFolded }

    /// The pairs of one sighting; few have any.
    private struct Pairs: Sendable {
        /// Those that it is probably a misread of, and those that are probably misread of it.
        var stronger: [Partner] = []
        var weaker: [Partner] = []
        /// Whether it goes into its stronger, once that is known.
        var decision = Decision.open
        /// Those that go into it.
        var folded: [VariantRule.Candidate] = []
    }

    /// What tells whether a sighting that comes later may be of the same vehicle.
    private struct Near: Sendable {
        var number: Int
        var last: Timestamp
        var shape: LookAlike.Shape
    }

    private struct Identity: Hashable {
        var vrm: VRM
        var site: SiteIndex
        var opened: Timestamp
    }

    /// A sighting and those that were merged into it, each in its newest version.
    private struct Family: Sendable {
        var members: [VariantRule.Candidate]
        /// When it was opened: its first read as it was given out first, whosever that was.
        var opened: Timestamp
        var revision: UInt16 = 0
    }

    /// What it does about misreads.
    public let mode: VariantMode
    private let horizon: Int64
    private var siteOfCamera: [SiteIndex]
    private var order: [UInt32]
    /// Those that are held, behind some that have left.
    private var held = SightingBatch()
    /// The number of the first that is held, counted from the first there ever was, and its place.
    private var firstNumber = 0
    private var start = 0
    /// Whether each that is held has any pairs, and those by number.
    private var isPaired: [Bool] = []
    private var pairs: [Int: Pairs] = [:]
    /// By site, those that a later one may still come near.
    private var recent: [[Near]]
    private var families: [Identity: Family] = [:]
    private var familyOf: [Identity: Identity] = [:]
    private var sweptBefore = Timestamp.distantPast

    /// A joiner of a fixed register.
    ///
    /// - Parameter reconcile: how long, in milliseconds, what was given out can still be amended.
    public init(_ mode: VariantMode, register: CameraRegister, reconcile: Int64) {
        self.mode = mode
        horizon = reconcile
        siteOfCamera = register.siteOfCamera
        order = register.cameraOrder
        recent = [[Near]](repeating: [], count: register.sites.count)
    }

    /// Takes over a register that has grown.
    public mutating func update(_ register: CameraRegister) {
        siteOfCamera = register.siteOfCamera
        order = register.cameraOrder
        while recent.count < register.sites.count { recent.append([]) }
    }

    /// No sighting that leaves from now on begins earlier, but for late ones.
    ///
    /// - Parameter closedThrough: what holds of those that come in.
    public func closedThrough(_ closedThrough: Timestamp) -> Timestamp {
        guard start < held.count else { return closedThrough }
        // What goes into a stronger one is held with that.
        let folded = pairs.values.flatMap(\.folded).map(\.sighting.first).min()
        return [closedThrough, held.sightings[start].opened, folded].compactMap(\.self).min() ?? closedThrough
    }

    /// How many sightings are held.
    public var count: Int { held.count - start }

    /// Takes closed sightings and gives out those that nothing can come near any more.
    ///
    /// - Parameters:
    ///   - batch: in the order in which they were given out.
    ///   - closedThrough: none that follows on time begins earlier.
    ///   - output: what leaves is appended, with its variants.
    public mutating func take(
        _ batch: SightingBatch,
        closedThrough: Timestamp,
        into output: inout SightingBatch
    ) {
        guard mode != .off else { return output.append(contentsOf: batch) }
        let first = firstNumber + held.count - start
        held.append(contentsOf: batch)
        for number in first..<first + batch.count {
            isPaired.append(false)
            pair(number)
        }
        while true {
            releaseUnpaired(closedThrough, into: &output)
            guard start < held.count, isSettled(closedThrough) else { break }
            release(firstNumber, into: &output)
            if isPaired[start] { pairs[firstNumber] = nil }
            start += 1
            firstNumber += 1
        }
        if start > 8192, start * 2 > held.count {
            var rest = SightingBatch()
            rest.append(start..<held.count, of: held)
            held = rest
            isPaired.removeFirst(start)
            start = 0
        }
        forget(before: Timestamp(milliseconds: closedThrough.milliseconds - horizon))
    }

    private func place(_ number: Int) -> Int { number - firstNumber + start }

    private func candidate(_ number: Int) -> VariantRule.Candidate {
        let place = place(number)
        return VariantRule.Candidate(
            held.sightings[place],
            Array(held.contributions(of: place)),
            alternates: Array(held.variants(of: place))
        )
    }

    /// Whether a sighting is late, or a newer version of one given out before.
    private static func isPlain(_ sighting: Sighting) -> Bool { sighting.revision > 0 || sighting.isLate }

    /// Finds the pairs that a sighting makes with those before it.
    private mutating func pair(_ number: Int) {
        let sighting = held.sightings[place(number)]
        guard !Self.isPlain(sighting) else { return }
        let site = Int(siteOfCamera[Int(sighting.camera)])
        let own = Near(number: number, last: sighting.last, shape: LookAlike.Shape(sighting.vrm))
        // They come in order of opening: what ended long before this one began is near none that follows.
        let earliest = sighting.first.milliseconds - VariantRule.apart
        var kept = 0
        for place in 0..<recent[site].count {
            let other = recent[site][place]
            guard other.number >= firstNumber, other.last.milliseconds >= earliest else { continue }
            recent[site][kept] = other
            kept += 1
            if own.shape.isLike(other.shape) { judge(number, other.number) }
        }
        recent[site].removeLast(recent[site].count - kept)
        recent[site].append(own)
    }

    private mutating func judge(_ number: Int, _ other: Int) {
        let isStronger = VariantRule.isFirstStronger(candidate(number), candidate(other), order: order)
        guard let isStronger else { return }
        let (strong, weak) = isStronger ? (number, other) : (other, number)
        guard count(strong) < VariantRule.pairsMax, count(weak) < VariantRule.pairsMax else { return }
        isPaired[place(strong)] = true
        isPaired[place(weak)] = true
        pairs[strong, default: Pairs()].weaker.append(partner(weak))
        pairs[weak, default: Pairs()].stronger.append(partner(strong))
    }

    private func count(_ number: Int) -> Int {
        pairs[number].map { $0.stronger.count + $0.weaker.count } ?? 0
    }

    /// Whether nothing that follows can come near the first that is held, or near one that it may be paired with.
    private func isSettled(_ closedThrough: Timestamp) -> Bool {
        let first = held.sightings[start]
        if Self.isPlain(first) { return true }
        guard isComplete(first, closedThrough) else { return false }
        guard isPaired[start], let pairs = pairs[firstNumber] else { return true }
        return (pairs.stronger + pairs.weaker).allSatisfy { partner in
            partner.number < firstNumber || isComplete(held.sightings[place(partner.number)], closedThrough)
        }
    }

    private func isComplete(_ sighting: Sighting, _ closedThrough: Timestamp) -> Bool {
        sighting.last.milliseconds + VariantRule.apart < closedThrough.milliseconds
    }

    /// Gives out those at the front that have no pair and get none any more, most by far, in one go.
    private mutating func releaseUnpaired(_ closedThrough: Timestamp, into output: inout SightingBatch) {
        var end = start
        while end < held.count, !isPaired[end], isComplete(held.sightings[end], closedThrough),
            !Self.isPlain(held.sightings[end])
        {
            end += 1
        }
        output.append(start..<end, of: held)
        firstNumber += end - start
        start = end
    }

    private mutating func release(_ number: Int, into output: inout SightingBatch) {
        if Self.isPlain(held.sightings[start]) { return amend(candidate(number), into: &output) }
        guard isPaired[start], let own = pairs[number] else { return output.append(start, of: held) }
        if mode == .link {
            output.append(start, of: held)
            for other in (own.stronger + own.weaker).sorted(by: { ($0.vrm, $0.opened) < ($1.vrm, $1.opened) })
            {
                output.append(other.vrm, opened: other.opened, isMerged: false)
            }
            return
        }
        if let strong = own.stronger.first { decide(weak: number, strong: strong.number) }
        for weak in own.weaker where weak.number >= firstNumber { decide(weak: weak.number, strong: number) }
        let decided = pairs[number] ?? Pairs()
        if decided.decision == .isFolded { return }
        guard !decided.folded.isEmpty else { return output.append(start, of: held) }
        let members = [candidate(number)] + decided.folded
        let opened = members.map(\.sighting.first).min() ?? held.sightings[start].opened
        let family = Family(members: members, opened: opened)
        let key = identity(family.members[0])
        families[key] = family
        for member in family.members { familyOf[identity(member)] = key }
        give(family, into: &output)
    }

    /// Decides about a pair, when the first of the two is about to leave.
    private mutating func decide(weak: Int, strong: Int) {
        guard let weaker = pairs[weak], weaker.decision == .open else { return }
        let folds =
            weaker.stronger.count == 1 && weaker.weaker.isEmpty && strong >= firstNumber
            && VariantRule.mayFold(held.sightings[place(weak)])
            && pairs[strong]?.stronger.isEmpty == true
        pairs[weak]?.decision = folds ? .isFolded : .stays
        guard folds else { return }
        let folded = candidate(weak)
        pairs[strong]?.folded.append(folded)
    }

    private func partner(_ number: Int) -> Partner {
        let sighting = held.sightings[place(number)]
        return Partner(number: number, vrm: sighting.vrm, opened: sighting.opened)
    }

    private func identity(_ candidate: VariantRule.Candidate) -> Identity {
        let sighting = candidate.sighting
        return Identity(
            vrm: sighting.vrm,
            site: siteOfCamera[Int(sighting.camera)],
            opened: sighting.opened
        )
    }

    // MARK: - Out

    private func give(_ candidate: VariantRule.Candidate, into output: inout SightingBatch) {
        output.append(candidate.sighting)
        for part in candidate.parts { output.append(part) }
        for other in candidate.alternates { output.append(other.vrm, opened: other.opened, isMerged: true) }
    }

    /// Gives out a sighting with all that was merged into it; its mark and best read are the stronger's.
    private func give(_ family: Family, into output: inout SightingBatch) {
        var sighting = family.members[0].sighting
        var parts = ContributionList(family.members[0].parts)
        for member in family.members.dropFirst() {
            let other = member.sighting
            sighting.first = min(sighting.first, other.first)
            sighting.last = max(sighting.last, other.last)
            sighting.reads = UInt32(clamping: UInt64(sighting.reads) + UInt64(other.reads))
            for part in member.parts { parts.unite(part, order: order) }
        }
        sighting.opened = family.opened
        sighting.revision = family.revision
        output.append(sighting)
        for part in parts.parts { output.append(part) }
        var alternates = family.members.flatMap(\.alternates)
        for member in family.members.dropFirst() {
            let (vrm, opened) = (member.sighting.vrm, member.sighting.opened)
            alternates.append(.init(sighting: 0, vrm: vrm, opened: opened, isMerged: true))
        }
        for other in alternates.sorted(by: { ($0.vrm, $0.opened) < ($1.vrm, $1.opened) }) {
            output.append(other.vrm, opened: other.opened, isMerged: true)
        }
    }

    /// Gives out a late sighting or a newer version of one: of a merged one, what it was merged into.
    private mutating func amend(_ candidate: VariantRule.Candidate, into output: inout SightingBatch) {
        guard let key = familyOf[identity(candidate)], var family = families[key],
            let place = family.members.firstIndex(where: { identity($0) == identity(candidate) })
        else { return give(candidate, into: &output) }
        family.members[place] = candidate
        family.revision &+= 1
        families[key] = family
        give(family, into: &output)
    }

    private mutating func forget(before moment: Timestamp) {
        // Once an hour of event time, for all families are gone through.
        guard moment.milliseconds - sweptBefore.milliseconds > 3_600_000 else { return }
        sweptBefore = moment
        families = families.filter { $0.value.members.contains { $0.sighting.last >= moment } }
        familyOf = familyOf.filter { families[$0.value] != nil }
    }
}
