/// A moment in milliseconds since 1970-01-01T00:00:00Z.
///
/// Times of reads lie in the years 1 to 9999. Two further values mark the ends of time for watermarks.
public struct Timestamp: Hashable, Comparable, Sendable {
    /// Milliseconds since 1970, UTC, leap seconds not counted.
    public var milliseconds: Int64

    /// Takes milliseconds since 1970.
    @inlinable
    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// Before every read: a watermark that holds everything back.
    @inlinable public static var distantPast: Timestamp { Timestamp(milliseconds: .min / 4) }
    /// After every read: the watermark of an input that has ended.
    @inlinable public static var distantFuture: Timestamp { Timestamp(milliseconds: .max / 4) }
    /// 0001-01-01T00:00:00.000Z, the earliest time a read can carry.
    @inlinable public static var earliest: Timestamp { Timestamp(milliseconds: -62_135_596_800_000) }
    /// 9999-12-31T23:59:59.999Z, the latest time a read can carry.
    @inlinable public static var latest: Timestamp { Timestamp(milliseconds: 253_402_300_799_999) }

    /// Whether one comes before the other.
    @inlinable
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.milliseconds < right.milliseconds
    }

    /// The day the moment falls on in UTC, counted from 1970-01-01.
    @inlinable
    public var day: Int32 {
        Int32(
            truncatingIfNeeded: milliseconds >= 0
                ? milliseconds / 86_400_000 : (milliseconds + 1) / 86_400_000 - 1
        )
    }
}

/// Conversion between dates of the Gregorian calendar and days since 1970.
///
/// Both directions use the era method: 400 years repeat after 146,097 days.
public enum CivilDate {
    /// Days from 1970-01-01 to a date that must exist.
    ///
    /// - Complexity: O(1), no allocation.
    public static func days(year: Int, month: Int, day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// The date of a day counted from 1970-01-01.
    public static func date(days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * monthIndex + 2) / 5 + 1)
    }

    /// How many days a month has; 0 for a month that does not exist.
    public static func length(ofMonth month: Int, year: Int) -> Int {
        switch month {
        case 1, 3, 5, 7, 8, 10, 12: 31
        case 4, 6, 9, 11: 30
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: 0
        }
    }
}
