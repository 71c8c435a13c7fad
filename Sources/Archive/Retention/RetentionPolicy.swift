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

    /// Whether it can decide about sightings.
    public var isAboutSightings: Bool { dataClass == nil || dataClass == .sighting }

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

    /// The place of the rule that decides about a force's contribution.
    public func rule(force: String, confidence: Int8) -> Int? {
        rules.firstIndex { rule in
            guard rule.isAboutSightings else { return false }
            guard rule.force == nil || rule.force == force else { return false }
            guard let limit = rule.confidenceBelow else { return true }
            return confidence >= 0 && Int(confidence) < limit
        }
    }

    /// What came in before this moment is past its date; for the classes that are kept by the day, not sightings.
    public func cutoff(of dataClass: RetentionRule.DataClass, now: Timestamp) -> Timestamp? {
        rules.first { rule in
            (rule.dataClass == dataClass || rule.dataClass == nil) && rule.force == nil
                && rule.confidenceBelow == nil
        }?.keep.cutoff(now: now)
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
