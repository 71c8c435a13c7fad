internal import SightingFrames

/// What two nodes say to each other.
///
/// `LinkProtocol.md` draws the bytes.
public enum LinkMessage: Sendable, Equatable {
    /// The sender names itself, the stream it will send and the first sighting of it that it still has.
    case hello(version: UInt8, node: String, stream: String, first: UInt64)
    /// The receiver says which sighting it wants next.
    case welcome(next: UInt64)
    /// Blocks of the stream; messages are numbered from 1 in each connection.
    case blocks(number: UInt64, [UInt8])
    /// Everything up to a message is on stable storage and worked off; the receiver wants `next` next.
    case acknowledged(number: UInt64, next: UInt64)
    /// The receiver will not go on, and why; the connection ends.
    case refused(String)

    /// The version of the protocol spoken here.
    public static let version: UInt8 = 2
    /// The longest message that is taken, its header included.
    public static let lengthMax = 80 << 20
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
        var body: [UInt8] = []
        switch self {
        case .hello(let version, let node, let stream, let first):
            body.append(1)
            body.append(version)
            LittleEndian.append(first, to: &body)
            Self.append(node, to: &body)
            Self.append(stream, to: &body)
        case .welcome(let next):
            body.append(2)
            LittleEndian.append(next, to: &body)
        case .blocks(let number, let blocks):
            body.append(3)
            LittleEndian.append(number, to: &body)
            body += blocks
        case .acknowledged(let number, let next):
            body.append(4)
            LittleEndian.append(number, to: &body)
            LittleEndian.append(next, to: &body)
        case .refused(let reason):
            body.append(5)
            Self.append(String(reason.prefix(1000)), to: &body)
        }
        var all: [UInt8] = []
        LittleEndian.append(UInt32(body.count), to: &all)
        return all + body
    }

    /// Reads one message.
    ///
    /// - Parameter body: the bytes behind the length.
    public init(body: [UInt8]) throws(Fault) {
        guard let code = body.first else { throw Fault(description: "an empty message") }
        let fixed = [2: 9, 4: 17][code] ?? body.count
        guard body.count == fixed, code != 3 || body.count >= 9 else {
            throw Fault(description: "a message of kind \(code) with \(body.count) bytes")
        }
        switch code {
        case 1:
            guard body.count >= 10 else { throw Fault(description: "a greeting that breaks off") }
            var position = 10
            let node = try Self.text(body, &position)
            let stream = try Self.text(body, &position)
            let first: UInt64 = LittleEndian.read(body, at: 2)
            self = .hello(version: body[1], node: node, stream: stream, first: first)
        case 2: self = .welcome(next: LittleEndian.read(body, at: 1))
        case 3: self = .blocks(number: LittleEndian.read(body, at: 1), Array(body[9...]))
        case 4:
            self = .acknowledged(number: LittleEndian.read(body, at: 1), next: LittleEndian.read(body, at: 9))
        case 5:
            var position = 1
            self = .refused(try Self.text(body, &position))
        default: throw Fault(description: "a message of unknown kind \(code)")
        }
    }

    private static func append(_ text: String, to body: inout [UInt8]) {
        let utf8 = Array(text.utf8.prefix(textMax))
        LittleEndian.append(UInt16(utf8.count), to: &body)
        body += utf8
    }

    private static func text(_ body: [UInt8], _ position: inout Int) throws(Fault) -> String {
        guard body.count - position >= 2 else { throw Fault(description: "a text that breaks off") }
        let length = Int(LittleEndian.read(body, at: position) as UInt16)
        position += 2
        guard length <= textMax, body.count - position >= length else {
            throw Fault(description: "a text that breaks off")
        }
        position += length
        guard let text = String(validating: body[position - length..<position], as: UTF8.self) else {
            throw Fault(description: "a text that is not UTF-8")
        }
        return text
    }
}
