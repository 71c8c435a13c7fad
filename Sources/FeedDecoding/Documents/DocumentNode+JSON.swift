public import ANPRModel

extension DocumentNode {
    /// Parses one JSON document (RFC 8259, strict UTF-8), on one line or many.
    public init(json bytes: [UInt8]) throws(ReadRefusal) {
        guard (try? UTF8Span(validating: bytes.span)) != nil else { throw .badUTF8 }
        let line = Self.onOneLine(bytes)
        var parser = JSONParser()
        self = try parser.document(line.span)
    }

    /// The bytes with line feeds between values made spaces, as `JSONScanner` reads one line, and padding behind.
    private static func onOneLine(_ bytes: [UInt8]) -> [UInt8] {
        var line = bytes
        var isInString = false
        var isEscaped = false
        for (place, byte) in bytes.enumerated() {
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
            } else if byte == UInt8(ascii: "\"") {
                isInString = true
            } else if byte == 0x0A {
                line[place] = 0x20
            }
        }
        line.append(contentsOf: repeatElement(0x0A, count: FeedBuffer.padding))
        return line
    }
}

/// Builds the tree of one JSON document.
private struct JSONParser {
    private var nodes = 0

    mutating func document(_ bytes: Span<UInt8>) throws(ReadRefusal) -> DocumentNode {
        var position = 0
        JSONScanner.skipSpace(bytes, &position)
        let node = try value(bytes, &position, depth: 1)
        JSONScanner.skipSpace(bytes, &position)
        guard position == bytes.count - FeedBuffer.padding else { throw .malformed }
        return node
    }

    private mutating func value(
        _ bytes: Span<UInt8>,
        _ position: inout Int,
        depth: Int
    ) throws(ReadRefusal) -> DocumentNode {
        nodes += 1
        guard nodes <= DocumentNode.nodesMax else { throw .malformed }
        guard depth <= DocumentNode.depthMax else { throw .nestedTooDeeply }
        let start = position
        switch bytes[start] {
        case UInt8(ascii: "{"): return try object(bytes, &position, depth: depth)
        case UInt8(ascii: "["): return try array(bytes, &position, depth: depth)
        case UInt8(ascii: "\""): return .text(try text(bytes, &position))
        case UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"):
            position = try JSONScanner.literal(bytes, from: start)
            return bytes[start] == UInt8(ascii: "n") ? .null : .boolean(bytes[start] == UInt8(ascii: "t"))
        default:
            position = try JSONScanner.number(bytes, from: start)
            return .number(Self.string(bytes, start..<position))
        }
    }

    private mutating func object(
        _ bytes: Span<UInt8>,
        _ position: inout Int,
        depth: Int
    ) throws(ReadRefusal) -> DocumentNode {
        var members: [DocumentNode.Member] = []
        position += 1
        JSONScanner.skipSpace(bytes, &position)
        if bytes[position] == UInt8(ascii: "}") {
            position += 1
            return .object([])
        }
        repeat {
            guard bytes[position] == UInt8(ascii: "\"") else { throw .malformed }
            let name = try text(bytes, &position)
            JSONScanner.skipSpace(bytes, &position)
            guard bytes[position] == UInt8(ascii: ":") else { throw .malformed }
            position += 1
            JSONScanner.skipSpace(bytes, &position)
            members.append(DocumentNode.Member(name, try value(bytes, &position, depth: depth + 1)))
        } while try JSONScanner.another(bytes, &position, closing: UInt8(ascii: "}"))
        return .object(members)
    }

    private mutating func array(
        _ bytes: Span<UInt8>,
        _ position: inout Int,
        depth: Int
    ) throws(ReadRefusal) -> DocumentNode {
        var items: [DocumentNode] = []
        position += 1
        JSONScanner.skipSpace(bytes, &position)
        if bytes[position] == UInt8(ascii: "]") {
            position += 1
            return .array([])
        }
        repeat {
            items.append(try value(bytes, &position, depth: depth + 1))
        } while try JSONScanner.another(bytes, &position, closing: UInt8(ascii: "]"))
        return .array(items)
    }

    private func text(_ bytes: Span<UInt8>, _ position: inout Int) throws(ReadRefusal) -> String {
        let start = position + 1
        let end = try JSONScanner.string(bytes, from: start)
        position = end.position + 1
        guard end.hasEscapes else { return Self.string(bytes, start..<end.position) }
        var text: [UInt8] = []
        JSONScanner.unescape(bytes, start..<end.position, into: &text)
        return String(decoding: text, as: UTF8.self)
    }

    private static func string(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
        String(decoding: range.map { bytes[$0] }, as: UTF8.self)
    }
}
