import ANPRModel

/// Makes reads of documents by a mapping.
///
/// The mapped texts are given to `ReadAssembler` as a canonical record: what a read must be stands there alone.
struct RecordMapper: Sendable {
    /// Documents of more records than this are refused.
    static let recordsMax = 1000

    private let mapping: FeedMapping
    private var assembler: ReadAssembler
    private let rules: MappingRules
    private let force: String?
    private let camera: String?
    private let noPlate: Set<String>
    private var fields = FieldSlots()
    private var text: [UInt8] = []

    init(_ mapping: FeedMapping, register: CameraRegister, rules: FeedRules) {
        self.mapping = mapping
        assembler = ReadAssembler(register: register, rules: rules)
        self.rules = MappingRules(
            dateOrder: rules.dateOrder,
            epochIsLocal: rules.epochIsLocal || mapping.epochIsLocal
        )
        force = rules.force
        camera = rules.camera
        noPlate = Set(mapping.noPlate.map { $0.lowercased() })
    }

    /// Refuses reads captured after a moment from now on.
    mutating func refuse(after latest: Timestamp) { assembler.latest = latest }

    /// Appends the reads of a document, and its refusals.
    ///
    /// The document's bytes go with its first refusal; were they with each, a document of many bad records would be
    /// worth many times its size in quarantine.
    mutating func take(
        _ document: DocumentNode,
        raw: [UInt8],
        line: UInt64,
        offset: UInt64,
        into batch: inout DecodedBatch
    ) {
        guard !mapping.ignoredDocuments.contains(where: { $0.holds(in: document, of: document) }) else {
            batch.ignored += 1
            return
        }
        let records = mapping.records.lazy.map { $0.values(in: document, of: document) }.first { !$0.isEmpty }
        guard let records, records.count <= Self.recordsMax, Self.areObjects(records) else {
            if records == nil, mapping.records.contains(where: { $0.leadsToArray(in: document) }) {
                batch.ignored += 1
                return
            }
            batch.received += 1
            batch.refuse(raw, .malformed, line: line, offset: offset)
            return
        }
        var isRefused = false
        for record in records {
            do throws(ReadRefusal) {
                try take(record, of: document, into: &batch)
            } catch {
                batch.refuse(isRefused ? [] : raw, error, line: line, offset: offset)
                isRefused = true
            }
        }
    }

    private static func areObjects(_ records: [DocumentNode]) -> Bool {
        records.allSatisfy { if case .object = $0 { true } else { false } }
    }

    private mutating func take(
        _ record: DocumentNode,
        of document: DocumentNode,
        into batch: inout DecodedBatch
    ) throws(ReadRefusal) {
        guard !mapping.ignoredRecords.contains(where: { $0.holds(in: record, of: document) }) else {
            batch.ignored += 1
            return
        }
        let mark = value(of: .vrm, in: record, of: document)
        if mark.map({ noPlate.contains(Self.trimmed($0).lowercased()) }) ?? hasEmptyMark(record, document) {
            batch.ignored += 1
            return
        }
        batch.received += 1
        fields.removeAll()
        text.removeAll(keepingCapacity: true)
        put(mark, as: .vrm)
        put(value(of: .force, in: record, of: document) ?? force, as: .force)
        put(camera ?? value(of: .camera, in: record, of: document), as: .camera)
        for field in ReadField.allCases.dropFirst(3) {
            guard let value = value(of: field, in: record, of: document) else { continue }
            // Pictures that are not kept are counted, not carried on.
            put(isCarried(field) ? value : "", as: field)
        }
        let canonical = text
        try assembler.assemble(canonical.span, fields, into: &batch)
    }

    /// Which pictures are kept.
    var images: ImageRules { assembler.rules.images }

    private func isCarried(_ field: ReadField) -> Bool {
        switch field {
        case .plateImage: images.plateMax > 0
        case .overviewImage: images.overviewMax > 0
        default: true
        }
    }

    /// Whether the mark's member is there and empty, and an empty one means no plate.
    private func hasEmptyMark(_ record: DocumentNode, _ document: DocumentNode) -> Bool {
        guard noPlate.contains("") else { return false }
        for source in mapping.fields[ReadField.vrm.name] ?? [] {
            guard case .first(let paths) = source.origin else { continue }
            let words = paths.flatMap { $0.values(in: record, of: document) }.compactMap(\.word)
            if !words.isEmpty { return true }
        }
        return false
    }

    private func value(of field: ReadField, in record: DocumentNode, of document: DocumentNode) -> String? {
        mapping.fields[field.name]?.lazy.compactMap { $0.text(in: record, of: document, rules) }.first
    }

    private mutating func put(_ value: String?, as field: ReadField) {
        guard let value else { return }
        let start = text.count
        text.append(contentsOf: value.utf8)
        fields.set(field.rawValue, from: start, to: text.count, .text)
    }

    private static func trimmed(_ text: String) -> Substring {
        let start = text.firstIndex { $0 != " " } ?? text.endIndex
        let end = text.lastIndex { $0 != " " }.map(text.index(after:)) ?? start
        return text[start..<end]
    }
}
