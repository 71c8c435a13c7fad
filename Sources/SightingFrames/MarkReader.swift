import ANPRModel

/// Reads the columns of marks.
struct MarkReader {
    private var letter1: ColumnReader
    private var letters: InlineArray<5, ColumnReader>
    private var others: ColumnReader

    /// Of a frame's columns.
    init(_ columns: ColumnReaders) {
        letter1 = columns[.letter1]
        letters = [
            columns[.letter2], columns[.age], columns[.letter3], columns[.letter4], columns[.letter5],
        ]
        others = columns[.otherMarks]
    }

    /// The next mark; `nil` for one that stands elsewhere.
    @inline(__always)
    mutating func next() throws(FrameFault) -> VRM? {
        let letter1 = try letter1.byte()
        if letter1 == MarkColumns.remembered { return nil }
        guard letter1 != MarkColumns.otherShape else {
            guard let vrm = VRM(packed: try others.number()) else { throw .badMark }
            return vrm
        }
        let parts = CurrentShape.Parts(
            letter1: letter1,
            letter2: try letters[0].byte(),
            age: try letters[1].byte(),
            letter3: try letters[2].byte(),
            letter4: try letters[3].byte(),
            letter5: try letters[4].byte()
        )
        guard let vrm = CurrentShape.join(parts) else { throw .badMark }
        return vrm
    }

    /// Reads so many marks, all told here, and puts the columns back.
    static func marks(_ count: Int, _ columns: inout ColumnReaders) throws(FrameFault) -> [VRM] {
        var reader = MarkReader(columns)
        let marks = try [VRM](capacity: count) { marks throws(FrameFault) in
            for _ in 0..<count {
                guard let vrm = try reader.next() else { throw .badMark }
                marks.append(vrm)
            }
        }
        reader.giveBack(&columns)
        return marks
    }

    /// Puts the columns back, read as far as they are.
    func giveBack(_ columns: inout ColumnReaders) {
        columns[.letter1] = letter1
        columns[.letter2] = letters[0]
        columns[.age] = letters[1]
        columns[.letter3] = letters[2]
        columns[.letter4] = letters[3]
        columns[.letter5] = letters[4]
        columns[.otherMarks] = others
    }
}
