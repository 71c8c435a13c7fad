public import ANPRModel

/// Joins sightings of several senders, one level up from reads: a site that two gateways see gives one sighting.
///
/// Exact and independent of order as `Deduplicator` is: a sender's mark promises what is complete, the least over the
/// live senders is the watermark, and what comes behind it amends what was given out. A newer version of a sender's
/// sighting replaces the older one; the same version again changes nothing. What a sender merged stays among the
/// alternates; what it linked is left to this node to find.
///
/// - Complexity: O(1) expected a sighting, a few allocations each; memory O(sightings within the reconcile horizon).
public struct SightingJoiner: Sendable {
    private struct Key: Hashable {
        var vrm: VRM
        var site: SiteIndex
    }

    private let rules: DeduplicationRules
    private let windowMax: Int64
    private var windows: [Int64] = []
    private var siteOfCamera: [SiteIndex] = []
    private var siteOrder: [UInt32] = []
    private var order: [UInt32] = []

    private var watermarks = Watermarks()
    private var waiting = ReorderBuffer<SenderSighting>()
    /// Open joined sightings in order of opening, with their numbers counted from the first there ever was.
    private var open: [JoinedSighting] = []
    private var openStart = 0
    private var firstNumber = 0
    /// The numbers of the open sightings of each key, oldest first.
    private var numbers: [Key: [Int]] = [:]
    private var closed = ClosedJoins()
    private var lastFirst = Timestamp.distantPast

    /// Sightings that were there before: the same version from the same sender.
    public private(set) var repeats = 0

    /// A joiner; the gap of the rules plays no part here.
    public init(register: CameraRegister, rules: DeduplicationRules) {
        self.rules = rules
        windowMax = rules.windowMax
        update(register)
    }

    /// Takes over a register that has grown.
    public mutating func update(_ register: CameraRegister) {
        windows = register.sites.map { (rules.sites[$0] ?? rules.window).window }
        siteOfCamera = register.siteOfCamera
        siteOrder = register.siteOrder
        order = register.cameraOrder
    }

    /// Where the senders stand, for `restore`.
    public var snapshot: WatermarkSnapshot { watermarks.snapshot(last: lastFirst) }

    /// Takes up where the senders stood; what was open or remembered then is not restored with it.
    public mutating func restore(_ snapshot: WatermarkSnapshot) {
        watermarks.restore(snapshot)
        lastFirst = Timestamp(milliseconds: snapshot.last)
    }

    /// Whether every sender has ended or fallen silent.
    public var isAtRest: Bool { watermarks.least(besides: -1) == .distantFuture }

    /// Sightings with an earlier first are late.
    public var watermark: Timestamp { watermarks.engine }

    /// No sighting given out from now on begins earlier, but for late ones.
    public var closedThrough: Timestamp {
        Timestamp(milliseconds: watermarks.engine.milliseconds - windowMax)
    }

    /// Declares at once which senders hold the watermark back; for the start of a run.
    public mutating func start(live: [FeedIndex], into output: inout SightingBatch) {
        watermarks.start(live: live.map { Int($0) })
        advance(into: &output)
    }

    /// Says whether a sender holds the watermark back.
    public mutating func set(_ sender: FeedIndex, _ state: SourceState, into output: inout SightingBatch) {
        watermarks.set(Int(sender), state)
        advance(into: &output)
    }

    /// Notes a sender's promise that nothing earlier follows; it is live from now on.
    public mutating func note(_ sender: FeedIndex, closedThrough: Timestamp, into output: inout SightingBatch)
    {
        watermarks.note(Int(sender), watermark: closedThrough)
        advance(into: &output)
    }

    /// Takes sightings of one sender, under this node's register.
    public mutating func take(
        _ batch: SightingBatch,
        from sender: FeedIndex,
        into output: inout SightingBatch
    ) {
        for index in 0..<batch.count {
            let member = SenderSighting(
                sender: sender,
                sighting: batch.sightings[index],
                parts: Array(batch.contributions(of: index)),
                alternates: batch.variants(of: index).filter(\.isMerged)
            )
            lastFirst = max(lastFirst, member.sighting.last)
            if member.sighting.first < watermarks.engine || member.sighting.revision > 0 {
                takeLate(member, into: &output)
            } else {
                waiting.insert(member)
            }
        }
    }

    // MARK: - In order

    private mutating func advance(into output: inout SightingBatch) {
        let end = Timestamp(milliseconds: lastFirst.milliseconds + windowMax + 1)
        let limit = watermarks.advance(last: end)
        while let (members, end) = waiting.next(before: limit) {
            for member in members where !member.isVoid { walk(member) }
            waiting.recycle(members)
            close(before: end, into: &output)
        }
        close(before: limit, into: &output)
        let horizon = Timestamp(milliseconds: watermarks.engine.milliseconds - rules.reconcile)
        closed.forget(before: horizon, countMax: rules.reconcileCount)
    }

    private mutating func walk(_ member: SenderSighting) {
        let key = key(of: member)
        if let number = numbers[key]?.last, isWithin(member, open[place(number)]) {
            add(member, atPlace: place(number))
            return
        }
        numbers[key, default: []].append(firstNumber + open.count - openStart)
        open.append(JoinedSighting(opening: member))
    }

    private func isWithin(_ member: SenderSighting, _ joined: JoinedSighting) -> Bool {
        member.sighting.first.milliseconds - joined.first.milliseconds
            <= windows[Int(siteOfCamera[Int(member.sighting.camera)])]
    }

    private mutating func add(_ member: SenderSighting, atPlace place: Int) {
        if !open[place].take(member, siteOfCamera) { repeats += 1 }
    }

    private mutating func close(before limit: Timestamp, into output: inout SightingBatch) {
        var leaving: [JoinedSighting] = []
        while openStart < open.count, open[openStart].opened.milliseconds + windowMax < limit.milliseconds {
            let joined = open[openStart]
            let key = key(of: joined.members[0])
            if numbers[key]?.count == 1 { numbers[key] = nil } else { numbers[key]?.removeFirst() }
            leaving.append(joined)
            openStart += 1
            firstNumber += 1
        }
        if openStart > 4096, openStart * 2 > open.count {
            open.removeFirst(openStart)
            openStart = 0
        }
        leaving.sort(by: precedes)
        for index in leaving.indices {
            // Before it is given out its identity follows its first read, late or not.
            leaving[index].opened = leaving[index].first
            let joined = leaving[index]
            closed.append(joined, site: key(of: joined.members[0]).site)
            give(joined, into: &output)
        }
    }

    private func precedes(_ left: JoinedSighting, _ right: JoinedSighting) -> Bool {
        if left.opened != right.opened { return left.opened < right.opened }
        let (one, other) = (key(of: left.members[0]), key(of: right.members[0]))
        if one.vrm != other.vrm { return one.vrm < other.vrm }
        return siteOrder[Int(one.site)] < siteOrder[Int(other.site)]
    }

    private func give(_ joined: JoinedSighting, into output: inout SightingBatch) {
        let (sighting, parts) = joined.united(order: order)
        output.append(sighting)
        for part in parts { output.append(part) }
        for other in joined.alternates {
            output.append(other.vrm, opened: other.opened, isMerged: true)
        }
    }

    private func key(of member: SenderSighting) -> Key {
        Key(vrm: member.sighting.vrm, site: siteOfCamera[Int(member.sighting.camera)])
    }

    private func place(_ number: Int) -> Int { number - firstNumber + openStart }

    // MARK: - Late

    private mutating func takeLate(_ member: SenderSighting, into output: inout SightingBatch) {
        let key = key(of: member)
        let site = siteOfCamera
        // A newer version voids the one that still waits, and goes its own way by its own time.
        var isRepeat = false
        _ = waiting.update(near: member.sighting.opened, margin: 2 * windowMax) { other in
            guard !other.isVoid, other.isSame(as: member, site) else { return false }
            isRepeat = other.sighting.revision >= member.sighting.revision
            if !isRepeat { other.parts = [] }
            return true
        }
        guard !isRepeat else {
            repeats += 1
            return
        }
        let openPlaces = (numbers[key] ?? []).map(place)
        if let place = openPlaces.first(where: { open[$0].place(of: member, site) != nil }) {
            add(member, atPlace: place)
            return
        }
        let near = closed.find(
            key.vrm,
            key.site,
            near: member.sighting.first,
            margin: windows[Int(key.site)] + 1000
        )
        if let same = near.first(where: { $0.joined.place(of: member, site) != nil }) {
            amend(same.reference, same.joined, with: member, into: &output)
            return
        }
        let horizon = watermarks.engine.milliseconds - rules.reconcile
        let fitting = near.filter { $0.joined.last.milliseconds >= horizon && fits(member, $0.joined) }
        if let earliest = fitting.min(by: { $0.joined.first < $1.joined.first }) {
            amend(earliest.reference, earliest.joined, with: member, into: &output)
        } else if let place = openPlaces.first(where: { fits(member, open[$0]) }) {
            add(member, atPlace: place)
        } else if member.sighting.first >= watermarks.engine {
            waiting.insert(member)
        } else {
            openLate(member, key, into: &output)
        }
    }

    /// Whether the first reads of all would still lie within one window.
    private func fits(_ member: SenderSighting, _ joined: JoinedSighting) -> Bool {
        let first = member.sighting.first.milliseconds
        let firsts = joined.members.map(\.sighting.first.milliseconds) + [first]
        return (firsts.max() ?? first) - (firsts.min() ?? first)
            <= windows[Int(siteOfCamera[Int(member.sighting.camera)])]
    }

    private mutating func amend(
        _ reference: ClosedKeys.Reference,
        _ joined: JoinedSighting,
        with member: SenderSighting,
        into output: inout SightingBatch
    ) {
        var amended = joined
        guard amended.take(member, siteOfCamera) else {
            repeats += 1
            return
        }
        amended.revision &+= 1
        closed.amend(reference, amended)
        give(amended, into: &output)
    }

    private mutating func openLate(_ member: SenderSighting, _ key: Key, into output: inout SightingBatch) {
        var joined = JoinedSighting(opening: member)
        joined.isLate = true
        closed.append(joined, site: key.site)
        give(joined, into: &output)
    }
}
