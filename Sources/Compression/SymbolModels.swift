/// How often each byte has occurred so far in each of a number of kinds of bytes, as shares of 4,096; or what a codebook says.
///
/// Both ends of a conversation keep one and learn alike from what goes over, so that no table has to be sent; from a codebook
/// nothing more is learned. A byte that its kind has not had yet has no share: it is announced by the escape, which always has
/// one. Shares are worked out anew after 16 bytes of a kind, then after twice as many each time, up to every 8,192; what is long
/// past counts less and less.
///
/// - Complexity: about a nanosecond a byte for learning; 18 KB a kind with `isDecoding`, 2 KB without.
struct SymbolModels {
    /// Shares are of two to the power of this.
    static let scaleBits: UInt64 = 12
    static let scale = 1 << Int(scaleBits)
    /// The symbol behind all bytes.
    static let escape = 256
    static let symbolCount = 257

    private static let firstInterval = 16
    private static let intervalMax = 8192
    /// When so many have been counted, all counts are halved.
    private static let totalMax: UInt32 = 1 << 15

    /// What is known of a symbol of a kind.
    struct Symbol {
        /// Where its share begins, shifted left by 13, and how large it is; 0 for none.
        var share: UInt32 = 0
        /// How often it occurred, the past counting less.
        var count: UInt32 = 0
    }

    /// By kind and symbol.
    var symbols: [Symbol]
    /// By kind and place among the 4,096: byte, distance from the begin of its share (shifted by 8), size of that (by 20), which is
    /// less than 4,096 because the escape has a share too.
    private(set) var places: [UInt32]
    /// By kind: where the escape's share begins; it is the last.
    private(set) var escapeStarts: [UInt32]
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
        symbols = [Symbol](repeating: Symbol(), count: kinds * Self.symbolCount)
        places = [UInt32](repeating: 0, count: isDecoding ? kinds * Self.scale : 0)
        escapeStarts = [UInt32](repeating: 0, count: kinds)
        totals = [UInt32](repeating: 0, count: kinds)
        due = [Int](repeating: Self.firstInterval, count: kinds)
        intervals = [Int](repeating: Self.firstInterval, count: kinds)
        for kind in 0..<kinds {
            symbols[kind * Self.symbolCount + Self.escape].share = UInt32(Self.scale)
        }
    }

    /// Models of a codebook, which never change.
    init(_ codebook: Codebook, isDecoding: Bool) {
        self.init(kinds: codebook.kinds, isDecoding: isDecoding)
        for place in symbols.indices { symbols[place].share = codebook.shares[place] }
        for kind in 0..<codebook.kinds {
            due[kind] = .max
            escapeStarts[kind] = escapeStart(kind)
            if isDecoding { place(kind) }
        }
    }

    /// Gives shares in proportion to counts, by kind and symbol; that of the escape is the least.
    mutating func settle(_ counts: [UInt32]) {
        for place in symbols.indices { symbols[place].count = counts[place] }
        for kind in escapeStarts.indices {
            let first = kind * Self.symbolCount
            var total = symbols[first..<first + Self.symbolCount].reduce(0) { $0 + Int($1.count) }
            // Shares are worked out exactly of no more than this.
            while total > 1 << 30 {
                for place in first..<first + Self.symbolCount { symbols[place].count /= 2 }
                total = symbols[first..<first + Self.symbolCount].reduce(0) { $0 + Int($1.count) }
            }
            totals[kind] = UInt32(total)
            share(kind)
        }
    }

    private func escapeStart(_ kind: Int) -> UInt32 {
        UInt32(Self.scale) - symbols[kind * Self.symbolCount + Self.escape].share & 0x1FFF
    }

    /// How many bytes of a kind can be coded before its shares change.
    func due(_ kind: Int) -> Int { due[kind] }

    /// Notes that so many bytes were coded and counted, no more than were due; works the shares out anew when it is time.
    ///
    /// - Parameter escapes: how many escapes were counted besides.
    mutating func advance(_ kind: Int, by count: Int, escapes: Int) {
        guard due[kind] < .max else { return }
        totals[kind] += UInt32(count + escapes)
        due[kind] -= count
        if due[kind] == 0 { learn(kind) }
    }

    private mutating func learn(_ kind: Int) {
        intervals[kind] = min(intervals[kind] * 2, Self.intervalMax)
        due[kind] = intervals[kind]
        if totals[kind] >= Self.totalMax { halve(kind) }
        share(kind)
        if isDecoding { place(kind) }
    }

    /// Halves the counts of a kind, none to 0.
    private mutating func halve(_ kind: Int) {
        var total: UInt32 = 0
        for place in kind * Self.symbolCount..<(kind + 1) * Self.symbolCount {
            symbols[place].count = (symbols[place].count + 1) / 2
            total += symbols[place].count
        }
        totals[kind] = total
    }

    /// Works a kind's shares out anew.
    private mutating func share(_ kind: Int) {
        let base = kind * Self.symbolCount
        let total = totals[kind]
        escapeStarts[kind] = unsafe symbols.withUnsafeMutableBufferPointer { all in
            // In bounds, here and in what it is given to: each kind has 257 symbols.
            let own = unsafe UnsafeMutableBufferPointer(rebasing: all[base..<base + Self.symbolCount])
            return unsafe Self.share(own, total)
        }
    }

    /// Gives shares in proportion to counts, to none of what occurred less than one, together 4,096.
    ///
    /// - Returns: where the escape's begins.
    private static func share(_ symbols: UnsafeMutableBufferPointer<Symbol>, _ total: UInt32) -> UInt32 {
        // One division for all: a count times this, shifted right by 32, is its share.
        let factor = 1 << (32 + scaleBits) / UInt64(max(total, 1))
        var rest = scale
        var largest = 0
        var largestSize: UInt32 = 0
        for symbol in 0..<symbolCount {
            let count = unsafe symbols[symbol].count
            let isShared: UInt32 = count > 0 || symbol == escape ? 1 : 0
            let size = max(isShared, UInt32(truncatingIfNeeded: (UInt64(count) &* factor) >> 32))
            unsafe symbols[symbol].share = size
            rest -= Int(size)
            if size > largestSize { (largest, largestSize) = (symbol, size) }
        }
        // What rounding left over, or took too much, is the largest share's, as far as it goes; then the next one's.
        while rest != 0 {
            let change = max(rest, 1 - Int(largestSize))
            unsafe symbols[largest].share = UInt32(Int(largestSize) + change)
            rest -= change
            guard rest != 0 else { break }
            for symbol in 0..<symbolCount
            where unsafe symbols[symbol].share > symbols[largest].share { largest = symbol }
            largestSize = unsafe symbols[largest].share
        }
        var start: UInt32 = 0
        for symbol in 0..<symbolCount {
            let size = unsafe symbols[symbol].share
            unsafe symbols[symbol].share = size == 0 ? 0 : start << 13 | size
            start += size
        }
        return UInt32(scale) - (unsafe symbols[escape].share & 0x1FFF)
    }

    /// Fills the table of places from the shares.
    private mutating func place(_ kind: Int) {
        let first = kind * Self.symbolCount
        let base = kind * Self.scale
        unsafe places.withUnsafeMutableBufferPointer { places in
            for byte in 0..<Self.escape {
                let share = symbols[first + byte].share
                guard share > 0 else { continue }
                let size = share & 0x1FFF
                let entry = UInt32(byte) | size << 20
                // In bounds: shares of a kind add up to 4,096, and there are as many places from `base` on.
                let start = base + Int(share >> 13)
                for offset in 0..<Int(size) {
                    unsafe places[start &+ offset] = entry | UInt32(truncatingIfNeeded: offset) << 8
                }
            }
        }
    }
}
