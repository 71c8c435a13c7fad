/// The sending end of a link as a pure machine: events go in, actions come out; no socket, no clock, no disk.
///
/// Delivery is acknowledged and resumed exactly where the receiver stands: it names the sighting it wants next, and what
/// was sent and not acknowledged when a connection broke is simply asked for again.
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
        /// Read the stream from this sighting on.
        case readFrom(UInt64)
        /// The receiver has everything before this sighting.
        case delivered(before: UInt64)
        /// Close the connection, because of this.
        case close(String)
    }

    private let node: String
    private let stream: String
    private let windowMax: UInt64
    private var state = State.idle

    /// A sender.
    ///
    /// - Parameters:
    ///   - node: the name of this node.
    ///   - stream: names the sighting log; another one has other sightings under the same numbers.
    ///   - windowMax: how many messages may be under way unacknowledged.
    public init(node: String, stream: String, windowMax: UInt64 = 8) {
        self.node = node
        self.stream = stream
        self.windowMax = windowMax
    }

    /// Whether another message may be sent.
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
    public mutating func connected(first: UInt64 = 0) -> [Action] {
        state = .greeting
        return [.send(.hello(version: LinkMessage.version, node: node, stream: stream, first: first))]
    }

    /// The connection is gone.
    public mutating func disconnected() {
        state = .idle
    }

    /// Sends blocks; only when `canSend`.
    public mutating func send(_ blocks: [UInt8]) -> [Action] {
        guard case .streaming(let sent, let acknowledged) = state, sent - acknowledged < windowMax else {
            return []
        }
        state = .streaming(sent: sent + 1, acknowledged: acknowledged)
        return [.send(.blocks(number: sent + 1, blocks))]
    }

    /// The receiver said something.
    public mutating func received(_ message: LinkMessage) -> [Action] {
        switch (state, message) {
        case (.greeting, .welcome(let next)):
            state = .streaming(sent: 0, acknowledged: 0)
            return [.delivered(before: next), .readFrom(next)]
        case (.streaming(let sent, let acknowledged), .acknowledged(let number, let next)):
            guard number <= sent, number >= acknowledged else {
                return [.close("message \(number) was acknowledged, but \(sent) were sent")]
            }
            state = .streaming(sent: sent, acknowledged: number)
            return [.delivered(before: next)]
        case (_, .refused(let reason)):
            state = .refused
            return [.close("refused: \(reason)")]
        default: return [.close("a message that does not belong here")]
        }
    }
}

/// The receiving end of a link as a pure machine.
public struct LinkReceiver: Sendable {
    private enum State: Equatable {
        /// Nothing was said yet. Leaves on a greeting.
        case waiting
        /// The greeting is being looked at. Leaves on `admitted` or `refused`.
        case admitting
        /// Blocks flow. Leaves on a fault.
        case streaming(received: UInt64)
        /// The connection is over.
        case closed
    }

    /// What the shell has to do.
    public enum Action: Equatable, Sendable {
        /// Look whether this node may send, and where its stream stands; then `admitted` or `refuse`.
        case admit(node: String, stream: String, first: UInt64)
        /// Store and work off blocks; then `stored`.
        case store(number: UInt64, [UInt8])
        /// Send a message.
        case send(LinkMessage)
        /// Close the connection.
        case close
    }

    private var state = State.waiting

    /// A receiver for one connection.
    public init() {}

    /// The sender said something.
    public mutating func received(_ message: LinkMessage) -> [Action] {
        switch (state, message) {
        case (.waiting, .hello(let version, let node, let stream, let first)):
            guard version == LinkMessage.version else {
                return refuse("version \(version) of the protocol; this node speaks \(LinkMessage.version)")
            }
            guard !node.isEmpty, !stream.isEmpty else { return refuse("a greeting without a name") }
            state = .admitting
            return [.admit(node: node, stream: stream, first: first)]
        case (.streaming(let received), .blocks(let number, let blocks)):
            guard number == received + 1 else { return refuse("message \(number) after message \(received)") }
            state = .streaming(received: number)
            return [.store(number: number, blocks)]
        default: return refuse("a message that does not belong here")
        }
    }

    /// The node may send, from this sighting on.
    public mutating func admitted(next: UInt64) -> [Action] {
        guard state == .admitting else { return [] }
        state = .streaming(received: 0)
        return [.send(.welcome(next: next))]
    }

    /// Blocks are on stable storage and worked off.
    public func stored(number: UInt64, next: UInt64) -> [Action] {
        guard case .streaming = state else { return [] }
        return [.send(.acknowledged(number: number, next: next))]
    }

    /// Ends the connection with a reason.
    public mutating func refuse(_ reason: String) -> [Action] {
        state = .closed
        return [.send(.refused(reason)), .close]
    }
}
