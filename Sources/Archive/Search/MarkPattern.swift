public import ANPRModel
import SightingFrames

/// A mark to search for: exact, with `?` for one character and `*` for any number, or with all that are taken for it; or several.
public struct MarkPattern: Sendable, Equatable {
    private enum Part: Equatable, Sendable {
        case character(UInt8)
        case any
        case anyNumber
    }

    private let parts: [Part]
    /// The parts as codes of characters, in which searches compare: 0 for any, 255 for any number.
    private let steps: [UInt8]
    /// What marks of the current shape are held against; `nil` where a `*` makes that no matter of places.
    let shape: CurrentShapePattern?
    /// The marks alike to one, where those are wanted.
    let alike: AlikeMarks?
    /// Several marks as keys, ascending, where those are wanted.
    let list: [UInt64]?
    /// All marks that match as keys, ascending, where few can.
    let guesses: [UInt64]?
    /// The least and the greatest packed mark that can match.
    public let range: ClosedRange<UInt64>
    /// The characters before the first one to guess.
    let prefix: [UInt8]
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
        steps = Self.steps(parts)
        shape = CurrentShapePattern(steps)
        alike = nil
        list = nil
        guesses = Self.guesses(parts)
        var prefix = ""
        for case .character(let byte) in parts.prefix(while: {
            if case .character = $0 { true } else { false }
        }) {
            prefix.unicodeScalars.append(Unicode.Scalar(byte))
        }
        self.prefix = Array(prefix.utf8)
        exact = prefix.utf8.count == parts.count ? VRM(prefix) : nil
        let last = prefix + String(repeating: "Z", count: VRM.lengthMax - prefix.utf8.count)
        let least = VRM(prefix)?.packed ?? 0
        range = least...(exact?.packed ?? VRM(last)?.packed ?? .max)
    }

    /// How many characters the marks that match have; `nil` where they may have any number.
    var length: Int? { parts.isEmpty || parts.contains(.anyNumber) ? nil : parts.count }

    /// A mark, and all that a camera takes for it (`LookAlike`): what is found under those is approximate.
    public init(alike mark: VRM) {
        parts = mark.utf8.map { .character($0) }
        steps = []
        shape = nil
        alike = AlikeMarks(mark)
        list = nil
        guesses = nil
        range = 0 ... .max
        prefix = []
        exact = nil
    }

    /// Any of some marks.
    public init(anyOf marks: some Sequence<VRM>) {
        list = Set(marks.map { MarkKey($0).value }).sorted()
        parts = []
        steps = []
        shape = nil
        alike = nil
        guesses = nil
        range = 0 ... .max
        prefix = []
        exact = nil
    }

    /// Whether a mark that matches is another than the one that is searched for, and only looks like it.
    public func isApproximate(_ vrm: VRM) -> Bool { alike.map { $0.mark != vrm } ?? false }

    /// The pattern as it was understood: upper case, without separators; of several marks their number.
    public var text: String {
        if let list { return "\(list.count) marks" }
        var text = ""
        for part in parts {
            switch part {
            case .character(let byte): text.unicodeScalars.append(Unicode.Scalar(byte))
            case .any: text.append("?")
            case .anyNumber: text.append("*")
            }
        }
        return text
    }

    /// What tells it from every pattern that others match.
    var identity: String {
        if let list { return list.map { String($0, radix: 36) }.joined(separator: " ") }
        return alike == nil ? text : "~" + text
    }

    /// Whether a mark matches.
    public func matches(_ vrm: VRM) -> Bool {
        if let exact { return vrm == exact }
        if let list { return list.place(of: MarkKey(vrm).value) != nil }
        if let alike { return alike.contains(vrm) }
        guard range.contains(vrm.packed) else { return false }
        return matches(vrm.codes)
    }

    /// With no more places to guess than these, all marks that match are looked up one by one.
    private static let guessesMax = 2

    private static func guesses(_ parts: [Part]) -> [UInt64]? {
        guard (1...guessesMax).contains(parts.count { $0 == .any }), !parts.contains(.anyNumber) else {
            return nil
        }
        var texts: [[UInt8]] = [[]]
        for part in parts {
            if case .character(let byte) = part {
                texts = texts.map { $0 + [byte] }
            } else {
                texts = texts.flatMap { text in characters.map { text + [$0] } }
            }
        }
        return texts.compactMap { VRM(String(decoding: $0, as: UTF8.self)) }.map { MarkKey($0).value }
            .sorted()
    }

    private static let characters = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
    private static let anyNumber: UInt8 = 255

    private static func steps(_ parts: [Part]) -> [UInt8] {
        parts.map { part in
            switch part {
            // 1 to 10 are the digits, 11 to 36 the letters.
            case .character(let byte): byte < 65 ? byte - 47 : byte - 54
            case .any: 0
            case .anyNumber: anyNumber
            }
        }
    }

    /// Whether characters match from the first to the last: after each `*`, what follows it is tried further and further on.
    private func matches(_ codes: InlineArray<12, UInt8>) -> Bool {
        var length = 0
        while length < codes.count, codes[length] > 0 { length += 1 }
        var (place, step) = (0, 0)
        var star: (place: Int, step: Int)?
        while place < length {
            if step < steps.count, steps[step] == Self.anyNumber {
                step += 1
                star = (place, step)
            } else if step < steps.count, steps[step] == 0 || steps[step] == codes[place] {
                place += 1
                step += 1
            } else if let before = star {
                place = before.place + 1
                step = before.step
                star = (place, step)
            } else {
                return false
            }
        }
        return steps[step...].allSatisfy { $0 == Self.anyNumber }
    }
}

/// A pattern without `*`, for marks of the current shape as archives number them (`MarkKey`): a few divisions tell most apart.
struct CurrentShapePattern: Sendable, Equatable {
    /// By place from the last: what a letter or digit must be, -1 for any.
    private var letters: (Int, Int, Int) = (-1, -1, -1)
    private var digits: (Int, Int) = (-1, -1)
    private var front: (Int, Int) = (-1, -1)
    /// Whether any mark of the shape can match.
    private var isPossible = false

    /// Of a pattern as codes, 0 for any.
    ///
    /// - Returns: `nil` for one with a `*`.
    init?(_ steps: [UInt8]) {
        guard !steps.contains(255) else { return nil }
        guard steps.count == 7 else { return }
        let values = steps.enumerated().map { place, step in
            Self.value(step, isDigit: place == 2 || place == 3)
        }
        guard !values.contains(where: { $0 == nil }) else { return }
        let known = values.compactMap(\.self)
        front = (known[0], known[1])
        digits = (known[2], known[3])
        letters = (known[4], known[5], known[6])
        isPossible = true
    }

    private static func value(_ step: UInt8, isDigit: Bool) -> Int? {
        if step == 0 { return -1 }
        if isDigit { return step <= 10 ? Int(step) - 1 : nil }
        return step > 10 ? Int(step) - 11 : nil
    }

    /// Whether the mark with a key of the current shape matches.
    func matches(_ key: UInt64) -> Bool {
        guard isPossible else { return false }
        let (rest1, letter5) = key.quotientAndRemainder(dividingBy: 26)
        guard letters.2 < 0 || letters.2 == Int(letter5) else { return false }
        let (rest2, letter4) = rest1.quotientAndRemainder(dividingBy: 26)
        guard letters.1 < 0 || letters.1 == Int(letter4) else { return false }
        let (rest3, letter3) = rest2.quotientAndRemainder(dividingBy: 26)
        guard letters.0 < 0 || letters.0 == Int(letter3) else { return false }
        let (rest4, age) = rest3.quotientAndRemainder(dividingBy: 100)
        guard digits.0 < 0 || digits.0 == Int(age / 10), digits.1 < 0 || digits.1 == Int(age % 10) else {
            return false
        }
        let (letter1, letter2) = rest4.quotientAndRemainder(dividingBy: 26)
        return (front.1 < 0 || front.1 == Int(letter2)) && (front.0 < 0 || front.0 == Int(letter1))
    }

    static func == (left: Self, right: Self) -> Bool {
        left.letters == right.letters && left.digits == right.digits && left.front == right.front
            && left.isPossible == right.isPossible
    }
}
