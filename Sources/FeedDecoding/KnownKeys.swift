/// Finds the slot of a JSON key.
enum KnownKeys {
    /// Tries a guess: the whole of `"name":` at the position.
    ///
    /// - Returns: where the colon ends, or `nil` when something else stands there.
    @inline(__always)
    static func match(_ bytes: Span<UInt8>, at position: Int, _ field: Int) -> Int? {
        let length = lengths[field]
        guard position + length <= bytes.count else { return nil }
        let base = field * stride
        for offset in 0..<length where bytes[position + offset] != patterns[base + offset] { return nil }
        return position + length
    }

    /// The slot of a name, or `ReadField.count`.
    static func find(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
        for field in 0..<ReadField.count where lengths[field] == range.count + 3 {
            let base = field * stride + 1
            var same = true
            for offset in 0..<range.count where bytes[range.lowerBound + offset] != patterns[base + offset] {
                same = false
                break
            }
            if same { return field }
        }
        return ReadField.count
    }

    private static let stride = 16

    /// `"name":` of each field, padded to `stride`.
    private static let patterns: [UInt8] = ReadField.allCases.flatMap { field in
        let text = Array("\"\(field.name)\":".utf8)
        return text + [UInt8](repeating: 0, count: stride - text.count)
    }

    private static let lengths: [Int] = ReadField.allCases.map { $0.name.utf8.count + 3 }
}
