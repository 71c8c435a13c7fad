import ANPRModel
package import FeedDecoding

/// A 64-bit fingerprint of a stream of bytes: tells whether a file begins with bytes that were taken before.
///
/// Multiplies eight bytes at a time into 128 bits and folds, in four chains side by side; independent of how the stream
/// is cut. Together with the length it mistakes one content for another once in 2^64.
package struct ContentFingerprint {
    private var chains: (UInt64, UInt64, UInt64, UInt64) = (
        0x9E37_79B9_7F4A_7C15, 0xBF58_476D_1CE4_E5B9, 0x94D0_49BB_1331_11EB, 0xD6E8_FEB8_6659_FD93
    )
    /// What has come of the 32 bytes that come next.
    private var block: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    /// How many bytes were taken.
    package private(set) var length: UInt64 = 0

    /// Starts with nothing.
    package init() {}

    /// The fingerprint of all bytes taken.
    package var value: UInt64 {
        var last = self
        last.mixBlock()
        let left = Self.fold(last.chains.0 ^ length, last.chains.1 ^ 0xD1B5_4A32_D192_ED03)
        let right = Self.fold(last.chains.2 ^ 0xA076_1D64_78BD_642F, last.chains.3 ^ left)
        return Self.fold(left ^ 0x9E37_79B9_7F4A_7C15, right ^ 0xE703_7ED1_A0B4_28DB)
    }

    /// Takes the last `count` bytes of a buffer.
    package mutating func take(_ buffer: FeedBuffer, last count: Int) {
        buffer.withLast(count) { bytes in
            var index = 0
            while index < count, length & 31 != 0 {
                takeByte(bytes[index])
                index += 1
            }
            while index + 32 <= count {
                block.0 = ByteWord.load(bytes, at: index)
                block.1 = ByteWord.load(bytes, at: index + 8)
                block.2 = ByteWord.load(bytes, at: index + 16)
                block.3 = ByteWord.load(bytes, at: index + 24)
                mixBlock()
                length += 32
                index += 32
            }
            while index < count {
                takeByte(bytes[index])
                index += 1
            }
        }
    }

    private mutating func takeByte(_ byte: UInt8) {
        let shifted = UInt64(byte) << (8 * (length & 7))
        switch length >> 3 & 3 {
        case 0: block.0 |= shifted
        case 1: block.1 |= shifted
        case 2: block.2 |= shifted
        default: block.3 |= shifted
        }
        length += 1
        if length & 31 == 0 { mixBlock() }
    }

    @inline(__always)
    private mutating func mixBlock() {
        chains.0 = Self.fold(chains.0 ^ block.0, 0xA076_1D64_78BD_642F)
        chains.1 = Self.fold(chains.1 ^ block.1, 0xE703_7ED1_A0B4_28DB)
        chains.2 = Self.fold(chains.2 ^ block.2, 0x8EBC_6AF0_9C88_C6E3)
        chains.3 = Self.fold(chains.3 ^ block.3, 0x5899_65CC_7537_4CC3)
        block = (0, 0, 0, 0)
    }

    @inline(__always)
    private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}
