import Compression

/// How many bytes or numbers the columns of a frame have, as far as those before them say.
struct ColumnCounts {
    private let rows: Int
    private var letters = 0
    private var others = 0
    /// How many marks went over before.
    private(set) var remembered = 0
    private var singles = 0
    private var joints = 0
    private var parts = 0
    private var lasts = 0
    private var captureds = 0

    init(rows: Int) { self.rows = rows }

    /// How many a column has.
    ///
    /// - Parameter told: by column, of those that do not follow.
    func count(of column: FrameColumn, told: ByColumn<Int>) -> Int {
        let extent = CodedColumns.extent(column)
        return extent == .told ? told[column.rawValue] : self[extent]
    }

    /// Takes up a column that others follow from.
    mutating func take(_ column: FrameColumn, _ columns: ColumnBytes) throws(FrameFault) {
        switch column {
        case .form: try countForms(columns.bytes[columns[.form]])
        case .reads: try countLast(columns.bytes[columns[.reads]])
        case .partReads where joints > 0:
            try columns.read(.form, .partReads) { forms, reads throws(FrameFault) in
                try countPartReads(&forms, &reads)
            }
        default: break
        }
    }

    private subscript(_ extent: CodedColumns.Extent) -> Int {
        switch extent {
        case .rows: rows
        case .letters: letters
        case .others: others
        case .singles: singles
        case .joints: joints
        case .parts: parts
        case .otherParts: parts - joints
        case .lasts: lasts
        case .captureds: captureds
        case .told: 0
        }
    }

    /// Takes the column `letter1` up.
    mutating func countMarks(_ bytes: ArraySlice<UInt8>) {
        for byte in bytes {
            others += byte == MarkColumns.otherShape ? 1 : 0
            remembered += byte == MarkColumns.remembered ? 1 : 0
        }
        letters = rows - others - remembered
    }

    private mutating func countForms(_ bytes: ArraySlice<UInt8>) throws(FrameFault) {
        // Nearly always each is one byte, and a processor counts them by the dozen.
        var (any, singles, joints, parts): (UInt8, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
        let span = bytes.span
        for place in span.indices {
            let form = span[place]
            let isJoint = form >= UInt8(PartsForm.joint)
            any |= form
            singles &+= form == UInt8(PartsForm.single) ? 1 : 0
            joints &+= isJoint ? 1 : 0
            parts &+= isJoint ? UInt32(form) : 0
        }
        if any < 0x80 {
            (self.singles, self.joints, self.parts) = (Int(singles), Int(joints), Int(parts))
        } else {
            try ColumnReader.read(Array(bytes)) { forms throws(FrameFault) in try countLongForms(&forms) }
        }
    }

    private mutating func countLongForms(_ forms: inout ColumnReader) throws(FrameFault) {
        while !forms.isAtEnd {
            let form = Int(try forms.number(upTo: UInt64(CodedColumns.lengthMax)))
            singles += form == Int(PartsForm.single) ? 1 : 0
            guard form >= Int(PartsForm.joint) else { continue }
            joints += 1
            parts += form
            guard parts <= CodedColumns.lengthMax else { throw .numberTooLarge }
        }
    }

    private mutating func countLast(_ bytes: ArraySlice<UInt8>) throws(FrameFault) {
        var (any, several): (UInt8, UInt32) = (0, 0)
        let span = bytes.span
        for place in span.indices {
            any |= span[place]
            several &+= span[place] > 1 ? 1 : 0
        }
        if any < 0x80 {
            lasts = Int(several)
        } else {
            try ColumnReader.read(Array(bytes)) { reads throws(FrameFault) in
                while !reads.isAtEnd { lasts += try reads.number() > 1 ? 1 : 0 }
            }
        }
        captureds = lasts
    }

    private mutating func countPartReads(_ forms: inout ColumnReader, _ partReads: inout ColumnReader)
        throws(FrameFault)
    {
        while !forms.isAtEnd {
            let form = try forms.number()
            guard form >= PartsForm.joint else { continue }
            let best = try partReads.number()
            var any = best
            for _ in 1..<form { any |= try partReads.number() }
            lasts += any > 0 ? 1 : 0
            captureds += best > 0 ? 1 : 0
        }
    }
}

extension ColumnBytes {
    /// Reads a column of so many bytes or numbers.
    mutating func read(_ column: FrameColumn, _ count: Int, from unpacker: inout EntropyUnpacker)
        throws(CompressionError)
    {
        guard count > 0 else { return }
        let left = CodedColumns.lengthMax - bytes.count
        let kind = CodedColumns.kind(column)
        guard count <= left else { throw .tooLong }
        try append(column) { bytes throws(CompressionError) in
            if CodedColumns.holdsNumbers(column) {
                try unpacker.numbers(count, kind: kind, lengthMax: left, into: &bytes)
            } else {
                unpacker.bytes(count, kind: kind, into: &bytes)
            }
        }
    }
}

extension FrameColumns {
    /// Writes a column, as it is read.
    func put(_ column: FrameColumn, to packer: inout EntropyPacker) {
        if CodedColumns.holdsNumbers(column) {
            packer.put(numbers: self[column], kind: CodedColumns.kind(column))
        } else {
            packer.put(self[column], kind: CodedColumns.kind(column))
        }
    }

    /// Counts a column's bytes, as they are written.
    func count(_ column: FrameColumn, in counts: inout ByteCounts) {
        if CodedColumns.holdsNumbers(column) {
            counts.add(numbers: self[column], kind: CodedColumns.kind(column))
        } else {
            counts.add(self[column], kind: CodedColumns.kind(column))
        }
    }

    /// How many numbers a column has.
    func numbers(in column: FrameColumn) -> Int { self[column].count { $0 < 0x80 } }
}
