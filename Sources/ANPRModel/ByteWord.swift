/// Eight bytes looked at in one go.
public enum ByteWord {
    /// The highest bit of every byte.
    @inlinable
    public static var highBits: UInt64 { 0x8080_8080_8080_8080 }

    /// The eight bytes from `position`, the first one lowest.
    ///
    /// - Parameter position: so that all eight are there; not checked.
    @inlinable
    @inline(__always)
    public static func load(_ bytes: Span<UInt8>, at position: Int) -> UInt64 {
        let word = unsafe bytes.bytes.unsafeLoadUnaligned(fromByteOffset: position, as: UInt64.self)
        return UInt64(littleEndian: word)
    }

    /// The first `count` bytes from `position`, zeroes behind them.
    ///
    /// - Parameter count: 0-8; the bytes behind those may end anywhere.
    @inlinable
    @inline(__always)
    public static func load(_ bytes: Span<UInt8>, at position: Int, count: Int) -> UInt64 {
        if position + 8 <= bytes.count {
            return count >= 8 ? load(bytes, at: position) : load(bytes, at: position) & first(count)
        }
        var word: UInt64 = 0
        for place in 0..<count { word |= UInt64(bytes[position + place]) << UInt64(8 * place) }
        return word
    }

    /// A mask of the first bytes of a word.
    ///
    /// - Parameter count: 0-7.
    @inlinable
    @inline(__always)
    public static func first(_ count: Int) -> UInt64 { 1 &<< UInt64(8 * count) &- 1 }

    /// A word of one byte repeated.
    @inlinable
    @inline(__always)
    public static func all(_ byte: UInt8) -> UInt64 { UInt64(byte) &* 0x0101_0101_0101_0101 }

    /// Marks the high bit of bytes that are zero; the lowest mark is always right.
    @inlinable
    @inline(__always)
    public static func zeroes(_ word: UInt64) -> UInt64 { (word &- all(1)) & ~word & highBits }

    /// Marks the high bit of every byte that is at least a value.
    ///
    /// - Parameters:
    ///   - word: of ASCII bytes.
    ///   - value: 1-127.
    @inlinable
    @inline(__always)
    public static func atLeast(_ word: UInt64, _ value: UInt8) -> UInt64 {
        (word &+ all(0x80 - value)) & highBits
    }

    /// Marks the high bit of every byte that is no decimal digit; the lowest mark is always right.
    @inlinable
    @inline(__always)
    public static func nonDigits(_ word: UInt64) -> UInt64 {
        let ascii = word & ~highBits
        return (word | ~atLeast(ascii, 0x30) | atLeast(ascii, 0x3A)) & highBits
    }
}
