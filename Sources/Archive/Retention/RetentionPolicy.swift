public import ANPRModel

/// How long something is kept: calendar months, or a fixed span.
public enum RetentionPeriod: Sendable, Equatable {
    /// Months of the calendar: the same day of the month, or the month's last where it has no such day.
    case months(Int)
    /// Milliseconds.
    case span(Int64)

    /// What was captured before this moment is past its date.
    public func cutoff(now: Timestamp) -> Timestamp {
        switch self {
        case .span(let milliseconds): return Timestamp(milliseconds: now.milliseconds - milliseconds)
        case .months(let months):
            let date = CivilDate.date(days: Int(now.day))
            let count = date.year * 12 + date.month - 1 - months
            let year = count >= 0 ? count / 12 : (count - 11) / 12
            let month = count - year * 12 + 1
            let day = min(date.day, CivilDate.length(ofMonth: month, year: year))
            let clock = now.milliseconds - Int64(now.day) * 86_400_000
            return Timestamp(
                milliseconds: Int64(CivilDate.days(year: year, month: month, day: day)) * 86_400_000 + clock
            )
        }
    }
}

/// One rule: what it is about, and how long that is kept.
public struct RetentionRule: Sendable, Equatable {
    /// What kind of data a rule is about.
    public enum DataClass: String, Sendable, CaseIterable {
        /// Sightings, contribution by contribution.
        case sighting
        /// Rejected input.
        case quarantine
        /// Alerts: that a vehicle of interest was seen.
        case hit
        /// Images of plates.
        case patch
        /// Images of vehicles and what is around them.
        case overview
        /// Records of who looked at what: only rules that name it are about it, so that none goes unasked.
        case audit
    }

    /// The rule as configured, for plans and records.
    public var text: String
    /// What kind of data; `nil` is every kind.
    public var dataClass: DataClass?
    /// The owning force; `nil` is every force.
    public var force: String?
    /// Only where the best confidence is known and lower than this.
    public var confidenceBelow: Int?
    /// How long.
    public var keep: RetentionPeriod

    /// Whether it decides about everything that no rule before it decides about.
    public var isOpen: Bool { dataClass == nil && force == nil && confidenceBelow == nil }

    /// Whether it can decide about sightings.
    public var isAboutSightings: Bool { isAbout(.sighting) }

    /// Whether it can decide about a class.
    public func isAbout(_ other: DataClass) -> Bool {
        dataClass == other || (dataClass == nil && other != .audit)
    }

    /// A rule.
    public init(
        text: String,
        dataClass: DataClass? = nil,
        force: String? = nil,
        confidenceBelow: Int? = nil,
        keep: RetentionPeriod
    ) {
        self.text = text
        self.dataClass = dataClass
        self.force = force
        self.confidenceBelow = confidenceBelow
        self.keep = keep
    }
}

/// The rules of a node: the first that matches decides.
public struct RetentionPolicy: Sendable, Equatable {
    /// The rules in order.
    public var rules: [RetentionRule]

    /// A policy; with no rule at all everything is kept.
    public init(_ rules: [RetentionRule] = []) { self.rules = rules }

    /// The place of the rule that decides about something that a force owns; `nil` if none does.
    ///
    /// - Parameter confidence: 0-100; -1 if it is not known.
    public func rule(of dataClass: RetentionRule.DataClass = .sighting, force: String, confidence: Int8)
        -> Int?
    {
        rules.firstIndex { rule in
            guard rule.isAbout(dataClass) else { return false }
            guard rule.force == nil || rule.force == force else { return false }
            guard let limit = rule.confidenceBelow else { return true }
            return confidence >= 0 && Int(confidence) < limit
        }
    }

    /// Some of a class that came in before this moment may be past its date; `nil` when no rule is about it.
    public func earliestDue(of dataClass: RetentionRule.DataClass, now: Timestamp) -> Timestamp? {
        rules.filter { $0.isAbout(dataClass) }.map { $0.keep.cutoff(now: now) }.max()
    }

    /// The place of the rule that decides about what is no force's own; `nil` if none does.
    public func rule(of dataClass: RetentionRule.DataClass) -> Int? {
        rules.firstIndex { $0.isAbout(dataClass) && $0.force == nil && $0.confidenceBelow == nil }
    }

    /// No sighting captured before this moment is kept by any rule; `nil` when some may be kept for ever.
    public func latestCutoff(now: Timestamp) -> Timestamp? {
        guard
            rules.contains(where: {
                $0.isAboutSightings && $0.force == nil && $0.confidenceBelow == nil
            })
        else { return nil }
        return rules.filter(\.isAboutSightings).map { $0.keep.cutoff(now: now) }.min()
    }

    /// The place of the rule that keeps sightings longest; `nil` when some may be kept for ever.
    func longestRule(now: Timestamp) -> Int? {
        guard let cutoff = latestCutoff(now: now) else { return nil }
        return rules.firstIndex { $0.isAboutSightings && $0.keep.cutoff(now: now) == cutoff }
    }
}
