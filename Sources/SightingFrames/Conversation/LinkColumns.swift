/// How the columns of a frame go over a link: in which order, and how the other end knows how long they are.
enum LinkColumns {
    /// How many bytes or numbers a column has.
    enum Extent {
        /// One for each sighting.
        case rows
        /// One for each mark of the current shape that is told in full.
        case letters
        /// One for each mark of another shape.
        case others
        /// One for each sighting of one contribution.
        case singles
        /// One for each sighting of several contributions; for each of those; for each but the best read's, or the first one.
        case joints, parts, otherParts
        /// One for each sighting that had more reads than its contributions say; one for each whose best read's camera had.
        case lasts, captureds
        /// Told before the columns, as difference to what the frame before would let one expect.
        case told
    }

    static func extent(_ column: FrameColumn) -> Extent {
        switch column {
        case .first, .letter1, .cameraLow, .cameraHigh, .confidence, .form: .rows
        case .letter2, .age, .letter3, .letter4, .letter5: .letters
        case .otherMarks: .others
        case .reads: .singles
        case .partLead: .joints
        case .partReads: .parts
        case .partCamera, .partFirst, .partConfidence: .otherParts
        case .last: .lasts
        case .captured: .captureds
        case .partCount, .unusual, .bearings, .speeds, .identities, .variants: .told
        }
    }

    /// The columns of a frame in the order in which they go over: none before those that say how long it is.
    static func order(flags: UInt16) -> [FrameColumn] {
        flags & FrameColumn.variantsFlag == 0 ? orderWithoutVariants : orderWithVariants
    }

    private static let orderWithVariants: [FrameColumn] =
        orderWithoutVariants + [.variants]
    private static let orderWithoutVariants: [FrameColumn] = [
        .first, .letter1, .letter2, .age, .letter3, .letter4, .letter5, .otherMarks,
        .cameraLow, .cameraHigh, .confidence, .form, .reads,
        .partReads, .partCamera, .partLead, .partFirst, .partConfidence, .last, .captured,
        .unusual, .bearings, .speeds, .identities,
    ]
    /// Those of `order` whose number is told.
    static func told(flags: UInt16) -> ArraySlice<FrameColumn> { order(flags: flags)[20...] }

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
    static let told = ofHead + 2
    static let distance = ofHead + 4
    static let kinds = ofHead + 5

    /// The columns of a frame may have no more bytes together.
    static let lengthMax = 16 << 20
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
    static func distance(_ code: UInt8, _ bits: UInt32) -> UInt32 {
        if code < 16 { return UInt32(code) }
        let count = UInt32(code - 16) / 8 + 1
        return (8 + UInt32(code - 16) % 8) << count + bits
    }
}
