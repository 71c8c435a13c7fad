import ANPRModel

/// What stood between the members of a feed's last lines: from the end of one value to the start of the next.
///
/// A feed writes all its lines alike, so the bytes that follow a value are mostly those that followed it last time:
/// one comparison then does for quote, comma, key and colon. Bytes that once led a strict scan from value to value do
/// so every time, so nothing is taken here that the scan would refuse.
///
/// A value kept by the decoder rather than static tables, so that the hot path needs no check whether they were made.
struct MemberGaps: Sendable {
    /// The member that a line's start or end stands for.
    static let start = ReadField.count + 1
    static let end = ReadField.count + 2

    struct Gap {
        fileprivate var head: UInt64 = 1
        fileprivate var headMask: UInt64 = 0
        fileprivate var middle: UInt64 = 0
        fileprivate var middleMask: UInt64 = 0
        fileprivate var tail: UInt64 = 0
        fileprivate var tailMask: UInt64 = 0
        /// How many bytes it has.
        fileprivate(set) var length = 0
        /// The member whose value follows: a field, `ReadField.count` for an unknown one, or `end`.
        fileprivate(set) var field = 0

        @inline(__always)
        fileprivate func stands(in bytes: Span<UInt8>, at position: Int) -> Bool {
            guard ByteWord.load(bytes, at: position) & headMask == head,
                ByteWord.load(bytes, at: position + 8) & middleMask == middle
            else { return false }
            return length <= 16 || ByteWord.load(bytes, at: position + 16) & tailMask == tail
        }
    }

    /// Longer ones are not remembered.
    static let lengthMax = 24

    /// Of each member before and whether its value was a text, those met last, the one learnt last first.
    ///
    /// More than one because optional members come and go. One that knows nothing matches nothing.
    private static let ways = 4
    private var gaps = [Gap](repeating: Gap(), count: 2 * ways * (ReadField.count + 2))

    /// Where the gap behind a value is kept.
    @inline(__always)
    static func place(after field: Int, isText: Bool) -> Int { 2 * field + (isText ? 1 : 0) }

    /// The gap behind a value, if the same bytes stand there again.
    ///
    /// - Parameter position: 24 bytes from there must be there.
    @inline(__always)
    func match(_ bytes: Span<UInt8>, at position: Int, _ place: Int) -> Gap? {
        let gap = gaps[Self.ways * place]
        return gap.stands(in: bytes, at: position) ? gap : matchOther(bytes, at: position, place)
    }

    private func matchOther(_ bytes: Span<UInt8>, at position: Int, _ place: Int) -> Gap? {
        for way in 1..<Self.ways {
            let gap = gaps[Self.ways * place + way]
            if gap.stands(in: bytes, at: position) { return gap }
        }
        return nil
    }

    /// Remembers the bytes that a strict scan passed.
    mutating func learn(_ bytes: Span<UInt8>, _ range: Range<Int>, _ place: Int, before field: Int) {
        guard range.count <= Self.lengthMax else { return }
        var gap = Gap()
        gap.length = range.count
        gap.field = field
        gap.headMask = Self.mask(range.count)
        gap.middleMask = Self.mask(range.count - 8)
        gap.tailMask = Self.mask(range.count - 16)
        gap.head = ByteWord.load(bytes, at: range.lowerBound) & gap.headMask
        gap.middle = ByteWord.load(bytes, at: range.lowerBound + 8) & gap.middleMask
        gap.tail = ByteWord.load(bytes, at: range.lowerBound + 16) & gap.tailMask
        let first = Self.ways * place
        for way in (1..<Self.ways).reversed() { gaps[first + way] = gaps[first + way - 1] }
        gaps[first] = gap
    }

    private static func mask(_ count: Int) -> UInt64 {
        count >= 8 ? .max : ByteWord.first(max(count, 0))
    }
}
