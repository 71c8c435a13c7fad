import ANPRModel

/// Decodes a feed by a mapping, in whichever of its containers the feed comes.
struct MappedDecoder: Sendable {
    private enum Shape: Sendable {
        /// Documents or a table: the feed's first bytes tell.
        case undecided
        case documents(DocumentDecoder)
        case table(CSVDecoder)
        case lines(PipeDecoder)
    }

    private var shape: Shape
    private var mapper: RecordMapper
    private var documents: DocumentDecoder
    private var table: CSVDecoder?

    init(_ mapping: FeedMapping, register: CameraRegister, rules: FeedRules) {
        let mapper = RecordMapper(mapping, register: register, rules: rules)
        self.mapper = mapper
        documents = DocumentDecoder(mapping.notations, mapper)
        var table: CSVDecoder?
        var lines: PipeDecoder?
        for container in mapping.containers {
            switch container {
            case .csv(let delimiter):
                table = CSVDecoder(delimiter: delimiter, register: register, rules: rules, mapper: mapper)
            case .pipe(let columns): lines = PipeDecoder(columns, mapper)
            case .json, .xml, .keyValue: break
            }
        }
        self.table = table
        if let lines {
            shape = .lines(lines)
        } else if let table {
            shape = mapping.notations.isEmpty ? .table(table) : .undecided
        } else {
            shape = .documents(documents)
        }
    }

    /// Where decoding stands.
    var position: FeedPosition {
        switch shape {
        case .undecided: FeedPosition()
        case .documents(let decoder): decoder.position
        case .table(let decoder): decoder.position
        case .lines(let decoder): decoder.position
        }
    }

    /// Refuses reads captured after a moment from now on.
    mutating func refuse(after latest: Timestamp) {
        mapper.refuse(after: latest)
        table?.refuse(after: latest)
        useMapper()
    }

    /// Takes over another decoder's rules and cameras.
    mutating func adopt(_ other: MappedDecoder) {
        mapper = other.mapper
        if let new = other.table { table?.adopt(new) }
        useMapper()
    }

    private mutating func useMapper() {
        documents.mapper = mapper
        switch shape {
        case .undecided: break
        case .documents(var decoder):
            decoder.mapper = mapper
            shape = .documents(decoder)
        case .table(var decoder):
            if let table { decoder.adopt(table) }
            shape = .table(decoder)
        case .lines(var decoder):
            decoder.mapper = mapper
            shape = .lines(decoder)
        }
    }

    mutating func resume(at position: FeedPosition, opening: [UInt8]) {
        guard position.offset > 0 else { return }
        if case .undecided = shape {
            var buffer = FeedBuffer(capacity: opening.count)
            buffer.append(opening)
            decide(buffer, isFinal: true)
        }
        switch shape {
        case .undecided: break
        case .documents(var decoder):
            decoder.position = position
            shape = .documents(decoder)
        case .table(var decoder):
            decoder.resume(at: position, header: opening)
            shape = .table(decoder)
        case .lines(var decoder):
            decoder.position = position
            shape = .lines(decoder)
        }
    }

    mutating func decode(_ buffer: inout FeedBuffer, isFinal: Bool, into batch: inout DecodedBatch) {
        if case .undecided = shape { decide(buffer, isFinal: isFinal) }
        switch shape {
        case .undecided: break
        case .documents(var decoder):
            decoder.decode(&buffer, isFinal: isFinal, into: &batch)
            shape = .documents(decoder)
        case .table(var decoder):
            decoder.decode(&buffer, isFinal: isFinal, into: &batch)
            shape = .table(decoder)
        case .lines(var decoder):
            decoder.decode(&buffer, isFinal: isFinal, into: &batch)
            shape = .lines(decoder)
        }
    }

    /// Looks at the first byte that is no space and no part of a byte order mark.
    private mutating func decide(_ buffer: FeedBuffer, isFinal: Bool) {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let first = buffer.storage[buffer.start..<buffer.end].first {
            !XMLScanner.isSpace($0) && !mark.contains($0)
        }
        guard let first else {
            if isFinal { shape = .documents(documents) }
            return
        }
        let isDocument = "{[<-".utf8.contains(first)
        if let table, !isDocument { shape = .table(table) } else { shape = .documents(documents) }
    }
}
