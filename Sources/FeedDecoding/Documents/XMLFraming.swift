import ANPRModel

/// Finds where an XML document ends, token by token.
///
/// Breaks at an end tag of another name, at a second declaration and at a root inside a root of the same name: a
/// document that was cut off does not swallow the ones behind it.
struct XMLFraming: Sendable {
    private var open: [[UInt8]] = []
    /// The root's name, once met.
    private(set) var root: [UInt8] = []
    /// Where the root starts, counted from the document's start.
    private(set) var rootStart = 0

    /// Goes on from `position`.
    ///
    /// - Parameters:
    ///   - start: where the document starts.
    ///   - position: where a token starts; moved on.
    /// - Returns: whether the document ends at `position`; `nil` if more bytes are needed.
    mutating func advance(
        _ bytes: Span<UInt8>,
        from start: Int,
        _ position: inout Int,
        _ end: Int
    ) throws(ReadRefusal) -> Bool {
        while let (token, next) = try XMLScanner.next(bytes, position, end) {
            switch token {
            case .text(let range):
                guard !root.isEmpty || XMLScanner.isSpace(bytes, range) else { throw .malformed }
            case .remark: break
            case .verbatim:
                guard !root.isEmpty else { throw .malformed }
            case .declaration:
                guard position == start else { throw .malformed }
            case .start(let name, _, let isEmpty):
                let name = name.map { bytes[$0] }
                if root.isEmpty {
                    root = name
                    rootStart = position - start
                } else if name == root {
                    throw .malformed
                }
                guard open.count < DocumentNode.depthMax else { throw .nestedTooDeeply }
                if !isEmpty { open.append(name) }
            case .end(let name):
                guard let last = open.popLast(), last == name.map({ bytes[$0] }) else { throw .malformed }
            }
            position = next
            if !root.isEmpty, open.isEmpty { return true }
        }
        return false
    }
}
