public import ANPRModel

/// A vehicle of interest was seen: what goes to those who wait for it, as one JSON object.
public struct Alert: Codable, Sendable, Equatable {
    /// What raised it.
    public enum Origin: String, Codable, Sendable {
        /// A read, when it arrived.
        case read
        /// A sighting that closed without any of its reads having been reported.
        case sighting
        /// A search of the archive.
        case lookBack
    }

    /// How the marks match.
    public enum Match: String, Codable, Sendable {
        case exact
        /// The marks only look alike: approximate, to be checked by a person.
        case alike
    }

    /// Its place in the node's alert log, from 1; 0 in a look-back.
    public var sequence: UInt64 = 0
    /// Names it among the alerts of all nodes.
    public var id = ""
    /// When it was raised, UTC.
    public var raised: String
    /// What raised it.
    public var origin: Origin
    /// How the marks match.
    public var match: Match
    /// The list.
    public var list: String
    /// What the list says of the vehicle, by column; blank columns are left out.
    public var entry: [String: String]
    /// The mark as read.
    public var vrm: String
    /// The site.
    public var site: String
    /// The owning force's code.
    public var force: String
    /// The camera's name.
    public var camera: String
    /// When, UTC.
    public var captured: String
    /// The confidence, 0-100, if told.
    public var confidence: Int?
    /// The direction, if known.
    public var direction: String?
    /// The lane, if known.
    public var lane: Int?

    /// An alert of a read.
    public init(
        _ hit: InterestIndex.Hit,
        of index: InterestIndex,
        read: Read,
        by camera: Camera,
        raised: Timestamp
    ) {
        self.init(hit, of: index, vrm: read.vrm, by: camera, at: read.captured, raised: raised, origin: .read)
        describe(confidence: read.confidence, direction: read.direction, lane: read.lane)
    }

    /// An alert of a sighting, as of its best read.
    public init(
        _ hit: InterestIndex.Hit,
        of index: InterestIndex,
        sighting: Sighting,
        by camera: Camera,
        raised: Timestamp,
        origin: Origin
    ) {
        self.init(
            hit,
            of: index,
            vrm: sighting.vrm,
            by: camera,
            at: sighting.captured,
            raised: raised,
            origin: origin
        )
        describe(confidence: sighting.confidence, direction: sighting.direction, lane: sighting.lane)
    }

    private init(
        _ hit: InterestIndex.Hit,
        of index: InterestIndex,
        vrm: VRM,
        by camera: Camera,
        at captured: Timestamp,
        raised: Timestamp,
        origin: Origin
    ) {
        self.raised = TimestampWriter.text(raised)
        self.origin = origin
        match = hit.isExact ? .exact : .alike
        list = index.lists[hit.list].name
        entry = index.entry(hit).members
        self.vrm = vrm.text
        site = camera.site
        force = camera.force
        self.camera = camera.name
        self.captured = TimestampWriter.text(captured)
    }

    private mutating func describe(confidence: Int8, direction: UInt8, lane: Int8) {
        if confidence >= 0 { self.confidence = Int(confidence) }
        self.direction = Direction(rawValue: direction)?.text
        if lane >= 0 { self.lane = Int(lane) }
    }

    /// What the alert is about, for the book; `nil` if it was never an alert of this program.
    public var key: AlertBook.Key? {
        guard let mark = VRM(vrm), let listed = entry["vrm"].flatMap({ VRM(normalising: $0) }) else {
            return nil
        }
        return AlertBook.Key(list: list, entry: listed, source: entry["source"] ?? "", vrm: mark, site: site)
    }

    /// When the mark was seen.
    public var moment: Timestamp? {
        guard case .moment(let moment) = TimestampReader.read(captured) else { return nil }
        return moment
    }
}
