public import ANPRModel

/// What a feed may do, and how its gaps are filled.
public struct FeedRules: Sendable {
    /// The forces it may speak for, by code; `nil` is every force of the register.
    public var forces: Set<String>?
    /// The zone of times without an offset; without one they are refused.
    public var timeZone: LocalTimeZone?
    /// Reads captured after this moment are refused: a clock that runs ahead would drag the watermark along.
    public var latest: Timestamp

    /// The force of the feed's reads, where the format carries none.
    public var force: String?
    /// The camera of all the feed's reads, whatever they name.
    ///
    /// Like what follows, for the formats of vendors only.
    public var camera: String?
    /// Which of day and month comes first in dates written in numbers; without it such a date is refused.
    public var dateOrder: DateOrder?
    /// Whether epochs are local times as if UTC, so that they are taken in `timeZone`.
    public var epochIsLocal: Bool
    /// What the format `mapped` means.
    public var mapping: FeedMapping?
    /// Which images are kept.
    public var images: ImageRules

    /// Rules that refuse as little as possible.
    public init(
        forces: Set<String>? = nil,
        timeZone: LocalTimeZone? = nil,
        latest: Timestamp = .latest,
        force: String? = nil,
        camera: String? = nil,
        dateOrder: DateOrder? = nil,
        epochIsLocal: Bool = false,
        mapping: FeedMapping? = nil,
        images: ImageRules = ImageRules()
    ) {
        self.forces = forces
        self.timeZone = timeZone
        self.latest = latest
        self.force = force
        self.camera = camera
        self.dateOrder = dateOrder
        self.epochIsLocal = epochIsLocal
        self.mapping = mapping
        self.images = images
    }
}

/// Turns the located fields of one record into a read, or says why it can't be one.
///
/// The same for every text format, so that a rule stands in one place. Optional fields that can't be used are
/// dropped and counted; direction and lane then come from the register.
struct ReadAssembler: Sendable {
    var rules: FeedRules {
        didSet {
            permit()
            latest = rules.latest
        }
    }
    /// Reads captured after this moment are refused.
    var latest: Timestamp
    let register: CameraRegister
    var times = TimestampReader()
    /// By registration.
    private(set) var known: [KnownCamera]

    init(register: CameraRegister, rules: FeedRules) {
        self.register = register
        self.rules = rules
        latest = rules.latest
        known = register.cameras.map { KnownCamera($0) }
        permit()
    }

    private mutating func permit() {
        for index in known.indices {
            known[index].isPermitted = rules.forces?.contains(register.cameras[index].force) ?? true
        }
    }

    /// Assembles one read and appends it to the batch.
    mutating func assemble(
        _ bytes: Span<UInt8>,
        _ fields: FieldSlots,
        into batch: inout DecodedBatch
    ) throws(ReadRefusal) {
        let mark = try vrm(bytes, fields)
        let camera = try camera(bytes, fields)
        let captured = try captured(bytes, fields)
        var read = Read(vrm: mark.vrm, captured: captured, camera: camera)
        if fields.has(.confidence) { read.confidence = try confidence(bytes, fields) }
        read.direction = known[Int(camera)].direction
        read.lane = known[Int(camera)].lane
        var details = ReadDetails()
        if mark.changed { details.rawVRM = Self.text(bytes, fields.range(.vrm)) }
        takeOptionals(bytes, fields, &read, &details, &batch)
        if mark.changed || fields.hasAny(Self.detailFields), !details.isEmpty {
            batch.details.append(details)
            read.details = UInt32(batch.details.count)
        }
        batch.reads.append(read)
    }

    private func vrm(_ bytes: Span<UInt8>, _ fields: FieldSlots) throws(ReadRefusal) -> (
        vrm: VRM, changed: Bool
    ) {
        guard fields.has(.vrm) else { throw .vrmMissing }
        guard fields.isText(.vrm) else { throw .vrmInvalid }
        let range = fields.range(.vrm)
        if let plain = VRMPacker.plain(bytes, range) { return (VRM(trusted: plain), false) }
        var packer = VRMPacker()
        for index in range where !packer.take(bytes[index]) { throw .vrmInvalid }
        guard let packed = packer.finish() else { throw .vrmInvalid }
        return (VRM(trusted: packed), packer.normalised)
    }

    private func camera(_ bytes: Span<UInt8>, _ fields: FieldSlots) throws(ReadRefusal) -> CameraIndex {
        guard fields.has(.force) else { throw .forceMissing }
        guard fields.has(.camera) else { throw .cameraMissing }
        guard fields.isText(.force), fields.isText(.camera) else { throw .forceOrCameraNotText }
        guard let camera = register.find(bytes, force: fields.range(.force), name: fields.range(.camera))
        else {
            throw .cameraUnknown
        }
        guard known[Int(camera)].isPermitted else { throw .forceNotPermitted }
        return camera
    }

    private mutating func captured(_ bytes: Span<UInt8>, _ fields: FieldSlots) throws(ReadRefusal)
        -> Timestamp
    {
        guard fields.has(.captured) else { throw .capturedMissing }
        guard fields.isText(.captured) else { throw .capturedInvalid }
        let range = fields.range(.captured)
        let moment: Timestamp
        switch times.read(bytes, from: range.lowerBound, to: range.upperBound) {
        case .malformed: throw .capturedInvalid
        case .moment(let time): moment = time
        case .withoutOffset(let local):
            guard let zone = rules.timeZone else { throw .capturedWithoutOffset }
            guard let time = zone.moment(local) else { throw .capturedAmbiguous }
            moment = time
        }
        guard moment <= latest else { throw .capturedInFuture }
        return moment
    }

    private func confidence(_ bytes: Span<UInt8>, _ fields: FieldSlots) throws(ReadRefusal) -> Int8 {
        guard let value = number(bytes, fields, .confidence), value >= 0, value <= 100 else {
            throw .confidenceInvalid
        }
        return Int8(value + 0.5)
    }

    mutating func takeOptionals(
        _ bytes: Span<UInt8>,
        _ fields: FieldSlots,
        _ read: inout Read,
        _ details: inout ReadDetails,
        _ batch: inout DecodedBatch
    ) {
        if fields.has(.lane) {
            if let lane = number(bytes, fields, .lane), lane >= 0, lane <= 63, lane == lane.rounded() {
                read.lane = Int8(lane)
            } else {
                batch.droppedFields += 1
            }
        }
        if fields.has(.direction) {
            if let direction = direction(bytes, fields) {
                read.direction = direction
            } else {
                batch.droppedFields += 1
            }
        }
        if fields.has(.lat) || fields.has(.lon) { takePosition(bytes, fields, read.camera, &details, &batch) }
        if fields.has(.speed) {
            if let speed = number(bytes, fields, .speed), speed >= 0, speed < 1000 {
                read.speed = UInt16(speed * 10 + 0.5) + 1
            } else {
                batch.droppedFields += 1
            }
        }
        if fields.has(.country) {
            if let country = country(bytes, fields) {
                read.country = country
            } else {
                batch.droppedFields += 1
            }
        }
        if fields.has(.eventId) {
            let id = fields.isText(.eventId) ? Self.text(bytes, fields.range(.eventId)) : ""
            if !id.isEmpty, id.unicodeScalars.count <= 64 {
                details.eventID = id
            } else {
                batch.droppedFields += 1
            }
        }
        if fields.hasImages { takeImages(bytes, fields, read, &batch) }
    }

    private func takeImages(
        _ bytes: Span<UInt8>,
        _ fields: FieldSlots,
        _ read: Read,
        _ batch: inout DecodedBatch
    ) {
        for (field, kind) in [(ReadField.plateImage, ImageKind.plate), (.overviewImage, .overview)]
        where fields.has(field) {
            guard fields.isText(field) else {
                batch.droppedFields += 1
                continue
            }
            batch.take(base64: bytes, fields.range(field), kind, of: read, rules.images)
        }
    }

    private static let detailFields: [ReadField] = [.eventId, .lat]

    /// A position counts only whole: half of one is dropped.
    ///
    /// The register's own, to five decimals, is not kept twice.
    private mutating func takePosition(
        _ bytes: Span<UInt8>,
        _ fields: FieldSlots,
        _ camera: CameraIndex,
        _ details: inout ReadDetails,
        _ batch: inout DecodedBatch
    ) {
        let text = PositionText(bytes, fields)
        if text.isWhole, text == known[Int(camera)].position { return }
        let latitude = fields.has(.lat) ? number(bytes, fields, .lat) : nil
        let longitude = fields.has(.lon) ? number(bytes, fields, .lon) : nil
        guard let latitude, let longitude, abs(latitude) <= 90, abs(longitude) <= 180 else {
            batch.droppedFields += (fields.has(.lat) ? 1 : 0) + (fields.has(.lon) ? 1 : 0)
            return
        }
        let registered = register.cameras[Int(camera)]
        let north = Int32((latitude * 1e7).rounded())
        let east = Int32((longitude * 1e7).rounded())
        let isNear = { (a: Int32, b: Int32) in abs(Int64(a) - Int64(b)) <= 100 }
        if isNear(north, registered.latitude), isNear(east, registered.longitude) {
            known[Int(camera)].position = text
            return
        }
        details.latitude = north
        details.longitude = east
    }

    private func direction(_ bytes: Span<UInt8>, _ fields: FieldSlots) -> UInt8? {
        guard fields.isText(.direction) else { return nil }
        let range = fields.range(.direction)
        guard (1...2).contains(range.count) else { return Direction(Self.text(bytes, range))?.rawValue }
        return Self.compassPoint(ByteWord.load(bytes, at: range.lowerBound, count: range.count))
    }

    /// The direction that one or two letters mean, the first one lowest.
    @inline(__always)
    static func compassPoint(_ letters: UInt64) -> UInt8? {
        switch letters {
        case 0x45: Direction.east.rawValue
        case 0x4E: Direction.north.rawValue
        case 0x454E: Direction.northEast.rawValue
        case 0x574E: Direction.northWest.rawValue
        case 0x53: Direction.south.rawValue
        case 0x4553: Direction.southEast.rawValue
        case 0x5753: Direction.southWest.rawValue
        case 0x57: Direction.west.rawValue
        default: nil
        }
    }

    /// Two or three letters of ISO 3166-1, either case, as five bits each.
    private func country(_ bytes: Span<UInt8>, _ fields: FieldSlots) -> UInt16? {
        guard fields.isText(.country) else { return nil }
        let range = fields.range(.country)
        guard range.count == 2 || range.count == 3 else { return nil }
        var packed: UInt16 = 0
        for index in range {
            let letter = bytes[index] & 0xDF
            guard (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(letter) else { return nil }
            packed = packed << 5 | UInt16(letter - 64)
        }
        return range.count == 2 ? packed << 5 : packed
    }

    private func number(_ bytes: Span<UInt8>, _ fields: FieldSlots, _ field: ReadField) -> Double? {
        guard fields.isText(field) || fields.isNumber(field) else { return nil }
        return DecimalText.number(bytes, fields.range(field))
    }

    private static func text(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
        String(decoding: range.map { bytes[$0] }, as: UTF8.self)
    }
}
