/// A message being read, and the two states that its words are taken into.
struct EntropySource: Sendable {
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
    mutating func refill() {
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
    static func place(_ state: UInt32) -> UInt32 { state & UInt32(SymbolModels.scale - 1) }

    /// A state without its symbol.
    @inline(__always)
    private static func without(_ entry: UInt32, _ state: UInt32) -> UInt32 {
        (entry >> 20) &* (state >> SymbolModels.scaleBits) &+ (entry >> 8 & 0xFFF)
    }

    /// Takes the next word where it is due, of which one is left; without a branch, which nothing could foretell.
    @inline(__always)
    static func refill(
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
