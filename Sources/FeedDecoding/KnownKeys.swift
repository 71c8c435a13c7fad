import ANPRModel

/// Finds the slot of a JSON key or CSV column.
///
/// A value kept by the decoder rather than static tables, so that the hot path needs no check whether they were made.
struct KnownKeys: Sendable {
    private struct Pattern {
        /// The first eight bytes of `name"`, as far as it goes, and which bits of them count.
        var head: UInt64 = 0
        var headMask: UInt64 = 0
        /// The eight bytes after those.
        var tail: UInt64 = 0
        var tailMask: UInt64 = 0
        /// The length of the name, or 0 for no field.
        var length = 0
    }

    /// By field; one more for no field.
    private var patterns = [Pattern](repeating: Pattern(), count: ReadField.count + 1)

    init() {
        for field in ReadField.allCases {
            var pattern = Pattern()
            for (place, byte) in Array("\(field.name)\"".utf8).enumerated() {
                let shift = UInt64(8 * (place & 7))
                if place < 8 {
                    pattern.head |= UInt64(byte) << shift
                    pattern.headMask |= 0xFF << shift
                } else {
                    pattern.tail |= UInt64(byte) << shift
                    pattern.tailMask |= 0xFF << shift
                }
            }
            pattern.length = field.name.utf8.count
            patterns[field.rawValue] = pattern
        }
    }

    /// The slot of a name that a quote ends, or `ReadField.count`.
    ///
    /// - Parameter bytes: 16 bytes from `position` must be there.
    @inline(__always)
    func find(_ bytes: Span<UInt8>, at position: Int) -> Int {
        for field in 0..<ReadField.count where isName(bytes, at: position, field) { return field }
        return ReadField.count
    }

    /// The slot of a name, or `ReadField.count`.
    static func find(_ name: [UInt8]) -> Int {
        ReadField.allCases.first { Array($0.name.utf8) == name }?.rawValue ?? ReadField.count
    }

    @inline(__always)
    private func isName(_ bytes: Span<UInt8>, at position: Int, _ field: Int) -> Bool {
        let pattern = patterns[field]
        guard pattern.length > 0, ByteWord.load(bytes, at: position) & pattern.headMask == pattern.head else {
            return false
        }
        return pattern.length < 8 || ByteWord.load(bytes, at: position + 8) & pattern.tailMask == pattern.tail
    }
}
