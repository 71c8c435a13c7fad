import ANPRModel
import Archive

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
        /// Keep an image, whole and as it was announced; then `kept`.
        case keepImage(LinkImage)
        /// An image that was asked for does not come, and why.
        case imageMissing(number: UInt64, String)
        /// Send a message.
        case send(LinkMessage)
        /// Close the connection.
        case close
    }

    private var state = State.waiting
    private var assembly = ImageAssembly(plateMax: 0, overviewMax: 0)
    /// What was asked for and has not come.
    private var wants: [UInt64: ImageWant] = [:]
    /// The forces that the sender may speak for; `nil` is any.
    private var forces: Set<String>?

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
        case (.streaming, .imagePart(let part)): return take(part)
        case (.streaming, .imageMissing(let number, let reason)):
            guard wants.removeValue(forKey: number) != nil else {
                return refuse("an answer to request \(number), which was not made")
            }
            return [.imageMissing(number: number, reason)]
        default: return refuse("a message that does not belong here")
        }
    }

    /// The node may send, from where this says.
    ///
    /// - Parameter forces: those it may speak for; `nil` is any.
    public mutating func admitted(_ welcome: LinkWelcome, forces: Set<String>? = nil) -> [Action] {
        guard state == .admitting else { return [] }
        self.forces = forces
        assembly = ImageAssembly(plateMax: welcome.plateMax, overviewMax: welcome.overviewMax)
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

    /// Asks for an image, unless `LinkSender.wantsMax` are asked for already.
    public mutating func want(_ want: ImageWant) -> [Action] {
        guard case .streaming = state, wants.count < LinkSender.wantsMax, wants[want.number] == nil else {
            return []
        }
        wants[want.number] = want
        return [.send(.imageWanted(want))]
    }

    /// Takes a part of an image: one that was asked for, or the patch of a sighting.
    private mutating func take(_ part: LinkImagePart) -> [Action] {
        if let fault = part.opening.flatMap({ fault(of: $0.binding, part.ticket) }) { return refuse(fault) }
        do throws(ImageAssembly.Fault) {
            guard let image = try assembly.take(part) else { return [] }
            if case .asked(let number) = image.ticket { wants[number] = nil }
            return [.keepImage(image)]
        } catch {
            return refuse("an image that \(error)")
        }
    }

    /// What is wrong with the address of an image, if anything is.
    private func fault(of binding: ImageBinding, _ ticket: ImageTicket) -> String? {
        if let forces, !forces.contains(binding.force) {
            return "an image of force \(binding.force), for which this sender may not speak"
        }
        switch ticket {
        case .asked(let number):
            guard let want = wants[number] else {
                return "an answer to request \(number), which was not made"
            }
            return want.matches(binding) ? nil : "another image than request \(number) asked for"
        case .pushed: return binding.kind == .plate ? nil : "an overview that was not asked for"
        }
    }

    /// An image is on stable storage.
    public func kept(_ ticket: ImageTicket) -> [Action] {
        guard case .streaming = state, case .pushed(let number) = ticket else { return [] }
        return [.send(.imageTaken(number: number))]
    }

    /// Ends the connection with a reason.
    public mutating func refuse(_ reason: String) -> [Action] {
        state = .closed
        return [.send(.refused(reason)), .close]
    }
}
