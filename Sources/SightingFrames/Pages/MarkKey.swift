public import ANPRModel

/// Where a mark stands in the order of an archive: marks of the current shape first, close together, then all others.
///
/// Marks of the current shape are numbered in the order of their text, the others by length and then in that order, both without
/// gaps, so that few bits lead from one to the next that occurs.
public struct MarkKey: Hashable, Comparable, Sendable {
    /// The mark's number: below `others` if it is of the current shape.
    public let value: UInt64

    /// Where the marks of other shapes begin.
    static let others: UInt64 = 1 << 62
    /// The least key of a mark of another shape.
    public static let firstOther = MarkKey(value: others)
    /// By length, where the texts of that length begin among those.
    private static let starts: [UInt64] = (0...VRM.lengthMax).map { length in
        (1..<max(1, length)).reduce(0) { sum, shorter in sum + power(36, shorter) }
    }
    /// How many marks of the current shape there could be.
    static let currentCount: UInt64 = 26 * 26 * 100 * 26 * 26 * 26

    /// A key by its value, of a mark or not.
    public init(value: UInt64) { self.value = value }

    /// Of a mark.
    @inline(__always)
    public init(_ vrm: VRM) {
        guard let parts = CurrentShape.split(vrm) else {
            value = Self.others + Self.number(vrm)
            return
        }
        let letters = (UInt64(parts.letter1) - 1) * 26 + UInt64(parts.letter2) - 1
        let front = (letters * 100 + UInt64(parts.age)) * 26 + UInt64(parts.letter3) - 1
        value = (front * 26 + UInt64(parts.letter4) - 1) * 26 + UInt64(parts.letter5) - 1
    }

    /// The mark; `nil` if there is none.
    @inline(__always)
    public var vrm: VRM? {
        guard value < Self.others else {
            return Self.other(value - Self.others)
        }
        guard value < Self.currentCount else { return nil }
        var rest = value
        let letter5 = UInt8(rest % 26) + 1
        rest /= 26
        let letter4 = UInt8(rest % 26) + 1
        rest /= 26
        let letter3 = UInt8(rest % 26) + 1
        rest /= 26
        let age = UInt8(rest % 100)
        rest /= 100
        return CurrentShape.join(
            CurrentShape.Parts(
                letter1: UInt8(rest / 26) + 1,
                letter2: UInt8(rest % 26) + 1,
                age: age,
                letter3: letter3,
                letter4: letter4,
                letter5: letter5
            )
        )
    }

    private static func power(_ base: UInt64, _ exponent: Int) -> UInt64 {
        (0..<exponent).reduce(1) { product, _ in product * base }
    }

    /// The number of a mark among all texts of up to twelve characters.
    private static func number(_ vrm: VRM) -> UInt64 {
        var rest = vrm.packed
        var length = VRM.lengthMax
        while length > 1, rest % 37 == 0 {
            rest /= 37
            length -= 1
        }
        var number: UInt64 = 0
        var weight: UInt64 = 1
        for _ in 0..<length {
            // 1 to 36 stand for the characters.
            number &+= (rest % 37 &- 1) &* weight
            weight &*= 36
            rest /= 37
        }
        return starts[length] + number
    }

    /// The mark of such a number, unless it is of the current shape or there is none.
    private static func other(_ number: UInt64) -> VRM? {
        guard let length = (1...VRM.lengthMax).last(where: { starts[$0] <= number }) else { return nil }
        var rest = number - starts[length]
        var packed: UInt64 = 0
        var weight = power(37, VRM.lengthMax - length)
        for _ in 0..<length {
            packed += (rest % 36 + 1) * weight
            weight &*= 37
            rest /= 36
        }
        guard rest == 0, let vrm = VRM(packed: packed), CurrentShape.split(vrm) == nil else { return nil }
        return vrm
    }

    /// Where the marks of other shapes of some length stand.
    ///
    /// - Parameter length: 1 to 12.
    public static func others(length: Int) -> ClosedRange<MarkKey> {
        let end = length < VRM.lengthMax ? starts[length + 1] : starts[length] + power(36, length)
        return MarkKey(value: others + starts[length])...MarkKey(value: others + end - 1)
    }

    /// Whether one stands before another.
    @inline(__always)
    public static func < (left: Self, right: Self) -> Bool { left.value < right.value }
}
