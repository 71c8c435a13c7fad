import Compression

/// How a number of which only the size can be foreseen is told: a byte for its size, then bits that are as good as random.
struct Magnitude {
    /// Up to 15 the number itself; from 16 on its length in bits and the three bits behind the first.
    let code: UInt8
    /// The bits behind those.
    let bits: UInt32
    /// How many of them there are, at most 27.
    let count: Int

    /// Of a number of 1 to 2^31 - 1.
    init(_ number: Int) {
        let length = Int.bitWidth - number.leadingZeroBitCount
        guard length > 4 else {
            (code, bits, count) = (UInt8(number), 0, 0)
            return
        }
        count = length - 4
        code = UInt8(16 + (length - 5) * 8 + (number >> count) & 7)
        bits = UInt32(number & (1 << count - 1))
    }

    /// How many bits stand behind a code; `nil` of none that is ever written.
    static func bitCount(_ code: UInt8) -> Int? {
        if code < 16 { return code > 0 ? 0 : nil }
        let count = Int(code - 16) / 8 + 1
        return count <= 27 ? count : nil
    }

    /// The number.
    static func number(_ code: UInt8, _ bits: UInt32) -> UInt32 {
        if code < 16 { return UInt32(code) }
        let count = UInt32(code - 16) / 8 + 1
        return (8 + UInt32(code - 16) % 8) << count + bits
    }

    /// Reads so many: all codes first, then the bits of each.
    ///
    /// - Parameters:
    ///   - codes: room for the codes; what was in it is gone.
    ///   - numbers: what was in it is gone.
    static func read(
        _ count: Int,
        kind: Int,
        from unpacker: inout EntropyUnpacker,
        _ codes: inout [UInt8],
        into numbers: inout [UInt32]
    ) throws(FrameFault) {
        numbers.removeAll(keepingCapacity: true)
        guard count > 0 else { return }
        codes.removeAll(keepingCapacity: true)
        unpacker.bytes(count, kind: kind, into: &codes)
        for code in codes {
            guard let count = bitCount(code) else { throw .numberTooLarge }
            numbers.append(number(code, unpacker.bits(count)))
        }
    }

    /// Writes some, as they are read.
    static func put(_ magnitudes: [Magnitude], kind: Int, to packer: inout EntropyPacker) {
        packer.put(magnitudes.map(\.code), kind: kind)
        for magnitude in magnitudes { packer.put(bits: magnitude.bits, count: magnitude.count) }
    }
}
