public import ANPRModel

/// Decodes NDJSON: one object a line, keys in any order, the last of two equal keys counts.
///
/// Strict JSON and strict UTF-8; LF or CRLF; blank lines skipped; a line of over 1 MiB is refused. A line that can't be
/// a read is refused alone, with its bytes and place; the next line starts anew. Field values are located first and
/// looked at when the line is whole, so nothing is built for a line that is refused.
///
/// - Complexity: O(bytes), no allocation for a good line without texts beside it.
public struct NDJSONDecoder: Sendable {
    private var assembler: ReadAssembler
    private var splitter = LineSplitter()
    private var fields = FieldSlots()
    private let keys = KnownKeys()
    private var gaps = MemberGaps()
    /// How many more of the last lines were unlike those before them than like them, up to 16.
    private var unusual = 0
    /// A line with its escaped values written out behind it.
    private var scratch: [UInt8] = []

    /// A decoder of one feed.
    public init(register: CameraRegister, rules: FeedRules) {
        assembler = ReadAssembler(register: register, rules: rules)
    }

    /// What the feed may do; can change between chunks.
    public var rules: FeedRules {
        get { assembler.rules }
        set { assembler.rules = newValue }
    }

    /// Takes over another decoder's rules and cameras.
    mutating func adopt(_ other: NDJSONDecoder) { assembler = other.assembler }

    /// Refuses reads captured after a moment from now on.
    mutating func refuse(after latest: Timestamp) { assembler.latest = latest }

    /// Where decoding stands: lines and bytes consumed.
    public var position: FeedPosition { splitter.position }

    /// Starts counting from a place in the feed, for a feed that is taken up again.
    public mutating func resume(at position: FeedPosition) {
        splitter = LineSplitter()
        splitter.position = position
    }

    /// Decodes all whole lines in the buffer.
    ///
    /// - Parameters:
    ///   - buffer: what was received; whole lines are consumed, a line begun stays.
    ///   - isFinal: whether the feed ends here, so that its last line needs no line feed.
    ///   - batch: reads and refusals are appended.
    public mutating func decode(_ buffer: inout FeedBuffer, isFinal: Bool, into batch: inout DecodedBatch) {
        while true {
            if takeUsual(&buffer, &batch) { continue }
            guard let line = splitter.next(&buffer, isFinal: isFinal, into: &batch) else { break }
            decodeLine(buffer, line, &batch)
            splitter.finish(line, &buffer)
        }
        splitter.settle(&buffer)
    }

    /// Takes the next line if it is whole and written as those before it.
    @inline(__always)
    private mutating func takeUsual(_ buffer: inout FeedBuffer, _ batch: inout DecodedBatch) -> Bool {
        // A feed whose lines are seldom of that kind is tried now and then.
        guard splitter.isAtStart, unusual < 16 || splitter.position.line & 31 == 0 else { return false }
        let start = buffer.start
        let end = usualEnd(buffer, &batch)
        guard let end else {
            unusual = min(unusual + 1, 16)
            return false
        }
        unusual = max(unusual - 1, 0)
        batch.received += 1
        splitter.finish(start..<end - 1, &buffer)
        return true
    }

    @inline(__always)
    private mutating func usualEnd(_ buffer: borrowing FeedBuffer, _ batch: inout DecodedBatch) -> Int? {
        let bytes = buffer.storage.span
        return assembler.takeUsual(bytes, from: buffer.start, to: buffer.end, &gaps, &fields, into: &batch)
    }

    private mutating func decodeLine(
        _ buffer: borrowing FeedBuffer,
        _ line: Range<Int>,
        _ batch: inout DecodedBatch
    ) {
        let bytes = buffer.storage.span
        guard !LineSplitter.isBlank(bytes, line) else { return }
        batch.received += 1
        do throws(ReadRefusal) {
            fields.removeAll()
            let high = try locate(bytes, line, &batch)
            if high, !Self.isUTF8(bytes, line) { throw .badUTF8 }
            if fields.escaped == 0 {
                try assembler.assemble(bytes, fields, into: &batch)
            } else {
                unescapeFields(bytes, line)
                let text = scratch
                try assembler.assemble(text.span, fields, into: &batch)
            }
        } catch {
            splitter.refuse(bytes, line, error, into: &batch)
        }
    }

    /// Finds where each known field's value stands.
    ///
    /// - Returns: whether bytes outside ASCII were met.
    private mutating func locate(
        _ bytes: Span<UInt8>,
        _ line: Range<Int>,
        _ batch: inout DecodedBatch
    ) throws(ReadRefusal) -> Bool {
        var position = line.lowerBound
        var high = false
        var place = MemberGaps.place(after: MemberGaps.start, isText: false)
        while true {
            let field: Int
            if let gap = gaps.match(bytes, at: position, place) {
                position += gap.length
                field = gap.field
            } else {
                field = try walk(bytes, &position, place, &high)
            }
            if field == MemberGaps.end { return high }
            if field == ReadField.count { batch.unknownFields += 1 }
            let isText = try value(bytes, &position, field, &high)
            place = MemberGaps.place(after: field, isText: isText)
        }
    }

    /// Passes what stands between two values, byte by byte, and remembers it.
    ///
    /// - Parameter position: at the closing quote of a text, behind any other value, at the line's start.
    /// - Returns: the member whose value follows.
    private mutating func walk(
        _ bytes: Span<UInt8>,
        _ position: inout Int,
        _ place: Int,
        _ high: inout Bool
    ) throws(ReadRefusal) -> Int {
        let start = position
        let closing = UInt8(ascii: "}")
        let isFollowed: Bool
        if place == MemberGaps.place(after: MemberGaps.start, isText: false) {
            JSONScanner.skipSpace(bytes, &position)
            guard bytes[position] == UInt8(ascii: "{") else { throw .malformed }
            position += 1
            JSONScanner.skipSpace(bytes, &position)
            isFollowed = bytes[position] != closing
            if !isFollowed { position += 1 }
        } else {
            if place & 1 != 0 { position += 1 }
            isFollowed = try JSONScanner.another(bytes, &position, closing: closing)
        }
        guard isFollowed else {
            JSONScanner.skipSpace(bytes, &position)
            guard bytes[position] == 0x0A else { throw .malformed }
            gaps.learn(bytes, start..<position + 1, place, before: MemberGaps.end)
            return MemberGaps.end
        }
        let (field, isPlain) = try key(bytes, &position, &high)
        if isPlain { gaps.learn(bytes, start..<position, place, before: field) }
        return field
    }

    /// Passes a key and its colon.
    ///
    /// - Returns: the field, or `ReadField.count` for an unknown key; and whether the key is its own text in ASCII.
    private mutating func key(
        _ bytes: Span<UInt8>,
        _ position: inout Int,
        _ high: inout Bool
    ) throws(ReadRefusal) -> (field: Int, isPlain: Bool) {
        guard bytes[position] == UInt8(ascii: "\"") else { throw .malformed }
        let start = position + 1
        let end = try JSONScanner.string(bytes, from: start)
        high = high || end.hasHighBytes
        let field: Int
        if end.hasEscapes {
            scratch.removeAll(keepingCapacity: true)
            JSONScanner.unescape(bytes, start..<end.position, into: &scratch)
            field = KnownKeys.find(scratch)
        } else {
            field = keys.find(bytes, at: start)
        }
        position = end.position + 1
        JSONScanner.skipSpace(bytes, &position)
        guard bytes[position] == UInt8(ascii: ":") else { throw .malformed }
        position += 1
        JSONScanner.skipSpace(bytes, &position)
        return (field, !end.hasEscapes && !end.hasHighBytes)
    }

    /// Passes a value and notes where it stands.
    ///
    /// - Returns: whether it is a text, whose closing quote is then still to be passed.
    @inline(__always)
    private mutating func value(
        _ bytes: Span<UInt8>,
        _ position: inout Int,
        _ field: Int,
        _ high: inout Bool
    ) throws(ReadRefusal) -> Bool {
        let start = position
        switch bytes[start] {
        case UInt8(ascii: "\""):
            let end = try JSONScanner.string(bytes, from: start + 1)
            high = high || end.hasHighBytes
            position = end.position
            if field < ReadField.count {
                fields.set(field, from: start + 1, to: position, end.hasEscapes ? .escapedText : .text)
            }
            return true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
            position = try JSONScanner.number(bytes, from: start)
            if field < ReadField.count { fields.set(field, from: start, to: position, .number) }
        case UInt8(ascii: "n"):
            position = try JSONScanner.literal(bytes, from: start)
            if field < ReadField.count { fields.clear(field) }
        default:
            if try JSONScanner.skipValue(bytes, &position) { high = true }
            if field < ReadField.count { fields.set(field, from: start, to: position, .other) }
        }
        return false
    }

    /// Copies the line to `scratch`, writes the escaped values out behind it and points their slots there.
    private mutating func unescapeFields(_ bytes: Span<UInt8>, _ line: Range<Int>) {
        scratch.removeAll(keepingCapacity: true)
        for index in line { scratch.append(bytes[index]) }
        for field in ReadField.allCases where fields.has(field) {
            let range = fields.range(field)
            let isEscaped = fields.escaped & 1 << UInt32(field.rawValue) != 0
            let kind: FieldSlots.Kind =
                fields.isText(field) ? .text : fields.isNumber(field) ? .number : .other
            let start = isEscaped ? scratch.count : range.lowerBound - line.lowerBound
            if isEscaped { JSONScanner.unescape(bytes, range, into: &scratch) }
            let end = isEscaped ? scratch.count : range.upperBound - line.lowerBound
            fields.set(field.rawValue, from: start, to: end, kind)
        }
    }

    static func isUTF8(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        (try? UTF8Span(validating: bytes.extracting(range))) != nil
    }
}
