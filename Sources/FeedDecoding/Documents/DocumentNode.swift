/// A JSON value or XML element as a small tree, whatever the notation was.
public enum DocumentNode: Sendable, Equatable {
    case object([Member])
    case array([DocumentNode])
    case text(String)
    /// A number as it was written.
    case number(String)
    case boolean(Bool)
    case null

    /// One member of an object, in the document's order.
    public struct Member: Sendable, Equatable {
        /// Its name; of an XML attribute `@` and the name, of text beside children or attributes `#text`.
        public var name: String
        /// Its value.
        public var value: DocumentNode

        /// A member.
        public init(_ name: String, _ value: DocumentNode) {
            self.name = name
            self.value = value
        }
    }

    /// Deeper documents are refused.
    static let depthMax = 64
    /// Documents of more values than this are refused.
    static let nodesMax = 100_000

    /// The member of that name; the last of several counts.
    public subscript(name: String) -> DocumentNode? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.name == name }?.value
    }

    /// What stands in the document as one word, if anything: text, number, boolean, or the text of an element.
    public var word: String? {
        switch self {
        case .text(let text), .number(let text): text
        case .boolean(let isTrue): isTrue ? "true" : "false"
        case .object: self["#text"]?.word
        case .array(let items): items.first?.word
        case .null: nil
        }
    }
}
