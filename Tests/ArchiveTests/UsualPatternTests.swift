import ANPRModel
import Archive
import Foundation
import Simulation
import TestSupport
import Testing

/// What is usual of vehicles of which that is known.
struct UsualPatternTests {
    private static let register = CameraRegister(
        (0..<12).map { Camera(force: "43", name: "c\($0)", site: "S\($0)") }
    )
    private static let day: Int64 = 86_400_000
    private static let minute: Int64 = 60_000
    /// A Monday: 2026-01-05.
    private static let monday: Int64 = 20_458

    private struct Seen {
        var site: Int
        var time: Int64
    }

    /// As a search gives them: the newest first; rows of another mark told apart.
    private static func found(_ all: [Seen], other: [Seen] = []) -> ResolvedSightings {
        var found = ResolvedSightings()
        found.register = register
        let rows = all.map { ($0, false) } + other.map { ($0, true) }
        for (seen, isOther) in rows.sorted(by: { $0.0.time > $1.0.time }) {
            let time = Timestamp(milliseconds: seen.time)
            if isOther { found.approximate.insert(found.batch.count) }
            found.batch.append(
                Sighting(
                    vrm: VRM(isOther ? "AB28CDE" : "AB27CDE") ?? VRM(trusted: 0),
                    first: time,
                    last: time,
                    captured: time,
                    opened: time,
                    camera: CameraIndex(seen.site),
                    reads: 1
                )
            )
            found.batch.append(
                Contribution(camera: CameraIndex(seen.site), reads: 1, first: time, confidence: 90)
            )
        }
        return found
    }

    private static func at(_ day: Int, _ hour: Int, _ minute: Int = 0, jitter: Int = 0) -> Int64 {
        (monday + Int64(day)) * Self.day + Int64(hour * 60 + minute) * Self.minute + Int64(jitter)
    }

    /// Weeks of a commuter: S0 at 07:30 and S1 at 08:00 on the way there, S1 at 17:00 and S0 at 17:30 back, Monday to Friday,
    /// each within ten minutes; a day is left out now and then.
    private static func commuter(_ weeks: Int, _ random: inout SeededRandom, leftOut: Set<Int> = []) -> [Seen]
    {
        var seen: [Seen] = []
        for day in 0..<weeks * 7 where day % 7 < 5 && !leftOut.contains(day) {
            let jitter = { (random: inout SeededRandom) in random.within(-600_000...600_000) }
            let (there, back) = (jitter(&random), jitter(&random))
            seen.append(Seen(site: 0, time: at(day, 7, 30, jitter: there)))
            seen.append(Seen(site: 1, time: at(day, 8, 0, jitter: there)))
            seen.append(Seen(site: 1, time: at(day, 17, 0, jitter: back)))
            seen.append(Seen(site: 0, time: at(day, 17, 30, jitter: back)))
        }
        return seen
    }

    @Test("a commuter's stays and usual times are as they were made", arguments: [1, 2, 3] as [UInt64])
    func commuters(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let weeks = random.within(6...20)
        let leftOut = Set((0..<5).map { _ in random.within(1...weeks * 7 - 1) }.filter { $0 % 7 < 5 })
        let seen = Self.commuter(weeks, &random, leftOut: leftOut)
        let others = (0..<50).map { Seen(site: 5, time: Self.at($0, 12)) }
        let until = Timestamp(milliseconds: Self.at(weeks * 7, 0))
        let pattern = UsualPattern(
            of: Self.found(seen, other: others),
            from: Timestamp(milliseconds: Self.at(0, 0)),
            until: until
        )
        let worked = weeks * 5 - leftOut.count
        #expect(pattern.sightings == seen.count && pattern.days.count == weeks * 7)
        // At work by day, at home by night.
        let stays = pattern.stays
        try #require(stays.count == 2)
        let work = try #require(stays.first { $0.from == "S1" })
        let home = try #require(stays.first { $0.from == "S0" })
        #expect(work.to == "S1" && work.count == worked && home.to == "S0" && home.count == worked - 1)
        #expect(abs(work.half - 9 * 60 * Self.minute) < 15 * Self.minute)
        #expect(abs(home.half - 14 * 60 * Self.minute) < 15 * Self.minute)
        #expect(home.longest >= (2 * 24 + 13) * 60 * Self.minute)
        for (time, hour, minute) in [
            (work.arrival, 8, 0), (work.departure, 17, 0), (home.arrival, 17, 30), (home.departure, 7, 30),
        ] {
            #expect(abs(time.time - Int64(hour * 60 + minute) * Self.minute) < 8 * Self.minute)
            #expect((1...10 * Self.minute).contains(time.spread))
        }
        // Two sites, there and back, on five days of the week.
        #expect(pattern.habits.count == 20)
        for habit in pattern.habits {
            let missing = leftOut.count { $0 % 7 == habit.weekday }
            #expect(
                habit.share == .init(days: weeks - missing, of: weeks) && habit.sightings == weeks - missing
            )
            let expected: [Int64] = habit.site == "S0" ? [450, 1050] : [480, 1020]
            #expect(expected.contains { abs(habit.usual.time - $0 * Self.minute) <= 10 * Self.minute })
        }
        #expect(pattern.learned.count == weeks * 7 - 7)
    }

    @Test(
        "what of late is out of the usual is found in its order, and what is missed",
        arguments: [4, 5, 6] as [UInt64]
    )
    func late(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let weeks = random.within(8...16)
        let last = (weeks - 1) * 7
        // On the last Wednesday it stays away, on the Thursday it is elsewhere at noon, on the Saturday it is at a site of its own by
        // night, on the Sunday where it works.
        var seen = Self.commuter(weeks, &random, leftOut: [last + 2])
        seen.append(Seen(site: 1, time: Self.at(last + 3, 12, 30)))
        seen.append(Seen(site: 7, time: Self.at(last + 5, 2, 0)))
        seen.append(Seen(site: 7, time: Self.at(last + 5, 2, 20)))
        seen.append(Seen(site: 1, time: Self.at(last + 6, 8, 0)))
        let until = Timestamp(milliseconds: Self.at(last + 7, 0))
        let pattern = UsualPattern(of: Self.found(seen), until: until)
        #expect(pattern.unjudged == 0)
        #expect(pattern.unusual.map(\.site) == ["S7", "S1", "S1"])
        #expect(
            pattern.unusual.map(\.at.milliseconds) == [
                Self.at(last + 5, 2), Self.at(last + 3, 12, 30), Self.at(last + 6, 8),
            ]
        )
        let (night, noon, sunday) = (pattern.unusual[0], pattern.unusual[1], pattern.unusual[2])
        let learned = weeks * 7 - 7
        #expect(night.score == 3 && night.sightings == 2 && night.ever == .init(days: 0, of: learned))
        #expect(night.usual == nil && sunday.usual == nil)
        #expect(noon.sameWeekday == .init(days: 0, of: weeks - 1))
        #expect(noon.ever == .init(days: (weeks - 1) * 5, of: learned) && noon.usual != nil)
        #expect(sunday.sameTime == .init(days: (weeks - 1) * 5, of: learned))
        #expect(sunday.sameWeekday == .init(days: 0, of: weeks - 1))
        // Four passages were missed on the Wednesday, in the order of the day.
        #expect(
            pattern.absences.map(\.day) == [Int32](repeating: Int32(Self.monday) + Int32(last) + 2, count: 4)
        )
        #expect(pattern.absences.map(\.habit.site) == ["S0", "S1", "S1", "S0"])
        // Before their time is over they are not missed.
        let noonOnly = UsualPattern(
            of: Self.found(seen.filter { $0.time < Self.at(last + 2, 12) }),
            until: Timestamp(milliseconds: Self.at(last + 2, 12))
        )
        #expect(noonOnly.absences.map(\.habit.site) == ["S0", "S1"])
    }

    @Test("of too few days nothing is said; of nothing there is nothing")
    func few() {
        var random = SeededRandom(seed: 1)
        let seen = Self.commuter(3, &random)
        let until = Timestamp(milliseconds: Self.at(21, 0))
        let short = UsualPattern(of: Self.found(seen), until: until)
        #expect(short.unusual.isEmpty && short.absences.isEmpty && short.unjudged == 20)
        var rules = UsualPattern.Rules()
        rules.recentDays = 60
        let none = UsualPattern(of: Self.found(seen), until: until, rules)
        #expect(none.learned.isEmpty && none.unusual.isEmpty && none.unjudged == 0 && none.habits.count == 20)
        rules.recentDays = 0
        let all = UsualPattern(of: Self.found(seen), until: until, rules)
        #expect(all.learned.count == 21 && all.unusual.isEmpty && all.absences.isEmpty && all.unjudged == 0)
        let empty = UsualPattern(of: ResolvedSightings(), until: until)
        #expect(empty.habits.isEmpty && empty.stays.isEmpty && empty.sightings == 0)
    }

    @Test("a habit about midnight is one")
    func midnight() throws {
        let seen = (0..<10).map { Seen(site: 2, time: Self.at($0 * 7, 0, $0 % 2 == 0 ? 5 : 23 * 60 + 55)) }
        let pattern = UsualPattern(of: Self.found(seen), until: Timestamp(milliseconds: Self.at(70, 0)))
        #expect(pattern.habits.count == 1)
        let habit = try #require(pattern.habits.first)
        #expect(habit.share == .init(days: 10, of: 10) && habit.usual.spread <= 10 * Self.minute)
        #expect([5, 23 * 60 + 55].contains(habit.usual.time / Self.minute))
    }

    /// The same in the plainest way: every pair compared.
    private static func plainUsual(_ times: [Int64]) -> (time: Int64, spread: Int64) {
        let distance = { (one: Int64, other: Int64) in min(abs(one - other), day - abs(one - other)) }
        let best =
            times.min { one, other in
                let sums = [one, other].map { center in times.reduce(0) { $0 + distance($1, center) } }
                return (sums[0], one) < (sums[1], other)
            } ?? 0
        let apart = times.map { distance($0, best) }.sorted()
        return (best, apart[(apart.count - 1) / 2])
    }

    @Test("equal to a plain recomputation, whatever it does", arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func plain(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let hours = (0..<random.within(1...24)).map { _ in random.below(24) }
        let seen = (0..<random.within(50...600)).map { _ in
            let site = random.below(4)
            return Seen(
                site: site,
                time: Self.at(
                    random.below(90),
                    random.one(of: hours),
                    random.below(60),
                    jitter: random.below(60_000)
                )
            )
        }
        var rules = UsualPattern.Rules()
        rules.apart = Int64(random.within(10...300)) * Self.minute
        let until = Timestamp(milliseconds: Self.at(90, 0))
        let from = Timestamp(milliseconds: Self.at(0, 0))
        let pattern = UsualPattern(of: Self.found(seen), from: from, until: until, rules)
        var covered = 0
        for weekday in 0..<7 {
            for site in 0..<4 {
                let own = seen.filter { $0.site == site && ($0.time / Self.day - Self.monday) % 7 == weekday }
                let habits = pattern.habits.filter { $0.weekday == weekday && $0.site == "S\(site)" }
                let parts = Self.plainParts(own.map(\.time), rules.apart)
                covered += own.count
                let expected = parts.map { part -> [Int64] in
                    let usual = Self.plainUsual(part.map { $0 % Self.day })
                    return [
                        usual.time, usual.spread, Int64(part.count),
                        Int64(Set(part.map { $0 / Self.day }).count),
                    ]
                }
                let found = habits.map {
                    [$0.usual.time, $0.usual.spread, Int64($0.sightings), Int64($0.share.days)]
                }
                #expect(Set(found) == Set(expected) && found.count == expected.count, "seed \(seed)")
            }
        }
        #expect(covered == pattern.sightings)
        Self.checkLate(pattern, seen, rules)
    }

    /// Each by itself belongs with each other that no wider gap parts from it: joined until nothing changes.
    private static func plainParts(_ times: [Int64], _ apart: Int64) -> [[Int64]] {
        var parts: [[Int64]] = times.map { [$0] }
        let isNear = { (one: Int64, other: Int64) in
            min(abs(one % day - other % day), day - abs(one % day - other % day)) <= apart
        }
        var place = 0
        while place < parts.count {
            let own = parts[place]
            if let other = parts.indices.first(where: { other in
                other > place && parts[other].contains { one in own.contains { isNear(one, $0) } }
            }) {
                parts[place] += parts.remove(at: other)
            } else {
                place += 1
            }
        }
        return parts
    }

    private static func checkLate(_ pattern: UsualPattern, _ seen: [Seen], _ rules: UsualPattern.Rules) {
        let before = seen.filter { pattern.learned.contains(Int32($0.time / day)) }
        let isThen = { (site: String, time: Int64) in
            before.contains { "S\($0.site)" == site && abs($0.time - time) <= rules.near }
        }
        for one in pattern.unusual {
            let clock = one.at.milliseconds % day
            let days = pattern.learned.filter { isThen(one.site, Int64($0) * day + clock) }
            #expect(one.sameTime == .init(days: days.count, of: pattern.learned.count))
            let same = days.filter { $0 % 7 == one.at.day % 7 }
            #expect(one.sameWeekday.days == same.count)
            #expect(one.sameWeekday.of == pattern.learned.count { $0 % 7 == one.at.day % 7 })
            let ever = Set(before.filter { "S\($0.site)" == one.site }.map { $0.time / day })
            #expect(one.ever.days == ever.count)
        }
        // Every sighting of late is usual then, or belongs to something listed.
        let late = seen.filter { $0.time / day >= Int64(pattern.learned.upperBound) }
        for one in late {
            let isListed = pattern.unusual.contains {
                $0.site == "S\(one.site)" && (0...rules.near).contains(one.time - $0.at.milliseconds)
            }
            let weekdays = pattern.learned.filter { Int64($0) % 7 == one.time / day % 7 }
            let share = weekdays.filter { isThen("S\(one.site)", Int64($0) * day + one.time % day) }.count
            let isUsual = Double(share) / Double(weekdays.count) > rules.rareShare
            let follows = late.contains {
                $0.site == one.site && $0.time < one.time && one.time - $0.time <= rules.near
            }
            #expect(isListed || isUsual || follows)
        }
    }
}
