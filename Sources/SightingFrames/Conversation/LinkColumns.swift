/// How the columns of a frame go over a link: which of them are numbers, and how the other end knows their lengths.
enum LinkColumns {
    /// How long a column is.
    enum Extent {
        /// A byte or a number for each sighting.
        case rows
        /// One for each mark of the current shape that is told in full.
        case letters
        /// One for each mark of another shape.
        case others
        /// Told before the columns, as difference to what the frame before would let one expect.
        case told
    }

    static func extent(_ column: FrameColumn) -> Extent {
        switch column {
        case .first, .letter1, .cameraLow, .cameraHigh, .confidence, .form: .rows
        case .letter2, .age, .letter3, .letter4, .letter5: .letters
        case .otherMarks: .others
        default: .told
        }
    }

    /// Whether it holds numbers of varying length, and not just bytes.
    static func holdsNumbers(_ column: FrameColumn) -> Bool {
        switch column {
        case .letter1, .letter2, .age, .letter3, .letter4, .letter5, .cameraLow, .confidence, .partConfidence:
            false
        default: true
        }
    }

    /// The kind of a column's bytes; numbers have the next one too.
    static func kind(_ column: FrameColumn) -> Int { 2 * column.rawValue }

    private static let ofHead = 2 * FrameColumn.allCases.count
    /// The kinds of what is told besides columns.
    static let head = ofHead
    static let usualLength = ofHead + 2
    static let rareLength = ofHead + 4
    static let distance = ofHead + 6
    static let kinds = ofHead + 7

    /// The kind of a column's told length: most are empty in most frames.
    static func lengthKind(_ column: FrameColumn) -> Int {
        switch column {
        case .unusual, .bearings, .speeds, .identities, .variants: rareLength
        default: usualLength
        }
    }

    /// Columns may have no more bytes together.
    static let lengthMax = 4 << 20
}

/// What the lengths of columns are expected to be: in proportion to the frame before.
struct ExpectedLengths {
    private var lengths = [Int](repeating: 0, count: FrameColumn.allCases.count)
    private var count = 1

    subscript(_ column: FrameColumn, _ count: Int) -> Int { lengths[column.rawValue] * count / self.count }

    /// Takes up the lengths of a frame.
    mutating func learn(_ columns: FrameColumns) {
        count = max(1, columns.count)
        for place in lengths.indices { lengths[place] = columns.bytes[place].count }
    }
}

/// How a distance to an earlier sighting of the same mark is told: a byte for its size, then bits that are as good as random.
struct MarkDistance {
    /// Up to 15 the distance itself; from 16 on its length in bits and the three bits behind the first.
    let code: UInt8
    /// The bits behind those.
    let bits: UInt32
    /// How many of them there are, at most 17.
    let count: Int

    /// Of a distance of 1 to `MarkHistory.countMax`.
    init(_ distance: Int) {
        let length = Int.bitWidth - distance.leadingZeroBitCount
        guard length > 4 else {
            (code, bits, count) = (UInt8(distance), 0, 0)
            return
        }
        count = length - 4
        code = UInt8(16 + (length - 5) * 8 + (distance >> count) & 7)
        bits = UInt32(distance & (1 << count - 1))
    }

    /// How many bits stand behind a code; `nil` of none that is ever written.
    static func bitCount(_ code: UInt8) -> Int? {
        if code < 16 { return code > 0 ? 0 : nil }
        let count = Int(code - 16) / 8 + 1
        return count <= 17 ? count : nil
    }

    /// The distance.
    static func distance(_ code: UInt8, _ bits: UInt32) -> Int {
        if code < 16 { return Int(code) }
        let count = Int(code - 16) / 8 + 1
        return (8 + Int(code - 16) % 8) << count + Int(bits)
    }
}
