/// SplitMix64: small, fast, and the same on every machine, so that a seed names a feed for ever.
public struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// Starts at a seed.
    public init(seed: UInt64) { state = seed }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    /// A whole number below `bound`.
    public mutating func below(_ bound: Int) -> Int { Int(next() >> 33) % max(bound, 1) }

    /// A whole number of the range.
    public mutating func within(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + below(range.upperBound - range.lowerBound + 1)
    }

    /// Whether something happens that does so `perMille` times in a thousand.
    public mutating func chance(perMille: Int) -> Bool { below(1000) < perMille }

    /// One of the elements.
    public mutating func one<Element>(of elements: [Element]) -> Element { elements[below(elements.count)] }
}
