/// How a vendor's documents become reads: where the records stand, which are none, and what each field is made of.
///
/// A plain value, so that a format is a table and not a program, and configuration can give one.
public struct FeedMapping: Sendable, Equatable {
    /// How the feed is written; several if it may be any of them.
    public enum Container: Sendable, Equatable {
        /// JSON documents, also as parts of multipart bodies.
        case json
        /// XML documents, also as parts of multipart bodies.
        case xml
        /// Lines of `path=value`, a block a document, also as parts of multipart bodies.
        case keyValue
        /// CSV with a header row; the delimiter is one byte of ASCII.
        case csv(delimiter: UInt8)
        /// A record a line, the values in the order of these names with `|` between them.
        case pipe(columns: [String])
    }

    /// How the feed is written.
    public var containers: [Container]
    /// Where the records stand in a document; the first path that leads somewhere counts.
    public var records: [DocumentPath]
    /// Documents that are no reads, such as heartbeats.
    public var ignoredDocuments: [MappingPredicate]
    /// Records that are no reads, such as previews.
    public var ignoredRecords: [MappingPredicate]
    /// What stands for "no plate", in any case; such a record is ignored.
    public var noPlate: [String]
    /// Whether epochs are local times, as if UTC.
    public var epochIsLocal: Bool
    /// The canonical fields by name, each with its sources: the first that gives something counts.
    public var fields: [String: [FieldSource]]

    /// The words that stand for "no plate" if a mapping does not say.
    public static let noPlateWords = ["", "-", "unknown", "noplate", "no plate", "no_plate", "none", "null"]

    /// The canonical fields' names.
    public static let fieldNames = ReadField.allCases.map(\.name)

    /// A mapping.
    public init(
        containers: [Container],
        records: [DocumentPath] = [""],
        ignoredDocuments: [MappingPredicate] = [],
        ignoredRecords: [MappingPredicate] = [],
        noPlate: [String] = FeedMapping.noPlateWords,
        epochIsLocal: Bool = false,
        fields: [String: [FieldSource]]
    ) {
        self.containers = containers
        self.records = records
        self.ignoredDocuments = ignoredDocuments
        self.ignoredRecords = ignoredRecords
        self.noPlate = noPlate
        self.epochIsLocal = epochIsLocal
        self.fields = fields
    }

    /// The notations of documents among the containers.
    var notations: [DocumentNotation] {
        containers.compactMap { container in
            switch container {
            case .json: .json
            case .xml: .xml
            case .keyValue: .keyValue
            case .csv, .pipe: nil
            }
        }
    }
}

/// Tells whether something in a document or record is so.
public struct MappingPredicate: Sendable, Equatable {
    /// What is asked.
    public enum Test: Sendable, Equatable {
        /// Some value is one of these words, in any case.
        case equals([String])
        /// There is a word, and it is none of these, in any case.
        case differs([String])
        /// Something is there.
        case exists
        /// Nothing is there, or nothing but empty texts.
        case missing
    }

    /// Where to look; all places count.
    public var paths: [DocumentPath]
    /// What is asked.
    public var test: Test

    /// A predicate.
    public init(_ paths: [DocumentPath], _ test: Test) {
        self.paths = paths
        self.test = test
    }

    func holds(in record: DocumentNode, of document: DocumentNode) -> Bool {
        let values = paths.flatMap { $0.values(in: record, of: document) }
        let words = values.compactMap { $0.word?.lowercased() }
        switch test {
        case .equals(let known): return words.contains { word in known.contains { $0.lowercased() == word } }
        case .differs(let known):
            guard let word = words.first else { return false }
            return !known.contains { $0.lowercased() == word }
        case .exists: return !values.isEmpty
        case .missing: return values.allSatisfy { $0 == .text("") }
        }
    }
}
