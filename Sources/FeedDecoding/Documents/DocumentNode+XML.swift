public import ANPRModel
import Foundation
import FoundationXML

extension DocumentNode {
    /// Parses one XML document in UTF-8 to the content of its root element.
    ///
    /// An element without attributes and children is its text; any other is an object of its attributes (`@name`, by
    /// name), its children in order and its text (`#text`). Children of one name become an array. Prefixes of namespaces
    /// are dropped, whether they are declared or not. A document type declaration makes the document malformed: no
    /// camera needs one, and entities are how documents of a few lines become gigabytes.
    public init(xml bytes: [UInt8]) throws(ReadRefusal) {
        guard (try? UTF8Span(validating: bytes.span)) != nil else { throw .badUTF8 }
        guard !Self.hasDocumentType(bytes) else { throw .malformed }
        let builder = XMLTreeBuilder()
        // Space before a declaration is common between documents of a stream, and no XML.
        let parser = XMLParser(data: Data(bytes.drop { XMLScanner.isSpace($0) }))
        parser.shouldResolveExternalEntities = false
        parser.delegate = builder
        let isWhole = parser.parse()
        if let refusal = builder.refusal { throw refusal }
        guard isWhole, let root = builder.root else { throw .malformed }
        self = root
    }

    private static func hasDocumentType(_ bytes: [UInt8]) -> Bool {
        let word = Array("!doctype".utf8)
        var position = 0
        while let start = bytes[position...].firstIndex(of: UInt8(ascii: "<")) {
            position = start + 1
            let next = bytes[position...].prefix(word.count)
            if next.elementsEqual(word, by: { $0 == $1 || $0 | 0x20 == $1 }) { return true }
        }
        return false
    }
}

/// Builds the tree of one XML document from what the parser meets.
private final class XMLTreeBuilder: NSObject, XMLParserDelegate {
    /// An element whose end was not met yet.
    private struct Open {
        var members: [DocumentNode.Member] = []
        var text = ""
    }

    private var open: [Open] = []
    private var nodes = 0
    private(set) var root: DocumentNode?
    private(set) var refusal: ReadRefusal?

    func parser(
        _ parser: XMLParser,
        didStartElement name: String,
        namespaceURI: String?,
        qualifiedName: String?,
        attributes: [String: String]
    ) {
        guard open.count < DocumentNode.depthMax else { return refuse(.nestedTooDeeply, parser) }
        var element = Open()
        for (name, value) in attributes.sorted(by: { $0.key < $1.key }) where !name.hasPrefix("xmlns") {
            element.members.append(.init("@" + Self.local(name), .text(value)))
        }
        nodes += 1 + element.members.count
        guard nodes <= DocumentNode.nodesMax else { return refuse(.malformed, parser) }
        open.append(element)
    }

    func parser(_ parser: XMLParser, foundCharacters text: String) {
        if !open.isEmpty { open[open.count - 1].text += text }
    }

    func parser(_ parser: XMLParser, foundCDATA block: Data) {
        if !open.isEmpty { open[open.count - 1].text += String(decoding: block, as: UTF8.self) }
    }

    func parser(
        _ parser: XMLParser,
        didEndElement name: String,
        namespaceURI: String?,
        qualifiedName: String?
    ) {
        guard let element = open.popLast() else { return }
        let words = Self.trimmed(element.text)
        var node = DocumentNode.text(words)
        if !element.members.isEmpty {
            let more = words.isEmpty ? [] : [DocumentNode.Member("#text", .text(words))]
            node = .object(element.members + more)
        }
        if open.isEmpty { root = node } else { append(node, as: Self.local(name)) }
    }

    private func refuse(_ reason: ReadRefusal, _ parser: XMLParser) {
        refusal = reason
        parser.abortParsing()
    }

    private func append(_ node: DocumentNode, as name: String) {
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

    private static func local(_ name: String) -> String {
        name.split(separator: ":", maxSplits: 1).last.map(String.init) ?? name
    }

    private static func trimmed(_ text: String) -> String {
        let isSpace = { (byte: UInt8) in XMLScanner.isSpace(byte) }
        guard let first = text.utf8.firstIndex(where: { !isSpace($0) }),
            let last = text.utf8.lastIndex(where: { !isSpace($0) })
        else { return "" }
        return String(text[first...last])
    }
}
