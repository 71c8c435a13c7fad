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
    /// Where decoding stands: line ends and bytes consumed.
    public private(set) var position = FeedPosition()

    /// A decoder of one feed.
    public init(register: CameraRegister, rules: FeedRules) {
        assembler = ReadAssembler(register: register, rules: rules)
    }

    /// What the feed may do; can change between chunks.
    public var rules: FeedRules {
        get { assembler.rules }
        set { assembler.rules = newValue }
    }

    /// The required columns that the header lacks, so that no record of this feed can be a read.
    public var missingColumns: [String] {
        guard let columns else { return [] }
        return [ReadField.vrm, .force, .camera, .captured].filter { !columns.contains($0.rawValue) }.map(\.name)
    }

    /// Takes a feed up again behind its header.
    ///
    /// - Parameters:
    ///   - position: where to go on; the bytes given next start there.
    ///   - header: the feed's first bytes, at least its header row.
    public mutating func resume(at position: FeedPosition, header: [UInt8]) {
        var buffer = FeedBuffer(capacity: header.count)
        buffer.append(header)
        if case .record = record.scan(buffer.storage.span, from: 0, to: header.count, isFinal: true) { takeHeader() }
        self.position = position
    }

    /// Decodes all whole records in the buffer.
    ///
    /// - Parameters:
    ///   - buffer: what was received; whole records are consumed, one begun stays.
    ///   - isFinal: whether the feed ends here.
    ///   - batch: reads and refusals are appended.
    public mutating func decode(_ buffer: inout FeedBuffer, isFinal: Bool, into batch: inout DecodedBatch) {
        while buffer.count > 0 {
            let consumed: Int
            switch record.scan(buffer.storage.span, from: buffer.start, to: buffer.end, isFinal: isFinal) {
            case .record: consumed = decodeRecord(buffer.storage.span, at: buffer.start, &batch)
            case .incomplete(let inQuotes):
                let isTooLong = buffer.count > LineSplitter.lineMax
                guard isTooLong || (isFinal && inQuotes) else {
                    buffer.moveToFront()
                    return
                }
                let reason: ReadRefusal = isTooLong ? .recordTooLong : .malformed
                consumed = refuseLine(buffer.storage.span, buffer.start..<buffer.end, reason, &batch)
            }
            position.offset += UInt64(consumed)
            buffer.consume(consumed)
        }
    }

    /// Decodes the record just scanned.
    ///
    /// - Returns: how many bytes it took.
    private mutating func decodeRecord(_ bytes: Span<UInt8>, at start: Int, _ batch: inout DecodedBatch) -> Int {
        guard columns != nil else {
            takeHeader()
            position.line += UInt64(record.lineCount)
            return record.length
        }
        if record.isBlank {
            position.line += 1
            return record.length
        }
        do throws(ReadRefusal) {
            if record.length > LineSplitter.lineMax { throw .recordTooLong }
            let text = record.text
            guard (try? UTF8Span(validating: text.span)) != nil else { throw .badUTF8 }
            locate(&batch)
            batch.received += 1
            try assembler.assemble(text.span, fields, into: &batch)
            position.line += UInt64(record.lineCount)
            return record.length
        } catch {
            if error == .recordTooLong || error == .badUTF8 { batch.received += 1 }
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

    private mutating func takeHeader() {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        columns = (0..<record.fieldCount).map { column in
            var name = Array(record.text[record.range(column)])
            if column == 0, name.starts(with: mark) { name.removeFirst(mark.count) }
            return KnownKeys.find(name)
        }
    }

    /// Refuses the physical line at the front of `range`, in whole or, over-long, in a piece of 1 MiB.
    private mutating func refuseLine(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        _ reason: ReadRefusal,
        _ batch: inout DecodedBatch
    ) -> Int {
        var end = range.lowerBound
        let limit = min(range.upperBound, range.lowerBound + LineSplitter.lineMax)
        while end < limit, bytes[end] != 0x0A { end += 1 }
        if end < limit { end += 1 }
        batch.received += 1
        batch.rejected += 1
        batch.refusals.append(refusal(bytes, range.lowerBound..<end, reason))
        position.line += 1
        return end - range.lowerBound
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
            guard case .record = record.scan(bytes.span, from: position, to: bytes.count, isFinal: true) else {
                return nil
            }
            if !record.isBlank { records.append((line, (0..<record.fieldCount).map(record.value))) }
            position += record.length
            line += record.lineCount
        }
        return records
    }
}
