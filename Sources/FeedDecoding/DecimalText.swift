/// Plain decimal numbers in bytes: `-?digits(.digits)?([eE][+-]?digits)?`, as JSON writes them, leading zeros allowed.
enum DecimalText {
    /// The number as a double, or `nil` when the bytes are no such number.
    ///
    /// Up to 15 significant digits without exponent are exact in integers; the rest goes through the standard library.
    static func number(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Double? {
        if range.count == 2, let tens = digit(bytes[range.lowerBound]),
            let ones = digit(bytes[range.lowerBound + 1])
        {
            return Double(tens * 10 + ones)
        }
        var position = range.lowerBound
        let negative = position < range.upperBound && bytes[position] == UInt8(ascii: "-")
        if negative { position += 1 }
        var digits = 0
        var decimals = 0
        var mantissa: UInt64 = 0
        guard digit(bytes, position, range) else { return nil }
        while digit(bytes, position, range) {
            mantissa = mantissa &* 10 &+ UInt64(bytes[position] - 48)
            digits += 1
            position += 1
        }
        if position < range.upperBound, bytes[position] == UInt8(ascii: ".") {
            position += 1
            guard digit(bytes, position, range) else { return nil }
            while digit(bytes, position, range) {
                mantissa = mantissa &* 10 &+ UInt64(bytes[position] - 48)
                digits += 1
                decimals += 1
                position += 1
            }
        }
        if position == range.upperBound, digits <= 15 {
            // Both are exact, and so the quotient is the double nearest to the decimal.
            let magnitude = Double(mantissa) / power(decimals)
            return negative ? -magnitude : magnitude
        }
        guard exponentEnds(bytes, position, range) else { return nil }
        let text = range.map { bytes[$0] }
        return Double(String(decoding: text, as: UTF8.self))
    }

    private static func exponentEnds(_ bytes: Span<UInt8>, _ start: Int, _ range: Range<Int>) -> Bool {
        var position = start
        guard position < range.upperBound else { return true }
        guard bytes[position] | 0x20 == UInt8(ascii: "e") else { return false }
        position += 1
        if position < range.upperBound,
            bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-")
        {
            position += 1
        }
        guard digit(bytes, position, range) else { return false }
        while digit(bytes, position, range) { position += 1 }
        return position == range.upperBound
    }

    @inline(__always)
    private static func digit(_ byte: UInt8) -> Int? {
        let value = byte &- 48
        return value < 10 ? Int(value) : nil
    }

    @inline(__always)
    private static func digit(_ bytes: Span<UInt8>, _ position: Int, _ range: Range<Int>) -> Bool {
        position < range.upperBound && bytes[position] &- 48 < 10
    }

    /// 10 to a power of 0 to 15, exact.
    @inline(__always)
    private static func power(_ exponent: Int) -> Double {
        switch exponent {
        case 0: return 1
        case 5: return 100_000
        default:
            var power = 1.0
            for _ in 0..<exponent { power *= 10 }
            return power
        }
    }
}
