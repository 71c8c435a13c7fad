import ANPRModel

/// Which of day and month comes first where a date is written in numbers only.
public enum DateOrder: String, Sendable, CaseIterable {
    case dayFirst = "day-first"
    case monthFirst = "month-first"
}

/// How a vendor writes a time.
public enum TimeFormat: Sendable, Equatable {
    /// What an epoch counts.
    public enum Unit: String, Sendable, CaseIterable {
        case seconds
        case milliseconds
        case microseconds
        case nanoseconds
        /// Told by the size of the number.
        case byMagnitude = "by-magnitude"
        /// Two whole numbers with a dot between: seconds, and milliseconds beside them.
        case secondsAndMilliseconds = "seconds-and-milliseconds"
    }

    /// RFC 3339, or so without an offset.
    case iso
    /// A number since 1970; by the feed's rules it may be a local time written as one.
    case epoch(Unit)
    /// A number since 1970 that is UTC whatever the feed's rules say.
    case utcEpoch(Unit)
    /// The first of these patterns that fits; see `TimePattern`.
    case patterns([String])

    /// The time as RFC 3339, without an offset if it has none; `nil` if it can't be read.
    func rfc3339(_ text: String, _ rules: MappingRules) -> String? {
        switch self {
        case .iso: return text
        case .epoch(let unit): return Self.epoch(text, unit, isLocal: rules.epochIsLocal)
        case .utcEpoch(let unit): return Self.epoch(text, unit, isLocal: false)
        case .patterns(let patterns):
            return patterns.lazy.compactMap { TimePattern($0).rfc3339(text, rules.dateOrder) }.first
        }
    }

    private static func epoch(_ text: String, _ unit: Unit, isLocal: Bool) -> String? {
        guard let milliseconds = milliseconds(text, unit) else { return nil }
        let time = Timestamp(milliseconds: milliseconds)
        guard time >= .earliest, time <= .latest else { return nil }
        let written = TimestampWriter.text(time)
        return isLocal ? String(written.dropLast()) : written
    }

    private static func milliseconds(_ text: String, _ unit: Unit) -> Int64? {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let whole = count(first) else { return nil }
        if unit == .secondsAndMilliseconds {
            guard parts.count == 2 else { return scaled(whole, 1000) }
            guard let more = count(parts[1]), more < 1000 else { return nil }
            return scaled(whole, 1000).map { $0 + more }
        }
        // Thousandths of what the unit counts; further decimals are cut.
        var fraction: Int64 = 0
        if parts.count == 2 {
            guard count(parts[1].prefix(18)) != nil, parts[1].allSatisfy(\.isNumber) else { return nil }
            fraction = count((parts[1] + "000").prefix(3)) ?? 0
        }
        switch unit == .byMagnitude ? magnitude(whole) : unit {
        case .seconds: return scaled(whole, 1000).map { $0 + fraction }
        case .microseconds: return whole / 1000
        case .nanoseconds: return whole / 1_000_000
        default: return whole
        }
    }

    private static func magnitude(_ number: Int64) -> Unit {
        switch number {
        case ..<100_000_000_000: .seconds
        case ..<100_000_000_000_000: .milliseconds
        case ..<100_000_000_000_000_000: .microseconds
        default: .nanoseconds
        }
    }

    private static func count(_ text: some StringProtocol) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 &- 48 < 10 }) else { return nil }
        return Int64(text)
    }

    private static func scaled(_ number: Int64, _ factor: Int64) -> Int64? {
        let (product, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow || product > .max / 2 ? nil : product
    }
}

/// A time written by a pattern.
///
/// `yyyy MM dd HH mm ss` are digits of that number, `S` one to nine digits of a fraction (absent with the dot before
/// it), `D` a date in numbers with any of `/ - . :` between, whose order the feed says unless the year comes first, `Z`
/// an offset if there is one, `U` says that the time is UTC; anything else stands for itself.
struct TimePattern {
    private var pattern: [UInt8]
    private var position = 0
    private var numbers: [UInt8: String] = [:]
    private var fraction = ""
    private var offset = ""

    init(_ pattern: String) { self.pattern = Array(pattern.utf8) }

    /// The time as RFC 3339, without an offset if it has none; `nil` if the text does not fit.
    func rfc3339(_ text: String, _ order: DateOrder?) -> String? {
        var reading = self
        let bytes = Array(text.utf8)
        var place = 0
        while reading.position < reading.pattern.count {
            guard reading.step(bytes, &place, order) else { return nil }
        }
        guard place == bytes.count else { return nil }
        return reading.written
    }

    private var written: String? {
        guard let year = numbers[UInt8(ascii: "y")], let month = numbers[UInt8(ascii: "M")],
            let day = numbers[UInt8(ascii: "d")], let hour = numbers[UInt8(ascii: "H")],
            let minute = numbers[UInt8(ascii: "m")], let second = numbers[UInt8(ascii: "s")]
        else { return nil }
        let clock = "\(hour):\(minute):\(second)" + (fraction.isEmpty ? "" : ".\(fraction)")
        return "\(year)-\(month)-\(day)T\(clock)\(offset)"
    }

    private mutating func step(_ bytes: [UInt8], _ place: inout Int, _ order: DateOrder?) -> Bool {
        let token = pattern[position]
        var width = 0
        while position < pattern.count, pattern[position] == token {
            (position, width) = (position + 1, width + 1)
        }
        switch token {
        case UInt8(ascii: "y"), UInt8(ascii: "M"), UInt8(ascii: "d"), UInt8(ascii: "H"), UInt8(ascii: "m"),
            UInt8(ascii: "s"):
            guard let digits = Self.digits(bytes, &place, upTo: width), digits.count == width else {
                return false
            }
            numbers[token] = digits
            return true
        case UInt8(ascii: "S"):
            fraction = Self.digits(bytes, &place, upTo: 9) ?? ""
            return true
        case UInt8(ascii: "D"): return date(bytes, &place, order)
        case UInt8(ascii: "U"):
            offset = "Z"
            return true
        case UInt8(ascii: "Z"):
            while place < bytes.count, bytes[place] == 0x20 { place += 1 }
            offset = String(decoding: bytes[place...], as: UTF8.self)
            place = bytes.count
            return true
        default:
            for _ in 0..<width {
                if place < bytes.count, bytes[place] == token {
                    place += 1
                } else {
                    // The dot before a fraction that is absent.
                    guard token == UInt8(ascii: "."), position < pattern.count,
                        pattern[position] == UInt8(ascii: "S")
                    else { return false }
                }
            }
            return true
        }
    }

    private static func digits(_ bytes: [UInt8], _ place: inout Int, upTo width: Int) -> String? {
        let start = place
        while place < bytes.count, place - start < width, bytes[place] &- 48 < 10 { place += 1 }
        return place == start ? nil : String(decoding: bytes[start..<place], as: UTF8.self)
    }

    private mutating func date(_ bytes: [UInt8], _ place: inout Int, _ order: DateOrder?) -> Bool {
        var parts: [String] = []
        for index in 0..<3 {
            if index > 0 {
                guard place < bytes.count, "/-.:".utf8.contains(bytes[place]) else { return false }
                place += 1
            }
            guard let digits = Self.digits(bytes, &place, upTo: 4) else { return false }
            parts.append(digits.count == 1 ? "0" + digits : digits)
        }
        let isYearFirst = parts[0].count == 4
        let names: [UInt8]
        switch (isYearFirst, order) {
        case (true, _): names = Array("yMd".utf8)
        case (false, .dayFirst): names = Array("dMy".utf8)
        case (false, .monthFirst): names = Array("Mdy".utf8)
        case (false, nil): return false
        }
        for (name, digits) in zip(names, parts) {
            guard digits.count == (name == UInt8(ascii: "y") ? 4 : 2) else { return false }
            numbers[name] = digits
        }
        return true
    }
}
