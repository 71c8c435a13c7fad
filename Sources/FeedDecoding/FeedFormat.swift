/// The formats a feed can come in.
public enum FeedFormat: String, CaseIterable, Sendable {
    case ndjson
    case csv
    case hikvision
    case dahua
    case axis
    case rekor
    case plateRecognizer = "plate-recognizer"
    case genetec
    case milesight
    case tattile
    case survision
    case bof2
    /// By a mapping that the feed's rules give.
    case mapped

    /// The extensions of file names that tell a format; the others must be named.
    public static let fileExtensions: [(name: String, format: FeedFormat)] = [
        ("ndjson", .ndjson), ("csv", .csv), ("bof2", .bof2), ("xml", .hikvision),
    ]

    /// The format that a file name's extension tells, and the name without it.
    public static func ofFile(named name: String) -> (format: FeedFormat, stem: String)? {
        for (word, format) in fileExtensions where name.hasSuffix(".\(word)") {
            return (format, String(name.dropLast(word.count + 1)))
        }
        return nil
    }

    /// How its documents become reads; `nil` for the formats of canonical reads.
    func mapping(_ rules: FeedRules) -> FeedMapping? {
        switch self {
        case .ndjson, .csv: nil
        case .hikvision: .hikvision
        case .dahua: .dahua
        case .axis: .axisLPV
        case .rekor: .rekor
        case .plateRecognizer: .plateRecognizer
        case .genetec: .genetec
        case .milesight: .milesight
        case .tattile: .tattile
        case .survision: .survision
        case .bof2: .bof2Compact
        case .mapped: rules.mapping ?? FeedMapping(containers: [.json], fields: [:])
        }
    }
}
