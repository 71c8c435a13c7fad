import ANPRModel

/// A line that separates the parts of a multipart body.
enum DelimiterLine: Equatable {
    /// The line's end is not there yet.
    case incomplete
    case none
    /// A part follows; `end` is behind the line.
    case opens(boundary: Range<Int>, end: Int)
    /// The body is over.
    case closes(end: Int)

    /// The longest line that is taken for one: boundaries have up to 70 characters.
    private static let lengthMax = 200

    /// Tells what the line at `start` is; without its line feed only if the feed ends there.
    init(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, isFinal: Bool) {
        var position = start
        while position < end, position - start < Self.lengthMax, bytes[position] != 0x0A {
            let isDash = bytes[position] == UInt8(ascii: "-")
            guard position - start >= 2 || isDash, Self.isBoundary(bytes[position]) || bytes[position] == 0x0D
            else {
                self = .none
                return
            }
            position += 1
        }
        guard position - start < Self.lengthMax, position < end || isFinal else {
            self = position - start < Self.lengthMax ? .incomplete : .none
            return
        }
        var last = position
        while last > start, bytes[last - 1] == 0x0D { last -= 1 }
        let next = min(position + 1, end)
        let isClosing =
            last - start > 4 && bytes[last - 1] == UInt8(ascii: "-") && bytes[last - 2] == UInt8(ascii: "-")
        if last - start < 3 {
            self = .none
        } else {
            self = isClosing ? .closes(end: next) : .opens(boundary: start..<last, end: next)
        }
    }

    private static func isBoundary(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "<") && byte != UInt8(ascii: ">")
    }
}

/// One part of a multipart body: its head, and where its content ends.
struct MultipartPart: Sendable {
    /// The longest head that is taken.
    private static let headMax = 8192
    /// The longest picture that is passed over.
    static let imageMax = 8 << 20

    /// The delimiter line, dashes included, without its line end.
    let delimiter: [UInt8]
    /// The content's start, counted from the delimiter line; 0 while the head is not whole.
    private(set) var contentStart = 0
    private var contentType = ""
    private var disposition = ""

    init(delimiter: [UInt8]) { self.delimiter = delimiter }

    /// Reads the head, once it is whole.
    ///
    /// - Parameter headStart: behind the delimiter line.
    /// - Returns: whether it is.
    mutating func readHead(
        _ bytes: Span<UInt8>,
        from start: Int,
        _ headStart: Int,
        _ end: Int
    ) throws(ReadRefusal) -> Bool {
        var line = headStart
        var lineEnd = line
        while lineEnd < end {
            guard lineEnd - headStart < Self.headMax else { throw .malformed }
            guard bytes[lineEnd] == 0x0A else {
                lineEnd += 1
                continue
            }
            var text = (line..<lineEnd).map { bytes[$0] }
            if text.last == 0x0D { text.removeLast() }
            if text.isEmpty {
                contentStart = lineEnd + 1 - start
                return true
            }
            try takeHeader(String(decoding: text, as: UTF8.self))
            lineEnd += 1
            line = lineEnd
        }
        return false
    }

    private mutating func takeHeader(_ line: String) throws(ReadRefusal) {
        guard let colon = line.firstIndex(of: ":") else {
            // A folded line goes on with the one before.
            guard line.hasPrefix(" ") || line.hasPrefix("\t") else { throw .malformed }
            return
        }
        let name = line[..<colon]
        guard !name.isEmpty, name.utf8.allSatisfy({ XMLScanner.isNameStart($0) || $0 == UInt8(ascii: "-") })
        else {
            throw .malformed
        }
        switch name.lowercased() {
        case "content-type": contentType = line[line.index(after: colon)...].lowercased()
        case "content-disposition": disposition = line[line.index(after: colon)...].lowercased()
        default: break
        }
    }

    /// Whether the content is a picture, by its head or its first bytes.
    func isImage(_ bytes: Span<UInt8>, _ content: Range<Int>) -> Bool {
        if contentType.contains("json") || contentType.contains("xml") { return false }
        if contentType.contains("image/") { return true }
        if [".jpg\"", ".jpeg\"", ".png\"", ".bmp\""].contains(where: disposition.contains) { return true }
        guard content.count >= 2 else { return false }
        let first = (bytes[content.lowerBound], bytes[content.lowerBound + 1])
        return first == (0xFF, 0xD8) || first == (0x89, UInt8(ascii: "P"))
    }

    /// What a picture shows, by the name in its head: cameras call the patch after the plate or as cut out.
    var imageKind: ImageKind {
        ["plate", "patch", "crop", "ocr"].contains(where: disposition.contains) ? .plate : .overview
    }

    /// How the content is written, if it is a document.
    func notation(_ bytes: Span<UInt8>, _ content: Range<Int>, _ known: [DocumentNotation])
        -> DocumentNotation?
    {
        guard !isImage(bytes, content) else { return nil }
        guard let first = content.first(where: { !XMLScanner.isSpace(bytes[$0]) }) else { return nil }
        let guess: DocumentNotation =
            switch bytes[first] {
            case UInt8(ascii: "{"), UInt8(ascii: "["): .json
            case UInt8(ascii: "<"): .xml
            default: contentType.contains("json") ? .json : contentType.contains("xml") ? .xml : .keyValue
            }
        return known.contains(guess) ? guess : nil
    }

    /// Finds where the part ends: at its own delimiter, or at another body's first.
    ///
    /// - Parameter position: where the search goes on; moved to where it stopped.
    /// - Returns: the content's end and the part's.
    func end(
        _ bytes: Span<UInt8>,
        from start: Int,
        _ position: inout Int,
        _ end: Int,
        isFinal: Bool
    ) -> (content: Int, part: Int)? {
        // The line feed before the content may be the one before the delimiter: the content is then empty.
        position = max(position, start + contentStart - 1)
        while position < end {
            if bytes[position] == 0x0A {
                switch PartStart(bytes, position + 1, end, delimiter: delimiter, isFinal: isFinal) {
                case .incomplete: return nil
                case .here:
                    var content = position
                    if content > start + contentStart, bytes[content - 1] == 0x0D { content -= 1 }
                    return (max(content, start + contentStart), position + 1)
                case .elsewhere: break
                }
            }
            position += 1
        }
        return isFinal ? (end, end) : nil
    }
}

/// Whether a part starts at the start of a line.
enum PartStart {
    case here, elsewhere, incomplete

    /// - Parameter delimiter: the body's own; any other counts only when a header follows it.
    init(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, delimiter: [UInt8], isFinal: Bool) {
        for place in 0..<2 where start + place < end && bytes[start + place] != UInt8(ascii: "-") {
            self = .elsewhere
            return
        }
        if !delimiter.isEmpty, XMLScanner.begins(delimiter, bytes, start, end) {
            self = .here
            return
        }
        switch DelimiterLine(bytes, start, end, isFinal: isFinal) {
        case .none, .closes: self = .elsewhere
        case .incomplete: self = .incomplete
        case .opens(_, let next):
            let word = Array("content-".utf8)
            let available = min(word.count, end - next)
            for place in 0..<max(0, available) where bytes[next + place] | 0x20 != word[place] | 0x20 {
                self = .elsewhere
                return
            }
            self = available == word.count ? .here : isFinal ? .elsewhere : .incomplete
        }
    }
}
