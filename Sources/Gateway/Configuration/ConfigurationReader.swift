import Yams

/// Something wrong in a configuration file.
package struct ConfigurationProblem: Sendable, Equatable, CustomStringConvertible {
    /// The line, from 1; 0 for the file as a whole.
    package var line: Int
    /// What is wrong and what would be right.
    package var text: String

    /// The problem with its line.
    package var description: String { line > 0 ? "line \(line): \(text)" : text }
}

/// Walks a YAML tree and collects every problem on the way, so that all are said at once.
final class ConfigurationReader {
    private(set) var problems: [ConfigurationProblem] = []

    func note(_ text: String, at node: Node?) {
        problems.append(ConfigurationProblem(line: node?.mark?.line ?? 0, text: text))
    }

    /// The members of a mapping; names outside `known` are problems.
    func members(_ node: Node, of what: String, known: [String]) -> [String: Node] {
        guard let mapping = node.mapping else {
            note("\(what) must be a mapping of names to values", at: node)
            return [:]
        }
        var members: [String: Node] = [:]
        for (key, value) in mapping {
            guard let name = key.string else {
                note("\(what) has a name that is no text", at: key)
                continue
            }
            if !known.contains(name) {
                note("\(what) has no '\(name)'; it takes \(known.joined(separator: ", "))", at: key)
            }
            members[name] = value
        }
        return members
    }

    /// The items of a list.
    func items(_ node: Node?, of what: String) -> [Node] {
        guard let node else { return [] }
        guard let sequence = node.sequence else {
            note("\(what) must be a list", at: node)
            return []
        }
        return Array(sequence)
    }

    /// A text that is not empty.
    func text(_ node: Node?, _ what: String, in parent: Node) -> String? {
        guard let node else {
            note("\(what) is missing", at: parent)
            return nil
        }
        return text(node, what)
    }

    /// A text that is not empty.
    func text(_ node: Node, _ what: String) -> String? {
        guard let text = node.scalar?.string, !text.isEmpty else {
            note("\(what) must be a text", at: node)
            return nil
        }
        return text
    }

    /// A whole number of a range.
    func integer(_ node: Node?, _ what: String, _ range: ClosedRange<Int>) -> Int? {
        guard let node else { return nil }
        guard let value = node.scalar.flatMap({ Int($0.string) }), range.contains(value) else {
            note("\(what) must be a whole number from \(range.lowerBound) to \(range.upperBound)", at: node)
            return nil
        }
        return value
    }

    /// A duration such as `500ms 10s 2m 24h 90d`, in milliseconds.
    func duration(_ node: Node?, _ what: String, _ range: ClosedRange<Int64> = 0...31_622_400_000_000)
        -> Int64?
    {
        guard let node else { return nil }
        guard let value = node.scalar.flatMap({ DurationText.milliseconds($0.string) }), range.contains(value)
        else {
            note("\(what) must be a duration such as 500ms, 10s, 2m, 24h or 90d", at: node)
            return nil
        }
        return value
    }
}

extension ConfigurationReader {
    /// A line's rate such as `64kbit/s` or `2Mbit/s`, in bits a second.
    func rate(_ node: Node?, _ what: String, _ range: ClosedRange<Int>) -> Int? {
        guard let node else { return nil }
        guard let value = node.scalar.flatMap({ RateText.bitsPerSecond($0.string) }), range.contains(value)
        else {
            note(
                "\(what) must be a rate such as 64kbit/s or 2Mbit/s, at least \(range.lowerBound)bit/s",
                at: node
            )
            return nil
        }
        return value
    }
}

/// Rates of lines as texts: a number and `bit/s`, `kbit/s`, `Mbit/s` or `Gbit/s`; factors of 1,000.
package enum RateText {
    private static let units: [(suffix: String, bits: Double)] = [
        ("kbit/s", 1e3), ("Mbit/s", 1e6), ("Gbit/s", 1e9), ("bit/s", 1),
    ]

    /// The rate in bits a second, or `nil` when the text is none.
    package static func bitsPerSecond(_ text: String) -> Int? {
        let plain = text.filter { $0 != " " }
        for (suffix, factor) in units where plain.hasSuffix(suffix) {
            let number = plain.dropLast(suffix.count)
            guard !number.isEmpty, number.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }),
                let value = Double(number), value * factor < 1e15
            else { return nil }
            return Int((value * factor).rounded())
        }
        return nil
    }
}

/// Durations as texts: a number and `ms`, `s`, `m`, `h` or `d`.
package enum DurationText {
    private static let units: [(suffix: String, milliseconds: Double)] = [
        ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]

    /// The duration in milliseconds, or `nil` when the text is none.
    package static func milliseconds(_ text: String) -> Int64? {
        for (suffix, factor) in units where text.hasSuffix(suffix) {
            let number = text.dropLast(suffix.count)
            guard !number.isEmpty, number.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }),
                let value = Double(number), value * factor < 1e15
            else { continue }
            return Int64((value * factor).rounded())
        }
        return nil
    }

    /// The shortest text of a duration in milliseconds.
    package static func text(_ milliseconds: Int64) -> String {
        for (suffix, factor) in units.reversed() where milliseconds % Int64(factor) == 0 && milliseconds > 0 {
            return "\(milliseconds / Int64(factor))\(suffix)"
        }
        return "\(milliseconds)ms"
    }
}
