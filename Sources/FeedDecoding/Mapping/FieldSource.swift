/// What a canonical field is made of.
public struct FieldSource: Sendable, Equatable {
    /// Where its text is from.
    public enum Origin: Sendable, Equatable {
        /// The first of these paths that leads to a word.
        case first([DocumentPath])
        /// The words at all these paths with the separator between them; missing ones behind the first are left out.
        case joined([DocumentPath], separator: String)
        /// Always this text.
        case constant(String)
    }

    /// What is done to the text.
    public enum Transform: Sendable, Equatable {
        /// Nothing.
        case asIs
        /// A number is multiplied.
        case scaled(Double)
        /// A score of up to 100 is percent, of up to 1000 per mille.
        case percentOrPerMille
        /// Degrees clockwise from north become one of eight winds.
        case degrees
        /// Words in any case become others; an empty one means that the field is absent.
        case words([String: String])
        /// A time becomes RFC 3339.
        case time(TimeFormat)
    }

    /// Where its text is from.
    public var origin: Origin
    /// What is done to the text.
    public var transform: Transform
    /// Only if this holds.
    public var condition: MappingPredicate?

    /// A source.
    public init(_ origin: Origin, _ transform: Transform = .asIs, if condition: MappingPredicate? = nil) {
        self.origin = origin
        self.transform = transform
        self.condition = condition
    }

    static func path(_ path: DocumentPath, _ transform: Transform = .asIs) -> FieldSource {
        FieldSource(.first([path]), transform)
    }

    static func paths(_ paths: DocumentPath..., transform: Transform = .asIs) -> FieldSource {
        FieldSource(.first(paths), transform)
    }

    static func joined(_ paths: DocumentPath..., separator: String, _ transform: Transform = .asIs)
        -> FieldSource
    {
        FieldSource(.joined(paths, separator: separator), transform)
    }

    /// The field's text, if this source has one.
    func text(in record: DocumentNode, of document: DocumentNode, _ rules: MappingRules) -> String? {
        if let condition, !condition.holds(in: record, of: document) { return nil }
        guard let found = origin.text(in: record, of: document) else { return nil }
        let text = transform.applied(to: found, rules)
        return text.isEmpty ? nil : text
    }
}

/// What the feed says where a mapping leaves it open.
struct MappingRules: Sendable {
    var dateOrder: DateOrder?
    var epochIsLocal = false
}

extension FieldSource.Origin {
    func text(in record: DocumentNode, of document: DocumentNode) -> String? {
        func word(_ path: DocumentPath) -> String? {
            path.values(in: record, of: document).lazy.compactMap(\.word).first { !$0.isEmpty }
        }
        switch self {
        case .constant(let text): return text
        case .first(let paths): return paths.lazy.compactMap(word).first
        case .joined(let paths, let separator):
            guard let path = paths.first, let first = word(path) else { return nil }
            return ([first] + paths.dropFirst().compactMap(word)).joined(separator: separator)
        }
    }
}

extension FieldSource.Transform {
    /// The text transformed; one that can't be is left as it is, for the rules of the read to refuse or drop.
    func applied(to text: String, _ rules: MappingRules) -> String {
        switch self {
        case .asIs: return text
        case .scaled(let factor): return Self.number(text).map { Self.written($0 * factor) } ?? text
        case .percentOrPerMille:
            guard let score = Self.number(text), score > 100, score < 1000 else { return text }
            return Self.written(score / 10)
        case .degrees: return Self.number(text).flatMap(Self.wind) ?? text
        case .words(let words):
            return words[text] ?? words.first { $0.key.lowercased() == text.lowercased() }?.value ?? text
        case .time(let format): return format.rfc3339(text, rules) ?? text
        }
    }

    private static func number(_ text: String) -> Double? {
        let bytes = Array(text.utf8)
        return bytes.isEmpty ? nil : DecimalText.number(bytes.span, 0..<bytes.count)
    }

    /// To six decimals, which takes back what multiplying in binary did to a decimal.
    private static func written(_ number: Double) -> String { "\((number * 1e6).rounded() / 1e6)" }

    private static func wind(_ degrees: Double) -> String? {
        guard degrees >= -360, degrees <= 720 else { return nil }
        let winds = ["N", "NE", "E", "SE", "S", "SW", "W", "NW"]
        let eighth = Int(((degrees + 360) / 45).rounded(.toNearestOrAwayFromZero))
        return winds[eighth % 8]
    }
}
