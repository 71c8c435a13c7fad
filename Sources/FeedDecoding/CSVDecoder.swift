public import ANPRModel

/// Decodes CSV (RFC 4180) with a header row of the canonical names in any order.
///
/// Blank means absent, unknown columns are ignored, a byte order mark before the header is dropped. A record that is
/// refused although it spans lines (a stray quote) costs its first line only: decoding goes on at the second, so a
/// broken line never swallows the good ones behind it. The same holds for a quote still open after 1 MiB or at the
/// end of the feed.
///
/// - Complexity: O(bytes), no allocation for a good record without texts beside it.
public struct CSVDecoder: Sendable {
    private var assembler: ReadAssembler
    private var record = CSVRecord()
    private var fields = FieldSlots()
    /// The slot of each column, or `ReadField.count`; `nil` before the header.
    private var columns: [Int]?
    /// The names of the columns, for a mapping.
    private var names: [String] = []
    /// Makes reads of records whose columns are a vendor's.
    private var mapper: RecordMapper?
    /// Inside a line that was refused as too long.
    private var isSkipping = false
    /// Takes over another decoder's rules and cameras.
    mutating func adopt(_ other: CSVDecoder) {
        assembler = other.assembler
        mapper = other.mapper
    }

    /// Refuses reads captured after a moment from now on.
    mutating func refuse(after latest: Timestamp) {
        assembler.latest = latest
        mapper?.refuse(after: latest)
    }

    /// Where decoding stands: line ends and bytes consumed.
    public private(set) var position = FeedPosition()

    /// A decoder of one feed.
    public init(register: CameraRegister, rules: FeedRules) {
        assembler = ReadAssembler(register: register, rules: rules)
    }

    /// A decoder of one feed with a vendor's columns.
    init(delimiter: UInt8, register: CameraRegister, rules: FeedRules, mapper: RecordMapper) {
        self.init(register: register, rules: rules)
        record.delimiter = delimiter
        self.mapper = mapper
    }

    /// What the feed may do; can change between chunks.
    public var rules: FeedRules {
        get { assembler.rules }
        set { assembler.rules = newValue }
    }

    /// The required columns that the header lacks, so that no record of this feed can be a read.
    public var missingColumns: [String] {
        guard let columns, mapper == nil else { return [] }
        return [ReadField.vrm, .force, .camera, .captured].filter { !columns.contains($0.rawValue) }.map(
            \.name
        )
    }

    /// Takes a feed up again behind its header.
    ///
    /// - Parameters:
    ///   - position: where to go on; the bytes given next start there.
    ///   - header: the feed's first bytes, at least its header row.
    public mutating func resume(at position: FeedPosition, header: [UInt8]) {
        var buffer = FeedBuffer(capacity: header.count)
        buffer.append(header)
        _ = passMark(&buffer, isFinal: true)
        if case .record = record.scan(buffer.storage.span, from: buffer.start, to: buffer.end, isFinal: true)
        {
            takeHeader()
        }
        self.position = position
    }

    /// Decodes all whole records in the buffer.
    ///
    /// - Parameters:
    ///   - buffer: what was received; whole records are consumed, one begun stays.
    ///   - isFinal: whether the feed ends here.
    ///   - batch: reads and refusals are appended.
    public mutating func decode(_ buffer: inout FeedBuffer, isFinal: Bool, into batch: inout DecodedBatch) {
        if columns == nil, position.offset == 0, !passMark(&buffer, isFinal: isFinal) { return }
        while buffer.count > 0 {
            guard !isSkipping else {
                guard refuseLongLine(&buffer, isFinal: isFinal, &batch) else { break }
                continue
            }
            switch record.scan(buffer.storage.span, from: buffer.start, to: buffer.end, isFinal: isFinal) {
            case .record where record.length <= LineSplitter.lineMax:
                consume(decodeRecord(buffer.storage.span, at: buffer.start, &batch), &buffer)
            case .incomplete(let inQuotes) where buffer.count <= LineSplitter.lineMax:
                guard isFinal, inQuotes else { return buffer.moveToFront() }
                consume(
                    refuseLine(buffer.storage.span, buffer.start..<buffer.end, .malformed, &batch),
                    &buffer
                )
            default:
                // Too long as a record: its first line is refused, in pieces if need be.
                guard refuseLongLine(&buffer, isFinal: isFinal, &batch) else { break }
            }
            if isSkipping { break }
        }
        buffer.moveToFront()
    }

    private mutating func consume(_ count: Int, _ buffer: inout FeedBuffer) {
        position.offset += UInt64(count)
        buffer.consume(count)
    }

    /// Passes over a byte order mark at the start of the feed.
    ///
    /// - Returns: whether enough is there to tell.
    private mutating func passMark(_ buffer: inout FeedBuffer, isFinal: Bool) -> Bool {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let opening = buffer.storage[buffer.start..<min(buffer.end, buffer.start + mark.count)]
        guard mark.starts(with: opening), !opening.isEmpty else { return true }
        guard opening.count == mark.count else { return isFinal }
        consume(mark.count, &buffer)
        return true
    }

    /// Refuses the line at the front: whole pieces of 1 MiB, and the rest once its end is there.
    ///
    /// - Returns: whether the line is over.
    private mutating func refuseLongLine(
        _ buffer: inout FeedBuffer,
        isFinal: Bool,
        _ batch: inout DecodedBatch
    ) -> Bool {
        let end = lineEnd(buffer.storage.span, buffer.start..<buffer.end)
        let isOver = end.isWhole || isFinal
        var rest = end.next - buffer.start
        while rest > LineSplitter.lineMax || (isOver && rest > 0) {
            let piece = min(rest, LineSplitter.lineMax)
            var raw = Array(buffer.storage[buffer.start..<buffer.start + piece])
            while piece == rest, let last = raw.last, last == 0x0A || last == 0x0D { raw.removeLast() }
            batch.refuseLong(raw, at: position, isContinuation: isSkipping)
            isSkipping = true
            consume(piece, &buffer)
            rest -= piece
        }
        guard isOver else { return false }
        isSkipping = false
        position.line += 1
        return true
    }

    /// Where the line at the front of `range` ends, its LF, CRLF or CR included.
    private func lineEnd(_ bytes: Span<UInt8>, _ range: Range<Int>) -> (next: Int, isWhole: Bool) {
        var end = range.lowerBound
        while end < range.upperBound, bytes[end] != 0x0A, bytes[end] != 0x0D { end += 1 }
        guard end < range.upperBound else { return (end, false) }
        guard bytes[end] == 0x0D else { return (end + 1, true) }
        // Whether a line feed follows can't be told at the end of what is there.
        guard end + 1 < range.upperBound else { return (end, false) }
        return (bytes[end + 1] == 0x0A ? end + 2 : end + 1, true)
    }

    /// Decodes the record just scanned.
    ///
    /// - Returns: how many bytes it took.
    private mutating func decodeRecord(_ bytes: Span<UInt8>, at start: Int, _ batch: inout DecodedBatch)
        -> Int
    {
        guard columns != nil else {
            takeHeader()
            position.line += UInt64(record.lineCount)
            return record.length
        }
        if record.isBlank {
            position.line += 1
            return record.length
        }
        let raw = bytes.extracting(start..<start + record.length)
        let isUTF8 = (try? UTF8Span(validating: raw)) != nil
        if isUTF8, mapper != nil {
            takeMapped(bytes, start..<start + record.length, &batch)
            position.line += UInt64(record.lineCount)
            return record.length
        }
        batch.received += 1
        do throws(ReadRefusal) {
            let text = record.text
            guard isUTF8 else { throw .badUTF8 }
            locate(&batch)
            try assembler.assemble(text.span, fields, into: &batch)
            position.line += UInt64(record.lineCount)
            return record.length
        } catch {
            let line = start..<start + record.firstLineLength
            batch.rejected += 1
            batch.refusals.append(refusal(bytes, line, error))
            position.line += 1
            return record.firstLineLength
        }
    }

    private mutating func locate(_ batch: inout DecodedBatch) {
        guard let columns else { return }
        fields.removeAll()
        for column in 0..<min(columns.count, record.fieldCount) {
            let field = columns[column]
            let range = record.range(column)
            if field == ReadField.count {
                if !range.isEmpty { batch.unknownFields += 1 }
            } else if range.isEmpty {
                fields.clear(field)
            } else {
                fields.set(field, from: range.lowerBound, to: range.upperBound, .text)
            }
        }
    }

    /// Gives a mapping the record just scanned, as an object of its columns.
    private mutating func takeMapped(_ bytes: Span<UInt8>, _ range: Range<Int>, _ batch: inout DecodedBatch) {
        let values = (0..<min(names.count, record.fieldCount)).filter { !record.range($0).isEmpty }
        let members = values.map { DocumentNode.Member(names[$0], .text(record.value($0))) }
        let raw = refusal(bytes, range, .malformed).raw
        let line = position.line + 1
        mapper?.take(.object(members), raw: raw, line: line, offset: position.offset, into: &batch)
    }

    private mutating func takeHeader() {
        names = mapper == nil ? [] : (0..<record.fieldCount).map(record.value)
        columns = (0..<record.fieldCount).map { KnownKeys.find(Array(record.text[record.range($0)])) }
    }

    /// Refuses the physical line at the front of `range`.
    private mutating func refuseLine(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        _ reason: ReadRefusal,
        _ batch: inout DecodedBatch
    ) -> Int {
        let end = lineEnd(bytes, range)
        let next = end.isWhole ? end.next : range.upperBound
        batch.received += 1
        batch.rejected += 1
        batch.refusals.append(refusal(bytes, range.lowerBound..<next, reason))
        position.line += 1
        return next - range.lowerBound
    }

    private func refusal(_ bytes: Span<UInt8>, _ line: Range<Int>, _ reason: ReadRefusal) -> RefusedRecord {
        var raw = line.map { bytes[$0] }
        while let last = raw.last, last == 0x0A || last == 0x0D { raw.removeLast() }
        return RefusedRecord(reason: reason, line: position.line + 1, offset: position.offset, raw: raw)
    }
}

/// Reads a small CSV file whole, such as a camera register.
public enum CSVTable {
    /// The records of the text, each with the line it starts on, blank lines left out.
    ///
    /// - Returns: `nil` when a quote is never closed.
    public static func records(_ bytes: [UInt8]) -> [(line: Int, values: [String])]? {
        var record = CSVRecord()
        var records: [(line: Int, values: [String])] = []
        var position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        var line = 1
        while position < bytes.count {
            guard case .record = record.scan(bytes.span, from: position, to: bytes.count, isFinal: true)
            else {
                return nil
            }
            if !record.isBlank { records.append((line, (0..<record.fieldCount).map(record.value))) }
            position += record.length
            line += record.lineCount
        }
        return records
    }
}
