import ArgumentParser

/// A duration on the command line: `500ms 10s 2m 24h 90d`.
struct DurationArgument: ExpressibleByArgument, Sendable {
    let milliseconds: Int64

    init(milliseconds: Int64) { self.milliseconds = milliseconds }

    init?(argument: String) {
        let units: [(String, Int64)] = [
            ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
        ]
        for (suffix, factor) in units where argument.hasSuffix(suffix) {
            let number = argument.dropLast(suffix.count)
            guard let value = Double(number), value >= 0, value.isFinite, !number.contains(where: \.isLetter) else {
                continue
            }
            guard value * Double(factor) < 1e15 else { return nil }
            milliseconds = Int64((value * Double(factor)).rounded())
            return
        }
        return nil
    }

    var defaultValueDescription: String {
        switch milliseconds {
        case let value where value % 3_600_000 == 0 && value > 0: "\(value / 3_600_000)h"
        case let value where value % 60_000 == 0 && value > 0: "\(value / 60_000)m"
        case let value where value % 1000 == 0: "\(value / 1000)s"
        default: "\(milliseconds)ms"
        }
    }
}
