import ANPRModel

/// The days that retention has looked through and left as they are, and what of them can be past its date next.
///
/// A rule by confidence, or one by force of a day with amendments, is decided sighting by sighting: with this each day is looked
/// through when something of it can have come due, and not each time that rules are applied. Whoever applies them again and again keeps it.
public final class DaysLookedThrough {
    private struct Day {
        var segments: Set<Int64>
        /// By rule, the earliest first read of what it decides about, or may.
        var earliest: [Timestamp]
    }

    private var policy = RetentionPolicy()
    private var days: [Int32: Day] = [:]

    /// None yet.
    public init() {}

    /// Whether anything of a day's segments can be past its date.
    func canBeDue(_ segments: [Catalogue.Segment], by policy: RetentionPolicy, _ cutoffs: [Timestamp]) -> Bool
    {
        guard policy == self.policy, let day = segments.first.flatMap({ days[$0.day] }),
            day.segments == Set(segments.map(\.id))
        else { return true }
        return zip(day.earliest, cutoffs).contains { $0 < $1 }
    }

    /// Takes note of a day nothing of which is past its date, or held beyond it.
    func note(_ segments: [Catalogue.Segment], by policy: RetentionPolicy, earliest: [Timestamp]) {
        if policy != self.policy { (self.policy, days) = (policy, [:]) }
        guard let day = segments.first?.day else { return }
        days[day] = Day(segments: Set(segments.map(\.id)), earliest: earliest)
    }

    /// Forgets the days that are no more.
    func keep(_ known: Set<Int32>) { days = days.filter { known.contains($0.key) } }
}
