/// Eight bytes looked at in one go.
enum ByteWord {
    static let highBits: UInt64 = 0x8080_8080_8080_8080

    /// The eight bytes from `position`, the first one lowest.
    @inline(__always)
    static func load(_ bytes: Span<UInt8>, at position: Int) -> UInt64 {
        let word = unsafe bytes.bytes.unsafeLoadUnaligned(fromByteOffset: position, as: UInt64.self)
        return UInt64(littleEndian: word)
    }

    /// A word of one byte repeated.
    @inline(__always)
    static func all(_ byte: UInt8) -> UInt64 { UInt64(byte) &* 0x0101_0101_0101_0101 }

    /// Marks the high bit of bytes that are zero; the lowest mark is always right.
    @inline(__always)
    static func zeroes(_ word: UInt64) -> UInt64 { (word &- all(1)) & ~word & highBits }
}
