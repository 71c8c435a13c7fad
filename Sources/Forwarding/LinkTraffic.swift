/// What went over a link, by what it was: bytes of messages with their framing, what was sent twice included.
public struct LinkTraffic: Sendable, Equatable {
    /// Sightings, with the marks behind them.
    public var sightings = 0
    /// Cameras of the register.
    public var cameras = 0
    /// Alerts.
    public var alerts = 0
    /// Greetings and heartbeats.
    public var control = 0

    /// Nothing yet.
    public init() {}

    /// All of them.
    public var bytes: Int { sightings + cameras + alerts + control }

    /// Adds a message of so many bytes.
    public mutating func add(_ message: LinkMessage, _ count: Int) {
        switch message {
        case .sightings: sightings += count
        case .cameras: cameras += count
        case .alert, .alertTaken: alerts += count
        case .hello, .welcome, .acknowledged, .refused, .heartbeat: control += count
        }
    }
}
