public import ANPRModel

/// What is usual of a vehicle: where it stands between journeys, when it is where, and what of late was otherwise.
///
/// All times are those of best reads, all days and times of day UTC: what follows the clock on the wall moves by an hour when
/// summer time begins and ends. It knows only what cameras saw: a vehicle can have been where it was not seen.
public struct UsualPattern: Sendable {
    /// By what the usual is told.
    public struct Rules: Sendable, Equatable {
        /// After so long without a sighting, in milliseconds, it stood, and another journey begins.
        public var stop = Journeys.Rules().stop
        /// Times of day at a site that are parted by more than this, in milliseconds, are usual by themselves: there and back.
        public var apart: Int64 = 2 * 3_600_000
        /// Times so near to each other, in milliseconds, are about the same time of day.
        public var near: Int64 = 3_600_000
        /// How many days at the end are held against all before them; of none nothing is said.
        public var recentDays = 7
        /// Of fewer days of a kind nothing is said to be usual or not.
        public var daysMin = 3
        /// What was so on this share of the days or more is missed when it is not.
        public var usualShare = 0.8

        /// What was so on this share of the days or fewer is out of the usual.
        public var rareShare: Double { 1 - usualShare }

        /// The usual rules.
        public init() {}
    }

    /// On how many days of how many.
    public struct Share: Sendable, Equatable {
        /// On how many it was so.
        public var days: Int
        /// Of how many.
        public var of: Int

        /// A share.
        public init(days: Int, of: Int) { (self.days, self.of) = (days, of) }

        /// Between 0 and 1; of no days 0.
        public var value: Double { of == 0 ? 0 : Double(days) / Double(of) }
    }

    /// Where it stood, or was not seen: between the last site of a journey and the first of the next.
    public struct Stay: Sendable, Equatable {
        /// The site that it was seen at last, and the one that it was seen at next.
        public var from: String, to: String
        /// How often.
        public var count: Int
        /// Half of the stays were so long, in milliseconds, or shorter.
        public var half: Int64
        /// The longest, in milliseconds.
        public var longest: Int64
        /// When it usually was seen last before, and first after.
        public var arrival: UsualTime, departure: UsualTime
    }

    /// When it usually is at a site on a day of the week; a site that it passes there and back has two.
    public struct Habit: Sendable, Equatable {
        /// The day of the week, 0 for Monday.
        public var weekday: Int
        /// The site.
        public var site: String
        /// When.
        public var usual: UsualTime
        /// On how many of those days in the span.
        public var share: Share
        /// How many sightings.
        public var sightings: Int
    }

    /// Something of late that is out of the usual: a sighting, with those at the same site soon after it.
    public struct Unusual: Sendable, Equatable {
        /// When it begins.
        public var at: Timestamp
        /// Where.
        public var site: String
        /// How many sightings.
        public var sightings: Int
        /// On how many of the days of the same name before it was there at about that time.
        public var sameWeekday: Share
        /// On how many of all days before it was there at about that time.
        public var sameTime: Share
        /// On how many of all days before it was there at all.
        public var ever: Share
        /// When it usually is there on that day of the week: the nearest such time, if there is any.
        public var usual: UsualTime?

        /// How far out of the usual, 0 to 3: for each of the three questions, what of its days speak against it.
        public var score: Double { 3 - sameWeekday.value - sameTime.value - ever.value }
    }

    /// Something usual that was not seen on a day of late.
    public struct Absence: Sendable, Equatable {
        /// The day, counted from 1970-01-01.
        public var day: Int32
        /// What is usual, of the days before.
        public var habit: Habit
    }

    /// The stays, the most frequent first.
    public let stays: [Stay]
    /// What is usual, over the whole span; by day of the week, time and site.
    public let habits: [Habit]
    /// What of late is out of the usual, the furthest first.
    public let unusual: [Unusual]
    /// What of late is missed, in order of time.
    public let absences: [Absence]
    /// The days that were looked at, counted from 1970-01-01.
    public let days: ClosedRange<Int32>
    /// The days among them that the usual is taken from which those of late are held against.
    public let learned: Range<Int32>
    /// How many sightings were looked at.
    public let sightings: Int
    /// How many things of late nothing is said of, because there were too few such days before.
    public let unjudged: Int

    /// Of sightings that a search for one mark found; those of other marks (`approximate`) are left out.
    ///
    /// - Parameters:
    ///   - from: what was captured on days before this one's is left out. The days that are looked at begin with the first sighting.
    ///   - until: when it ends: what would be usual later is not missed yet.
    /// - Complexity: O(sightings · log sightings + sightings of late · days · log sightings).
    public init(
        of found: ResolvedSightings,
        from: Timestamp? = nil,
        until: Timestamp,
        _ rules: Rules = Rules()
    ) {
        var journeyRules = Journeys.Rules()
        journeyRules.stop = rules.stop
        stays = Self.stays(Journeys(of: found, journeyRules).pauses, found)
        // The first moment of a day as an end leaves that day out.
        let last = Timestamp(milliseconds: until.milliseconds - 1).day
        let seen = PassageTimes(found, from: from?.day ?? .min, through: last)
        // What the archive has lets nobody tell how it was before the first sighting.
        let first = seen.first ?? last
        let lateFrom = max(first, last - Int32(min(max(rules.recentDays, 0), 100_000)) + 1)
        days = first...last
        learned = first..<lateFrom
        sightings = seen.count
        habits = seen.habits(in: days, rules)
        guard first < lateFrom, lateFrom <= last else {
            (unusual, absences, unjudged) = ([], [], 0)
            return
        }
        let before = seen.on(first...lateFrom - 1)
        let usual = before.habits(in: first...lateFrom - 1, rules)
        let late = LateDays(
            of: seen,
            held: before,
            against: usual,
            learned: first...lateFrom - 1,
            late: lateFrom...last,
            rules
        )
        unusual = late.unusual
        unjudged = late.unjudged
        absences = late.absences(until: until)
    }

    private static func stays(_ pauses: [Journeys.Leg], _ found: ResolvedSightings) -> [Stay] {
        let sightings = found.batch.sightings
        let site = { (row: Int) in found.register.siteOfCamera[Int(sightings[row].camera)] }
        let groups = Dictionary(grouping: pauses) { [site($0.from), site($0.to)] }
        let stays = groups.compactMap { sites, legs -> Stay? in
            let took = legs.map(\.took).sorted()
            let times = { (row: KeyPath<Journeys.Leg, Int>) in
                UsualTime(of: legs.map { DayCircle.time(of: sightings[$0[keyPath: row]].captured) })
            }
            guard let arrival = times(\.from), let departure = times(\.to), let longest = took.last else {
                return nil
            }
            return Stay(
                from: found.register.sites[Int(sites[0])],
                to: found.register.sites[Int(sites[1])],
                count: legs.count,
                half: took[(took.count - 1) / 2],
                longest: longest,
                arrival: arrival,
                departure: departure
            )
        }
        return stays.sorted { ($1.count, $0.from, $0.to) < ($0.count, $1.from, $1.to) }
    }
}
