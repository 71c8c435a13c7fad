public import ANPRModel

/// Sightings that were found, counted by something that they have in common.
public struct SightingSummary: Sendable {
    /// What is counted by.
    public enum Subject: String, Sendable, CaseIterable {
        /// The mark as read: of a search by pattern or likeness, which marks it admits.
        case vrm
        /// The site.
        case site
        /// The day (UTC) of the best read.
        case day
        /// The day of the week (UTC), Monday first: with `hour` what is usual of a vehicle.
        case weekday
        /// The hour of the day (UTC).
        case hour
        /// Each force that contributed; a sighting of two counts for both.
        case force
    }

    /// One value and what has it.
    public struct Group: Sendable, Equatable {
        /// The value.
        public var value: String
        /// How many sightings.
        public var sightings: Int
        /// The earliest best read.
        public var first: Timestamp
        /// The latest best read.
        public var last: Timestamp
        /// Whether it is a mark that was not asked for, and only looks like the one that was or was read of the same vehicle.
        public var isApproximate = false
    }

    /// The groups: days, days of the week and hours in order, all else by how many sightings, the most first, and then by value.
    public let groups: [Group]

    /// Counts.
    public init(of found: ResolvedSightings, by subject: Subject) {
        var groups: [String: Group] = [:]
        for row in 0..<found.batch.count {
            let captured = found.batch.sightings[row].captured
            for value in Self.values(row, found, subject) {
                var group =
                    groups[value] ?? Group(value: value, sightings: 0, first: captured, last: captured)
                group.sightings += 1
                group.first = min(group.first, captured)
                group.last = max(group.last, captured)
                group.isApproximate = subject == .vrm && found.approximate.contains(row)
                groups[value] = group
            }
        }
        self.groups = groups.values.sorted { left, right in
            if !subject.isOrdered, left.sightings != right.sightings {
                return left.sightings > right.sightings
            }
            return left.value < right.value
        }
    }

    private static func values(_ row: Int, _ found: ResolvedSightings, _ subject: Subject) -> Set<String> {
        let sighting = found.batch.sightings[row]
        switch subject {
        case .vrm: return [sighting.vrm.text]
        case .site: return [found.register.siteName(of: sighting.camera)]
        case .day: return [String(TimestampWriter.text(sighting.captured).prefix(10))]
        case .weekday:
            let weekday = Weekday.of(day: sighting.captured.day)
            return ["\(weekday + 1) \(Weekday.names[weekday])"]
        case .hour: return [String(TimestampWriter.text(sighting.captured).dropFirst(11).prefix(2)) + ":00"]
        case .force:
            return Set(
                found.batch.contributions(of: row).map { found.register.cameras[Int($0.camera)].force }
            )
        }
    }
}

extension SightingSummary.Subject {
    /// Whether its values have an order of their own.
    fileprivate var isOrdered: Bool { self == .day || self == .weekday || self == .hour }
}
