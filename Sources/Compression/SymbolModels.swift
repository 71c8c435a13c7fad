/// How often each byte has occurred so far in each of a number of kinds of bytes, as shares of 4,096.
///
/// Both ends of a conversation keep one and learn alike from what goes over, so that no table has to be sent. A byte that its
/// kind has not had yet has no share: it is announced by the escape, which always has one. Shares are worked out anew after 16
/// bytes of a kind, then after twice as many each time, up to every 2,048; what is long past counts less and less.
///
/// - Complexity: a few nanoseconds a byte for learning; 21 KB a kind with `isDecoding`, 5 KB without.
struct SymbolModels {
    /// Shares are of two to the power of this.
    static let scaleBits: UInt32 = 12
    static let scale = 1 << Int(scaleBits)
    /// The symbol behind all bytes.
    static let escape = 256
    static let symbolCount = 257

    private static let firstInterval = 16
    private static let intervalMax = 2048
    /// When so many have been counted, all counts are halved.
    private static let totalMax: UInt32 = 1 << 15

    /// By kind and symbol: where its share begins, shifted left by 13, and how large it is; 0 for none.
    private(set) var shares: [UInt32]
    /// By kind and place among the 4,096: byte, size of its share less one (shifted by 8), distance from its begin (by 20).
    private(set) var places: [UInt32]
    /// By kind: where the escape's share begins; it is the last.
    private(set) var escapeStarts: [UInt32]
    /// By kind and symbol.
    private var counts: [UInt32]
    private var totals: [UInt32]
    /// By kind: how many bytes are still coded before the shares change.
    private var due: [Int]
    private var intervals: [Int]
    private let isDecoding: Bool

    /// Models that know nothing.
    ///
    /// - Parameters:
    ///   - kinds: how many.
    ///   - isDecoding: whether `places` is needed.
    init(kinds: Int, isDecoding: Bool) {
        self.isDecoding = isDecoding
        shares = [UInt32](repeating: 0, count: kinds * Self.symbolCount)
        counts = [UInt32](repeating: 0, count: kinds * Self.symbolCount)
        places = [UInt32](repeating: 0, count: isDecoding ? kinds * Self.scale : 0)
        escapeStarts = [UInt32](repeating: 0, count: kinds)
        totals = [UInt32](repeating: 0, count: kinds)
        due = [Int](repeating: Self.firstInterval, count: kinds)
        intervals = [Int](repeating: Self.firstInterval, count: kinds)
        for kind in 0..<kinds { shares[kind * Self.symbolCount + Self.escape] = UInt32(Self.scale) }
    }

    /// How many bytes of a kind can be coded before its shares change.
    @inline(__always)
    func due(_ kind: Int) -> Int { due[kind] }

    /// Counts a byte; `advance` must follow for as many.
    @inline(__always)
    mutating func count(_ byte: UInt8, _ kind: Int) { counts[kind * Self.symbolCount + Int(byte)] += 1 }

    /// Counts an escape, besides the byte behind it.
    mutating func countEscape(_ kind: Int) {
        counts[kind * Self.symbolCount + Self.escape] += 1
        totals[kind] += 1
    }

    /// Notes that so many bytes were coded, no more than were due; works the shares out anew when it is time.
    @inline(__always)
    mutating func advance(_ kind: Int, by count: Int) {
        totals[kind] += UInt32(count)
        due[kind] -= count
        if due[kind] == 0 { learn(kind) }
    }

    private mutating func learn(_ kind: Int) {
        intervals[kind] = min(intervals[kind] * 2, Self.intervalMax)
        due[kind] = intervals[kind]
        let base = kind * Self.symbolCount
        if totals[kind] >= Self.totalMax {
            totals[kind] = 0
            for symbol in base..<base + Self.symbolCount {
                counts[symbol] = (counts[symbol] + 1) / 2
                totals[kind] += counts[symbol]
            }
        }
        var start: UInt32 = 0
        for (symbol, size) in sizes(kind).enumerated() {
            shares[base + symbol] = size == 0 ? 0 : start << 13 | size
            if symbol == Self.escape { escapeStarts[kind] = start }
            if isDecoding, size > 0, symbol < Self.escape { place(UInt32(symbol), start, size, kind) }
            start += size
        }
    }

    /// Sizes of shares in proportion to counts, none of what occurred less than one, together 4,096.
    private func sizes(_ kind: Int) -> [UInt32] {
        let base = kind * Self.symbolCount
        let total = max(totals[kind], 1)
        var sizes = [UInt32](repeating: 0, count: Self.symbolCount)
        var rest = Self.scale
        for symbol in 0..<Self.symbolCount {
            let count = counts[base + symbol]
            guard count > 0 || symbol == Self.escape else { continue }
            sizes[symbol] = max(1, count << Self.scaleBits / total)
            rest -= Int(sizes[symbol])
        }
        while rest != 0 {
            let largest = sizes.indices.reduce(0) { sizes[$1] > sizes[$0] ? $1 : $0 }
            let change = max(rest, 1 - Int(sizes[largest]))
            sizes[largest] = UInt32(Int(sizes[largest]) + change)
            rest -= change
        }
        return sizes
    }

    private mutating func place(_ byte: UInt32, _ start: UInt32, _ size: UInt32, _ kind: Int) {
        let base = kind * Self.scale + Int(start)
        let entry = byte | (size - 1) << 8
        for offset in 0..<Int(size) { places[base + offset] = entry | UInt32(offset) << 20 }
    }
}
