/// The sending end of a link as a pure machine: events go in, actions come out; no socket, no clock, no disk.
///
/// Delivery is acknowledged and resumed exactly where the receiver stands: it names the sighting it wants next, and what
/// was sent and not acknowledged when a connection broke is simply asked for again. Times are nanoseconds of any clock
/// that only goes on.
public struct LinkSender: Sendable {
    private enum State: Equatable {
        /// Not connected. Leaves on `connected`.
        case idle
        /// The greeting is out. Leaves on a welcome, a refusal or `disconnected`.
        case greeting
        /// Messages flow. Leaves on a refusal or `disconnected`.
        case streaming(sent: UInt64, acknowledged: UInt64)
        /// The receiver refused. Leaves on `disconnected`.
        case refused
    }

    /// What the shell has to do.
    public enum Action: Equatable, Sendable {
        /// Send a message.
        case send(LinkMessage)
        /// Send the stream from where the receiver stands.
        case begin(LinkWelcome)
        /// The receiver has everything before this sighting.
        case delivered(before: UInt64)
        /// The receiver has an alert.
        case alertTaken(UInt64)
        /// Look for an image that the receiver asks for; then `answered`.
        case lookFor(ImageWant)
        /// The receiver has a patch that was pushed.
        case imageTaken(UInt64)
        /// Close the connection, because of this.
        case close(String)
    }

    private let node: String
    private let stream: String
    private let windowMax: UInt64
    /// So many images may be asked for at once.
    public static let wantsMax = 64
    private var state = State.idle
    /// When something was sent and heard last.
    private var sentAt: Int64 = 0
    private var heardAt: Int64 = 0
    /// When a heartbeat went last.
    private var beatAt: Int64 = 0
    /// When something has to go behind an alert, if nothing did.
    private var probeAt: Int64?
    /// How many images were asked for and not answered.
    private var wants = 0

    /// After so long without sending anything a heartbeat goes out.
    public static let heartbeatAfter: Int64 = 5_000_000_000
    /// After so long with nothing behind an alert one goes out too: what arrives tells TCP within a round trip that what went
    /// before it did not; without it only a timer does, after three and more.
    public static let probeAfter: Int64 = 200_000_000
    /// After so long without hearing anything one goes out too: an image that is long under way is not answered by itself.
    public static let questionAfter: Int64 = 10_000_000_000
    /// After so long without hearing anything the connection is dead.
    public static let deadAfter: Int64 = 15_000_000_000

    /// A sender.
    ///
    /// - Parameters:
    ///   - node: the name of this node.
    ///   - stream: names the sighting log; another one has other sightings under the same numbers.
    ///   - windowMax: how many messages of the stream may be under way unacknowledged.
    public init(node: String, stream: String, windowMax: UInt64 = 8) {
        self.node = node
        self.stream = stream
        self.windowMax = windowMax
    }

    /// Whether another message of the stream may be sent.
    public var canSend: Bool {
        guard case .streaming(let sent, let acknowledged) = state else { return false }
        return sent - acknowledged < windowMax
    }

    /// Whether everything sent was acknowledged.
    public var isSettled: Bool {
        guard case .streaming(let sent, let acknowledged) = state else { return false }
        return sent == acknowledged
    }

    /// A connection is there.
    ///
    /// - Parameter first: the first sighting that is still there to be sent.
    public mutating func connected(first: UInt64 = 0, at now: Int64) -> [Action] {
        state = .greeting
        (sentAt, heardAt, beatAt) = (now, now, now)
        wants = 0
        probeAt = nil
        return [.send(.hello(version: LinkMessage.version, node: node, stream: stream, first: first))]
    }

    /// The connection is gone.
    public mutating func disconnected() {
        state = .idle
    }

    /// A message of the stream was sent; only when `canSend`.
    public mutating func sentOfStream() {
        guard case .streaming(let sent, let acknowledged) = state else { return }
        state = .streaming(sent: sent + 1, acknowledged: acknowledged)
    }

    /// An image that was asked for was found and goes, or the receiver is told that it does not.
    public mutating func answered() { wants = max(0, wants - 1) }

    /// A message was sent.
    public mutating func sent(_ message: LinkMessage, at now: Int64) {
        sentAt = now
        if case .alert = message { probeAt = now + Self.probeAfter } else { probeAt = nil }
    }

    /// Time passes: keeps a quiet connection alive, and gives a dead one up.
    public mutating func tick(at now: Int64) -> [Action] {
        switch state {
        case .idle, .refused: return []
        case .greeting, .streaming:
            if now - heardAt > Self.deadAfter {
                return [.close("nothing was heard for \(Self.deadAfter / 1_000_000_000) s")]
            }
            if let due = probeAt, now >= due {
                probeAt = nil
                return [.send(.heartbeat)]
            }
            let isUnsure = now - max(heardAt, beatAt) > Self.questionAfter
            guard state != .greeting, isUnsure || now - sentAt > Self.heartbeatAfter else { return [] }
            (sentAt, beatAt) = (now, now)
            return [.send(.heartbeat)]
        }
    }

    /// The receiver said something.
    public mutating func received(_ message: LinkMessage, at now: Int64) -> [Action] {
        heardAt = now
        switch (state, message) {
        case (.greeting, .welcome(let welcome)):
            state = .streaming(sent: 0, acknowledged: 0)
            return [.delivered(before: welcome.next), .begin(welcome)]
        case (.streaming(let sent, let acknowledged), .acknowledged(let count, let next)):
            guard count <= sent, count >= acknowledged else {
                return [.close("\(count) messages were acknowledged, but \(sent) were sent")]
            }
            state = .streaming(sent: sent, acknowledged: count)
            return [.delivered(before: next)]
        case (.streaming, .heartbeat): return []
        case (.streaming, .alertTaken(let number)): return [.alertTaken(number)]
        case (.streaming, .imageTaken(let number)): return [.imageTaken(number)]
        case (.streaming, .imageWanted(let want)):
            guard wants < Self.wantsMax else { return [.close("more than \(wants) images are asked for")] }
            wants += 1
            return [.lookFor(want)]
        case (_, .refused(let reason)):
            state = .refused
            return [.close("refused: \(reason)")]
        default: return [.close("a message that does not belong here")]
        }
    }
}
