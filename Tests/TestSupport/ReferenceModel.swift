/// What one sighting is, as `spec/dedup.md` says it: slow, plain, and with all reads at hand.
///
/// Written from the definition, step by step, and on purpose not the way the engine does it.
public struct ReferenceModel: Sendable {
    /// The rule at a site, in milliseconds.
    public struct Rule: Sendable {
        /// The most time from the first read to any other.
        public var window: Int64
        /// The most time from one read to the next.
        public var gap: Int64

        /// A rule; the gap is the window unless it is given.
        public init(window: Int64, gap: Int64? = nil) {
            self.window = window
            self.gap = gap ?? window
        }
    }

    /// The sightings, in their order of output, and the account.
    public struct Answer: Sendable {
        /// Ordered by (first, vrm, site).
        public var sightings: [PlainSighting]
        /// How many reads count.
        public var accepted: Int
        /// How many were there before.
        public var redelivered: Int
    }

    private let rule: Rule
    private let sites: [String: Rule]

    /// A model with one rule for all sites but those named.
    public init(_ rule: Rule, sites: [String: Rule] = [:]) {
        self.rule = rule
        self.sites = sites
    }

    /// Takes steps 1 to 6.
    public func answer(_ reads: [PlainRead]) -> Answer {
        let kept = withoutCopies(reads)
        var sightings: [PlainSighting] = []
        for group in groups(kept, by: { [$0.vrm, $0.site] }) {
            for members in walk(group) { sightings.append(sighting(members)) }
        }
        return Answer(
            sightings: ordered(sightings),
            accepted: kept.count,
            redelivered: reads.count - kept.count
        )
    }

    // MARK: - The steps

    /// Takes step 1: the highest confidence is kept, then the least (direction, lane), absent first.
    ///
    /// The specification says nothing of copies that differ in speed alone; the least is taken, so that the
    /// answer does not hang on the order.
    func withoutCopies(_ reads: [PlainRead]) -> [PlainRead] {
        groups(reads, by: { [$0.force, $0.camera, $0.vrm, String($0.captured)] }).compactMap { copies in
            copies.min { one, other in
                if one.confidence != other.confidence {
                    return (one.confidence ?? -1) > (other.confidence ?? -1)
                }
                if one.direction != other.direction { return (one.direction ?? "") < (other.direction ?? "") }
                if one.lane != other.lane { return (one.lane ?? -1) < (other.lane ?? -1) }
                return (one.speed ?? -1) < (other.speed ?? -1)
            }
        }
    }

    /// Takes step 3.
    func walk(_ group: [PlainRead]) -> [[PlainRead]] {
        var passages: [[PlainRead]] = []
        for read in group.sorted(by: isBefore) {
            if let open = passages.last, let first = open.first, let last = open.last {
                let rule = sites[read.site] ?? rule
                if read.captured - first.captured <= rule.window, read.captured - last.captured <= rule.gap {
                    passages[passages.count - 1].append(read)
                    continue
                }
            }
            passages.append([read])
        }
        return passages
    }

    /// Takes steps 4 and 5.
    func sighting(_ members: [PlainRead]) -> PlainSighting {
        let parts = groups(members, by: { [$0.force, $0.camera] }).map { own in
            PlainSighting.Part(
                force: own[0].force,
                camera: own[0].camera,
                reads: own.count,
                first: own.map(\.captured).reduce(.max, min),
                confidence: own.compactMap(\.confidence).max()
            )
        }
        let best = members.sorted(by: isBetter)[0]
        return PlainSighting(
            best: best,
            first: members.map(\.captured).reduce(.max, min),
            last: members.map(\.captured).reduce(.min, max),
            reads: members.count,
            parts: inOrder(parts)
        )
    }

    // MARK: - At the next node

    /// Joins sightings that gateways already joined.
    ///
    /// - Parameter gateways: what each gateway sent, in any order; what one of them sent twice is one.
    public func join(_ gateways: [[PlainSighting]]) -> [PlainSighting] {
        var all: [PlainSighting] = []
        for sent in gateways {
            for copies in groups(sent, by: { [$0.vrm, $0.site, String($0.opened)] }) { all.append(copies[0]) }
        }
        var joined: [PlainSighting] = []
        for group in groups(all, by: { [$0.vrm, $0.site] }) {
            let window = (sites[group[0].site] ?? rule).window
            var open: [PlainSighting] = []
            let order: (PlainSighting, PlainSighting) -> Bool = {
                ($0.first, $0.best.force, $0.best.camera) < ($1.first, $1.best.force, $1.best.camera)
            }
            for sighting in group.sorted(by: order) {
                if let anchor = open.first, sighting.first - anchor.first > window {
                    joined.append(united(open))
                    open = []
                }
                open.append(sighting)
            }
            joined.append(united(open))
        }
        return ordered(joined)
    }

    private func united(_ members: [PlainSighting]) -> PlainSighting {
        let parts = groups(members.flatMap(\.parts), by: { [$0.force, $0.camera] }).map { own in
            PlainSighting.Part(
                force: own[0].force,
                camera: own[0].camera,
                reads: own.map(\.reads).reduce(0, +),
                first: own.map(\.first).reduce(.max, min),
                confidence: own.compactMap(\.confidence).max()
            )
        }
        return PlainSighting(
            best: members.map(\.best).sorted(by: isBetter)[0],
            first: members.map(\.first).reduce(.max, min),
            last: members.map(\.last).reduce(.min, max),
            reads: members.map(\.reads).reduce(0, +),
            parts: inOrder(parts)
        )
    }

    // MARK: - Orders

    /// The order of walking.
    private func isBefore(_ one: PlainRead, _ other: PlainRead) -> Bool {
        (one.captured, one.force, one.camera) < (other.captured, other.force, other.camera)
    }

    /// Rule 4.
    private func isBetter(_ one: PlainRead, _ other: PlainRead) -> Bool {
        if one.confidence != other.confidence { return (one.confidence ?? -1) > (other.confidence ?? -1) }
        return isBefore(one, other)
    }

    private func inOrder(_ parts: [PlainSighting.Part]) -> [PlainSighting.Part] {
        parts.sorted { ($0.force, $0.camera) < ($1.force, $1.camera) }
    }

    private func ordered(_ sightings: [PlainSighting]) -> [PlainSighting] {
        sightings.sorted { ($0.first, $0.vrm, $0.site) < ($1.first, $1.vrm, $1.site) }
    }

    private func groups<Element>(_ all: [Element], by key: (Element) -> [String]) -> [[Element]] {
        Array(Dictionary(grouping: all, by: key).values)
    }
}
