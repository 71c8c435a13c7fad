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
    /// The column `letter1`.
    private var first: [UInt8] = []
    /// The other letters and the age of those of the current shape, the column `letter2` lowest.
    private var rest: [UInt64] = []
    private var others = ColumnWriter()

    /// No marks yet, and room for so many.
    init(room: Int) {
        first.reserveCapacity(room)
        rest.reserveCapacity(room)
    }

    /// What `letter1` holds for a mark of another shape.
    static let otherShape: UInt8 = 0
    /// What `letter1` holds on a link for a mark that went over it before.
    static let remembered: UInt8 = 27

    /// Writes a mark.
    @inline(__always)
    mutating func put(_ vrm: VRM) {
        guard let parts = CurrentShape.split(vrm) else {
            first.append(Self.otherShape)
            others.put(vrm.packed)
            return
        }
        first.append(parts.letter1)
        let front = UInt64(parts.letter2) | UInt64(parts.age) << 8 | UInt64(parts.letter3) << 16
        rest.append(front | UInt64(parts.letter4) << 24 | UInt64(parts.letter5) << 32)
    }

    /// Notes that a mark stands elsewhere.
    mutating func putRemembered() { first.append(Self.remembered) }

    /// Hands the columns over.
    func finish(into columns: inout FrameColumns) {
        columns[.letter1] = first
        let order: InlineArray<5, FrameColumn> = [.letter2, .age, .letter3, .letter4, .letter5]
        for place in order.indices {
            columns[order[place]] = [UInt8](capacity: rest.count) { bytes in
                for letters in rest { bytes.append(UInt8(truncatingIfNeeded: letters >> UInt64(8 * place))) }
            }
        }
        columns[.otherMarks] = others.bytes
    }
}
