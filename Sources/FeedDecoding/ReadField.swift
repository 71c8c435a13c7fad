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

    /// The bit of the field in a mask.
    @inline(__always)
    var bit: UInt32 { 1 &<< UInt32(truncatingIfNeeded: rawValue) }
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

    /// Notes where a value stands that counts only if `set` is called for it too.
    @inline(__always)
    mutating func note(_ field: ReadField, from start: Int, to end: Int) {
        starts[field.rawValue] = start
        ends[field.rawValue] = end
    }

    @inline(__always)
    mutating func clear(_ field: Int) {
        present &= ~(1 << UInt32(field))
        escaped &= ~(1 << UInt32(field))
    }

    @inline(__always)
    func has(_ field: ReadField) -> Bool { present & field.bit != 0 }
    @inline(__always)
    var hasImages: Bool { present & (ReadField.plateImage.bit | ReadField.overviewImage.bit) != 0 }
    @inline(__always)
    func hasAny(_ some: [ReadField]) -> Bool { some.contains(where: has) }
    @inline(__always)
    func isText(_ field: ReadField) -> Bool { textual & field.bit != 0 }
    @inline(__always)
    func isNumber(_ field: ReadField) -> Bool { numeric & field.bit != 0 }
    @inline(__always)
    func range(_ field: ReadField) -> Range<Int> { starts[field.rawValue]..<ends[field.rawValue] }
}
