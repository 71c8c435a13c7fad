/// Where a vehicle was heading, by compass or relative to the camera.
///
/// Raw values follow the ASCII order of the texts, which decides between redelivered copies of a read.
public enum Direction: UInt8, CaseIterable, Sendable {
    case east = 1
    case north
    case northEast
    case northWest
    case south
    case southEast
    case southWest
    case west
    case away
    case towards

    /// The word used in feeds and answers.
    public var text: String {
        switch self {
        case .east: "E"
        case .north: "N"
        case .northEast: "NE"
        case .northWest: "NW"
        case .south: "S"
        case .southEast: "SE"
        case .southWest: "SW"
        case .west: "W"
        case .away: "away"
        case .towards: "towards"
        }
    }

    /// Takes the exact word; nothing else is a direction.
    public init?(_ text: some StringProtocol) {
        guard let match = Direction.allCases.first(where: { $0.text == text }) else { return nil }
        self = match
    }
}
