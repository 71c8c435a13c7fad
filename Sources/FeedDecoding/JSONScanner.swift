import ANPRModel

/// Scans JSON (RFC 8259) in place on one line: finds where things end, builds nothing.
///
/// Every scan stops at a line feed, which no JSON on one line contains; `FeedBuffer` guarantees one behind the
/// content and enough padding for reading words ahead. Nothing here looks past that.
enum JSONScanner {
    /// Deeper nesting is refused, so that a hostile line can't use up the stack.
    static let depthMax = 512

    /// What scanning a string found.
    struct StringEnd {
        /// The position of the closing quote.
        var position: Int
        var hasEscapes: Bool
        /// Whether any byte was outside ASCII, so that the line's UTF-8 must be checked.
        var hasHighBytes: Bool
    }

    @inline(__always)
    static func skipSpace(_ bytes: Span<UInt8>, _ position: inout Int) {
        while true {
            let byte = bytes[position]
            guard byte == 0x20 || byte == 0x09 || byte == 0x0D else { return }
            position += 1
        }
    }

    /// Scans a string whose opening quote was passed, eight bytes at a time.
    @inline(__always)
    static func string(_ bytes: Span<UInt8>, from start: Int) throws(ReadRefusal) -> StringEnd {
        var end = StringEnd(position: start, hasEscapes: false, hasHighBytes: false)
        while true {
            let marked = special(ByteWord.load(bytes, at: end.position))
            guard marked != 0 else {
                end.position += 8
                continue
            }
            end.position += marked.trailingZeroBitCount >> 3
            let byte = bytes[end.position]
            if byte == UInt8(ascii: "\"") { return end }
            if byte == UInt8(ascii: "\\") {
                end.hasEscapes = true
                end.position = try escape(bytes, at: end.position)
                continue
            }
            guard byte >= 0x80 else { throw .malformed }
            end.hasHighBytes = true
            end.position += 1
        }
    }

    /// Marks the high bit of bytes that end a plain run: quotes, backslashes, controls, bytes outside ASCII.
    ///
    /// The lowest mark is always right; a borrow can set false ones above it.
    @inline(__always)
    static func special(_ word: UInt64) -> UInt64 {
        let quotes = ByteWord.zeroes(word ^ ByteWord.all(0x22))
        let escapes = ByteWord.zeroes(word ^ ByteWord.all(0x5C))
        let controls = (word &- ByteWord.all(0x20)) & ~word & ByteWord.highBits
        return quotes | escapes | controls | (word & ByteWord.highBits)
    }

    /// Checks an escape and returns where it ends.
    private static func escape(_ bytes: Span<UInt8>, at position: Int) throws(ReadRefusal) -> Int {
        switch bytes[position + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return position + 2
        case UInt8(ascii: "u"):
            for offset in 2..<6 where hex(bytes[position + offset]) == nil { throw .malformed }
            return position + 6
        default: throw .malformed
        }
    }

    @inline(__always)
    static func isNumberStart(_ byte: UInt8) -> Bool { byte &- 48 < 10 || byte == UInt8(ascii: "-") }

    /// Scans a number and returns where it ends.
    @inline(__always)
    static func number(_ bytes: Span<UInt8>, from start: Int) throws(ReadRefusal) -> Int {
        var position = start
        if bytes[position] == UInt8(ascii: "-") { position += 1 }
        if bytes[position] == UInt8(ascii: "0") {
            position += 1
        } else {
            try digits(bytes, &position)
        }
        if bytes[position] == UInt8(ascii: ".") {
            position += 1
            try digits(bytes, &position)
        }
        if bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") { position += 1 }
            try digits(bytes, &position)
        }
        return position
    }

    /// Passes one digit or more, eight bytes at a time.
    @inline(__always)
    private static func digits(_ bytes: Span<UInt8>, _ position: inout Int) throws(ReadRefusal) {
        let start = position
        while true {
            let ends = ByteWord.nonDigits(ByteWord.load(bytes, at: position))
            guard ends == 0 else {
                position += ends.trailingZeroBitCount >> 3
                break
            }
            position += 8
        }
        guard position > start else { throw .malformed }
    }

    /// Scans `true`, `false` or `null` and returns where it ends.
    static func literal(_ bytes: Span<UInt8>, from start: Int) throws(ReadRefusal) -> Int {
        let word: StaticString =
            switch bytes[start] {
            case UInt8(ascii: "t"): "true"
            case UInt8(ascii: "f"): "false"
            case UInt8(ascii: "n"): "null"
            default: throw .malformed
            }
        let length = word.utf8CodeUnitCount
        let expected = Array(String(describing: word).utf8)
        for offset in 0..<length where bytes[start + offset] != expected[offset] { throw .malformed }
        return start + length
    }

    /// Passes over any value, checking its grammar.
    ///
    /// - Parameter depth: how many objects and arrays it stands in.
    /// - Returns: whether bytes outside ASCII were met.
    static func skipValue(
        _ bytes: Span<UInt8>,
        _ position: inout Int,
        depth: Int = 1
    ) throws(ReadRefusal) -> Bool {
        switch bytes[position] {
        case UInt8(ascii: "\""):
            let end = try string(bytes, from: position + 1)
            position = end.position + 1
            return end.hasHighBytes
        case UInt8(ascii: "{"): return try skipObject(bytes, &position, depth: depth)
        case UInt8(ascii: "["): return try skipArray(bytes, &position, depth: depth)
        case UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"):
            position = try literal(bytes, from: position)
            return false
        default:
            position = try number(bytes, from: position)
            return false
        }
    }

    private static func skipObject(
        _ bytes: Span<UInt8>,
        _ position: inout Int,
        depth: Int
    ) throws(ReadRefusal) -> Bool {
        guard depth < depthMax else { throw .nestedTooDeeply }
        var high = false
        position += 1
        skipSpace(bytes, &position)
        if bytes[position] == UInt8(ascii: "}") {
            position += 1
            return false
        }
        while true {
            guard bytes[position] == UInt8(ascii: "\"") else { throw .malformed }
            let key = try string(bytes, from: position + 1)
            high = high || key.hasHighBytes
            position = key.position + 1
            skipSpace(bytes, &position)
            guard bytes[position] == UInt8(ascii: ":") else { throw .malformed }
            position += 1
            skipSpace(bytes, &position)
            if try skipValue(bytes, &position, depth: depth + 1) { high = true }
            guard try another(bytes, &position, closing: UInt8(ascii: "}")) else { return high }
        }
    }

    private static func skipArray(
        _ bytes: Span<UInt8>,
        _ position: inout Int,
        depth: Int
    ) throws(ReadRefusal) -> Bool {
        guard depth < depthMax else { throw .nestedTooDeeply }
        var high = false
        position += 1
        skipSpace(bytes, &position)
        if bytes[position] == UInt8(ascii: "]") {
            position += 1
            return false
        }
        while true {
            if try skipValue(bytes, &position, depth: depth + 1) { high = true }
            guard try another(bytes, &position, closing: UInt8(ascii: "]")) else { return high }
        }
    }

    /// Passes a comma, or the closing bracket.
    ///
    /// - Returns: whether another member follows.
    @inline(__always)
    static func another(
        _ bytes: Span<UInt8>,
        _ position: inout Int,
        closing: UInt8
    ) throws(ReadRefusal) -> Bool {
        skipSpace(bytes, &position)
        let byte = bytes[position]
        position += 1
        if byte == UInt8(ascii: ",") {
            skipSpace(bytes, &position)
            return true
        }
        guard byte == closing else { throw .malformed }
        return false
    }

    /// Appends a string's text with its escapes resolved; a lone surrogate becomes U+FFFD.
    static func unescape(_ bytes: Span<UInt8>, _ range: Range<Int>, into text: inout [UInt8]) {
        var position = range.lowerBound
        while position < range.upperBound {
            guard bytes[position] == UInt8(ascii: "\\") else {
                text.append(bytes[position])
                position += 1
                continue
            }
            let code = bytes[position + 1]
            guard code == UInt8(ascii: "u") else {
                text.append(plain(code))
                position += 2
                continue
            }
            var unit = UInt32(codeUnit(bytes, at: position + 2))
            position += 6
            if unit & 0xFC00 == 0xD800, position + 6 <= range.upperBound,
                bytes[position] == UInt8(ascii: "\\"),
                bytes[position + 1] == UInt8(ascii: "u")
            {
                let low = UInt32(codeUnit(bytes, at: position + 2))
                if low & 0xFC00 == 0xDC00 {
                    unit = 0x10000 + (unit & 0x3FF) << 10 + (low & 0x3FF)
                    position += 6
                }
            }
            let scalar = Unicode.Scalar(unit) ?? "\u{FFFD}"
            text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        }
    }

    private static func plain(_ code: UInt8) -> UInt8 {
        switch code {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: code
        }
    }

    private static func codeUnit(_ bytes: Span<UInt8>, at start: Int) -> UInt16 {
        var unit: UInt16 = 0
        for offset in 0..<4 { unit = unit << 4 | UInt16(hex(bytes[start + offset]) ?? 0) }
        return unit
    }

    private static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 65...70: byte - 55
        case 97...102: byte - 87
        default: nil
        }
    }
}
