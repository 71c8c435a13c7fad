/// Unpacks what a `LearningPacker` packed, message by message.
///
/// Hostile bytes give other bytes or a fault, never more than was asked for; after a fault it must not be used again.
///
/// - Complexity: some nanoseconds a byte.
public struct LearningUnpacker: Sendable {
    private var models: SymbolModels
    private var source = Source()
    /// Bytes of numbers that have more than one, by their place in the number.
    private var planes: [UInt8] = []

    /// An unpacker that knows nothing.
    ///
    /// - Parameter kinds: as the packer's.
    public init(kinds: Int) {
        models = SymbolModels(kinds: kinds, isDecoding: true)
    }

    /// Where in the message it reads next: how far a fault lies in.
    public var position: Int { source.position }

    /// Begins a message.
    ///
    /// - Parameters:
    ///   - message: its bytes, to their end.
    ///   - position: where it begins in them.
    public mutating func begin(_ message: [UInt8], at position: Int) throws(CompressionError) {
        source = Source(position: position)
        guard message.count - position >= 8 else { throw .truncated }
        guard (message.count - position) % 4 == 0 else { throw .damaged }
        var state: UInt64 = 0
        for place in (position..<position + 8).reversed() { state = state << 8 | UInt64(message[place]) }
        guard state < 1 << 63 else { throw .damaged }
        source = Source(message: message, position: position + 8, state: state)
    }

    /// Ends a message, of which nothing may be left.
    public mutating func finish() throws(CompressionError) {
        let isWhole = source.position == source.message.count
        let state = source.state
        source.message = []
        guard isWhole else { throw .tooLong }
        guard state == 0 else { throw .damaged }
    }

    /// Reads bytes of one kind and appends them.
    public mutating func bytes(_ count: Int, kind: Int, into output: inout [UInt8]) {
        Self.bytes(count, kind, &models, &source, into: &output)
    }

    private static func bytes(
        _ count: Int,
        _ kind: Int,
        _ models: inout SymbolModels,
        _ source: inout Source,
        into output: inout [UInt8]
    ) {
        var left = count
        while left > 0 {
            let run = min(left, models.due(kind))
            let escapes = source.bytes(
                run,
                &models.symbols,
                models.places,
                kind,
                models.escapeStarts[kind],
                into: &output
            )
            models.advance(kind, by: run, escapes: escapes)
            left -= run
        }
    }

    /// Reads so many numbers of seven bits a byte and appends them.
    ///
    /// - Parameter lengthMax: the most bytes that they may have together.
    /// - Throws: `.tooLong` if they have more, `.damaged` if one has more than `LearningPacker.numberLengthMax`.
    public mutating func numbers(
        _ count: Int,
        kind: Int,
        lengthMax: Int,
        into output: inout [UInt8]
    ) throws(CompressionError) {
        guard count <= lengthMax else { throw .tooLong }
        let start = output.count
        bytes(count, kind: kind, into: &output)
        var more = Self.long(in: output, from: start)
        guard more > 0 else { return }
        planes.removeAll(keepingCapacity: true)
        planes += output[start...]
        output.removeSubrange(start...)
        var next = InlineArray<10, Int>(repeating: 0)
        for level in 1..<LearningPacker.numberLengthMax {
            next[level] = planes.count
            guard more > 0 else { continue }
            guard planes.count + more <= lengthMax else { throw .tooLong }
            let begin = planes.count
            Self.bytes(more, kind + 1, &models, &source, into: &planes)
            more = Self.long(in: planes, from: begin)
        }
        guard more == 0 else { throw .damaged }
        Self.join(planes, count, &next, into: &output)
    }

    /// How many of the bytes say that more follow.
    private static func long(in bytes: [UInt8], from start: Int) -> Int {
        unsafe bytes.withUnsafeBytes { bytes in
            var place = start
            var count = 0
            // In bounds: eight bytes are read only where eight are left.
            while place + 8 <= bytes.count {
                let word = unsafe bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)
                count += (word & 0x8080_8080_8080_8080).nonzeroBitCount
                place += 8
            }
            while place < bytes.count {
                count += Int(unsafe bytes[place] >> 7)
                place += 1
            }
            return count
        }
    }

    /// Puts the bytes of each number together again.
    ///
    /// - Parameters:
    ///   - planes: the first bytes of all numbers, then the second ones of those that have one, and so on.
    ///   - next: by place in the number, where those begin.
    private static func join(
        _ planes: [UInt8],
        _ count: Int,
        _ next: inout InlineArray<10, Int>,
        into output: inout [UInt8]
    ) {
        let planes = planes.span
        output.append(addingCapacity: planes.count) { output in
            for number in 0..<count {
                var byte = planes[number]
                var level = 1
                output.append(byte)
                while byte >= 0x80 {
                    byte = planes[next[level]]
                    next[level] += 1
                    level += 1
                    output.append(byte)
                }
            }
        }
    }

    /// Reads bits that are as good as random, 0 to 20.
    public mutating func bits(_ count: Int) -> UInt32 { count > 0 ? source.bits(UInt64(count)) : 0 }
}

/// A message being read, and the state that its words are taken into.
private struct Source: Sendable {
    var message: [UInt8] = []
    var position = 0
    var state: UInt64 = 0

    /// Reads bits.
    @inline(__always)
    mutating func bits(_ count: UInt64) -> UInt32 {
        let bits = UInt32(truncatingIfNeeded: state & (1 << count - 1))
        state >>= count
        refill()
        return bits
    }

    /// Takes the next word where it is due; where there is none the first ones of the packer were too few for a word.
    @inline(__always)
    private mutating func refill() {
        guard state < LearningPacker.stateMin, message.count - position >= 4 else { return }
        var word: UInt64 = 0
        for place in (position..<position + 4).reversed() { word = word << 8 | UInt64(message[place]) }
        state = state << 32 | word
        position += 4
    }

    /// Reads bytes of a kind between which no shares change, appends and counts them.
    ///
    /// - Returns: how many of them were new to their kind.
    mutating func bytes(
        _ count: Int,
        _ symbols: inout [SymbolModels.Symbol],
        _ places: [UInt32],
        _ kind: Int,
        _ escapeStart: UInt32,
        into output: inout [UInt8]
    ) -> Int {
        var escapes = 0
        output.append(addingCapacity: count) { output in
            unsafe symbols.withUnsafeMutableBufferPointer { symbols in
                unsafe places.withUnsafeBufferPointer { places in
                    let base = kind * SymbolModels.symbolCount
                    // In bounds: each kind has 257 symbols and 4,096 places.
                    let symbols = unsafe UnsafeMutableBufferPointer(
                        rebasing: symbols[base..<base + SymbolModels.symbolCount]
                    )
                    let first = kind * SymbolModels.scale
                    let places = unsafe UnsafeBufferPointer(
                        rebasing: places[first..<first + SymbolModels.scale]
                    )
                    while output.count < count {
                        unsafe known(count, symbols, places, escapeStart, &output)
                        guard output.count < count else { return }
                        unsafe output.append(one(symbols, places, escapeStart, &escapes))
                    }
                }
            }
        }
        return escapes
    }

    /// Reads bytes up to the next that is new to its kind, or until the message could end within one.
    private mutating func known(
        _ count: Int,
        _ symbols: UnsafeMutableBufferPointer<SymbolModels.Symbol>,
        _ places: UnsafeBufferPointer<UInt32>,
        _ escapeStart: UInt32,
        _ output: inout OutputSpan<UInt8>
    ) {
        unsafe message.withUnsafeBytes { message in
            var state = state
            var position = position
            // A byte takes no more than a word.
            var sure = min(count - output.count, (message.count - position) / 4)
            while sure > 0 {
                let place = UInt32(truncatingIfNeeded: state) & UInt32(SymbolModels.scale - 1)
                guard place < escapeStart else { break }
                // In bounds: a place is less than 4,096, a byte less than 257, and `sure` words are left.
                let entry = unsafe places[Int(place)]
                let size = UInt64(entry >> 8 & 0xFFF) &+ 1
                state = size &* (state >> SymbolModels.scaleBits) &+ UInt64(entry >> 20)
                if state < LearningPacker.stateMin {
                    let word = unsafe message.loadUnaligned(fromByteOffset: position, as: UInt32.self)
                    state = state << 32 | UInt64(UInt32(littleEndian: word))
                    position &+= 4
                }
                let byte = UInt8(truncatingIfNeeded: entry)
                unsafe symbols[Int(byte)].count &+= 1
                output.append(byte)
                sure &-= 1
            }
            self.state = state
            self.position = position
        }
    }

    /// Reads one byte, known or new.
    private mutating func one(
        _ symbols: UnsafeMutableBufferPointer<SymbolModels.Symbol>,
        _ places: UnsafeBufferPointer<UInt32>,
        _ escapeStart: UInt32,
        _ escapes: inout Int
    ) -> UInt8 {
        let place = UInt32(truncatingIfNeeded: state) & UInt32(SymbolModels.scale - 1)
        var byte: UInt8
        // In bounds: a place is less than 4,096, a byte less than 257.
        if place < escapeStart {
            let entry = unsafe places[Int(place)]
            byte = UInt8(truncatingIfNeeded: entry)
            let size = UInt64(entry >> 8 & 0xFFF) + 1
            state = size * (state >> SymbolModels.scaleBits) + UInt64(entry >> 20)
            refill()
        } else {
            let size = UInt64(SymbolModels.scale) - UInt64(escapeStart)
            state = size * (state >> SymbolModels.scaleBits) + UInt64(place - escapeStart)
            refill()
            byte = UInt8(truncatingIfNeeded: bits(8))
            unsafe symbols[SymbolModels.escape].count &+= 1
            escapes += 1
        }
        unsafe symbols[Int(byte)].count &+= 1
        return byte
    }
}
