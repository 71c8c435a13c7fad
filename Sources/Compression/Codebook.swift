import Glibc

/// How often each byte occurs in each of a number of kinds of bytes, settled beforehand.
///
/// For many small messages that must each be read without the others, as the blocks of a file: they share one codebook, learned
/// from all of them or from others like them, and none has to carry tables of its own. A byte that its codebook does not have
/// can still be told, at a price.
public struct Codebook: Sendable, Equatable {
    /// By kind and symbol, as `SymbolModels.Symbol.share`.
    let shares: [UInt32]

    /// How many kinds of bytes there are.
    public var kinds: Int { shares.count / SymbolModels.symbolCount }

    /// Of what was counted.
    public init(_ counts: ByteCounts) {
        var models = SymbolModels(kinds: counts.kinds, isDecoding: false)
        models.settle(counts.counts)
        shares = models.symbols.map(\.share)
    }

    /// As written by `encoded`.
    ///
    /// - Throws: `.damaged`, `.truncated` or `.tooLong` for anything that is no codebook of so many kinds.
    public init(_ bytes: [UInt8], kinds: Int) throws(CompressionError) {
        var unpacker = EntropyUnpacker(kinds: 2)
        try unpacker.begin(bytes, at: 0)
        var numbers: [UInt8] = []
        let count = kinds * SymbolModels.symbolCount
        try unpacker.numbers(count, kind: 0, lengthMax: 2 * count, into: &numbers)
        try unpacker.finish()
        var sizes: [UInt32] = []
        var isSecond = false
        for byte in numbers {
            if isSecond {
                sizes[sizes.count - 1] |= UInt32(byte & 0x7F) << 7
                guard byte < 0x80 else { throw .damaged }
            } else {
                sizes.append(UInt32(byte & 0x7F))
            }
            isSecond = !isSecond && byte >= 0x80
        }
        shares = try Self.shares(sizes)
    }

    /// The bytes of it; the same codebook always gives the same ones.
    public var encoded: [UInt8] {
        var packer = EntropyPacker(kinds: 2)
        var numbers: [UInt8] = []
        for share in shares {
            let size = share & 0x1FFF
            if size >= 0x80 { numbers.append(UInt8(truncatingIfNeeded: size) | 0x80) }
            numbers.append(UInt8(size >= 0x80 ? size >> 7 : size))
        }
        packer.put(numbers: numbers, kind: 0)
        var bytes: [UInt8] = []
        packer.finish(into: &bytes)
        return bytes
    }

    /// How many bytes what was counted takes with these shares, about.
    public func length(of counts: ByteCounts) -> Double {
        precondition(counts.kinds == kinds)
        var bits = 0.0
        for first in stride(from: 0, to: shares.count, by: SymbolModels.symbolCount) {
            let escape = Double(shares[first + SymbolModels.escape] & 0x1FFF)
            for symbol in 0..<SymbolModels.escape where counts.counts[first + symbol] > 0 {
                let size = Double(shares[first + symbol] & 0x1FFF)
                let own = size > 0 ? Self.bits(size) : Self.bits(escape) + 8
                bits += Double(counts.counts[first + symbol]) * own
            }
        }
        return bits / 8
    }

    /// The codebook with which what was counted is shortest, or one made of it where that saves more than a fiftieth.
    ///
    /// - Parameter known: of as many kinds; readers are quicker where many files share one.
    public static func best(of known: [Codebook], for counts: ByteCounts) -> Codebook {
        let own = Codebook(counts)
        let lengths = known.map { $0.length(of: counts) }
        guard let best = lengths.indices.min(by: { lengths[$0] < lengths[$1] }),
            lengths[best] <= own.length(of: counts) * 1.02
        else { return own }
        return known[best]
    }

    private static func bits(_ size: Double) -> Double { Double(SymbolModels.scaleBits) - log2(size) }

    /// Shares of given sizes, which must fill the scale of each kind and leave something for the escape.
    private static func shares(_ sizes: [UInt32]) throws(CompressionError) -> [UInt32] {
        var shares: [UInt32] = []
        shares.reserveCapacity(sizes.count)
        for first in stride(from: 0, to: sizes.count, by: SymbolModels.symbolCount) {
            guard first + SymbolModels.symbolCount <= sizes.count else { throw .truncated }
            var start: UInt32 = 0
            for size in sizes[first..<first + SymbolModels.symbolCount] {
                guard start + size <= UInt32(SymbolModels.scale) else { throw .damaged }
                shares.append(size == 0 ? 0 : start << 13 | size)
                start += size
            }
            guard start == UInt32(SymbolModels.scale), sizes[first + SymbolModels.escape] > 0 else {
                throw .damaged
            }
        }
        return shares
    }
}

/// How often each byte of each of a number of kinds has occurred: what a `Codebook` is made of.
public struct ByteCounts: Sendable {
    /// By kind and symbol.
    private(set) var counts: [UInt32]

    /// How many kinds there are.
    public var kinds: Int { counts.count / SymbolModels.symbolCount }

    /// Nothing yet.
    public init(kinds: Int) {
        counts = [UInt32](repeating: 0, count: kinds * SymbolModels.symbolCount)
    }

    /// Counts bytes of one kind.
    public mutating func add(_ bytes: [UInt8], kind: Int) {
        let base = kind * SymbolModels.symbolCount
        for byte in bytes { counts[base + Int(byte)] += 1 }
    }

    /// Counts numbers of seven bits a byte, as `EntropyPacker.put(numbers:kind:)` takes them.
    public mutating func add(numbers bytes: [UInt8], kind: Int) {
        var base = kind * SymbolModels.symbolCount
        for byte in bytes {
            counts[base + Int(byte)] += 1
            base = (byte < 0x80 ? kind : kind + 1) * SymbolModels.symbolCount
        }
    }
}
