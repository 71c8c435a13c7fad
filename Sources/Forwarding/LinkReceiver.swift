/// The receiving end of a link as a pure machine.
public struct LinkReceiver: Sendable {
    private enum State: Equatable {
        /// Nothing was said yet. Leaves on a greeting.
        case waiting
        /// The greeting is being looked at. Leaves on `admitted` or `refused`.
        case admitting
        /// The stream flows. Leaves on a fault.
        case streaming(received: UInt64)
        /// The connection is over.
        case closed
    }

    /// What the shell has to do.
    public enum Action: Equatable, Sendable {
        /// Look whether this node may send, and where its stream stands; then `admitted` or `refuse`.
        case admit(node: String, stream: String, first: UInt64)
        /// Store and work off the message of this number in the stream; then `stored`.
        case store(number: UInt64, LinkMessage)
        /// Keep an alert; then `kept`.
        case keep(number: UInt64, [UInt8])
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
        case (.streaming(let received), .cameras), (.streaming(let received), .sightings):
            state = .streaming(received: received + 1)
            return [.store(number: received + 1, message)]
        case (.streaming, .alert(let number, let text)): return [.keep(number: number, text)]
        case (.streaming, .heartbeat): return [.send(.heartbeat)]
        default: return refuse("a message that does not belong here")
        }
    }

    /// The node may send, from where this says.
    public mutating func admitted(_ welcome: LinkWelcome) -> [Action] {
        guard state == .admitting else { return [] }
        state = .streaming(received: 0)
        return [.send(.welcome(welcome))]
    }

    /// The messages of the stream up to a number are on stable storage and worked off.
    public func stored(number: UInt64, next: UInt64) -> [Action] {
        guard case .streaming = state else { return [] }
        return [.send(.acknowledged(count: number, next: next))]
    }

    /// An alert is on stable storage.
    public func kept(number: UInt64) -> [Action] {
        guard case .streaming = state else { return [] }
        return [.send(.alertTaken(number: number))]
    }

    /// Ends the connection with a reason.
    public mutating func refuse(_ reason: String) -> [Action] {
        state = .closed
        return [.send(.refused(reason)), .close]
    }
}
