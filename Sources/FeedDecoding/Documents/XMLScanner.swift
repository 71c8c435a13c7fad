import ANPRModel

/// Cuts XML into tokens, to find where documents end before they are parsed.
///
/// No document type declarations: nothing in a feed can make the parser fetch, define or multiply anything.
enum XMLScanner {
    enum Token {
        /// `<name …>`; `rest` is what stands between the name and the bracket, without a closing slash.
        case start(name: Range<Int>, rest: Range<Int>, isEmpty: Bool)
        case end(name: Range<Int>)
        case text(Range<Int>)
        case verbatim(Range<Int>)
        /// `<?xml …?>`
        case declaration
        /// A comment or any other processing instruction.
        case remark
    }

    /// The token at `position` and where it ends.
    ///
    /// - Returns: `nil` if its end is not there yet. Text ends where markup starts, or with the bytes.
    static func next(
        _ bytes: Span<UInt8>,
        _ position: Int,
        _ end: Int
    ) throws(ReadRefusal) -> (token: Token, end: Int)? {
        guard position < end else { return nil }
        guard bytes[position] == UInt8(ascii: "<") else {
            var close = position
            while close < end, bytes[close] != UInt8(ascii: "<") { close += 1 }
            return (.text(position..<close), close)
        }
        guard position + 1 < end else { return nil }
        switch bytes[position + 1] {
        case UInt8(ascii: "?"): return try instruction(bytes, position, end)
        case UInt8(ascii: "!"): return try exclamation(bytes, position, end)
        case UInt8(ascii: "/"):
            guard let close = find(">", bytes, position + 2, end) else { return nil }
            let name = nameEnd(bytes, position + 2, close - 1)
            guard name > position + 2, isSpace(bytes, name..<close - 1) else { throw .malformed }
            return (.end(name: position + 2..<name), close)
        default: return try start(bytes, position, end)
        }
    }

    private static func instruction(
        _ bytes: Span<UInt8>,
        _ position: Int,
        _ end: Int
    ) throws(ReadRefusal) -> (Token, Int)? {
        let close = find("?>", bytes, position + 2, end)
        // An instruction inside one: the document was cut off, and the next has begun.
        if let inner = find("<?", bytes, position + 2, end), inner < close ?? .max { throw .malformed }
        guard let close else { return nil }
        let isDeclaration = begins("<?xml", bytes, position, end) && isSpace(bytes[position + 5])
        return (isDeclaration ? .declaration : .remark, close)
    }

    private static func exclamation(
        _ bytes: Span<UInt8>,
        _ position: Int,
        _ end: Int
    ) throws(ReadRefusal) -> (Token, Int)? {
        if begins("<!--", bytes, position, end) {
            // XML has no two hyphens inside a comment: there too the next document would be swallowed.
            guard let hyphens = find("--", bytes, position + 4, end), hyphens < end else { return nil }
            guard bytes[hyphens] == UInt8(ascii: ">") else { throw .malformed }
            return (.remark, hyphens + 1)
        }
        if begins("<![CDATA[", bytes, position, end) {
            return find("]]>", bytes, position + 9, end).map { (.verbatim(position + 9..<$0 - 3), $0) }
        }
        guard mayBegin("<!--", bytes, position, end) || mayBegin("<![CDATA[", bytes, position, end) else {
            throw .malformed
        }
        return nil
    }

    private static func start(
        _ bytes: Span<UInt8>,
        _ position: Int,
        _ end: Int
    ) throws(ReadRefusal) -> (Token, Int)? {
        guard isNameStart(bytes[position + 1]) else { throw .malformed }
        let name = position + 1..<nameEnd(bytes, position + 1, end)
        var quote: UInt8 = 0
        var close = name.upperBound
        while close < end {
            let byte = bytes[close]
            if byte == UInt8(ascii: "<") { throw .malformed }
            if quote != 0 {
                if byte == quote { quote = 0 }
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                quote = byte
            } else if byte == UInt8(ascii: ">") {
                break
            }
            close += 1
        }
        guard close < end else { return nil }
        let isEmpty = close > name.upperBound && bytes[close - 1] == UInt8(ascii: "/")
        let rest = name.upperBound..<(isEmpty ? close - 1 : close)
        if let first = rest.first, !isSpace(bytes[first]) { throw .malformed }
        return (.start(name: name, rest: rest, isEmpty: isEmpty), close + 1)
    }

    /// Where the bytes behind the next `word` start.
    private static func find(_ word: String, _ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int? {
        let word = Array(word.utf8)
        var position = start
        while position + word.count <= end {
            if bytes[position] == word[0], begins(word, bytes, position, end) { return position + word.count }
            position += 1
        }
        return nil
    }

    static func begins(_ word: String, _ bytes: Span<UInt8>, _ position: Int, _ end: Int) -> Bool {
        begins(Array(word.utf8), bytes, position, end)
    }

    static func begins(_ word: [UInt8], _ bytes: Span<UInt8>, _ position: Int, _ end: Int) -> Bool {
        position + word.count <= end && mayBegin(word, bytes, position, end)
    }

    /// Whether the bytes there are don't rule the word out.
    private static func mayBegin(_ word: String, _ bytes: Span<UInt8>, _ position: Int, _ end: Int) -> Bool {
        mayBegin(Array(word.utf8), bytes, position, end)
    }

    static func mayBegin(_ word: [UInt8], _ bytes: Span<UInt8>, _ position: Int, _ end: Int) -> Bool {
        for place in 0..<min(word.count, end - position) where bytes[position + place] != word[place] {
            return false
        }
        return true
    }

    static func nameEnd(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int {
        var position = start
        while position < end, isNameStart(bytes[position]) || isNameRest(bytes[position]) { position += 1 }
        return position
    }

    static func isNameStart(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "_")
            || byte == UInt8(ascii: ":") || byte >= 0x80
    }

    private static func isNameRest(_ byte: UInt8) -> Bool {
        byte &- 48 < 10 || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
    }

    static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }

    static func isSpace(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        for index in range where !isSpace(bytes[index]) { return false }
        return true
    }
}
