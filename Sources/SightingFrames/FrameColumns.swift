import ANPRModel
import Compression

/// The columns of one frame as bytes, before they are packed.
struct FrameColumns {
    /// How many sightings they tell of.
    var count: Int
    /// The bits of a block of them.
    var flags: UInt16
    /// By the number of `FrameColumn`; those that the frame does not have are empty.
    var bytes = [[UInt8]](repeating: [], count: FrameColumn.allCases.count)

    subscript(_ column: FrameColumn) -> [UInt8] {
        get { bytes[column.rawValue] }
        set { bytes[column.rawValue] = newValue }
    }

    /// Packs them as a frame that stands alone; the same columns always give the same bytes.
    func block(sequence: UInt64, _ packer: inout HuffmanPacker) -> Block {
        let stored = FrameColumn.stored(flags: flags).map { self[$0] }
        var head = ColumnWriter()
        for column in stored { head.put(UInt64(column.count)) }
        let sections = [head.bytes] + stored
        var payload: [UInt8] = []
        packer.pack(sections, into: &payload)
        return Block(
            kind: .frame,
            flags: flags,
            count: UInt32(count),
            sequence: sequence,
            unpackedLength: UInt32(sections.reduce(0) { $0 + $1.count }),
            payload: payload
        )
    }
}

/// The columns of marks being written.
struct MarkColumns {
    private var letters = InlineArray<6, ColumnWriter>(repeating: ColumnWriter())
    private var others = ColumnWriter()

    /// What `letter1` holds for a mark of another shape.
    static let otherShape: UInt8 = 0
    /// What `letter1` holds on a link for a mark that went over it before.
    static let remembered: UInt8 = 27

    /// Writes a mark.
    @inline(__always)
    mutating func put(_ vrm: VRM) {
        guard let parts = CurrentShape.split(vrm) else {
            letters[0].put(Self.otherShape)
            others.put(vrm.packed)
            return
        }
        letters[0].put(parts.letter1)
        letters[1].put(parts.letter2)
        letters[2].put(parts.age)
        letters[3].put(parts.letter3)
        letters[4].put(parts.letter4)
        letters[5].put(parts.letter5)
    }

    /// Notes that a mark stands elsewhere.
    mutating func putRemembered() { letters[0].put(Self.remembered) }

    /// Hands the columns over.
    func finish(into columns: inout FrameColumns) {
        for place in 0..<6 { columns.bytes[FrameColumn.letter1.rawValue + place] = letters[place].bytes }
        columns[.otherMarks] = others.bytes
    }
}
