/// The kinds of what a frame of a link says besides its columns.
enum LinkColumns {
    static let head = CodedColumns.kinds
    static let told = CodedColumns.kinds + 2
    static let distance = CodedColumns.kinds + 4
    static let kinds = CodedColumns.kinds + 5
}

/// How many numbers are expected in the columns that do not say it otherwise: in proportion to the frame before.
struct ExpectedCounts {
    private var counts = ByColumn<Int>(repeating: 0)
    private var rows = 1

    /// Of so many sightings.
    subscript(_ column: FrameColumn, _ rows: Int) -> Int { counts[column.rawValue] * rows / self.rows }

    /// Takes up how many a frame of so many sightings had.
    mutating func learn(_ counts: ByColumn<Int>, _ rows: Int) {
        self.counts = counts
        self.rows = rows
    }
}
