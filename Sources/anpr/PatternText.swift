import ANPRModel
import Archive
import SightingExport

/// What is usual of a vehicle, in writing.
struct PatternText {
    private let pattern: UsualPattern

    init(_ pattern: UsualPattern) { self.pattern = pattern }

    /// Tables, each under its title.
    ///
    /// - Parameter daysMin: what was usual on fewer days is left out.
    func tables(daysMin: Int) -> String {
        let often = pattern.habits.filter { $0.share.days >= daysMin }
        let sections = [
            ("Where it stood, or was not seen (UTC)", stays),
            ("When it usually is where (UTC)", habits(often)),
            ("Out of the usual, of late (UTC)", unusual),
            ("Usual, and missed of late (UTC)", absences),
        ]
        let text = sections.filter { $0.1.count > 1 }.map { "\($0)\n\(TextTable.text($1))" }
        let rare = pattern.habits.count - often.count
        let rest =
            rare == 0 ? "" : "\(NumberText.grouped(rare)) more were so on fewer than \(daysMin) days.\n"
        return (text + [rest]).filter { !$0.isEmpty }.joined(separator: "\n")
    }

    private var stays: [[String]] {
        [["seen last", "seen next", "times", "half", "longest", "arrival", "departure"]]
            + pattern.stays.map { stay in
                [
                    stay.from, stay.to, String(stay.count), Self.span(stay.half), Self.span(stay.longest),
                    Self.usual(stay.arrival), Self.usual(stay.departure),
                ]
            }
    }

    private func habits(_ habits: [UsualPattern.Habit]) -> [[String]] {
        [["day", "site", "usual", "seen so on", "sightings"]]
            + habits.map { habit in
                [
                    Weekday.names[habit.weekday], habit.site, Self.usual(habit.usual),
                    Self.share(habit.share),
                    String(habit.sightings),
                ]
            }
    }

    private var unusual: [[String]] {
        [["when", "site", "sightings", "score", "why"]]
            + pattern.unusual.map { one in
                [
                    Self.stamp(one.at), one.site, String(one.sightings), NumberText.decimal(one.score),
                    Self.why(one),
                ]
            }
    }

    private var absences: [[String]] {
        [["day", "site", "usual", "seen so on"]]
            + pattern.absences.map { missed in
                [
                    Self.date(missed.day), missed.habit.site, Self.usual(missed.habit.usual),
                    Self.share(missed.habit.share),
                ]
            }
    }

    /// What speaks against it, in words.
    private static func why(_ one: UsualPattern.Unusual) -> String {
        let name = Weekday.names[Weekday.of(day: one.at.day)]
        if one.ever.days == 0 { return "never there before on \(one.ever.of) days" }
        let usual = one.usual.map { "; usually \(Self.usual($0))" } ?? "; never there on a \(name)"
        return "about then on \(share(one.sameWeekday)) \(name), \(share(one.sameTime)) days; "
            + "there at all on \(share(one.ever))\(usual)"
    }

    /// A JSON object for each; times of day and spans in milliseconds.
    var lines: String {
        let stays = pattern.stays.map { stay in
            "{\"kind\":\"stay\",\"from\":\(JSONText.quoted(stay.from)),\"to\":\(JSONText.quoted(stay.to)),"
                + "\"times\":\(stay.count),\"half\":\(stay.half),\"longest\":\(stay.longest),"
                + "\"arrival\":\(Self.json(stay.arrival)),\"departure\":\(Self.json(stay.departure))}\n"
        }
        let habits = pattern.habits.map { "{\"kind\":\"usual\",\(Self.json($0))}\n" }
        let unusual = pattern.unusual.map { one in
            "{\"kind\":\"unusual\",\"at\":\"\(TimestampWriter.text(one.at))\",\"site\":\(JSONText.quoted(one.site)),"
                + "\"sightings\":\(one.sightings),\"score\":\(NumberText.hundredths(one.score)),"
                + "\"sameWeekday\":\(Self.json(one.sameWeekday)),\"sameTime\":\(Self.json(one.sameTime)),"
                + "\"ever\":\(Self.json(one.ever))"
                + (one.usual.map { ",\"usual\":\(Self.json($0))" } ?? "") + "}\n"
        }
        let absences = pattern.absences.map { missed in
            "{\"kind\":\"missed\",\"date\":\"\(Self.date(missed.day))\",\(Self.json(missed.habit))}\n"
        }
        return (stays + habits + unusual + absences).joined()
    }

    /// All in one table: which columns a line has depends on its kind.
    var csv: String {
        let stays = pattern.stays.map { stay in
            [
                "stay", "", "", stay.from, stay.to, "", "", "", "", String(stay.count), String(stay.half),
                String(stay.longest), Self.clock(stay.arrival.time), Self.clock(stay.departure.time), "", "",
            ]
        }
        let habits = pattern.habits.map { Self.row("usual", "", $0) }
        let unusual = pattern.unusual.map { one in
            [
                "unusual", TimestampWriter.text(one.at), Weekday.names[Weekday.of(day: one.at.day)], one.site,
                "", one.usual.map { Self.clock($0.time) } ?? "", one.usual.map { String($0.spread) } ?? "",
                String(one.sameWeekday.days), String(one.sameWeekday.of), String(one.sightings), "", "", "",
                "", NumberText.hundredths(one.score), Self.why(one),
            ]
        }
        let absences = pattern.absences.map { Self.row("missed", Self.date($0.day), $0.habit) }
        let titles = [
            "kind", "when", "weekday", "site", "next", "usual", "spread", "days", "of", "count", "half",
            "longest", "arrival", "departure", "score", "why",
        ]
        return ([titles] + stays + habits + unusual + absences).map { row in
            row.map(SightingCSV.quoted).joined(separator: ",") + "\n"
        }.joined()
    }

    private static func row(_ kind: String, _ when: String, _ habit: UsualPattern.Habit) -> [String] {
        [
            kind, when, Weekday.names[habit.weekday], habit.site, "", clock(habit.usual.time),
            String(habit.usual.spread), String(habit.share.days), String(habit.share.of),
            String(habit.sightings), "", "", "", "", "", "",
        ]
    }

    private static func json(_ habit: UsualPattern.Habit) -> String {
        "\"weekday\":\"\(Weekday.names[habit.weekday])\",\"site\":\(JSONText.quoted(habit.site)),"
            + "\"usual\":\(json(habit.usual)),\"share\":\(json(habit.share)),\"sightings\":\(habit.sightings)"
    }

    private static func json(_ time: UsualTime) -> String {
        "{\"time\":\"\(clock(time.time))\",\"spread\":\(time.spread)}"
    }

    private static func json(_ share: UsualPattern.Share) -> String {
        "{\"days\":\(share.days),\"of\":\(share.of)}"
    }

    private static func share(_ share: UsualPattern.Share) -> String { "\(share.days) of \(share.of)" }

    private static func usual(_ time: UsualTime) -> String {
        "\(clock(time.time).prefix(5)) ±\((time.spread + 30_000) / 60_000) min"
    }

    /// A time of day to the second.
    private static func clock(_ milliseconds: Int64) -> String {
        String(TimestampWriter.text(Timestamp(milliseconds: milliseconds)).dropFirst(11).prefix(8))
    }

    private static func stamp(_ time: Timestamp) -> String {
        TimestampWriter.text(time).replacing("T", with: " ").replacing("Z", with: "")
    }

    private static func date(_ day: Int32) -> String {
        String(TimestampWriter.text(Timestamp(milliseconds: Int64(day) * 86_400_000)).prefix(10))
    }

    private static func span(_ milliseconds: Int64) -> String {
        let minutes = milliseconds / 60_000
        return minutes < 60 ? "\(minutes) min" : "\(minutes / 60) h \(minutes % 60) min"
    }
}
