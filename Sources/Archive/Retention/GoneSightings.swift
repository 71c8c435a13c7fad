import ANPRModel

/// The sightings that a purge has taken, for those that name them as another reading of the same vehicle.
struct GoneSightings {
    /// Those that went out of days of which something is left.
    var identities: Set<SightingIdentity> = []
    /// The days of those that name one of them.
    var partnerDays: Set<Int32> = []
    /// The days that went as a whole.
    var days: Set<Int32> = []

    var daysToLookAt: Set<Int32> {
        partnerDays.union(days.map { $0 - 1 }).union(days.map { $0 + 1 }).subtracting(days)
    }

    /// What of a day can name a sighting of a day beside it that went as a whole: few days have any, and those near midnight.
    func edges(of day: Int32) -> [SightingQuery] {
        let start = Int64(day) * 86_400_000
        var queries: [SightingQuery] = []
        var query = SightingQuery()
        if days.contains(day - 1) {
            query.to = Timestamp(milliseconds: start)
            queries.append(query)
        }
        query = SightingQuery()
        if days.contains(day + 1) {
            query.from = Timestamp(milliseconds: start + 86_400_000)
            queries.append(query)
        }
        return queries
    }

    func isNamed(in all: ResolvedSightings, day: Int32) -> Bool {
        without(all, day: day).batch.variants.count < all.batch.variants.count
    }

    /// A day's sightings, or some with all those near them, none naming one that is gone.
    ///
    /// Of a day that went as a whole nothing is known any more. What a sighting names lies on its own day or on one beside it:
    /// on the day of its opening, or the one before, if a late read came before midnight.
    func without(_ all: ResolvedSightings, day: Int32) -> ResolvedSightings {
        let kept = all.without(identities)
        let (before, after) = (days.contains(day - 1), days.contains(day + 1))
        guard before || after, !kept.batch.variants.isEmpty else { return kept }
        let own = Set((0..<kept.batch.count).map { SightingIdentity($0, of: kept.batch, kept.register) })
        let gone = kept.named.filter { $0.opened.day > day ? after : before }
        return kept.without(Set(gone).subtracting(own))
    }
}

extension ResolvedSightings {
    /// The sightings that these name as other readings of the same vehicle.
    var named: [SightingIdentity] {
        batch.variants.filter { !$0.isMerged }.map { other in
            let site = register.siteName(of: batch.sightings[other.sighting].camera)
            return SightingIdentity(vrm: other.vrm, site: site, opened: other.opened)
        }
    }
}
