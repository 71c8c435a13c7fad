public import ANPRModel
internal import SightingFrames

/// What two nodes say to each other.
///
/// `LinkProtocol.md` draws the bytes.
public enum LinkMessage: Sendable, Equatable {
    /// The sender names itself, the stream it will send and the first sighting of it that it still has.
    case hello(version: UInt8, node: String, stream: String, first: UInt64)
    /// The receiver says which sighting it wants next and what else it knows.
    case welcome(LinkWelcome)
    /// A block of cameras.
    case cameras([UInt8])
    /// Sightings and how far the stream is complete, as `LinkStreamWriter` packed them.
    case sightings([UInt8])
    /// So many messages of the stream (cameras and sightings, counted from the connection's begin) are on stable storage and
    /// worked off; the receiver wants sighting `next` next.
    case acknowledged(count: UInt64, next: UInt64)
    /// The receiver will not go on, and why; the connection ends.
    case refused(String)
    /// The sender is there; the receiver answers with the same.
    case heartbeat
    /// An alert of the sender's log: its number there and the JSON object as `AlertPacker` packed it.
    case alert(number: UInt64, [UInt8])
    /// An alert is on stable storage.
    case alertTaken(number: UInt64)
    /// The receiver asks for an image.
    case imageWanted(ImageWant)
    /// A part of an image.
    case imagePart(LinkImagePart)
    /// An image that was asked for under this number does not come, and why.
    case imageMissing(number: UInt64, String)
    /// The pushed patch of the sighting of this number is on stable storage.
    case imageTaken(number: UInt64)

    /// The version of the protocol spoken here.
    public static let version: UInt8 = 4
    /// The longest body that is taken.
    public static let lengthMax = 16 << 20
    /// The longest alert that is taken, packed or not.
    public static let alertMax = 64 << 10
    private static let textMax = 4096

    /// Why bytes are no message.
    public struct Fault: Error, Equatable, CustomStringConvertible {
        /// What is wrong.
        public var description: String

        /// A fault.
        public init(description: String) { self.description = description }
    }

    /// The message with its length before it.
    public var bytes: [UInt8] {
        let body = body
        var all: [UInt8] = []
        all.reserveCapacity(body.count + 4)
        VaryingLength.append(UInt64(body.count), to: &all)
        all += body
        return all
    }

    private var body: [UInt8] {
        var body: [UInt8] = []
        switch self {
        case .hello(let version, let node, let stream, let first):
            body += [1, version]
            VaryingLength.append(first, to: &body)
            Self.append(node, to: &body)
            Self.append(stream, to: &body)
        case .welcome(let welcome):
            body += [2, welcome.takesAlerts ? 1 : 0]
            VaryingLength.append(welcome.next, to: &body)
            VaryingLength.append(UInt64(welcome.cameras), to: &body)
            LittleEndian.append(welcome.checksum, to: &body)
            VaryingLength.append(UInt64(welcome.plateMax), to: &body)
            VaryingLength.append(UInt64(welcome.overviewMax), to: &body)
        case .cameras(let block): body = [3] + block
        case .sightings(let frame): body = [4] + frame
        case .acknowledged(let count, let next):
            body.append(5)
            VaryingLength.append(count, to: &body)
            VaryingLength.append(next, to: &body)
        case .refused(let reason):
            body.append(6)
            Self.append(String(reason.prefix(1000)), to: &body)
        case .heartbeat: body.append(7)
        case .alert(let number, let text):
            body.append(8)
            VaryingLength.append(number, to: &body)
            body += text
        case .alertTaken(let number):
            body.append(9)
            VaryingLength.append(number, to: &body)
        case .imageWanted(let want): body = Self.body(want)
        case .imagePart(let part): body = Self.body(part)
        case .imageMissing(let number, let reason):
            body.append(12)
            VaryingLength.append(number, to: &body)
            Self.append(String(reason.prefix(1000)), to: &body)
        case .imageTaken(let number):
            body.append(13)
            VaryingLength.append(number, to: &body)
        }
        return body
    }

    /// Reads one message.
    ///
    /// - Parameter body: the bytes behind the length.
    public init(body: [UInt8]) throws(Fault) {
        guard let code = body.first else { throw Fault(description: "an empty message") }
        var position = 1
        switch code {
        case 1:
            let version = try Self.byte(body, &position)
            // What another version says further on is its own affair.
            guard version == Self.version else {
                self = .hello(version: version, node: "", stream: "", first: 0)
                return
            }
            let first = try Self.number(body, &position)
            let node = try Self.text(body, &position)
            let stream = try Self.text(body, &position)
            self = .hello(version: version, node: node, stream: stream, first: first)
        case 2: self = .welcome(try LinkWelcome(body, &position))
        case 3: self = .cameras(Array(body[1...]))
        case 4: self = .sightings(Array(body[1...]))
        case 5:
            let count = try Self.number(body, &position)
            self = .acknowledged(count: count, next: try Self.number(body, &position))
        case 6: self = .refused(try Self.text(body, &position))
        case 7: self = .heartbeat
        case 8:
            let number = try Self.number(body, &position)
            guard body.count - position <= Self.alertMax else {
                throw Fault(description: "an alert of \(body.count - position) bytes")
            }
            self = .alert(number: number, Array(body[position...]))
            position = body.count
        case 9: self = .alertTaken(number: try Self.number(body, &position))
        case 10: self = .imageWanted(try Self.want(body, &position))
        case 11: self = .imagePart(try Self.part(body, &position))
        case 12:
            let number = try Self.number(body, &position)
            self = .imageMissing(number: number, try Self.text(body, &position))
        case 13: self = .imageTaken(number: try Self.number(body, &position))
        default: throw Fault(description: "a message of unknown kind \(code)")
        }
        guard position == body.count || code == 3 || code == 4 else {
            throw Fault(description: "a message of kind \(code) with \(body.count) bytes")
        }
    }

    static func byte(_ body: [UInt8], _ position: inout Int) throws(Fault) -> UInt8 {
        guard position < body.count else { throw Fault(description: "a message that breaks off") }
        position += 1
        return body[position - 1]
    }

    static func number(_ body: [UInt8], _ position: inout Int) throws(Fault) -> UInt64 {
        guard let number = VaryingLength.read(body, at: &position) else {
            throw Fault(description: "a number that breaks off or is too large")
        }
        return number
    }

    static func append(_ text: String, to body: inout [UInt8]) {
        let utf8 = Array(text.utf8.prefix(textMax))
        VaryingLength.append(UInt64(utf8.count), to: &body)
        body += utf8
    }

    static func text(_ body: [UInt8], _ position: inout Int) throws(Fault) -> String {
        let length = try number(body, &position)
        guard length <= UInt64(textMax), body.count - position >= Int(length) else {
            throw Fault(description: "a text that breaks off")
        }
        position += Int(length)
        guard let text = String(validating: body[position - Int(length)..<position], as: UTF8.self) else {
            throw Fault(description: "a text that is not UTF-8")
        }
        return text
    }
}

/// What a receiver has already when a sender greets it.
public struct LinkWelcome: Sendable, Equatable {
    /// The sighting it wants next.
    public var next: UInt64
    /// How many cameras of the stream's register it knows.
    public var cameras: UInt32
    /// The checksum of those.
    public var checksum: UInt32
    /// Whether it keeps alerts.
    public var takesAlerts: Bool
    /// The longest patch it keeps, in bytes; 0 for none.
    public var plateMax: Int
    /// The longest overview it keeps, in bytes; 0 for none.
    public var overviewMax: Int

    /// A welcome.
    public init(
        next: UInt64,
        cameras: UInt32 = 0,
        checksum: UInt32 = 0,
        takesAlerts: Bool = false,
        plateMax: Int = 0,
        overviewMax: Int = 0
    ) {
        self.plateMax = plateMax
        self.overviewMax = overviewMax
        self.next = next
        self.cameras = cameras
        self.checksum = checksum
        self.takesAlerts = takesAlerts
    }

    /// The longest image of a kind it keeps, in bytes; 0 for none.
    public func lengthMax(_ kind: ImageKind) -> Int { kind == .plate ? plateMax : overviewMax }

    init(_ body: [UInt8], _ position: inout Int) throws(LinkMessage.Fault) {
        takesAlerts = try LinkMessage.byte(body, &position) & 1 == 1
        next = try LinkMessage.number(body, &position)
        cameras = UInt32(truncatingIfNeeded: try LinkMessage.number(body, &position))
        checksum = 0
        for place in 0..<4 as Range<UInt32> {
            checksum |= UInt32(try LinkMessage.byte(body, &position)) << (8 * place)
        }
        plateMax = Int(min(try LinkMessage.number(body, &position), UInt64(LinkMessage.imageMax)))
        overviewMax = Int(min(try LinkMessage.number(body, &position), UInt64(LinkMessage.imageMax)))
    }
}
