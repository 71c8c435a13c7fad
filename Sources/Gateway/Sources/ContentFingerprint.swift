package import FeedDecoding

/// A 64-bit fingerprint of a stream of bytes: tells whether a file begins with bytes that were taken before.
///
/// Multiplies eight bytes at a time into 128 bits and folds; independent of how the stream is cut. Together with the
/// length it mistakes one content for another once in 2^64.
package struct ContentFingerprint {
    private var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    private var word: UInt64 = 0
    /// How many bytes were taken.
    package private(set) var length: UInt64 = 0

    /// Starts with nothing.
    package init() {}

    /// The fingerprint of all bytes taken.
    package var value: UInt64 { Self.fold(state ^ length, word ^ 0xD1B5_4A32_D192_ED03) }

    /// Takes the last `count` bytes of a buffer.
    package mutating func take(_ buffer: FeedBuffer, last count: Int) {
        buffer.withLast(count) { bytes in
            var index = 0
            while index < count, length & 7 != 0 {
                takeByte(bytes[index])
                index += 1
            }
            while index + 8 <= count {
                let next = unsafe bytes.bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
                state = Self.fold(state ^ UInt64(littleEndian: next), 0xA076_1D64_78BD_642F)
                length += 8
                index += 8
            }
            while index < count {
                takeByte(bytes[index])
                index += 1
            }
        }
    }

    private mutating func takeByte(_ byte: UInt8) {
        word |= UInt64(byte) << (8 * (length & 7))
        length += 1
        if length & 7 == 0 {
            state = Self.fold(state ^ word, 0xA076_1D64_78BD_642F)
            word = 0
        }
    }

    @inline(__always)
    private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}
