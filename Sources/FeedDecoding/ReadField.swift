/// The fields of a canonical read, in the order of their slots.
enum ReadField: Int, CaseIterable {
    case vrm, force, camera, captured, confidence, lat, lon, direction, lane, speed, country, eventId
    case plateImage, overviewImage

    /// The name in NDJSON objects and CSV headers.
    var name: String {
        switch self {
        case .vrm: "vrm"
        case .force: "force"
        case .camera: "camera"
        case .captured: "captured"
        case .confidence: "confidence"
        case .lat: "lat"
        case .lon: "lon"
        case .direction: "direction"
        case .lane: "lane"
        case .speed: "speed"
        case .country: "country"
        case .eventId: "eventId"
        case .plateImage: "plateImage"
        case .overviewImage: "overviewImage"
        }
    }

    static let count = 14
}

/// Where the fields of one record stand in its bytes.
///
/// Values are kept as found and looked at only when the record is whole: of two equal keys the last counts.
struct FieldSlots: Sendable {
    /// Bit by field: present and not null.
    private(set) var present: UInt32 = 0
    /// Bit by field: a text (in CSV, every value).
    private(set) var textual: UInt32 = 0
    /// Bit by field: a number of valid JSON grammar.
    private(set) var numeric: UInt32 = 0
    /// Bit by field: a JSON string with escapes in it.
    private(set) var escaped: UInt32 = 0
    private var starts = InlineArray<14, Int>(repeating: 0)
    private var ends = InlineArray<14, Int>(repeating: 0)

    enum Kind { case text, escapedText, number, other }

    mutating func removeAll() {
        present = 0
        escaped = 0
    }

    @inline(__always)
    mutating func set(_ field: Int, from start: Int, to end: Int, _ kind: Kind) {
        let bit: UInt32 = 1 << UInt32(field)
        starts[field] = start
        ends[field] = end
        present |= bit
        textual = kind == .text || kind == .escapedText ? textual | bit : textual & ~bit
        numeric = kind == .number ? numeric | bit : numeric & ~bit
        escaped = kind == .escapedText ? escaped | bit : escaped & ~bit
    }

    @inline(__always)
    mutating func clear(_ field: Int) {
        present &= ~(1 << UInt32(field))
        escaped &= ~(1 << UInt32(field))
    }

    @inline(__always)
    func has(_ field: ReadField) -> Bool { present & 1 << UInt32(field.rawValue) != 0 }
    @inline(__always)
    func hasAny(_ some: [ReadField]) -> Bool { some.contains(where: has) }
    @inline(__always)
    func isText(_ field: ReadField) -> Bool { textual & 1 << UInt32(field.rawValue) != 0 }
    @inline(__always)
    func isNumber(_ field: ReadField) -> Bool { numeric & 1 << UInt32(field.rawValue) != 0 }
    @inline(__always)
    func range(_ field: ReadField) -> Range<Int> { starts[field.rawValue]..<ends[field.rawValue] }
}
