import ANPRModel

/// Decodes a feed of documents by a mapping.
struct DocumentDecoder: Sendable {
    private var splitter: DocumentSplitter
    private var pictures = PictureBinder()
    var mapper: RecordMapper

    init(_ notations: [DocumentNotation], _ mapper: RecordMapper) {
        splitter = DocumentSplitter(notations)
        self.mapper = mapper
    }

    /// Documents and bytes consumed.
    var position: FeedPosition {
        get { splitter.position }
        set { splitter.position = newValue }
    }

    mutating func decode(_ buffer: inout FeedBuffer, isFinal: Bool, into batch: inout DecodedBatch) {
        while let unit = splitter.next(&buffer, isFinal: isFinal, into: &batch) {
            if let kind = unit.image {
                let place = (splitter.body, splitter.position.line)
                let bytes = buffer.storage[unit.content]
                pictures.take(bytes, kind, at: place, mapper.images, into: &batch)
            }
            if let notation = unit.notation { decode(unit, notation, buffer, &batch) }
            splitter.finish(unit, &buffer)
        }
        if isFinal { pictures.finish(into: &batch) }
    }

    private mutating func decode(
        _ unit: DocumentSplitter.Unit,
        _ notation: DocumentNotation,
        _ buffer: FeedBuffer,
        _ batch: inout DecodedBatch
    ) {
        let raw = Array(buffer.storage[unit.content])
        let line = splitter.position.line + 1
        let offset = splitter.offset(of: unit, in: buffer)
        let before = (received: batch.received, reads: batch.reads.count)
        do throws(ReadRefusal) {
            let document =
                switch notation {
                case .json: try DocumentNode(json: raw)
                case .xml: try DocumentNode(xml: raw)
                case .keyValue: try DocumentNode(keyValue: raw)
                }
            mapper.take(document, raw: raw, line: line, offset: offset, into: &batch)
        } catch {
            batch.received += 1
            batch.refuse(raw, error, line: line, offset: offset)
        }
        let isOne = batch.received == before.received + 1 && batch.reads.count == before.reads + 1
        pictures.note(isOne ? batch.reads.last : nil, at: (splitter.body, line), into: &batch)
    }
}

/// Decodes a feed of one record a line, its values separated by `|` and known by their position.
struct PipeDecoder: Sendable {
    private let columns: [String]
    private var splitter = LineSplitter()
    var mapper: RecordMapper

    init(_ columns: [String], _ mapper: RecordMapper) {
        self.columns = columns
        self.mapper = mapper
    }

    /// Lines and bytes consumed.
    var position: FeedPosition {
        get { splitter.position }
        set { splitter.position = newValue }
    }

    mutating func decode(_ buffer: inout FeedBuffer, isFinal: Bool, into batch: inout DecodedBatch) {
        while let line = splitter.next(&buffer, isFinal: isFinal, into: &batch) {
            if !LineSplitter.isBlank(buffer.storage.span, line) {
                var raw = Array(buffer.storage[line])
                if raw.last == 0x0D { raw.removeLast() }
                take(raw, &batch)
            }
            splitter.finish(line, &buffer)
        }
        splitter.settle(&buffer)
    }

    private mutating func take(_ raw: [UInt8], _ batch: inout DecodedBatch) {
        let line = splitter.position.line + 1
        let offset = splitter.position.offset
        guard (try? UTF8Span(validating: raw.span)) != nil else {
            batch.received += 1
            batch.refuse(raw, .badUTF8, line: line, offset: offset)
            return
        }
        let values = raw.split(separator: UInt8(ascii: "|"), omittingEmptySubsequences: false)
        guard values.count > 1, values.count <= columns.count else {
            batch.received += 1
            batch.refuse(raw, .malformed, line: line, offset: offset)
            return
        }
        let members = zip(columns, values).compactMap { name, value in
            value.isEmpty ? nil : DocumentNode.Member(name, .text(String(decoding: value, as: UTF8.self)))
        }
        mapper.take(.object(members), raw: raw, line: line, offset: offset, into: &batch)
    }
}
