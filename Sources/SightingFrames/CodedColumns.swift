/// How columns are written one behind the other by entropy coding, on a link and in pages: in which order, and how a reader knows
/// how long they are.
enum CodedColumns {
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

    /// So many kinds have columns.
    static let kinds = 2 * FrameColumn.allCases.count

    /// The columns of a frame may have no more bytes together.
    static let lengthMax = 16 << 20
}
