import ANPRModel
import ArgumentParser
import Gateway

/// A duration on the command line: `500ms 10s 2m 24h 90d`.
struct DurationArgument: ExpressibleByArgument, Sendable {
    let milliseconds: Int64

    init(milliseconds: Int64) { self.milliseconds = milliseconds }

    init?(argument: String) {
        guard let value = DurationText.milliseconds(argument) else { return nil }
        milliseconds = value
    }

    var defaultValueDescription: String { DurationText.text(milliseconds) }
}

/// A moment on the command line: RFC 3339 with an offset, or a date for its first moment in UTC.
struct MomentArgument: ExpressibleByArgument, Sendable {
    let time: Timestamp

    init?(argument: String) {
        guard case .moment(let time) = TimestampReader.read(argument) else { return nil }
        self.time = time
    }
}

/// Numbers for people.
enum NumberText {
    /// A whole number in groups of three: `1,234,567`.
    static func grouped(_ value: some BinaryInteger) -> String {
        var text = ""
        for (place, digit) in String(value).reversed().enumerated() {
            if place > 0, place % 3 == 0, digit != "-" { text.append(",") }
            text.append(digit)
        }
        return String(text.reversed())
    }

    /// A share of a whole in percent with one decimal.
    static func percent(_ part: Int, of whole: Int) -> String {
        guard whole > 0 else { return "0.0 %" }
        return decimal(Double(part) * 100 / Double(whole)) + " %"
    }

    /// A number with one decimal.
    static func decimal(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
    }

    /// A number that is not negative, with two decimals.
    static func hundredths(_ value: Double) -> String {
        let hundredths = Int((value * 100).rounded())
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }

    /// Text padded on the left.
    static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    /// Text padded on the right.
    static func left(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
