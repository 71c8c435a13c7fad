import ANPRModel

/// What decoding needs of a registration with every read, in one place in memory.
struct KnownCamera: Sendable {
    /// Its own direction and lane, as reads have them.
    let direction: UInt8
    let lane: Int8
    /// Whether the feed may speak for its force.
    var isPermitted = false
    /// The texts of a position that was found to be the register's.
    var position = PositionText()

    init(_ camera: Camera) {
        direction = camera.direction?.rawValue ?? 0
        lane = camera.lane.map { Int8($0) } ?? -1
    }
}

/// The texts of a latitude and a longitude: equal texts need not be worked out again.
struct PositionText: Equatable {
    private(set) var latitude = CoordinateText()
    private(set) var longitude = CoordinateText()

    init() {}

    /// Whether both are there and short enough.
    var isWhole: Bool { latitude.length > 0 && longitude.length > 0 }

    init(_ bytes: Span<UInt8>, _ fields: FieldSlots) {
        if fields.has(.lat) { latitude = CoordinateText(bytes, fields.range(.lat)) }
        if fields.has(.lon) { longitude = CoordinateText(bytes, fields.range(.lon)) }
    }
}

/// The text of a coordinate, of up to 16 bytes.
struct CoordinateText: Equatable {
    private var head: UInt64 = 0
    private var tail: UInt64 = 0
    /// Its bytes; 0 is none, or one too long to be kept.
    private(set) var length = 0

    init() {}

    init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        guard range.count <= 16 else { return }
        length = range.count
        head = ByteWord.load(bytes, at: range.lowerBound, count: min(length, 8))
        if length > 8 { tail = ByteWord.load(bytes, at: range.lowerBound + 8, count: length - 8) }
    }

    /// Whether the bytes from `position` begin with the text.
    ///
    /// - Parameter position: so that 16 bytes are there; not checked.
    @inline(__always)
    func stands(in bytes: Span<UInt8>, at position: Int) -> Bool {
        let first = ByteWord.load(bytes, at: position)
        guard length > 8 else { return (length == 8 ? first : first & ByteWord.first(length)) == head }
        let second = ByteWord.load(bytes, at: position + 8)
        return first == head && (length == 16 ? second : second & ByteWord.first(length - 8)) == tail
    }
}
