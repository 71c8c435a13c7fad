public import ANPRModel

/// A legal hold: what it is about stays, whatever retention rules say, until it is released.
public struct Hold: Sendable, Equatable {
    /// Its number; 0 until it is kept in a catalogue.
    public var id: Int64 = 0
    /// The case or operation it serves.
    public var reference: String
    /// Who answers for it.
    public var owner: String
    /// Why, in a sentence.
    public var reason: String
    /// When somebody has to say whether it is still needed; it goes on all the same until it is released.
    public var review: Timestamp
    /// What it is about.
    public var scope: Scope
    /// When it was placed.
    public var placed: Timestamp
    /// How it ended, if it did.
    public var release: Release?

    /// What a hold is about: every condition that is set must hold.
    public struct Scope: Sendable, Equatable {
        /// Sightings of marks that match, also of those merged into one of another mark.
        public var mark: MarkPattern?
        /// Sightings that end at or after this.
        public var from: Timestamp?
        /// Sightings that begin at or before this.
        public var to: Timestamp?
        /// Sightings at one of these sites; of any, if there are none.
        public var sites: [String]

        /// A scope.
        public init(
            mark: MarkPattern? = nil,
            from: Timestamp? = nil,
            to: Timestamp? = nil,
            sites: [String] = []
        ) {
            self.mark = mark
            self.from = from
            self.to = to
            self.sites = sites
        }

        /// Whether it says anything: without a condition it would hold all there is for ever.
        public var isLimited: Bool { mark != nil || from != nil || to != nil || !sites.isEmpty }

        /// Whether what was seen at a time, and under a mark at a site where those are known, is within.
        ///
        /// - Parameter site: `nil` where it is not known, which no condition on sites excludes.
        public func contains(_ vrm: VRM, _ site: String?, _ times: ClosedRange<Timestamp>) -> Bool {
            guard overlaps(times), mark?.matches(vrm) ?? true else { return false }
            guard let site, !sites.isEmpty else { return true }
            return sites.contains(site)
        }

        /// Whether anything of a time can be within.
        func overlaps(_ times: ClosedRange<Timestamp>) -> Bool {
            if let from, times.upperBound < from { return false }
            if let to, times.lowerBound > to { return false }
            return true
        }
    }

    /// How a hold ended.
    public struct Release: Sendable, Equatable {
        /// When.
        public var at: Timestamp
        /// By whom.
        public var by: String
        /// Why.
        public var reason: String

        /// A release.
        public init(at: Timestamp, by: String, reason: String) {
            self.at = at
            self.by = by
            self.reason = reason
        }
    }

    /// A hold that begins.
    public init(
        reference: String,
        owner: String,
        reason: String,
        review: Timestamp,
        scope: Scope,
        placed: Timestamp
    ) {
        self.reference = reference
        self.owner = owner
        self.reason = reason
        self.review = review
        self.scope = scope
        self.placed = placed
    }
}

/// The holds that are in force at a moment.
public struct ActiveHolds: Sendable {
    /// The holds.
    public let holds: [Hold]
    /// Another number whenever a hold was placed or released.
    public let version: Int64

    /// Holds, released ones among them or not.
    public init(_ holds: [Hold] = [], version: Int64 = 0) {
        self.holds = holds.filter { $0.release == nil }
        self.version = version
    }

    /// Whether a hold is about what was seen.
    public func contain(_ vrm: VRM, _ site: String?, _ times: ClosedRange<Timestamp>) -> Bool {
        holds.contains { $0.scope.contains(vrm, site, times) }
    }

    /// Whether a sighting is held, under its mark or one that was merged into it.
    func contain(_ row: Int, of all: ResolvedSightings) -> Bool {
        if holds.isEmpty { return false }
        let sighting = all.batch.sightings[row]
        let site = all.register.siteName(of: sighting.camera)
        let times = sighting.first...max(sighting.first, sighting.last)
        let others = all.batch.variants(of: row).lazy.filter(\.isMerged).map(\.vrm)
        return contain(sighting.vrm, site, times) || others.contains { contain($0, site, times) }
    }

    /// Whether any hold can be about something of a time.
    func canContain(_ times: ClosedRange<Timestamp>) -> Bool { holds.contains { $0.scope.overlaps(times) } }
}
