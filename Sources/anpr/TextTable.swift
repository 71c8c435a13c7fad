/// A table for people: each column as wide as its widest cell, two spaces between them, none at the end of a line.
enum TextTable {
    /// - Parameter rows: the titles first; all of as many cells.
    static func text(_ rows: [[String]]) -> String {
        let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            var line = zip(row, widths).map { NumberText.left($0, $1) }.joined(separator: "  ")
            while line.hasSuffix(" ") { line.removeLast() }
            return line + "\n"
        }.joined()
    }
}
