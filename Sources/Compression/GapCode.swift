/// Writes ascending numbers as the gaps between them, by Rice's code: as many bits as suit most gaps, and before them one bit for
/// each time that a gap is larger than those can say.
///
/// Numbers that lie as if they had been drawn, as marks do, take some hundredths of a bit more than the best possible, and a few
/// nanoseconds to read. A byte says the number of bits. Then, from the lowest bit of each byte on, each gap less one: as many zeros
/// as it is divided by two to the power of that number, a one, and the rest. If that would be 24 zeros or more, 24 zeros and a one
/// stand before 64 bits.
public enum GapCode {
    private static let longest: UInt64 = 24
    private static let bitsMax: UInt64 = 32

    /// Writes the gaps between numbers behind bytes, the last byte filled up.
    ///
    /// - Parameter numbers: ascending, each once.
    public static func write(_ numbers: [UInt64], behind bytes: consuming [UInt8]) -> [UInt8] {
        let gaps = zip(numbers, numbers.dropFirst()).map { $1 - $0 - 1 }
        let bits = best(gaps)
        bytes.append(UInt8(bits))
        var writer = BitWriter(behind: bytes, room: Int(length(gaps, bits) / 8) + 1)
        for gap in gaps {
            let quotient = gap >> bits
            if quotient < longest {
                writer.put(1 << UInt32(quotient), Int(quotient) + 1)
                writer.put(UInt32(gap & (1 << bits - 1)), Int(bits))
            } else {
                writer.put(1 << UInt32(longest), Int(longest) + 1)
                writer.put(UInt32(truncatingIfNeeded: gap), 32)
                writer.put(UInt32(gap >> 32), 32)
            }
        }
        return writer.finish()
    }

    /// The number of bits with which gaps are shortest.
    private static func best(_ gaps: [UInt64]) -> UInt64 {
        guard !gaps.isEmpty else { return 0 }
        let mean = UInt64(min(gaps.reduce(0) { $0 + Double($1) } / Double(gaps.count), 4e9))
        let guess = UInt64(UInt64.bitWidth - mean.leadingZeroBitCount)
        // A few large gaps can make the mean far larger than most are.
        let candidates = (guess > 12 ? guess - 12 : 0)...min(guess + 1, bitsMax)
        return candidates.min { length(gaps, $0) < length(gaps, $1) } ?? 0
    }

    /// How many bits gaps take.
    private static func length(_ gaps: [UInt64], _ bits: UInt64) -> UInt64 {
        gaps.reduce(0) { $0 + ($1 >> bits < longest ? $1 >> bits + 1 + bits : longest + 65) }
    }

    /// Reads numbers.
    ///
    /// - Parameters:
    ///   - count: how many there are, `first` included; at least 1.
    ///   - first: the first one, which is not told.
    ///   - bytes: what they stand in, from `start` on.
    /// - Returns: the numbers, and where they end; `nil` if they break off or lead too far.
    /// - Complexity: O(count), some 3 ns each.
    public static func read(_ count: Int, first: UInt64, _ bytes: [UInt8], at start: Int)
        -> (numbers: [UInt64], end: Int)?
    {
        guard start < bytes.count, UInt64(bytes[start]) <= bitsMax else { return nil }
        // Each gap takes a bit or more.
        guard count >= 1, count - 1 <= 8 * (bytes.count - start) else { return nil }
        let bits = UInt64(bytes[start])
        var position = (start + 1) * 8
        var isGood = true
        let numbers = [UInt64](capacity: count) { numbers in
            numbers.append(first)
            isGood = unsafe bytes.withUnsafeBytes { bytes in
                unsafe read(count - 1, bits, bytes, &position, &numbers)
            }
        }
        return isGood ? (numbers, (position + 7) / 8) : nil
    }

    private static func read(
        _ count: Int,
        _ bits: UInt64,
        _ bytes: UnsafeRawBufferPointer,
        _ position: inout Int,
        _ numbers: inout OutputSpan<UInt64>
    ) -> Bool {
        let end = bytes.count * 8
        var number = numbers[0]
        for _ in 0..<count {
            let window = unsafe window(bytes, position)
            let quotient = UInt64(window.trailingZeroBitCount)
            guard quotient <= longest else { return false }
            var gap: UInt64
            if quotient < longest {
                // 24 bits and 32 are no more than a window has.
                gap = quotient << bits | window >> (quotient + 1) & (1 << bits - 1)
                position += Int(quotient + 1 + bits)
            } else {
                position += Int(longest) + 1
                gap = unsafe self.window(bytes, position) & 0xFFFF_FFFF
                gap |= unsafe self.window(bytes, position + 32) << 32
                position += 64
            }
            let (sum, overflow) = number.addingReportingOverflow(gap)
            guard !overflow, sum < .max, position <= end else { return false }
            number = sum + 1
            numbers.append(number)
        }
        return true
    }

    /// At least 57 bits from a place on; behind the end there are zeros.
    @inline(__always)
    private static func window(_ bytes: UnsafeRawBufferPointer, _ position: Int) -> UInt64 {
        let byte = position >> 3
        let shift = UInt64(position & 7)
        // In bounds: eight bytes are read only where eight are left.
        if byte + 8 <= bytes.count {
            let word = unsafe bytes.loadUnaligned(fromByteOffset: byte, as: UInt64.self)
            return UInt64(littleEndian: word) >> shift
        }
        var word: UInt64 = 0
        var place = bytes.count
        while place > byte {
            place -= 1
            word = word << 8 | UInt64(unsafe bytes[place])
        }
        return word >> shift
    }
}
