/// Packs bytes of several kinds by entropy coding, with frequencies learned from all that it has packed before, or from a codebook.
///
/// For conversations of many small messages: no table is sent, the `EntropyUnpacker` at the other end learns the same. It
/// must be given everything that this gave, in order; with a codebook any message by itself. A byte costs close to its entropy among those of its kind (asymmetric
/// numeral systems, as Duda described them in 2013, in two states of 32 bits by turns, so that a processor can take both
/// forward at once), a message five bytes more.
///
/// - Complexity: some nanoseconds a byte.
public struct EntropyPacker: Sendable {
    private var models: SymbolModels
    /// What the current message codes, in order: a share as the models have it, or bits, their count (by 24) and the high bit.
    private var steps: [UInt32] = []
    /// Words of the current message, the last one first.
    private var words: [UInt16] = []
    /// Bytes of numbers by their place in the number, the first one's aside.
    private var planes: [[UInt8]] = []
    private let quotients = Quotients()

    /// The most bytes that a number has.
    public static let numberLengthMax = 10
    /// The most bits that are one step.
    static let bitsMax = 16
    /// The least state: in which both begin, and in which no word is due.
    static let stateMin: UInt32 = 1 << 16
    private static let bitsFlag: UInt32 = 1 << 31

    /// A packer that knows nothing.
    ///
    /// - Parameter kinds: how many kinds of bytes there are.
    public init(kinds: Int) {
        models = SymbolModels(kinds: kinds, isDecoding: false)
    }

    /// A packer of messages that each stand alone: it goes by a codebook and learns nothing.
    public init(_ codebook: Codebook) {
        models = SymbolModels(codebook, isDecoding: false)
    }

    /// Adds bytes of one kind to the current message.
    public mutating func put(_ bytes: [UInt8], kind: Int) { put(bytes.span, kind) }

    private mutating func put(_ bytes: Span<UInt8>, _ kind: Int) {
        var start = 0
        while start < bytes.count {
            let end = start + min(bytes.count - start, models.due(kind))
            let run = bytes.extracting(start..<end)
            let escapes = Self.put(run, kind * SymbolModels.symbolCount, &models.symbols, &steps)
            models.advance(kind, by: run.count, escapes: escapes)
            start = end
        }
    }

    /// Adds the steps of bytes between which no shares change, and counts them.
    ///
    /// - Returns: how many of the bytes were new to their kind.
    private static func put(
        _ bytes: Span<UInt8>,
        _ base: Int,
        _ symbols: inout [SymbolModels.Symbol],
        _ steps: inout [UInt32]
    ) -> Int {
        var escapes = 0
        steps.append(addingCapacity: 2 * bytes.count) { steps in
            unsafe symbols.withUnsafeMutableBufferPointer { all in
                // In bounds: a byte is less than 257, the number of symbols that every kind has.
                let own = unsafe UnsafeMutableBufferPointer(
                    rebasing: all[base..<base + SymbolModels.symbolCount]
                )
                for place in bytes.indices {
                    let byte = bytes[place]
                    let share = unsafe own[Int(byte)].share
                    unsafe own[Int(byte)].count &+= 1
                    if share > 0 {
                        steps.append(share)
                    } else {
                        steps.append(unsafe own[SymbolModels.escape].share)
                        steps.append(bitsFlag | 8 << 24 | UInt32(byte))
                        unsafe own[SymbolModels.escape].count &+= 1
                        escapes += 1
                    }
                }
            }
        }
        return escapes
    }

    /// Adds numbers of seven bits a byte, of which the high bit says that more follow: the first byte of each, then the second
    /// of those that have one, and so on.
    ///
    /// - Parameters:
    ///   - bytes: whole numbers of at most `numberLengthMax` bytes each.
    ///   - kind: of each number's first byte; those behind it are of the next kind.
    public mutating func put(numbers bytes: [UInt8], kind: Int) {
        guard bytes.reduce(0, |) >= 0x80 else { return put(bytes, kind: kind) }
        while planes.count < Self.numberLengthMax { planes.append([]) }
        var level = 0
        for byte in bytes {
            planes[level].append(byte)
            level = byte < 0x80 ? 0 : level + 1
        }
        for level in planes.indices where !planes[level].isEmpty {
            put(planes[level], kind: level == 0 ? kind : kind + 1)
            planes[level].removeAll(keepingCapacity: true)
        }
    }

    /// Adds bits that are as good as random.
    ///
    /// - Parameters:
    ///   - bits: their value, less than two to the power of `count`.
    ///   - count: how many, 0 to 32.
    public mutating func put(bits: UInt32, count: Int) {
        let low = min(count, Self.bitsMax)
        if low > 0 { steps.append(Self.bitsFlag | UInt32(low) << 24 | bits & (1 << UInt32(low) - 1)) }
        if count > low { steps.append(Self.bitsFlag | UInt32(count - low) << 24 | bits >> UInt32(low)) }
    }

    /// Ends the current message and appends its bytes.
    public mutating func finish(into output: inout [UInt8]) {
        words.removeAll(keepingCapacity: true)
        let (first, second) = Self.encode(steps, quotients, &words)
        steps.removeAll(keepingCapacity: true)
        output.append(addingCapacity: 8 + 2 * words.count) { output in
            for state in [first, second] {
                for shift in 0..<4 { output.append(UInt8(truncatingIfNeeded: state >> UInt32(8 * shift))) }
            }
            for word in words.reversed() {
                output.append(UInt8(truncatingIfNeeded: word))
                output.append(UInt8(word >> 8))
            }
        }
    }

    /// Codes the steps, the last one first, as the other end takes them out again the other way round.
    ///
    /// - Returns: the states in the end, that of the first step first.
    private static func encode(_ steps: [UInt32], _ quotients: Quotients, _ words: inout [UInt16])
        -> (first: UInt32, second: UInt32)
    {
        var state = stateMin
        var other = stateMin
        words.append(addingCapacity: steps.count) { words in
            for place in steps.indices.reversed() {
                state = coded(steps[place], state, quotients, &words)
                swap(&state, &other)
            }
        }
        return (other, state)
    }

    /// The state with a step in it.
    @inline(__always)
    private static func coded(
        _ step: UInt32,
        _ state: UInt32,
        _ quotients: Quotients,
        _ words: inout OutputSpan<UInt16>
    ) -> UInt32 {
        if step >= bitsFlag {
            let count = step >> 24 & 0x1F
            return withoutWord(state, UInt64(1) << UInt64(32 - count), &words) << count | step & 0xFFFF
        }
        let size = step & 0x1FFF
        // What has all of the scale tells nothing.
        if size == UInt32(SymbolModels.scale) { return state }
        let state = withoutWord(state, UInt64(size) << 20, &words)
        let quotient = UInt32(truncatingIfNeeded: quotients.divide(UInt64(state), by: UInt64(size)))
        return state &+ step >> 13 &+ quotient &* (UInt32(SymbolModels.scale) &- size)
    }

    /// The state, with a word taken out if it has reached a limit.
    @inline(__always)
    private static func withoutWord(_ state: UInt32, _ limit: UInt64, _ words: inout OutputSpan<UInt16>)
        -> UInt32
    {
        guard UInt64(state) >= limit else { return state }
        words.append(UInt16(truncatingIfNeeded: state))
        return state >> 16
    }
}

/// Divides by the sizes of shares without dividing.
///
/// By the theorem of Granlund and Montgomery (1994): with s the bits of the divisor less one and m = ceil(2^(63 + s) / d), the
/// quotient of any n below 2^63 is n * m / 2^(63 + s).
struct Quotients: Sendable {
    /// By divisor: m, and s less one.
    private let factors: [UInt64]
    private let shifts: [UInt8]

    /// For divisors of 2 to 4,095; 1 stands by itself.
    private static let shared = Quotients(count: SymbolModels.scale)

    init() { self = Self.shared }

    private init(count: Int) {
        var factors: [UInt64] = [0, 0]
        var shifts: [UInt8] = [0, 0]
        for divisor in 2..<UInt64(count) {
            let bits = UInt64.bitWidth - (divisor - 1).leadingZeroBitCount
            // 2^(63 + bits) plus divisor less one, in two words.
            let (quotient, _) = divisor.dividingFullWidth((1 << UInt64(bits - 1), divisor - 1))
            factors.append(quotient)
            shifts.append(UInt8(bits - 1))
        }
        self.factors = factors
        self.shifts = shifts
    }

    /// The quotient of a number below 2^63.
    @inline(__always)
    func divide(_ number: UInt64, by divisor: UInt64) -> UInt64 {
        if divisor == 1 { return number }
        let high = number.multipliedFullWidth(by: factors[Int(divisor)]).high
        return high >> UInt64(shifts[Int(divisor)])
    }
}
