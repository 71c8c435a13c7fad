/// Unpacks what a `EntropyPacker` packed, message by message.
///
/// Hostile bytes give other bytes or a fault, never more than was asked for; after a fault it must not be used again.
///
/// - Complexity: some nanoseconds a byte.
public struct EntropyUnpacker: Sendable {
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

    /// An unpacker of messages that each stand alone.
    ///
    /// - Complexity: 18 KB a kind; some hundred microseconds to make.
    public init(_ codebook: Codebook) {
        models = SymbolModels(codebook, isDecoding: true)
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
        guard (message.count - position) % 2 == 0 else { throw .damaged }
        let state = Self.state(message, at: position)
        let next = Self.state(message, at: position + 4)
        guard min(state, next) >= EntropyPacker.stateMin else { throw .damaged }
        source = Source(message: message, position: position + 8, state: state, next: next)
    }

    private static func state(_ message: [UInt8], at position: Int) -> UInt32 {
        (position..<position + 4).reversed().reduce(0) { $0 << 8 | UInt32(message[$1]) }
    }

    /// Ends a message, of which nothing may be left.
    public mutating func finish() throws(CompressionError) {
        let isWhole = source.position == source.message.count
        source.message = []
        guard isWhole else { throw .tooLong }
        guard source.state == EntropyPacker.stateMin, source.next == EntropyPacker.stateMin else {
            throw .damaged
        }
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
    /// - Throws: `.tooLong` if they have more, `.damaged` if one has more than `EntropyPacker.numberLengthMax`.
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
        for level in 1..<EntropyPacker.numberLengthMax {
            next[level] = planes.count
            guard more > 0 else { continue }
            guard planes.count + more <= lengthMax else { throw .tooLong }
            let begin = planes.count
            Self.bytes(more, kind + 1, &models, &source, into: &planes)
            more = Self.long(in: planes, from: begin)
        }
        guard more == 0 else { throw .damaged }
        if next[2] == planes.count {
            Self.joinPairs(planes, count, into: &output)
        } else {
            Self.join(planes, count, &next, into: &output)
        }
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

    /// Puts numbers of one or two bytes together again, without a branch, which nothing could foretell.
    ///
    /// - Parameter planes: the first bytes of all numbers, then the second ones of those that have one.
    private static func joinPairs(_ planes: [UInt8], _ count: Int, into output: inout [UInt8]) {
        let planes = planes.span
        // One more: behind the last number of one byte a second one is written and not counted.
        output.append(addingCapacity: planes.count + 1) { output in
            unsafe output.withUnsafeMutableBufferPointer { buffer, initialized in
                var next = count
                for number in 0..<count {
                    let byte = planes[number]
                    let more = Int(byte >> 7)
                    // In bounds: `initialized` grows by no more than there are bytes in `planes`, and one is left behind them.
                    unsafe buffer[initialized] = byte
                    unsafe buffer[initialized &+ 1] = planes[min(next, planes.count &- 1)]
                    initialized &+= 1 &+ more
                    next &+= more
                }
            }
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

    /// Reads bits that are as good as random, 0 to 32.
    public mutating func bits(_ count: Int) -> UInt32 {
        let low = min(count, EntropyPacker.bitsMax)
        let bits = low > 0 ? source.bits(UInt32(low)) : 0
        return count > low ? bits | source.bits(UInt32(count - low)) << UInt32(low) : bits
    }

    /// Reads bits several times, 0 to 32 at a time, and appends them.
    public mutating func bits(_ count: Int, times: Int, into output: inout [UInt32]) {
        let low = min(count, EntropyPacker.bitsMax)
        output.append(addingCapacity: times) { output in
            source.bits(low, count - low, times, into: &output)
            while output.count < times { output.append(bits(count)) }
        }
    }
}

/// A message being read, and the two states that its words are taken into.
private struct Source: Sendable {
    var message: [UInt8] = []
    var position = 0
    /// The state that has the next symbol, and that of the one behind it.
    var state = EntropyPacker.stateMin
    var next = EntropyPacker.stateMin

    /// Reads bits.
    mutating func bits(_ count: UInt32) -> UInt32 {
        let bits = state & (1 << count - 1)
        state >>= count
        refill()
        swap(&state, &next)
        return bits
    }

    /// Reads bits in two steps, so many times at most, until the message could end within one.
    mutating func bits(_ low: Int, _ high: Int, _ times: Int, into output: inout OutputSpan<UInt32>) {
        unsafe message.withUnsafeBytes { message in
            var (state, next, position) = (state, next, position)
            let (lowCount, highCount) = (UInt32(low), UInt32(high))
            let (lowMask, highMask) = ((1 as UInt32) << lowCount - 1, (1 as UInt32) << highCount - 1)
            // Each step takes no more than a word.
            let sure = low > 0 && high > 0 ? min(times, (message.count - position) / 4) : 0
            for _ in 0..<sure {
                let bits = state & lowMask
                state >>= lowCount
                unsafe Self.refill(&state, message, &position)
                let more = next & highMask
                next >>= highCount
                unsafe Self.refill(&next, message, &position)
                output.append(bits | more << lowCount)
            }
            self.state = state
            self.next = next
            self.position = position
        }
    }

    /// Takes the next word where it is due; a message that was made up may have none.
    @inline(__always)
    private mutating func refill() {
        guard state < EntropyPacker.stateMin, message.count - position >= 2 else { return }
        state = state << 16 | UInt32(message[position + 1]) << 8 | UInt32(message[position])
        position += 2
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

    /// Reads bytes, two at a time, up to a pair with one that is new to its kind, or until the message could end within one.
    private mutating func known(
        _ count: Int,
        _ symbols: UnsafeMutableBufferPointer<SymbolModels.Symbol>,
        _ places: UnsafeBufferPointer<UInt32>,
        _ escapeStart: UInt32,
        _ output: inout OutputSpan<UInt8>
    ) {
        unsafe output.withUnsafeMutableBufferPointer { buffer, initialized in
            let bytes = unsafe UnsafeMutableBufferPointer(rebasing: buffer[initialized..<count])
            initialized += unsafe known(symbols, places, escapeStart, bytes)
        }
    }

    /// As above, with room for all that are left.
    ///
    /// - Returns: how many bytes were read.
    private mutating func known(
        _ symbols: UnsafeMutableBufferPointer<SymbolModels.Symbol>,
        _ places: UnsafeBufferPointer<UInt32>,
        _ escapeStart: UInt32,
        _ output: UnsafeMutableBufferPointer<UInt8>
    ) -> Int {
        unsafe message.withUnsafeBytes { message in
            var state = state
            var next = next
            var position = position
            // A byte takes no more than a word.
            let sure = min(output.count, (message.count - position) / 2) & ~1
            var count = 0
            while count < sure {
                let (place, nextPlace) = (Self.place(state), Self.place(next))
                guard max(place, nextPlace) < escapeStart else { break }
                // In bounds: a place is less than 4,096, a byte less than 257, and `sure` words are left.
                let (entry, nextEntry) = unsafe (places[Int(place)], places[Int(nextPlace)])
                state = Self.without(entry, state)
                next = Self.without(nextEntry, next)
                unsafe Self.refill(&state, message, &position)
                unsafe Self.refill(&next, message, &position)
                let (byte, nextByte) = (
                    UInt8(truncatingIfNeeded: entry), UInt8(truncatingIfNeeded: nextEntry)
                )
                unsafe symbols[Int(byte)].count &+= 1
                unsafe symbols[Int(nextByte)].count &+= 1
                unsafe output[count] = byte
                unsafe output[count &+ 1] = nextByte
                count &+= 2
            }
            self.state = state
            self.next = next
            self.position = position
            return count
        }
    }

    /// Where among the 4,096 a state's symbol stands.
    @inline(__always)
    private static func place(_ state: UInt32) -> UInt32 { state & UInt32(SymbolModels.scale - 1) }

    /// A state without its symbol.
    @inline(__always)
    private static func without(_ entry: UInt32, _ state: UInt32) -> UInt32 {
        (entry >> 20) &* (state >> SymbolModels.scaleBits) &+ (entry >> 8 & 0xFFF)
    }

    /// Takes the next word where it is due, of which one is left; without a branch, which nothing could foretell.
    @inline(__always)
    private static func refill(
        _ state: inout UInt32,
        _ message: UnsafeRawBufferPointer,
        _ position: inout Int
    ) {
        let word = unsafe UInt16(
            littleEndian: message.loadUnaligned(fromByteOffset: position, as: UInt16.self)
        )
        let isDue = state < EntropyPacker.stateMin
        let filled = state << 16 | UInt32(word)
        state = isDue ? filled : state
        position &+= isDue ? 2 : 0
    }

    /// Reads one byte, known or new.
    private mutating func one(
        _ symbols: UnsafeMutableBufferPointer<SymbolModels.Symbol>,
        _ places: UnsafeBufferPointer<UInt32>,
        _ escapeStart: UInt32,
        _ escapes: inout Int
    ) -> UInt8 {
        let place = Self.place(state)
        let byte: UInt8
        // In bounds: a place is less than 4,096, a byte less than 257.
        if place < escapeStart {
            let entry = unsafe places[Int(place)]
            byte = UInt8(truncatingIfNeeded: entry)
            state = Self.without(entry, state)
            refill()
            swap(&state, &next)
        } else {
            let size = UInt32(SymbolModels.scale) - escapeStart
            state = size &* (state >> SymbolModels.scaleBits) &+ (place - escapeStart)
            refill()
            swap(&state, &next)
            byte = UInt8(truncatingIfNeeded: bits(8))
            unsafe symbols[SymbolModels.escape].count &+= 1
            escapes += 1
        }
        unsafe symbols[Int(byte)].count &+= 1
        return byte
    }
}
