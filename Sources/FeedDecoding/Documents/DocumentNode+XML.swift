public import ANPRModel

extension DocumentNode {
    /// Parses one XML document in UTF-8 to the content of its root element.
    ///
    /// An element without attributes and children is its text; any other is an object of its attributes (`@name`),
    /// its children in order and its text (`#text`). Children of one name become an array. Prefixes of namespaces
    /// are dropped. A document type declaration makes the document malformed.
    public init(xml bytes: [UInt8]) throws(ReadRefusal) {
        guard (try? UTF8Span(validating: bytes.span)) != nil else { throw .badUTF8 }
        var parser = XMLTreeParser()
        self = try parser.document(bytes)
    }
}

/// Builds the tree of one XML document.
private struct XMLTreeParser {
    /// An element whose end was not met yet.
    private struct Open {
        /// The name with its prefix.
        var name: [UInt8]
        var members: [DocumentNode.Member] = []
        var text: [UInt8] = []
    }

    private var open: [Open] = []
    private var nodes = 0
    private var root: DocumentNode?

    mutating func document(_ bytes: [UInt8]) throws(ReadRefusal) -> DocumentNode {
        let span = bytes.span
        var position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        while position < bytes.count {
            guard let (token, end) = try XMLScanner.next(span, position, bytes.count) else {
                throw .malformed
            }
            try take(token, span)
            position = end
        }
        guard let root, open.isEmpty else { throw .malformed }
        return root
    }

    private mutating func take(_ token: XMLScanner.Token, _ bytes: Span<UInt8>) throws(ReadRefusal) {
        switch token {
        case .declaration:
            guard open.isEmpty, root == nil else { throw .malformed }
        case .remark: break
        case .text(let range):
            guard !open.isEmpty else {
                guard XMLScanner.isSpace(bytes, range) else { throw .malformed }
                return
            }
            try appendText(bytes, range)
        case .verbatim(let range):
            guard !open.isEmpty else { throw .malformed }
            for index in range { open[open.count - 1].text.append(bytes[index]) }
        case .start(let name, let rest, let isEmpty):
            guard root == nil else { throw .malformed }
            guard open.count < DocumentNode.depthMax else { throw .nestedTooDeeply }
            var element = Open(name: name.map { bytes[$0] })
            try readAttributes(bytes, rest, into: &element)
            open.append(element)
            if isEmpty { close() }
        case .end(let name):
            guard let last = open.last, last.name == name.map({ bytes[$0] }) else { throw .malformed }
            close()
        }
        guard nodes <= DocumentNode.nodesMax else { throw .malformed }
    }

    private mutating func appendText(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(ReadRefusal) {
        var position = range.lowerBound
        while position < range.upperBound {
            let bytesTaken = try Self.character(
                bytes,
                position..<range.upperBound,
                into: &open[open.count - 1].text
            )
            position += bytesTaken
        }
    }

    /// Appends one byte, or the character that a reference stands for.
    private static func character(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        into text: inout [UInt8]
    ) throws(ReadRefusal) -> Int {
        let start = range.lowerBound
        guard bytes[start] == UInt8(ascii: "&") else {
            text.append(bytes[start])
            return 1
        }
        var end = start + 1
        while end < range.upperBound, end - start < 12, bytes[end] != UInt8(ascii: ";") { end += 1 }
        guard end < range.upperBound, bytes[end] == UInt8(ascii: ";") else { throw .malformed }
        let name = String(decoding: (start + 1..<end).map { bytes[$0] }, as: UTF8.self)
        guard let scalar = scalar(name) else { throw .malformed }
        text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        return end + 1 - start
    }

    private static func scalar(_ name: String) -> Unicode.Scalar? {
        switch name {
        case "amp": return "&"
        case "lt": return "<"
        case "gt": return ">"
        case "quot": return "\""
        case "apos": return "'"
        default:
            let isHex = name.hasPrefix("#x")
            guard name.hasPrefix("#"), !name.contains("+"), !name.contains("-") else { return nil }
            let number = UInt32(name.dropFirst(isHex ? 2 : 1), radix: isHex ? 16 : 10)
            return number.flatMap { $0 == 0 ? nil : Unicode.Scalar($0) }
        }
    }

    private mutating func readAttributes(
        _ bytes: Span<UInt8>,
        _ rest: Range<Int>,
        into element: inout Open
    ) throws(ReadRefusal) {
        var position = rest.lowerBound
        while true {
            while position < rest.upperBound, XMLScanner.isSpace(bytes[position]) { position += 1 }
            guard position < rest.upperBound else { return }
            let name = position..<XMLScanner.nameEnd(bytes, position, rest.upperBound)
            position = name.upperBound
            while position < rest.upperBound, XMLScanner.isSpace(bytes[position]) { position += 1 }
            guard !name.isEmpty, position < rest.upperBound, bytes[position] == UInt8(ascii: "=") else {
                throw .malformed
            }
            position += 1
            while position < rest.upperBound, XMLScanner.isSpace(bytes[position]) { position += 1 }
            guard position < rest.upperBound else { throw .malformed }
            let quote = bytes[position]
            guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else { throw .malformed }
            position += 1
            var value: [UInt8] = []
            while position < rest.upperBound, bytes[position] != quote {
                position += try Self.character(bytes, position..<rest.upperBound, into: &value)
            }
            guard position < rest.upperBound else { throw .malformed }
            position += 1
            let text = String(decoding: name.map { bytes[$0] }, as: UTF8.self)
            guard !text.hasPrefix("xmlns") else { continue }
            nodes += 1
            let member = DocumentNode.Member(
                "@" + Self.local(text),
                .text(String(decoding: value, as: UTF8.self))
            )
            element.members.append(member)
        }
    }

    private static func local(_ name: String) -> String {
        name.split(separator: ":", maxSplits: 1).last.map(String.init) ?? name
    }

    private mutating func close() {
        nodes += 1
        let element = open.removeLast()
        let text = DocumentNode.text(Self.trimmed(element.text))
        var node = text
        if !element.members.isEmpty {
            let isBare = text == .text("")
            node = .object(isBare ? element.members : element.members + [.init("#text", text)])
        }
        guard !open.isEmpty else {
            root = node
            return
        }
        append(node, as: Self.local(String(decoding: element.name, as: UTF8.self)))
    }

    private mutating func append(_ node: DocumentNode, as name: String) {
        let parent = open.count - 1
        guard let place = open[parent].members.lastIndex(where: { $0.name == name }) else {
            open[parent].members.append(DocumentNode.Member(name, node))
            return
        }
        // Taken out while it grows, so that many children of one name are not copied each time.
        let known = open[parent].members[place].value
        open[parent].members[place].value = .null
        if case .array(var items) = known {
            items.append(node)
            open[parent].members[place].value = .array(items)
        } else {
            open[parent].members[place].value = .array([known, node])
        }
    }

    private static func trimmed(_ text: [UInt8]) -> String {
        guard let first = text.firstIndex(where: { !XMLScanner.isSpace($0) }),
            let last = text.lastIndex(where: { !XMLScanner.isSpace($0) })
        else { return "" }
        return String(decoding: text[first...last], as: UTF8.self)
    }
}
