import ANPRModel
import FeedDecoding

/// A list of vehicles of interest as a CSV file.
///
/// The sixteen columns in their order, those at the end may be missing; or a header row that begins with `vrm` and
/// names its columns in any order. A weed date is the last day on which the entry holds: `2026-12-31`, `31/12/2026` or
/// `20261231`. A file with any fault is refused whole, with all faults by line and never a mark.
public enum InterestListFile {
    /// Why a list was refused.
    public struct Faults: Error, CustomStringConvertible {
        /// Each fault, with its line.
        public var faults: [String]

        /// The faults, one a line.
        public var description: String { faults.joined(separator: "\n") }
    }

    /// The longest text of a column, in bytes.
    static let textMax = 4096

    /// Reads a list's entries in the file's order.
    public static func entries(_ bytes: [UInt8]) throws(Faults) -> [InterestEntry] {
        guard (try? UTF8Span(validating: bytes.span)) != nil else { throw Faults(faults: ["not UTF-8"]) }
        guard var records = CSVTable.records(bytes) else { throw Faults(faults: ["a quote is never closed"]) }
        var places = Array(InterestColumn.allCases.indices)
        var faults: [String] = []
        if let first = records.first, trimmed(first.values[0]).lowercased() == "vrm" {
            places = header(first.values, line: first.line, &faults)
            // Without its columns no row means anything.
            guard faults.isEmpty else { throw Faults(faults: faults) }
            records.removeFirst()
        }
        var entries: [InterestEntry] = []
        for (line, values) in records {
            guard values.count <= places.count else {
                faults.append("line \(line): \(values.count) columns, at most \(places.count) are known")
                continue
            }
            var texts = [String](repeating: "", count: InterestColumn.allCases.count)
            for (place, value) in zip(places, values) { texts[place] = trimmed(value) }
            guard texts.allSatisfy({ $0.utf8.count <= textMax }) else {
                faults.append("line \(line): a text has over \(textMax) bytes")
                continue
            }
            if let entry = entry(texts, line: line, &faults) { entries.append(entry) }
        }
        guard faults.isEmpty else { throw Faults(faults: faults) }
        return entries
    }

    /// Where each column of the file stands in the record.
    private static func header(_ names: [String], line: Int, _ faults: inout [String]) -> [Int] {
        names.enumerated().compactMap { index, name in
            let known = InterestColumn.allCases.firstIndex {
                $0.rawValue.lowercased() == trimmed(name).lowercased()
            }
            if known == nil { faults.append("line \(line): column \(index + 1) has no known name") }
            return known
        }
    }

    private static func entry(_ texts: [String], line: Int, _ faults: inout [String]) -> InterestEntry? {
        guard let vrm = VRM(normalising: texts[0]) else {
            faults.append("line \(line): the first column is no mark of 1 to 12 of A-Z and 0-9")
            return nil
        }
        var weeded: Timestamp?
        let weed = texts[InterestColumn.allCases.firstIndex(of: .weed) ?? 10]
        if !weed.isEmpty {
            guard let day = day(weed) else {
                faults.append(
                    "line \(line): the weed date is no date such as 2026-12-31, 31/12/2026 or 20261231"
                )
                return nil
            }
            weeded = Timestamp(milliseconds: Int64(day + 1) * 86_400_000)
        }
        let used = texts.lastIndex { !$0.isEmpty } ?? 0
        return InterestEntry(vrm: vrm, weeded: weeded, texts: Array(texts[...used]))
    }

    /// A date as days since 1970.
    private static func day(_ text: String) -> Int? {
        let parts = text.split(omittingEmptySubsequences: false) { $0 == "-" || $0 == "/" }.map(String.init)
        let digits: [String]
        if parts.count == 3 {
            digits = parts[0].count == 4 ? parts : parts.reversed()
        } else if parts.count == 1, text.count == 8 {
            digits = [String(text.prefix(4)), String(text.dropFirst(4).prefix(2)), String(text.suffix(2))]
        } else {
            return nil
        }
        let isPlain = digits.allSatisfy { $0.allSatisfy { $0.isASCII && $0.isNumber } }
        guard isPlain, digits[0].count == 4, let year = Int(digits[0]), let month = Int(digits[1]),
            let day = Int(digits[2]), (1...12).contains(month), day >= 1,
            day <= CivilDate.length(ofMonth: month, year: year)
        else { return nil }
        return CivilDate.days(year: year, month: month, day: day)
    }

    private static func trimmed(_ text: String) -> String {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        let front = text.drop(while: isBlank)
        return String(front.reversed().drop(while: isBlank).reversed())
    }
}
