import ANPRModel
import Testing

@Suite("Dates")
struct CivilDateTests {
    @Test("Every day has one date and every date one day, a million days either way")
    func roundTrip() {
        for days in stride(from: -1_000_000, through: 1_000_000, by: 37) {
            let date = CivilDate.date(days: days)
            #expect(CivilDate.days(year: date.year, month: date.month, day: date.day) == days, "\(days)")
            #expect((1...12).contains(date.month), "\(days)")
            let length = CivilDate.length(ofMonth: date.month, year: date.year)
            #expect(date.day >= 1 && date.day <= length, "\(days)")
        }
    }

    @Test("The day after is the next of the month, or the first of the next")
    func successor() {
        for days in stride(from: -1_000_000, through: 1_000_000, by: 41) {
            let today = CivilDate.date(days: days)
            let tomorrow = CivilDate.date(days: days + 1)
            let expected: (year: Int, month: Int, day: Int)
            if today.day < CivilDate.length(ofMonth: today.month, year: today.year) {
                expected = (today.year, today.month, today.day + 1)
            } else if today.month < 12 {
                expected = (today.year, today.month + 1, 1)
            } else {
                expected = (today.year + 1, 1, 1)
            }
            #expect(tomorrow == expected, "\(days)")
        }
    }

    @Test(
        "Known days",
        arguments: [
            (1970, 1, 1, 0), (1969, 12, 31, -1), (2000, 2, 29, 11_016), (2000, 3, 1, 11_017),
            (2026, 11, 20, 20_777),
            (1, 1, 1, -719_162), (9999, 12, 31, 2_932_896), (1900, 2, 28, -25_509), (1900, 3, 1, -25_508),
        ]
    )
    func knownDays(year: Int, month: Int, day: Int, days: Int) {
        #expect(CivilDate.days(year: year, month: month, day: day) == days)
        #expect(CivilDate.date(days: days) == (year, month, day))
    }

    @Test(
        "A leap year is every fourth, but for centuries that 400 does not divide",
        arguments: [
            (2024, 29), (2023, 28), (2000, 29), (1900, 28), (2100, 28), (2400, 29), (4, 29), (1, 28), (0, 29),
            (-4, 29),
        ]
    )
    func february(year: Int, length: Int) {
        #expect(CivilDate.length(ofMonth: 2, year: year) == length)
    }

    @Test("A year has 365 or 366 days, and no thirteenth month")
    func months() {
        let lengths = (1...12).map { CivilDate.length(ofMonth: $0, year: 2026) }
        #expect(lengths == [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
        #expect(CivilDate.length(ofMonth: 0, year: 2026) == 0)
        #expect(CivilDate.length(ofMonth: 13, year: 2026) == 0)
    }

    @Test("A moment before 1970 falls on the day before")
    func dayOfMoment() {
        let cases: [(milliseconds: Int64, day: Int32)] = [
            (0, 0), (-1, -1), (86_399_999, 0), (86_400_000, 1), (-86_400_000, -1), (-86_400_001, -2),
        ]
        for (milliseconds, day) in cases {
            #expect(Timestamp(milliseconds: milliseconds).day == day, "\(milliseconds)")
        }
    }
}
