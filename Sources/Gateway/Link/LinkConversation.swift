import Archive
import Deduplication
import FeedDecoding
import ANPRModel
import Forwarding
import Logging
import NIOCore
import SightingFrames

/// One conversation with a sender: asks the node what the machine wants to know, and obeys.
actor LinkConversation {
    private var machine = LinkReceiver()
    private var reader = LinkStreamReader(next: 0)
    private var unpacker: AlertUnpacker?
    private let node: NodeService
    private let alerts: AlertService?
    private let images: ImageDesk
    /// The connection that the sender proves its name over, if it has to.
    private let channel: (any Channel)?
    private let logger: Logger
    private var sender: FeedIndex = 0
    private var stream = ""
    private var name = ""
    /// What the desk calls this connection, once the sender is admitted.
    private var peer: UInt64?
    /// What is to be asked for over this connection.
    nonisolated let wants: AsyncStream<ImageWant>
    private let wantsIn: AsyncStream<ImageWant>.Continuation

    init(
        node: NodeService,
        alerts: AlertService?,
        images: ImageDesk,
        channel: (any Channel)?,
        logger: Logger
    ) {
        self.node = node
        self.alerts = alerts
        self.images = images
        (wants, wantsIn) = AsyncStream.makeStream()
        self.channel = channel
        self.logger = logger
    }

    /// Takes a message.
    ///
    /// - Returns: what to send back, and whether the connection is to be closed then.
    func received(_ message: LinkMessage) async -> (replies: [LinkMessage], isOver: Bool) {
        var replies: [LinkMessage] = []
        var open = machine.received(message)
        while !open.isEmpty {
            switch open.removeFirst() {
            case .send(let reply): replies.append(reply)
            case .close: return (replies, true)
            case .admit(let name, let stream, let first): open += await admit(name, stream, first)
            case .store(let number, let message): open += await store(number, message)
            case .keep(let number, let text): open += await keep(number, text)
            case .keepImage(let image): open += await keep(image)
            case .imageMissing(let number, let reason): await images.missing(number, from: name, reason)
            }
        }
        return (replies, false)
    }

    private func admit(_ name: String, _ stream: String, _ first: UInt64) async
        -> [LinkReceiver.Action]
    {
        do {
            if let channel, try await !PeerNames.of(channel).contains(name) {
                throw TLSFault(description: "its certificate is not in the name of node \(name)")
            }
            let admission = try await node.admit(name, stream: stream, first: first)
            (sender, self.stream, self.name) = (admission.sender, stream, name)
            reader = LinkStreamReader(next: admission.next)
            logger.info("link", metadata: ["from": "\(name)", "next": "\(admission.next)"])
            let forces = await node.forces(of: sender)
            let rules = await node.imageRules
            let actions = machine.admitted(
                LinkWelcome(
                    next: admission.next,
                    cameras: UInt32(admission.register.count),
                    checksum: RegisterBlock.checksum(admission.register, first: admission.register.count),
                    takesAlerts: alerts != nil,
                    plateMax: rules.plateMax,
                    overviewMax: rules.overviewMax
                ),
                forces: forces
            )
            peer = await images.join(name, forces: forces, wantsIn)
            return actions
        } catch {
            logger.warning("link refused", metadata: ["from": "\(name)", "why": "\(error)"])
            return machine.refuse("\(error)")
        }
    }

    private func store(_ number: UInt64, _ message: LinkMessage) async -> [LinkReceiver.Action] {
        do {
            let next = try await node.store(try reader.blocks(of: message), from: sender, stream: stream)
            return machine.stored(number: number, next: next)
        } catch {
            let reason = "message \(number) of the stream: \(error)"
            logger.error("sightings refused", metadata: ["from": "\(name)", "why": "\(reason)"])
            return machine.refuse(reason)
        }
    }

    private func keep(_ number: UInt64, _ packed: [UInt8]) async -> [LinkReceiver.Action] {
        do {
            guard let alerts else { throw AlertService.Refused(description: "no alerts are kept here") }
            if unpacker == nil { unpacker = try AlertUnpacker() }
            let text = try unpacker?.unpack(packed) ?? []
            try await alerts.take(text, forces: await node.forces(of: sender))
            return machine.kept(number: number)
        } catch {
            let reason = "alert \(number): \(error)"
            logger.error("alert refused", metadata: ["from": "\(name)", "why": "\(reason)"])
            return machine.refuse(reason)
        }
    }

    // MARK: - Images

    /// Asks for an image.
    ///
    /// - Returns: what to send.
    func want(_ want: ImageWant) -> [LinkMessage] {
        machine.want(want).compactMap { if case .send(let message) = $0 { message } else { nil } }
    }

    private func keep(_ image: LinkImage) async -> [LinkReceiver.Action] {
        do {
            try await node.keep(image, from: sender)
            if case .asked(let number) = image.ticket { await images.arrived(number) }
            return machine.kept(image.ticket)
        } catch {
            if case .asked(let number) = image.ticket {
                await images.failed(number, "it came, but was not kept: \(error)")
            }
            logger.error("image refused", metadata: ["from": "\(name)", "why": "\(error)"])
            // Want of room must not cost text its connection: what is not taken is sent again on the next one.
            if error is StorageError { return [] }
            return machine.refuse("an image: \(error)")
        }
    }

    /// The connection is over.
    func ended() async {
        wantsIn.finish()
        if let peer { await images.leave(peer) }
    }
}
