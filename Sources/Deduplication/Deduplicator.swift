public import ANPRModel

/// Turns reads in order of arrival into sightings, exactly: reorder, walk, close, reconcile.
///
/// Any arrival order inside the lateness gives the same sightings in the same order, and any batching of one arrival
/// order does, late reads or not. Synchronous
/// and without a clock; state is a pure function of the calls made. A read behind the watermark amends the closed
/// sighting it fits, or opens one marked late; each read counts exactly once.
///
/// - Complexity: O(1) expected a read; memory O(reads within the lateness + sightings within the reconcile horizon).
public struct Deduplicator: Sendable {
    private let rules: DeduplicationRules
    private var windows: [DeduplicationRules.Window]
    private let windowMax: Int64
    private var siteOfCamera: [SiteIndex]
    private var siteOrder: [UInt32]
    private var order: [UInt32]

    private var watermarks = Watermarks()
    private var reorder = ReorderBuffer<Read>()
    private var open: OpenSightings
    private var closed = ClosedSightings()
    private var lastCaptured = Timestamp.distantPast
    /// Where sightings before were handed out; the ones that close next start here or later.
    private var closing = ClosingBatch()

    /// What was done with the reads of each feed; `received` and `rejected` are the caller's.
    public private(set) var counts: [FeedCounts] = []

    /// A deduplicator of a fixed register.
    public init(register: CameraRegister, rules: DeduplicationRules) {
        self.rules = rules
        windows = register.sites.map { rules.sites[$0] ?? rules.window }
        windowMax = rules.windowMax
        siteOfCamera = register.siteOfCamera
        siteOrder = register.siteOrder
        order = register.cameraOrder
        open = OpenSightings(order: register.cameraOrder, windows: windows)
    }

    /// Takes over a register that has grown.
    public mutating func update(_ register: CameraRegister) {
        windows = register.sites.map { rules.sites[$0] ?? rules.window }
        siteOfCamera = register.siteOfCamera
        siteOrder = register.siteOrder
        order = register.cameraOrder
        open.update(order: order, windows: windows)
    }

    /// Where the feeds stand, for `restore`.
    public var snapshot: WatermarkSnapshot { watermarks.snapshot(last: lastCaptured) }

    /// Takes up where the feeds stood; what was open or remembered then is not restored with it.
    public mutating func restore(_ snapshot: WatermarkSnapshot) {
        watermarks.restore(snapshot)
        lastCaptured = Timestamp(milliseconds: snapshot.last)
    }

    /// Whether every feed has ended or fallen silent.
    public var isAtRest: Bool { watermarks.least(besides: -1) == .distantFuture }

    /// Behind this time reads are late.
    public var watermark: Timestamp { watermarks.engine }

    /// No sighting that closes from now on has an earlier first read, but for late ones.
    public var closedThrough: Timestamp {
        Timestamp(milliseconds: watermarks.engine.milliseconds - windowMax)
    }

    /// Reads waiting for their turn and sightings still open.
    public var waiting: (reads: Int, sightings: Int) { (reorder.count, open.count) }

    /// Says whether a feed holds the watermark back, and hands out what that closes.
    public mutating func set(_ feed: FeedIndex, _ state: SourceState, into output: inout SightingBatch) {
        watermarks.set(Int(feed), state)
        advance(into: &output)
    }

    /// Declares at once which feeds hold the watermark back; for the start of a run.
    ///
    /// - Parameter live: the feeds to wait for; all others are taken as ended.
    public mutating func start(live: [FeedIndex], into output: inout SightingBatch) {
        for feed in live { addCounts(Int(feed)) }
        watermarks.start(live: live.map { Int($0) })
        advance(into: &output)
    }

    /// Takes reads of one feed in their order of arrival.
    ///
    /// - Parameters:
    ///   - reads: the reads; their `feed` is set to `feed`.
    ///   - feed: the feed; with any reads it is live from now on.
    ///   - output: what closes is appended, ordered by (first, vrm, site), and what is amended.
    public mutating func take(_ reads: [Read], from feed: FeedIndex, into output: inout SightingBatch) {
        let source = Int(feed)
        addCounts(source)
        // Heartbeats and refused records alone don't make a feed one to be waited for.
        guard !reads.isEmpty else { return }
        watermarks.set(source, .live)
        counts[source].accepted += UInt64(reads.count)
        let others = watermarks.least(besides: source)
        var own = watermarks.watermark(of: source)
        for var read in reads {
            read.feed = feed
            if read.captured < watermarks.engine {
                watermarks.note(source, watermark: own)
                drain(before: watermarks.engine, into: &output)
                takeLate(read, into: &output)
                continue
            }
            reorder.insert(read)
            let mark = Timestamp(milliseconds: read.captured.milliseconds - rules.lateness)
            guard mark > own else { continue }
            own = mark
            lastCaptured = max(lastCaptured, read.captured)
            watermarks.advance(to: min(own, others))
        }
        watermarks.note(source, watermark: own)
        drain(before: watermarks.engine, into: &output)
    }

    /// Notes what a feed received and refused, so that `counts` are whole.
    public mutating func note(received: Int, rejected: Int, of feed: FeedIndex) {
        addCounts(Int(feed))
        counts[Int(feed)].received += UInt64(received)
        counts[Int(feed)].rejected += UInt64(rejected)
    }

    private mutating func addCounts(_ source: Int) {
        while counts.count <= source { counts.append(FeedCounts()) }
    }

    // MARK: - In order

    private mutating func advance(into output: inout SightingBatch) {
        let end = Timestamp(milliseconds: lastCaptured.milliseconds + windowMax + 1)
        drain(before: watermarks.advance(last: end), into: &output)
    }

    private mutating func drain(before limit: Timestamp, into output: inout SightingBatch) {
        while let (reads, end) = reorder.next(before: limit) {
            for read in reads where !open.walk(read, site: siteOfCamera[Int(read.camera)]) {
                counts[Int(read.feed)].accepted -= 1
                counts[Int(read.feed)].redelivered += 1
            }
            reorder.recycle(reads)
            close(before: end, into: &output)
        }
        close(before: limit, into: &output)
        let horizon = Timestamp(milliseconds: watermarks.engine.milliseconds - rules.reconcile)
        closed.forget(before: horizon, countMax: rules.reconcileCount)
    }

    /// Hands out the sightings that no read on time can join any more.
    private mutating func close(before limit: Timestamp, into output: inout SightingBatch) {
        while let oldest = open.oldest, oldest.opened.milliseconds + windowMax < limit.milliseconds,
            let record = open.takeOldest()
        {
            closing.gather(record, from: open, order: order)
        }
        closing.finish(siteOfCamera: siteOfCamera, siteOrder: siteOrder, into: &output, remembering: &closed)
    }

    // MARK: - Late

    private mutating func takeLate(_ read: Read, into output: inout SightingBatch) {
        counts[Int(read.feed)].late += 1
        lastCaptured = max(lastCaptured, read.captured)
        let site = siteOfCamera[Int(read.camera)]
        let isNew = reconcileOpen(read, site) ?? reconcileClosed(read, site, into: &output)
        if !isNew {
            counts[Int(read.feed)].accepted -= 1
            counts[Int(read.feed)].redelivered += 1
        }
    }

    /// Joins a late read to an open sighting, unless a closed one is earlier.
    ///
    /// - Returns: whether the read was new, or `nil` if no open sighting takes it.
    private mutating func reconcileOpen(_ read: Read, _ site: SiteIndex) -> Bool? {
        let references = open.references(read.vrm, site)
        if let reference = references.first(where: { open.hasCopy(of: read, $0) }) {
            open.takeCopy(read, reference)
            return false
        }
        let rule = windows[Int(site)]
        let fitting = references.filter { reference in
            guard let sighting = open.sighting(reference) else { return false }
            return Self.fits(read, sighting, rule) && open.isNear(read.captured, gap: rule.gap, reference)
        }
        guard let reference = fitting.last, let sighting = open.sighting(reference) else { return nil }
        if let other = closedCandidate(read, site), other.isCopy || other.1.sighting.first < sighting.first {
            return nil
        }
        open.markLate(reference)
        open.add(read, reference)
        return true
    }

    private mutating func reconcileClosed(_ read: Read, _ site: SiteIndex, into output: inout SightingBatch)
        -> Bool
    {
        guard let (reference, entry, isCopy) = closedCandidate(read, site) else {
            openLate(read, site, into: &output)
            return true
        }
        var amended = entry
        guard amend(&amended, with: read, isCopy: isCopy) else { return !isCopy }
        amended.sighting.revision &+= 1
        closed.amend(reference, amended)
        output.append(amended.sighting)
        for part in amended.contributions.parts { output.append(part) }
        return !isCopy
    }

    /// The closed sighting that has a copy of the read, else the earliest that it fits.
    private mutating func closedCandidate(
        _ read: Read,
        _ site: SiteIndex
    ) -> (ClosedKeys.Reference, ClosedSightings.Entry, isCopy: Bool)? {
        let rule = windows[Int(site)]
        let horizon = watermarks.engine.milliseconds - rules.reconcile
        let near = closed.find(read.vrm, site, near: read.captured, margin: rule.window)
            // A late sighting closed when it was opened, however long ago it was seen.
            .filter { $0.entry.sighting.last.milliseconds >= horizon || $0.entry.sighting.isLate }
        if let copy = near.first(where: { $0.entry.hasCopy(of: read, order: order) }) {
            return (copy.reference, copy.entry, true)
        }
        let fitting = near.filter { candidate in
            Self.fits(read, candidate.entry.sighting, rule)
                && candidate.entry.isNear(read.captured, gap: rule.gap)
        }
        let earliest = fitting.min { $0.entry.sighting.first < $1.entry.sighting.first }
        return earliest.map { ($0.reference, $0.entry, false) }
    }

    /// Whether the sighting with the read would still span at most its window.
    private static func fits(_ read: Read, _ sighting: Sighting, _ rule: DeduplicationRules.Window) -> Bool {
        let first = min(sighting.first, read.captured).milliseconds
        let last = max(sighting.last, read.captured).milliseconds
        return last - first <= rule.window
    }

    /// Adds a late read, or a better copy of one, to a closed sighting.
    ///
    /// - Returns: whether anything that is given out has changed.
    private func amend(_ entry: inout ClosedSightings.Entry, with read: Read, isCopy: Bool) -> Bool {
        if isCopy {
            let best = entry.sighting.takeCopy(read, order: order)
            let raised = entry.contributions.raise(read.camera, to: read.confidence, order: order)
            return best || raised
        }
        let offset = Int32(clamping: read.captured.milliseconds - entry.sighting.opened.milliseconds)
        entry.marks.append(ClosedSightings.Mark(camera: read.camera, offset: offset))
        entry.sighting.join(read, order: order)
        let part = Contribution(
            camera: read.camera,
            reads: 1,
            first: read.captured,
            confidence: read.confidence
        )
        entry.contributions.unite(part, order: order)
        return true
    }

    /// Opens and closes a sighting of a late read that fits none.
    private mutating func openLate(_ read: Read, _ site: SiteIndex, into output: inout SightingBatch) {
        var sighting = Sighting(opening: read)
        sighting.isLate = true
        output.append(sighting)
        output.append(
            Contribution(camera: read.camera, reads: 1, first: read.captured, confidence: read.confidence)
        )
        closed.append(output.count - 1, of: output, site: site, closedAt: watermarks.engine)
    }
}
