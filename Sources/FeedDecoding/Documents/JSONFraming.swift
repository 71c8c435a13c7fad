/// Finds where a JSON document ends, byte by byte, by the grammar of its brackets, strings and separators.
///
/// More than matching of brackets: a document that was cut off is noticed at the first byte that can't follow, and so
/// does not swallow the ones behind it. Numbers, words and escapes are left to the parser.
struct JSONFraming: Sendable {
    enum Verdict { case more, ends, broken, tooDeep }

    private enum State {
        case value, valueOrClose, keyOrClose, key, colon, commaOrClose, scalar
        case string(isKey: Bool)
        case escape(isKey: Bool)
    }

    private var state = State.value
    /// The open brackets, outermost first: whether each is an object.
    private var open: [Bool] = []

    mutating func take(_ byte: UInt8) -> Verdict {
        switch state {
        case .string(let isKey): return string(byte, isKey)
        case .escape(let isKey):
            state = .string(isKey: isKey)
            return byte < 0x20 ? .broken : .more
        case .scalar:
            if Self.isScalar(byte) { return .more }
            state = .commaOrClose
            return take(byte)
        default: break
        }
        if byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { return .more }
        switch (state, byte) {
        case (.value, UInt8(ascii: "{")), (.valueOrClose, UInt8(ascii: "{")): return push(isObject: true)
        case (.value, UInt8(ascii: "[")), (.valueOrClose, UInt8(ascii: "[")): return push(isObject: false)
        case (.valueOrClose, UInt8(ascii: "]")), (.keyOrClose, UInt8(ascii: "}")): return pop()
        case (.value, UInt8(ascii: "\"")), (.valueOrClose, UInt8(ascii: "\"")): state = .string(isKey: false)
        case (.value, _) where Self.isScalar(byte), (.valueOrClose, _) where Self.isScalar(byte):
            state = .scalar
        case (.key, UInt8(ascii: "\"")), (.keyOrClose, UInt8(ascii: "\"")): state = .string(isKey: true)
        case (.colon, UInt8(ascii: ":")): state = .value
        case (.commaOrClose, UInt8(ascii: ",")): state = open.last == true ? .key : .value
        case (.commaOrClose, UInt8(ascii: "}")) where open.last == true: return pop()
        case (.commaOrClose, UInt8(ascii: "]")) where open.last == false: return pop()
        default: return .broken
        }
        return open.isEmpty ? .broken : .more
    }

    private mutating func string(_ byte: UInt8, _ isKey: Bool) -> Verdict {
        guard byte >= 0x20 else { return .broken }
        if byte == UInt8(ascii: "\\") {
            state = .escape(isKey: isKey)
        } else if byte == UInt8(ascii: "\"") {
            state = isKey ? .colon : .commaOrClose
        }
        return .more
    }

    private mutating func push(isObject: Bool) -> Verdict {
        guard open.count < DocumentNode.depthMax else { return .tooDeep }
        open.append(isObject)
        state = isObject ? .keyOrClose : .valueOrClose
        return .more
    }

    private mutating func pop() -> Verdict {
        open.removeLast()
        state = .commaOrClose
        return open.isEmpty ? .ends : .more
    }

    private static func isScalar(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte &- 48 < 10
            || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") || byte == UInt8(ascii: ".")
    }
}
