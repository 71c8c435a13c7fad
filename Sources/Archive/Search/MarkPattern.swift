public import ANPRModel

/// A mark to search for, exact or with `?` for one character and `*` for any number.
public struct MarkPattern: Sendable, Equatable {
    private enum Part: Equatable, Sendable {
        case character(UInt8)
        case any
        case anyNumber
    }

    private let parts: [Part]
    /// The least and the greatest packed mark that can match.
    public let range: ClosedRange<UInt64>
    /// The mark, when there is nothing to guess.
    public let exact: VRM?

    /// Reads a pattern; separators and lower case are normalised as in reads.
    ///
    /// - Returns: `nil` for an empty pattern, one of other characters, or one that no mark can match.
    public init?(_ text: String) {
        var parts: [Part] = []
        for character in text {
            switch character {
            case "?": parts.append(.any)
            case "*": if parts.last != .anyNumber { parts.append(.anyNumber) }
            case " ", "-", ".", "·", "•": continue
            default:
                guard let vrm = VRM(normalising: String(character)) else { return nil }
                parts.append(.character(vrm.utf8[0]))
            }
        }
        let fixed = parts.count { $0 != .anyNumber }
        guard !parts.isEmpty, fixed <= VRM.lengthMax else { return nil }
        self.parts = parts
        var prefix = ""
        for case .character(let byte) in parts.prefix(while: {
            if case .character = $0 { true } else { false }
        }) {
            prefix.unicodeScalars.append(Unicode.Scalar(byte))
        }
        exact = prefix.utf8.count == parts.count ? VRM(prefix) : nil
        let last = prefix + String(repeating: "Z", count: VRM.lengthMax - prefix.utf8.count)
        let least = VRM(prefix)?.packed ?? 0
        range = least...(exact?.packed ?? VRM(last)?.packed ?? .max)
    }

    /// Whether a mark matches.
    public func matches(_ vrm: VRM) -> Bool {
        if let exact { return vrm == exact }
        guard range.contains(vrm.packed) else { return false }
        return Self.matches(vrm.utf8[...], parts[...])
    }

    private static func matches(_ text: ArraySlice<UInt8>, _ parts: ArraySlice<Part>) -> Bool {
        guard let part = parts.first else { return text.isEmpty }
        switch part {
        case .character(let byte):
            return text.first == byte && matches(text.dropFirst(), parts.dropFirst())
        case .any:
            return !text.isEmpty && matches(text.dropFirst(), parts.dropFirst())
        case .anyNumber:
            for skipped in 0...text.count where matches(text.dropFirst(skipped), parts.dropFirst()) {
                return true
            }
            return false
        }
    }
}
