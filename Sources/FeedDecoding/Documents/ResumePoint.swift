import ANPRModel

/// How a document is written.
enum DocumentNotation: Sendable, Equatable {
    case json, xml, keyValue
}

/// Bytes that are no document, and how the next one behind them is recognised.
struct BrokenDocument: Sendable {
    var reason: ReadRefusal
    /// The notations of the feed; none inside a multipart body, where only a part can follow.
    var notations: [DocumentNotation]
    /// The multipart body's delimiter.
    var delimiter: [UInt8] = []
    /// The root's name, if it was one of XML.
    var root: [UInt8] = []
    /// Whether a piece of it was refused already, as too long.
    var isContinued = false

    private enum Answer { case yes, no, later }

    /// Finds the next place where a document can start.
    ///
    /// At the start of a line `{`, `[`, a tag or a part; anywhere an XML declaration or the same root again; behind a
    /// blank line a line of key and value.
    ///
    /// - Parameter position: where the search goes on, behind `start`; moved to the first place not decided yet.
    func nextStart(
        _ bytes: Span<UInt8>,
        from start: Int,
        _ position: inout Int,
        _ end: Int,
        isFinal: Bool
    ) -> Int? {
        position = max(position, start + 1)
        while position < end {
            switch isStart(bytes, from: start, position, end, isFinal: isFinal) {
            case .yes: return position
            case .later: return nil
            case .no: position += 1
            }
        }
        return isFinal ? end : nil
    }

    private func isStart(_ bytes: Span<UInt8>, from start: Int, _ position: Int, _ end: Int, isFinal: Bool)
        -> Answer
    {
        let byte = bytes[position]
        if byte == UInt8(ascii: "<"), notations.contains(.xml) {
            return isTag(bytes, position, end, isLineStart: bytes[position - 1] == 0x0A, isFinal: isFinal)
        }
        guard bytes[position - 1] == 0x0A else { return .no }
        if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
            return notations.contains(.json) ? .yes : .no
        }
        if byte == UInt8(ascii: "-") {
            switch PartStart(bytes, position, end, delimiter: delimiter, isFinal: isFinal) {
            case .here: return .yes
            case .elsewhere: return .no
            case .incomplete: return .later
            }
        }
        guard notations.contains(.keyValue), XMLScanner.isNameStart(byte) else { return .no }
        var line = position - 1
        if line > start, bytes[line - 1] == 0x0D { line -= 1 }
        return line > start && bytes[line - 1] == 0x0A ? .yes : .no
    }

    private func isTag(
        _ bytes: Span<UInt8>,
        _ position: Int,
        _ end: Int,
        isLineStart: Bool,
        isFinal: Bool
    ) -> Answer {
        let declaration = Array("<?xml ".utf8)
        let again = [UInt8(ascii: "<")] + root
        if isLineStart {
            guard position + 1 < end else { return isFinal ? .no : .later }
            if XMLScanner.isNameStart(bytes[position + 1]) { return .yes }
        }
        if XMLScanner.begins(declaration, bytes, position, end) { return .yes }
        let known = root.isEmpty ? [declaration] : [declaration, again]
        if !root.isEmpty, XMLScanner.begins(again, bytes, position, end), position + again.count < end {
            let next = bytes[position + again.count]
            return XMLScanner.nameEnd(bytes, position + again.count, position + again.count + 1)
                == position + again.count && (XMLScanner.isSpace(next) || next == UInt8(ascii: ">"))
                ? .yes : .no
        }
        // Not enough there to tell.
        let isOpen = known.contains { word in
            XMLScanner.mayBegin(word, bytes, position, end) && position + word.count >= end
        }
        return isOpen && !isFinal ? .later : .no
    }
}
