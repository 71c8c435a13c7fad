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

    /// Of each member before and whether its value was a text, those met last, those that come often first.
    ///
    /// More than one because optional members come and go. One that knows nothing matches nothing.
    private static let ways = 4
    private var gaps = [Gap](repeating: Gap(), count: 2 * ways * (ReadField.count + 2))

    /// Where the gap behind a value is kept.
    @inline(__always)
    static func place(after field: Int, isText: Bool) -> Int { 2 * field + (isText ? 1 : 0) }

    /// What stands behind a value, if it is remembered: how many bytes, and the member that follows.
    ///
    /// - Parameter position: 24 bytes from there must be there.
    @inline(__always)
    mutating func match(_ bytes: Span<UInt8>, at position: Int, _ place: Int) -> (length: Int, field: Int)? {
        let first = Self.ways * place
        var way = first
        if !gaps[first].stands(in: bytes, at: position) {
            way = matchOther(bytes, at: position, first)
            if way < 0 { return nil }
        }
        return (gaps[way].length, gaps[way].field)
    }

    /// Where a gap other than the first stands now, or -1.
    private mutating func matchOther(_ bytes: Span<UInt8>, at position: Int, _ first: Int) -> Int {
        for way in first + 1..<first + Self.ways where gaps[way].stands(in: bytes, at: position) {
            // Now and then one place up, so that what comes often comes to stand first.
            guard position & 7 == 0 else { return way }
            gaps.swapAt(way, way - 1)
            return way - 1
        }
        return -1
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
        // Last: what came but once must not push out what comes often.
        let first = Self.ways * place
        let free = (first..<first + Self.ways).first { gaps[$0].length == 0 }
        gaps[free ?? first + Self.ways - 1] = gap
    }

    private static func mask(_ count: Int) -> UInt64 {
        count >= 8 ? .max : ByteWord.first(max(count, 0))
    }
}
