/// Packs bytes of several kinds by entropy coding, with frequencies learned from all that it has packed before.
///
/// For conversations of many small messages: no table is sent, the `LearningUnpacker` at the other end learns the same. It
/// must be given everything that this gave, in order. A byte costs close to its entropy among those of its kind (asymmetric
/// numeral systems, as Duda described them in 2013, in a state of 32 bits), a message four bytes more.
///
/// - Complexity: about ten nanoseconds a byte.
public struct LearningPacker: Sendable {
    private var models: SymbolModels
    /// What the current message codes, in order: where a share begins, shifted left by 13, and how large it is.
    private var steps: [UInt32] = []
    private var halves: [UInt16] = []

    /// A packer that knows nothing.
    ///
    /// - Parameter kinds: how many kinds of bytes there are.
    public init(kinds: Int) {
        models = SymbolModels(kinds: kinds, isDecoding: false)
    }

    /// Adds bytes of one kind to the current message.
    public mutating func put(_ bytes: [UInt8], kind: Int) {
        let base = kind * SymbolModels.symbolCount
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + models.due(kind))
            for byte in bytes[start..<end] {
                let share = models.shares[base + Int(byte)]
                if share > 0 { steps.append(share) } else { putNew(byte, kind) }
                models.count(byte, kind)
            }
            models.advance(kind, by: end - start)
            start = end
        }
    }

    /// Adds numbers of seven bits a byte, of which the high bit says that more follow.
    ///
    /// - Parameters:
    ///   - bytes: whole numbers.
    ///   - kind: of each number's first byte; those behind it are of the next kind.
    public mutating func put(numbers bytes: [UInt8], kind: Int) {
        var current = kind
        for byte in bytes {
            let share = models.shares[current * SymbolModels.symbolCount + Int(byte)]
            if share > 0 { steps.append(share) } else { putNew(byte, current) }
            models.count(byte, current)
            models.advance(current, by: 1)
            current = byte < 0x80 ? kind : kind + 1
        }
    }

    /// Adds bits that are as good as random.
    ///
    /// - Parameters:
    ///   - bits: their value, less than two to the power of `count`.
    ///   - count: how many, 0 to 12.
    public mutating func put(bits: UInt32, count: Int) {
        let size = UInt32(SymbolModels.scale) >> UInt32(count)
        steps.append((bits * size) << 13 | size)
    }

    private mutating func putNew(_ byte: UInt8, _ kind: Int) {
        steps.append(models.shares[kind * SymbolModels.symbolCount + SymbolModels.escape])
        put(bits: UInt32(byte), count: 8)
        models.countEscape(kind)
    }

    /// Ends the current message and appends its bytes.
    public mutating func finish(into output: inout [UInt8]) {
        var state: UInt32 = 1 << 16
        halves.removeAll(keepingCapacity: true)
        for step in steps.reversed() {
            let size = step & 0x1FFF
            // What has all of the scale tells nothing.
            if size == UInt32(SymbolModels.scale) { continue }
            if state >= size << 20 {
                halves.append(UInt16(truncatingIfNeeded: state))
                state >>= 16
            }
            let (quotient, remainder) = state.quotientAndRemainder(dividingBy: size)
            state = quotient << SymbolModels.scaleBits + remainder + step >> 13
        }
        steps.removeAll(keepingCapacity: true)
        output.reserveCapacity(output.count + 2 * halves.count + 4)
        for half in [UInt16(state >> 16), UInt16(truncatingIfNeeded: state)] { Self.append(half, &output) }
        for half in halves.reversed() { Self.append(half, &output) }
    }

    @inline(__always)
    private static func append(_ half: UInt16, _ output: inout [UInt8]) {
        output.append(UInt8(truncatingIfNeeded: half))
        output.append(UInt8(half >> 8))
    }
}

/// Unpacks what a `LearningPacker` packed, message by message.
///
/// Hostile bytes give other bytes or a fault, never more than was asked for; after a fault it must not be used again.
///
/// - Complexity: some nanoseconds a byte.
public struct LearningUnpacker: Sendable {
    private var models: SymbolModels
    private var message: [UInt8] = []
    private var state: UInt32 = 0
    /// Where in the message it reads next: how far a fault lies in.
    public private(set) var position = 0

    /// An unpacker that knows nothing.
    ///
    /// - Parameter kinds: as the packer's.
    public init(kinds: Int) {
        models = SymbolModels(kinds: kinds, isDecoding: true)
    }

    /// Begins a message.
    ///
    /// - Parameters:
    ///   - message: its bytes, to their end.
    ///   - position: where it begins in them.
    public mutating func begin(_ message: [UInt8], at position: Int) throws(CompressionError) {
        guard message.count - position >= 4 else { throw .truncated }
        self.message = message
        self.position = position
        let high = try half()
        state = high << 16 | (try half())
        guard state >= 1 << 16 else { throw .damaged }
    }

    /// Ends a message, of which nothing may be left.
    public mutating func finish() throws(CompressionError) {
        guard position == message.count else { throw .tooLong }
        guard state == 1 << 16 else { throw .damaged }
        message = []
    }

    /// Reads bytes of one kind.
    public mutating func bytes(_ count: Int, kind: Int) throws(CompressionError) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(count)
        while result.count < count {
            let run = min(count - result.count, models.due(kind))
            for _ in 0..<run { result.append(try byte(kind)) }
            models.advance(kind, by: run)
        }
        return result
    }

    /// Reads so many numbers of seven bits a byte.
    ///
    /// - Parameter lengthMax: the most bytes that they may have together.
    public mutating func numbers(_ count: Int, kind: Int, lengthMax: Int) throws(CompressionError) -> [UInt8]
    {
        var result: [UInt8] = []
        result.reserveCapacity(count)
        var current = kind
        var left = count
        while left > 0 {
            let byte = try byte(current)
            models.advance(current, by: 1)
            result.append(byte)
            guard result.count <= lengthMax else { throw .tooLong }
            if byte < 0x80 { left -= 1 }
            current = byte < 0x80 ? kind : kind + 1
        }
        return result
    }

    /// Reads numbers of seven bits a byte that have so many bytes together.
    public mutating func numbers(length: Int, kind: Int) throws(CompressionError) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(length)
        var current = kind
        for _ in 0..<length {
            let byte = try byte(current)
            models.advance(current, by: 1)
            result.append(byte)
            current = byte < 0x80 ? kind : kind + 1
        }
        return result
    }

    /// Reads bits that are as good as random, 0 to 12.
    public mutating func bits(_ count: Int) throws(CompressionError) -> UInt32 {
        guard count > 0 else { return 0 }
        let shift = SymbolModels.scaleBits - UInt32(count)
        let place = state & UInt32(SymbolModels.scale - 1)
        state = (state >> SymbolModels.scaleBits) << shift + place & (1 << shift - 1)
        try refill()
        return place >> shift
    }

    @inline(__always)
    private mutating func byte(_ kind: Int) throws(CompressionError) -> UInt8 {
        let place = state & UInt32(SymbolModels.scale - 1)
        guard place < models.escapeStarts[kind] else { return try newByte(kind) }
        let entry = models.places[kind * SymbolModels.scale + Int(place)]
        let size = entry >> 8 & 0xFFF + 1
        state = size * (state >> SymbolModels.scaleBits) + entry >> 20
        try refill()
        let byte = UInt8(truncatingIfNeeded: entry)
        models.count(byte, kind)
        return byte
    }

    private mutating func newByte(_ kind: Int) throws(CompressionError) -> UInt8 {
        let start = models.escapeStarts[kind]
        let place = state & UInt32(SymbolModels.scale - 1)
        state =
            (UInt32(SymbolModels.scale) - start) * (state >> SymbolModels.scaleBits) + place - start
        try refill()
        let byte = UInt8(truncatingIfNeeded: try bits(8))
        models.countEscape(kind)
        models.count(byte, kind)
        return byte
    }

    @inline(__always)
    private mutating func refill() throws(CompressionError) {
        if state < 1 << 16 { state = state << 16 | (try half()) }
    }

    @inline(__always)
    private mutating func half() throws(CompressionError) -> UInt32 {
        guard message.count - position >= 2 else { throw .truncated }
        position += 2
        return UInt32(message[position - 2]) | UInt32(message[position - 1]) << 8
    }
}
