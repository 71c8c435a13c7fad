import ANPRModel

/// What went over a link, by what it was: bytes of messages with their framing, what was sent twice included.
public struct LinkTraffic: Sendable, Equatable {
    /// Sightings, with the marks behind them.
    public var sightings = 0
    /// Cameras of the register.
    public var cameras = 0
    /// Alerts.
    public var alerts = 0
    /// Patches, asked for and pushed.
    public var patches = 0
    /// Overviews, which go only when they are asked for.
    public var overviews = 0
    /// Greetings, heartbeats, and what else is neither.
    public var control = 0

    /// Nothing yet.
    public init() {}

    /// All of them.
    public var bytes: Int { sightings + cameras + alerts + patches + overviews + control }

    /// Adds a message of so many bytes.
    public mutating func add(_ message: LinkMessage, _ count: Int) {
        switch message {
        case .sightings: sightings += count
        case .cameras: cameras += count
        case .alert, .alertTaken: alerts += count
        case .imagePart(let part) where part.kind == .plate: patches += count
        case .imagePart: overviews += count
        case .hello, .welcome, .acknowledged, .refused, .heartbeat, .imageWanted, .imageMissing, .imageTaken:
            control += count
        }
    }
}
