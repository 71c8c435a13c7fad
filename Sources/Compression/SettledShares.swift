/// What a codebook says, for reading: shares that never change.
///
/// Small, because what is read with it is: messages of some hundred bytes here and there, for which tables that lie far from the
/// processor cost more than all work. 5 KB a kind, of which little is touched.
///
/// An object, as it is looked at for each column of each page: to copy three arrays that often was nearly a tenth of reading a page.
final class SettledShares: Sendable {
    /// By kind and place among the 4,096 the byte.
    fileprivate let places: [UInt8]
    /// By kind and byte, as `SymbolModels.Symbol.share`.
    fileprivate let shares: [UInt32]
    /// By kind: where the escape's share begins; it is the last.
    fileprivate let escapeStarts: [UInt32]

    /// Of a codebook.
    init(_ codebook: Codebook) {
        shares = codebook.shares
        var places = [UInt8](repeating: 0, count: codebook.kinds * SymbolModels.scale)
        var escapeStarts: [UInt32] = []
        for kind in 0..<codebook.kinds {
            let first = kind * SymbolModels.symbolCount
            for byte in 0..<SymbolModels.escape {
                let share = codebook.shares[first + byte]
                let start = kind * SymbolModels.scale + Int(share >> 13)
                for place in start..<start + Int(share & 0x1FFF) { places[place] = UInt8(byte) }
            }
            let escape = codebook.shares[first + SymbolModels.escape]
            escapeStarts.append(UInt32(SymbolModels.scale) - escape & 0x1FFF)
        }
        self.places = places
        self.escapeStarts = escapeStarts
    }
}

extension EntropySource {
    /// Reads bytes of a kind and appends them.
    mutating func bytes(_ count: Int, _ settled: SettledShares, _ kind: Int, into output: inout [UInt8]) {
        let escapeStart = settled.escapeStarts[kind]
        output.append(addingCapacity: count) { output in
            unsafe settled.places.withUnsafeBufferPointer { places in
                unsafe settled.shares.withUnsafeBufferPointer { shares in
                    // In bounds: each kind has 4,096 places and 257 symbols.
                    let place = kind * SymbolModels.scale
                    let places = unsafe UnsafeBufferPointer(
                        rebasing: places[place..<place + SymbolModels.scale]
                    )
                    let symbol = kind * SymbolModels.symbolCount
                    let shares = unsafe UnsafeBufferPointer(
                        rebasing: shares[symbol..<symbol + SymbolModels.symbolCount]
                    )
                    while output.count < count {
                        unsafe known(count, places, shares, escapeStart, &output)
                        guard output.count < count else { return }
                        unsafe output.append(one(places, shares, escapeStart))
                    }
                }
            }
        }
    }

    /// Reads bytes, two at a time, up to a pair with one that its codebook does not have, or until the message could end within one.
    private mutating func known(
        _ count: Int,
        _ places: UnsafeBufferPointer<UInt8>,
        _ shares: UnsafeBufferPointer<UInt32>,
        _ escapeStart: UInt32,
        _ output: inout OutputSpan<UInt8>
    ) {
        unsafe output.withUnsafeMutableBufferPointer { buffer, initialized in
            let bytes = unsafe UnsafeMutableBufferPointer(rebasing: buffer[initialized..<count])
            initialized += unsafe known(places, shares, escapeStart, bytes)
        }
    }

    /// As above, with room for all that are left.
    ///
    /// - Returns: how many bytes were read.
    private mutating func known(
        _ places: UnsafeBufferPointer<UInt8>,
        _ shares: UnsafeBufferPointer<UInt32>,
        _ escapeStart: UInt32,
        _ output: UnsafeMutableBufferPointer<UInt8>
    ) -> Int {
        unsafe message.withUnsafeBytes { message in
            var (state, next, position) = (state, next, position)
            // A byte takes no more than a word.
            let sure = min(output.count, (message.count - position) / 2) & ~1
            var count = 0
            while count < sure {
                let (place, nextPlace) = (Self.place(state), Self.place(next))
                guard max(place, nextPlace) < escapeStart else { break }
                // In bounds: a place is less than 4,096, a byte less than 257, and words are left for all of `sure`.
                let (byte, nextByte) = unsafe (places[Int(place)], places[Int(nextPlace)])
                let (share, nextShare) = unsafe (shares[Int(byte)], shares[Int(nextByte)])
                state = Self.without(share, place, state)
                next = Self.without(nextShare, nextPlace, next)
                unsafe Self.refill(&state, message, &position)
                unsafe Self.refill(&next, message, &position)
                unsafe output[count] = byte
                unsafe output[count &+ 1] = nextByte
                count &+= 2
            }
            (self.state, self.next, self.position) = (state, next, position)
            return count
        }
    }

    /// A state without its symbol.
    @inline(__always)
    private static func without(_ share: UInt32, _ place: UInt32, _ state: UInt32) -> UInt32 {
        (share & 0x1FFF) &* (state >> SymbolModels.scaleBits) &+ (place &- share >> 13)
    }

    /// Reads one byte, known or not.
    private mutating func one(
        _ places: UnsafeBufferPointer<UInt8>,
        _ shares: UnsafeBufferPointer<UInt32>,
        _ escapeStart: UInt32
    ) -> UInt8 {
        let place = Self.place(state)
        // In bounds: a place is less than 4,096, a byte less than 257.
        let byte = unsafe place < escapeStart ? places[Int(place)] : 0
        let share = unsafe shares[place < escapeStart ? Int(byte) : SymbolModels.escape]
        state = Self.without(share, place, state)
        refill()
        swap(&state, &next)
        guard place >= escapeStart else { return byte }
        let low = bits(8)
        return UInt8(truncatingIfNeeded: low)
    }
}
