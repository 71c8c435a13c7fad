public import ANPRModel

/// Draws how a line was used over time, as an SVG that needs nothing beside it and suits light and dark pages.
///
/// For each bucket of time the mean, as an area, and the busiest second, as a line; and the line's rate.
public struct UsePlot: Sendable {
    private struct Bucket {
        var mean = 0.0
        var busiestSecond = 0.0
    }

    private let title: String
    private let rate: Double
    private let base: Timestamp
    private let bucketMinutes: Int64
    private var buckets: [Bucket] = []

    private static let width = 960.0
    private static let height = 400.0
    private static let left = 72.0
    private static let right = 936.0
    private static let top = 76.0
    private static let bottom = 332.0
    private static let bucketsMax: Int64 = 288

    /// A plot.
    ///
    /// - Parameters:
    ///   - title: what is shown.
    ///   - minutes: the line's use, in order.
    ///   - base: what its minutes count from.
    ///   - bitsPerSecond: the line's rate.
    public init(title: String, minutes: [MinuteUse], base: Timestamp, bitsPerSecond: Int) {
        self.title = title
        self.base = base
        rate = Double(bitsPerSecond)
        let first = minutes.first?.minute ?? 0
        let count = (minutes.last?.minute ?? 0) - first + 1
        let steps: [Int64] = [1, 2, 5, 10, 15, 30, 60, 120, 360, 720, 1440]
        // Beyond most of a year a bucket takes whole days, as many as it needs.
        let days = (count / Self.bucketsMax / 1440 + 1) * 1440
        bucketMinutes = steps.first { $0 * Self.bucketsMax >= count } ?? days
        buckets = [Bucket](repeating: Bucket(), count: Int((count - 1) / bucketMinutes) + 1)
        for use in minutes {
            let place = Int((use.minute - first) / bucketMinutes)
            buckets[place].mean += Double(use.bytes * 8) / Double(bucketMinutes * 60)
            buckets[place].busiestSecond = max(buckets[place].busiestSecond, Double(use.busiestSecond * 8))
        }
    }

    /// The SVG's text.
    public var svg: String {
        let highest = buckets.map(\.busiestSecond).max() ?? 0
        // A rate far above everything would press all else flat: it is then told, not drawn.
        let isRateDrawn = rate <= max(highest, 1) * 8
        let step = Self.niceStep((isRateDrawn ? max(rate, highest) : highest) * 1.06)
        let ceiling = (((isRateDrawn ? max(rate, highest) : highest) * 1.06) / step).rounded(.up) * step
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 400" role="img" aria-labelledby="title">
            <title id="title">\(Self.escaped(title))</title>
            \(Self.style)
            <rect class="page" width="960" height="400"/>
            <text class="head" x="72" y="30">\(Self.escaped(title))</text>
            \(legend(isRateDrawn))
            \(grid(step, ceiling))
            \(times())
            <path class="mean" d="\(area(ceiling))"/>
            <path class="peak" d="\(outline(ceiling))"/>
            \(isRateDrawn ? rateLine(ceiling) : "")
            <path class="axis" d="M72 76V332H936"/>
            <text class="unit" transform="translate(20 204) rotate(-90)">\(Self.unit(ceiling).name)</text>
            <text class="unit" x="504" y="384">time (UTC), \(bucketText) a step</text>
            </svg>

            """
    }

    private static let style = """
        <style>
        text{font:13px system-ui,sans-serif;fill:#333}.head{font-size:16px;font-weight:600}
        .unit{text-anchor:middle}.right{text-anchor:end}.middle{text-anchor:middle}
        .page{fill:#fff}.grid{stroke:#ddd;fill:none}.axis{stroke:#666;fill:none}
        .mean{fill:#2a6fbb;fill-opacity:.45}.peak{stroke:#1b4f8a;stroke-width:1.3;fill:none}
        .rate{stroke:#c0392b;stroke-width:2;stroke-dasharray:7 5;fill:none}.rateText{fill:#c0392b}
        @media (prefers-color-scheme:dark){text{fill:#ddd}.page{fill:#16181c}.grid{stroke:#353a42}
        .axis{stroke:#999}.mean{fill:#5aa2ee}.peak{stroke:#9cc8f7}.rate{stroke:#ff7b6b}.rateText{fill:#ff7b6b}}
        </style>
        """

    private func legend(_ isRateDrawn: Bool) -> String {
        let told =
            isRateDrawn ? "the line, \(Self.rateText(rate))" : "the line, \(Self.rateText(rate)), is above"
        return """
            <rect class="mean" x="72" y="46" width="22" height="12"/><text x="100" y="57">mean</text>
            <path class="peak" d="M160 52H182"/><text x="188" y="57">busiest second</text>
            <path class="rate" d="M306 52H328"/><text class="rateText" x="334" y="57">\(told)</text>
            """
    }

    private func y(_ value: Double, _ ceiling: Double) -> Double {
        Self.bottom - (Self.bottom - Self.top) * value / max(ceiling, 1)
    }

    private func x(_ place: Int) -> Double {
        Self.left + (Self.right - Self.left) * Double(place) / Double(buckets.count)
    }

    private func grid(_ step: Double, _ ceiling: Double) -> String {
        let unit = Self.unit(ceiling)
        var parts: [String] = []
        var value = 0.0
        while value <= ceiling + step / 2 {
            let y = Self.number(y(value, ceiling))
            parts.append("<path class=\"grid\" d=\"M72 \(y)H936\"/>")
            parts.append(
                "<text class=\"right\" x=\"64\" y=\"\(y)\" dy=\"4\">\(Self.number(value / unit.bits))</text>"
            )
            value += step
        }
        return parts.joined(separator: "\n")
    }

    /// Ticks at round times, with the date at the first and at each midnight.
    private func times() -> String {
        let spanMinutes = Int64(buckets.count) * bucketMinutes
        let steps: [Int64] = [5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 7200, 14_400, 43_200]
        let step = steps.first { spanMinutes / $0 <= 12 } ?? (spanMinutes / 12 / 1440 + 1) * 1440
        let start = base.milliseconds / 60_000
        var parts: [String] = []
        var minute = (start + step - 1) / step * step
        var day = Int64.min
        while minute <= start + spanMinutes {
            let share = Double(minute - start) / Double(spanMinutes)
            let x = Self.number(Self.left + (Self.right - Self.left) * share)
            let text = TimestampWriter.text(Timestamp(milliseconds: minute * 60_000))
            parts.append("<path class=\"axis\" d=\"M\(x) 332v5\"/>")
            parts.append(
                "<text class=\"middle\" x=\"\(x)\" y=\"351\">\(text.dropFirst(11).prefix(5))</text>"
            )
            if minute / 1440 != day {
                day = minute / 1440
                let anchor = share > 0.96 ? "right" : "middle"
                parts.append("<text class=\"\(anchor)\" x=\"\(x)\" y=\"367\">\(text.prefix(10))</text>")
            }
            minute += step
        }
        return parts.joined(separator: "\n")
    }

    private func area(_ ceiling: Double) -> String {
        var path = "M72 332"
        for (place, bucket) in buckets.enumerated() {
            path += "L\(Self.number(x(place))) \(Self.number(y(bucket.mean, ceiling)))"
            path += "H\(Self.number(x(place + 1)))"
        }
        return path + "V332Z"
    }

    private func outline(_ ceiling: Double) -> String {
        var path = ""
        for (place, bucket) in buckets.enumerated() {
            path += "\(place == 0 ? "M" : "L")\(Self.number(x(place))) "
            path += "\(Self.number(y(bucket.busiestSecond, ceiling)))H\(Self.number(x(place + 1)))"
        }
        return path
    }

    private func rateLine(_ ceiling: Double) -> String {
        "<path class=\"rate\" d=\"M72 \(Self.number(y(rate, ceiling)))H936\"/>"
    }

    private var bucketText: String {
        switch bucketMinutes {
        case 1: "1 minute"
        case 2..<60: "\(bucketMinutes) minutes"
        case 60: "1 hour"
        case 61..<1440: "\(bucketMinutes / 60) hours"
        default: bucketMinutes == 1440 ? "1 day" : "\(bucketMinutes / 1440) days"
        }
    }

    /// The step of 1, 2 or 5 times a power of ten that gives four to ten lines.
    private static func niceStep(_ top: Double) -> Double {
        var power = 1.0
        while power * 10 <= top { power *= 10 }
        return [0.1, 0.2, 0.5, 1, 2].map { $0 * power }.first { top / $0 <= 8 } ?? power
    }

    private static func unit(_ ceiling: Double) -> (name: String, bits: Double) {
        ceiling >= 2e6 ? ("Mbit/s", 1e6) : ceiling >= 2000 ? ("kbit/s", 1000) : ("bit/s", 1)
    }

    private static func rateText(_ rate: Double) -> String {
        let unit = unit(rate)
        return "\(number(rate / unit.bits)) \(unit.name)"
    }

    /// A number of at most one decimal, the same wherever it is written.
    private static func number(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        let sign = tenths < 0 ? "-" : ""
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(sign)\(abs(tenths) / 10).\(abs(tenths) % 10)"
    }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            default: escaped.append(character)
            }
        }
        return escaped
    }
}
