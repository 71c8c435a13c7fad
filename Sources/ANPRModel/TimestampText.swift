/// Reads and writes times as text.
///
/// Accepted: `2026-11-20T06:00:00.145Z`, with `T`, `t` or a space, none to nine decimals (cut, not rounded,
/// to the millisecond), and `Z`, `z`, `+01:00` or `+0100`. Written: UTC with exactly three decimals.
public struct TimestampReader: Sendable {
    /// The last date read, as its ten bytes, and its first millisecond: feeds rarely change date.
    private var dateHead: UInt64 = 0
    private var dateTail: UInt16 = 0
    private var dateStart: Int64 = 0
    private var hasDate = false
    /// The last minute read, as its sixteen bytes, and its first millisecond.
    private var minuteHead = UInt64.max
    private var minuteTail = UInt64.max
    private var minuteStart: Int64 = 0

    /// Starts without a remembered date.
    public init() {}

    /// What a text of a time turned out to be.
    public enum Outcome: Equatable, Sendable {
        /// A moment.
        case moment(Timestamp)
        /// A date and time with no offset; the value is its local clock reading as if it were UTC.
        case withoutOffset(Timestamp)
        /// No time at all.
        case malformed
    }

    /// Reads a time from bytes `start..<end`.
    ///
    /// - Complexity: O(1), no allocation.
    public mutating func read(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Outcome {
        let length = end - start
        guard length >= 19, start >= 0, end <= bytes.count else { return .malformed }
        if length == 24, let moment = usual(bytes, at: start) { return .moment(moment) }
        let outcome = readAny(bytes, from: start, to: end)
        if length == 24, case .moment(let moment) = outcome { remember(bytes, at: start, moment) }
        return outcome
    }

    /// Reads a time of 24 bytes that lies in the minute read last.
    ///
    /// - Parameter start: so that 24 bytes are there; not checked.
    /// - Returns: `nil` for every other text.
    @inline(__always)
    package func usual(_ bytes: Span<UInt8>, at start: Int) -> Timestamp? {
        // The minute alone is left: `:ss.mmmZ`.
        guard ByteWord.load(bytes, at: start) == minuteHead, ByteWord.load(bytes, at: start + 8) == minuteTail
        else { return nil }
        // Digits at 1, 2, 4, 5 and 6; what is not a digit is more than 9 or was something else.
        let digits = ByteWord.load(bytes, at: start + 16) ^ 0x5A30_3030_2E30_303A
        let places: UInt64 = 0x000F_0F0F_000F_0F00
        guard digits & ~places == 0, (digits &+ 0x0006_0606_0006_0600) & 0x00F0_F0F0_00F0_F000 == 0 else {
            return nil
        }
        let seconds = Int64((digits &>> 8 & 0xF) * 10 + (digits &>> 16 & 0xF))
        let thousandths = (digits &>> 32 & 0xF) * 100 + (digits &>> 40 & 0xF) * 10 + (digits &>> 48 & 0xF)
        guard seconds < 60 else { return nil }
        return Timestamp(milliseconds: minuteStart + seconds * 1000 + Int64(thousandths))
    }

    /// Remembers the minute of a time in UTC with three decimals.
    private mutating func remember(_ bytes: Span<UInt8>, at start: Int, _ moment: Timestamp) {
        guard bytes[start + 19] == 0x2E, bytes[start + 23] == 0x5A else { return }
        minuteHead = ByteWord.load(bytes, at: start)
        minuteTail = ByteWord.load(bytes, at: start + 8)
        let inMinute = moment.milliseconds % 60_000
        minuteStart = moment.milliseconds - (inMinute < 0 ? inMinute + 60_000 : inMinute)
    }

    private mutating func readAny(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Outcome {
        guard let date = startOfDate(bytes, at: start) else { return .malformed }
        let separator = bytes[start + 10]
        guard separator == 0x54 || separator == 0x74 || separator == 0x20 else { return .malformed }
        guard let clock = Self.clock(bytes, at: start + 11) else { return .malformed }
        var position = start + 19
        var moment = date + clock
        if position < end, bytes[position] == 0x2E {
            let first = position + 1
            position = first
            var fraction: Int64 = 0
            while position < end, let digit = Self.digit(bytes[position]) {
                if position - first < 3 { fraction = fraction * 10 + digit }
                position += 1
            }
            let decimals = position - first
            guard (1...9).contains(decimals) else { return .malformed }
            moment += decimals == 1 ? fraction * 100 : decimals == 2 ? fraction * 10 : fraction
        }
        if position == end { return .withoutOffset(Timestamp(milliseconds: moment)) }
        guard let offset = Self.offset(bytes, from: position, to: end) else { return .malformed }
        let utc = Timestamp(milliseconds: moment - offset)
        guard utc >= .earliest, utc <= .latest else { return .malformed }
        return .moment(utc)
    }

    /// Reads a whole text; for the command line and configuration, where a date alone means its first moment.
    public static func read(_ text: String) -> Outcome {
        let bytes = Array((text.utf8.count == 10 ? text + "T00:00:00Z" : text).utf8)
        var reader = TimestampReader()
        return reader.read(bytes.span, from: 0, to: bytes.count)
    }

    private mutating func startOfDate(_ bytes: Span<UInt8>, at start: Int) -> Int64? {
        var head: UInt64 = 0
        for index in 0..<8 { head = head &<< 8 | UInt64(bytes[start + index]) }
        let tail = UInt16(bytes[start + 8]) << 8 | UInt16(bytes[start + 9])
        if hasDate, head == dateHead, tail == dateTail { return dateStart }
        guard bytes[start + 4] == 0x2D, bytes[start + 7] == 0x2D,
            let century = Self.pair(bytes, at: start), let years = Self.pair(bytes, at: start + 2),
            let month = Self.pair(bytes, at: start + 5), let day = Self.pair(bytes, at: start + 8)
        else { return nil }
        let year = Int(century * 100 + years)
        guard year >= 1, (1...12).contains(month), day >= 1,
            day <= CivilDate.length(ofMonth: Int(month), year: year)
        else { return nil }
        dateStart = Int64(CivilDate.days(year: year, month: Int(month), day: Int(day))) * 86_400_000
        dateHead = head
        dateTail = tail
        hasDate = true
        return dateStart
    }

    private static func clock(_ bytes: Span<UInt8>, at start: Int) -> Int64? {
        guard bytes[start + 2] == 0x3A, bytes[start + 5] == 0x3A,
            let hours = pair(bytes, at: start), let minutes = pair(bytes, at: start + 3),
            let seconds = pair(bytes, at: start + 6), hours < 24, minutes < 60, seconds < 60
        else { return nil }
        return ((hours * 60 + minutes) * 60 + seconds) * 1000
    }

    /// The offset in milliseconds east of UTC.
    private static func offset(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Int64? {
        let sign = bytes[start]
        if sign == 0x5A || sign == 0x7A { return end - start == 1 ? 0 : nil }
        guard sign == 0x2B || sign == 0x2D else { return nil }
        let colon = end - start == 6 && bytes[start + 3] == 0x3A
        guard end - start == 5 || colon, let hours = pair(bytes, at: start + 1),
            let minutes = pair(bytes, at: start + (colon ? 4 : 3)), hours < 24, minutes < 60
        else { return nil }
        let east = (hours * 60 + minutes) * 60_000
        return sign == 0x2B ? east : -east
    }

    @inline(__always)
    private static func digit(_ byte: UInt8) -> Int64? {
        let value = byte &- 48
        return value < 10 ? Int64(value) : nil
    }

    @inline(__always)
    private static func pair(_ bytes: Span<UInt8>, at index: Int) -> Int64? {
        let tens = bytes[index] &- 48
        let ones = bytes[index + 1] &- 48
        return tens < 10 && ones < 10 ? Int64(tens) * 10 + Int64(ones) : nil
    }
}

/// Writes times as `2026-11-20T06:00:00.145Z`, remembering the last seconds written.
public struct TimestampWriter: Sendable {
    /// The 24 bytes of a time, eight in each word, the first one lowest.
    public struct Text: Sendable {
        /// Year and month.
        public fileprivate(set) var head: UInt64 = 0
        /// Day, hour and minute.
        public fileprivate(set) var middle: UInt64 = 0
        /// Second and thousandths.
        public fileprivate(set) var tail: UInt64 = 0
    }

    /// A second and its text, with `.000Z` behind it.
    private struct Second {
        var number: Int64 = .min
        var text = Text()
    }

    /// The last seconds written, by their lowest bits: a sighting's times lie within seconds of each other.
    private var seconds = InlineArray<16, Second>(repeating: Second())
    private var day: Int64 = .min
    /// The day last written, as `YYYY-MM-` and `DDT`.
    private var dayText = Text()

    /// Starts without a remembered second.
    public init() {}

    /// Appends the time's 24 bytes.
    ///
    /// - Complexity: O(1); a division or two unless the second was written lately.
    public mutating func append(_ time: Timestamp, to bytes: inout [UInt8]) {
        let formed = form(time)
        for word in [formed.head, formed.middle, formed.tail] {
            for place in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * place))) }
        }
    }

    /// Forms the time's 24 bytes.
    public mutating func form(_ time: Timestamp) -> Text {
        let milliseconds = time.milliseconds
        let newSecond = milliseconds >= 0 ? milliseconds / 1000 : (milliseconds + 1) / 1000 - 1
        let place = Int(truncatingIfNeeded: newSecond & 15)
        if seconds[place].number != newSecond { writeSecond(newSecond, place) }
        let fraction = UInt64(truncatingIfNeeded: milliseconds &- newSecond &* 1000)
        var formed = seconds[place].text
        formed.tail |= (fraction / 100) << 32 | (fraction / 10 % 10) << 40 | (fraction % 10) << 48
        return formed
    }

    /// The time as a string.
    public static func text(_ time: Timestamp) -> String {
        if time <= .distantPast { return "-∞" }
        if time >= .distantFuture { return "∞" }
        var writer = TimestampWriter()
        var bytes: [UInt8] = []
        writer.append(time, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Forms `YYYY-MM-` in the first word, `DDTHH:MM` in the second and `:SS.000Z` in the third.
    private mutating func writeSecond(_ newSecond: Int64, _ place: Int) {
        let days = newSecond >= 0 ? newSecond / 86_400 : (newSecond + 1) / 86_400 - 1
        let clock = Int(newSecond - days * 86_400)
        if days != day { writeDay(days) }
        var text = dayText
        text.middle |= Self.pair(clock / 3600) << 24 | 0x3A << 40 | Self.pair(clock / 60 % 60) << 48
        text.tail = 0x5A30_3030_2E00_003A | Self.pair(clock % 60) << 8
        seconds[place] = Second(number: newSecond, text: text)
    }

    private mutating func writeDay(_ newDay: Int64) {
        day = newDay
        let date = CivilDate.date(days: Int(newDay))
        dayText.head = Self.pair(date.year / 100) | Self.pair(date.year % 100) << 16
        dayText.head |= 0x2D << 32 | Self.pair(date.month) << 40 | 0x2D << 56
        dayText.middle = Self.pair(date.day) | 0x54 << 16
    }

    /// Two digits, the first one lowest.
    private static func pair(_ value: Int) -> UInt64 {
        UInt64(48 + value / 10 % 10) | UInt64(48 + value % 10) << 8
    }
}
