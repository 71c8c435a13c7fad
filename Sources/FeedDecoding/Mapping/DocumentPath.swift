/// A place in a document, such as `data.results[]`, `Events[0].Code` or `$.data.timestamp`.
///
/// Names are separated by dots; `[]` goes through all items of an array, `[n]` to one; `$` starts at the document
/// rather than the record, and an empty path is where one stands. A value that is no array counts as an array of one
/// item, and a name looked up in an array is looked up in its first item, because XML does not tell the two apart.
public struct DocumentPath: Sendable, Equatable {
    /// One step down.
    enum Step: Sendable, Equatable {
        case member(String)
        case item(Int)
        case each
    }

    let steps: [Step]
    let isAbsolute: Bool

    /// Reads a path; `nil` if a name is missing or brackets are wrong.
    public init?(_ text: String) {
        var steps: [Step] = []
        var parts = text.isEmpty ? [] : text.split(separator: ".", omittingEmptySubsequences: false)
        isAbsolute = parts.first == "$"
        if isAbsolute { parts.removeFirst() }
        for part in parts {
            let pieces = part.split(separator: "[", omittingEmptySubsequences: false)
            guard let name = pieces.first, !name.isEmpty || pieces.count > 1 else { return nil }
            if !name.isEmpty { steps.append(.member(String(name))) }
            for piece in pieces.dropFirst() {
                guard piece.hasSuffix("]") else { return nil }
                let index = piece.dropLast()
                if index.isEmpty {
                    steps.append(.each)
                } else {
                    guard let number = Int(index), (0...9999).contains(number) else { return nil }
                    steps.append(.item(number))
                }
            }
        }
        self.steps = steps
    }

    /// A path known to be right; one that is not leads nowhere.
    init(known text: String) {
        self = DocumentPath(text) ?? DocumentPath(nowhere: ())
    }

    private init(nowhere: Void) {
        steps = [.member(""), .member("")]
        isAbsolute = false
    }

    /// All values at the path, nulls left out.
    func values(in record: DocumentNode, of document: DocumentNode) -> [DocumentNode] {
        var found = [isAbsolute ? document : record]
        for step in steps {
            found = found.flatMap { Self.down($0, step) }
            if found.isEmpty { return [] }
        }
        return found.filter { $0 != .null }
    }

    /// Whether the path leads to an array, even an empty one.
    func leadsToArray(in document: DocumentNode) -> Bool {
        guard steps.last == .each else { return false }
        var found = [document]
        for step in steps.dropLast() { found = found.flatMap { Self.down($0, step) } }
        return found.contains { if case .array = $0 { true } else { false } }
    }

    private static func down(_ node: DocumentNode, _ step: Step) -> [DocumentNode] {
        switch (step, node) {
        case (.member(let name), .array(let items)): items.first?[name].map { [$0] } ?? []
        case (.member(let name), _): node[name].map { [$0] } ?? []
        case (.each, .array(let items)): items
        case (.each, _), (.item(0), .object): [node]
        case (.item(let index), .array(let items)): index < items.count ? [items[index]] : []
        case (.item, _): []
        }
    }
}

extension DocumentPath: ExpressibleByStringLiteral {
    /// A path written in the sources; a wrong one leads nowhere.
    public init(stringLiteral text: String) { self.init(known: text) }
}
