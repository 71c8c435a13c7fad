import ANPRModel

/// When one vehicle was where: by site, each site's times in order.
struct PassageTimes {
    private var times: [String: [Int64]] = [:]

    /// How many there are.
    var count: Int { times.values.reduce(0) { $0 + $1.count } }
    /// The day of the first.
    var first: Int32? {
        times.values.compactMap(\.first).min().map { Timestamp(milliseconds: $0).day }
    }

    /// Of sightings of the mark itself, from the beginning of a day to the end of another.
    init(_ found: ResolvedSightings, from first: Int32, through last: Int32) {
        for (row, sighting) in found.batch.sightings.enumerated() {
            let day = sighting.captured.day
            guard day >= first, day <= last, !found.approximate.contains(row) else { continue }
            times[found.register.siteName(of: sighting.camera), default: []]
                .append(sighting.captured.milliseconds)
        }
        times = times.mapValues { $0.sorted() }
    }

    private init(_ times: [String: [Int64]]) { self.times = times }

    /// Those on some days.
    func on(_ days: ClosedRange<Int32>) -> PassageTimes {
        PassageTimes(
            times.compactMapValues { all in
                let some = all.filter { days.contains(Timestamp(milliseconds: $0).day) }
                return some.isEmpty ? nil : some
            }
        )
    }

    /// All, in order of time, of the same time by site.
    var passages: [(site: String, time: Int64)] {
        times.flatMap { site, all in all.map { (site: site, time: $0) } }
            .sorted { ($0.time, $0.site) < ($1.time, $1.site) }
    }

    /// Whether it was at a site at a time, or no further from it than a distance.
    ///
    /// - Complexity: O(log times).
    func contains(_ site: String, _ time: Int64, within distance: Int64) -> Bool {
        guard let all = times[site] else { return false }
        let place = all.indices.first(from: { all[$0] >= time - distance })
        return place < all.count && all[place] <= time + distance
    }

    /// When it usually was where, of some days.
    func habits(in days: ClosedRange<Int32>, _ rules: UsualPattern.Rules) -> [UsualPattern.Habit] {
        let weekdays = days.weekdays
        let habits = times.flatMap { site, all -> [UsualPattern.Habit] in
            let moments = all.map { Timestamp(milliseconds: $0) }
            return Dictionary(grouping: moments) { Weekday.of(day: $0.day) }.flatMap { weekday, moments in
                DayCircle.parts(moments, apart: rules.apart, DayCircle.time).compactMap { part in
                    UsualTime(of: part.map(DayCircle.time)).map { usual in
                        UsualPattern.Habit(
                            weekday: weekday,
                            site: site,
                            usual: usual,
                            share: .init(days: Set(part.map(\.day)).count, of: weekdays[weekday]),
                            sightings: part.count
                        )
                    }
                }
            }
        }
        return habits.sorted {
            ($0.weekday, $0.usual.time, $0.site) < ($1.weekday, $1.usual.time, $1.site)
        }
    }
}

extension ClosedRange<Int32> {
    /// How many of the days are Mondays, Tuesdays and so on.
    fileprivate var weekdays: [Int] {
        var counts = [Int](repeating: count / 7, count: 7)
        for day in suffix(count % 7) { counts[Weekday.of(day: day)] += 1 }
        return counts
    }
}

/// Days of late, held against what was usual before.
struct LateDays {
    private(set) var unusual: [UsualPattern.Unusual] = []
    private(set) var unjudged = 0
    private let seen: PassageTimes
    private let before: PassageTimes
    private let usual: [UsualPattern.Habit]
    private let learned: ClosedRange<Int32>
    private let late: ClosedRange<Int32>
    private let rules: UsualPattern.Rules

    /// - Parameters:
    ///   - seen: all passages.
    ///   - before: those of the days that are learned from.
    ///   - usual: what was usual on those.
    init(
        of seen: PassageTimes,
        held before: PassageTimes,
        against usual: [UsualPattern.Habit],
        learned: ClosedRange<Int32>,
        late: ClosedRange<Int32>,
        _ rules: UsualPattern.Rules
    ) {
        (self.seen, self.before, self.usual) = (seen, before, usual)
        (self.learned, self.late, self.rules) = (learned, late, rules)
        // What follows soon at the same site belongs to the same.
        var begun: [String: Int] = [:]
        var groups: [(site: String, time: Int64, count: Int)] = []
        for (site, time) in seen.on(late).passages {
            if let group = begun[site], time - groups[group].time <= rules.near {
                groups[group].count += 1
            } else {
                begun[site] = groups.count
                groups.append((site, time, 1))
            }
        }
        for (site, time, count) in groups { judge(site, Timestamp(milliseconds: time), count) }
        unusual.sort { ($1.score, $0.at, $0.site) < ($0.score, $1.at, $1.site) }
    }

    private mutating func judge(_ site: String, _ time: Timestamp, _ count: Int) {
        let clock = DayCircle.time(of: time)
        let weekday = Weekday.of(day: time.day)
        var same = UsualPattern.Share(days: 0, of: 0)
        var (sameTime, ever) = (same, same)
        for day in learned {
            let midnight = Int64(day) * DayCircle.length
            let isThen = before.contains(site, midnight + clock, within: rules.near)
            // From the first to the last moment of the day.
            let isEver = before.contains(
                site,
                midnight + DayCircle.length / 2,
                within: DayCircle.length / 2 - 1
            )
            let isMidnight = before.contains(site, midnight, within: 0)
            sameTime.of += 1
            sameTime.days += isThen ? 1 : 0
            ever.of += 1
            ever.days += isEver || isMidnight ? 1 : 0
            guard Weekday.of(day: day) == weekday else { continue }
            same.of += 1
            same.days += isThen ? 1 : 0
        }
        guard same.of >= rules.daysMin else {
            unjudged += 1
            return
        }
        guard same.value <= rules.rareShare else { return }
        let others = usual.filter { $0.site == site && $0.weekday == weekday }
        let nearest = others.min {
            DayCircle.distance($0.usual.time, clock) < DayCircle.distance($1.usual.time, clock)
        }
        unusual.append(
            UsualPattern.Unusual(
                at: time,
                site: site,
                sightings: count,
                sameWeekday: same,
                sameTime: sameTime,
                ever: ever,
                usual: nearest?.usual
            )
        )
    }

    /// What was usual and did not come, as far as its time is over.
    func absences(until: Timestamp) -> [UsualPattern.Absence] {
        var missed: [UsualPattern.Absence] = []
        for day in late {
            for habit in usual
            where habit.weekday == Weekday.of(day: day) && habit.share.of >= rules.daysMin
                && habit.share.value >= rules.usualShare
            {
                let expected = Int64(day) * DayCircle.length + habit.usual.time
                let room = max(rules.near, 3 * habit.usual.spread)
                guard expected + room <= until.milliseconds,
                    !seen.contains(habit.site, expected, within: room)
                else { continue }
                missed.append(UsualPattern.Absence(day: day, habit: habit))
            }
        }
        return missed
    }
}
