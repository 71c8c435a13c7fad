/// One record of CSV (RFC 4180) with its quoting resolved.
///
/// LF, CRLF and CR end a record; a quote counts only at the start of a field, and text behind a closing quote is kept
/// as it stands, as spreadsheet programs do.
struct CSVRecord: Sendable {
    /// What separates values.
    var delimiter = UInt8(ascii: ",")
    /// The values, one after the other.
    private(set) var text: [UInt8] = []
    /// Where each value ends in `text`.
    private(set) var ends: [Int] = []
    /// How many bytes the record takes in the feed, its line end included.
    private(set) var length = 0
    /// How many bytes its first line takes, line end included.
    private(set) var firstLineLength = 0
    /// How many line ends it takes.
    private(set) var lineCount = 0

    /// How scanning ended.
    enum Outcome {
        case record
        /// The bytes end inside the record.
        case incomplete(inQuotes: Bool)
    }

    private enum State { case fieldStart, unquoted, quoted, quoteSeen }

    var fieldCount: Int { ends.count }

    /// Whether the record is a line with nothing on it.
    var isBlank: Bool { ends.count == 1 && text.isEmpty && length - firstLineLength == 0 }

    func range(_ field: Int) -> Range<Int> { (field == 0 ? 0 : ends[field - 1])..<ends[field] }

    func value(_ field: Int) -> String { String(decoding: text[range(field)], as: UTF8.self) }

    /// Scans the record that starts at `start`.
    ///
    /// - Parameter isFinal: whether `end` is the end of the feed, so that no line end is needed.
    mutating func scan(_ bytes: Span<UInt8>, from start: Int, to end: Int, isFinal: Bool) -> Outcome {
        text.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        firstLineLength = 0
        lineCount = 0
        var state = State.fieldStart
        var position = start
        while position < end {
            let byte = bytes[position]
            if byte == 0x0A || byte == 0x0D {
                if byte == 0x0D, position + 1 == end, !isFinal {
                    return .incomplete(inQuotes: state == .quoted)
                }
                let pair = byte == 0x0D && position + 1 < end && bytes[position + 1] == 0x0A
                let next = position + (pair ? 2 : 1)
                lineCount += 1
                if firstLineLength == 0 { firstLineLength = next - start }
                if state != .quoted {
                    ends.append(text.count)
                    length = next - start
                    return .record
                }
                for index in position..<next { text.append(bytes[index]) }
                position = next
                continue
            }
            take(byte, &state)
            position += 1
        }
        guard isFinal, state != .quoted else { return .incomplete(inQuotes: state == .quoted) }
        ends.append(text.count)
        length = end - start
        if firstLineLength == 0 { firstLineLength = length }
        lineCount += 1
        return .record
    }

    @inline(__always)
    private mutating func take(_ byte: UInt8, _ state: inout State) {
        switch (state, byte) {
        case (.fieldStart, UInt8(ascii: "\"")): state = .quoted
        case (.quoted, UInt8(ascii: "\"")): state = .quoteSeen
        case (.quoteSeen, UInt8(ascii: "\"")):
            text.append(byte)
            state = .quoted
        case (.fieldStart, delimiter), (.unquoted, delimiter), (.quoteSeen, delimiter):
            ends.append(text.count)
            state = .fieldStart
        case (.quoted, _): text.append(byte)
        default:
            text.append(byte)
            state = .unquoted
        }
    }
}
