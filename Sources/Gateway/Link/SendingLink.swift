import Archive
import Forwarding
import NIOCore

/// One connection to the next node, from greeting to end: obeys `LinkSender`, and sends what is most urgent first.
///
/// Alerts come before sightings, and sightings before images; each waits for no more than the message that is being sent.
actor SendingLink {
    /// How a conversation ended.
    enum Ending: Sendable, Equatable {
        /// The next node has everything, and nothing more was to be waited for.
        case settled
        /// It would not go on, and why.
        case refused(String)
        /// The connection was lost, and why.
        case lost(String)
    }

    /// What is sent, and who is told.
    struct Supply: Sendable {
        var log: SightingLog
        var logFolder: String
        /// What opens it and the images.
        var keys: KeyRing?
        var alerts: AlertSource?
        /// Whether the next node took alerts when it was reached last: they then go right behind the greeting.
        ///
        /// Its answer takes the line's delay twice, and after a cut alerts wait. They also tell TCP at once where the
        /// greeting was lost; alone it would be sent again only after a second and more.
        var alertsAtOnce = false
        var images: ImageShelf?
        var pacer: LinePacer?
        var maxDelay: Duration
        var bell: LinkBell
        /// The next node has everything before a sighting.
        var onDelivered: @Sendable (UInt64) async -> Void
        /// A message went, of so many bytes.
        var onSent: @Sendable (LinkMessage, Int) async -> Void
    }

    private typealias Outbound = NIOAsyncChannelOutboundWriter<ByteBuffer>

    let supply: Supply
    private let line: LineQueue
    private let untilSettled: Bool
    var machine: LinkSender
    private var outbox: Outbox?
    private var alerts: AlertOutbox?
    private var packer: AlertPacker?
    /// What the machine wants sent before all else.
    var replies: [LinkMessage] = []
    /// Which image goes next, once the next node has said which it takes.
    var turns: ImageTurns?
    var welcome = LinkWelcome(next: 0)
    /// What the next node said of alerts, once it has.
    private(set) var takesAlerts: Bool?
    /// Sightings before this one are at the next node.
    var delivered: UInt64 = 0
    /// What the shelf calls this connection.
    var shelfConnection = 0
    private var ending: Ending?
    private let clock = ContinuousClock()
    private let began = ContinuousClock.now

    /// So many alerts go together at most.
    private static let alertsTogether = 8
    /// How often the clock is looked at.
    private static let tick = Duration.milliseconds(100)

    init(_ machine: LinkSender, _ supply: Supply, line: LineQueue, untilSettled: Bool) {
        self.line = line
        self.machine = machine
        self.supply = supply
        self.untilSettled = untilSettled
    }

    /// Holds the conversation.
    ///
    /// - Throws: what writing to the connection throws.
    func run(
        _ inbound: NIOAsyncChannelInboundStream<LinkMessage>,
        _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) async throws -> Ending {
        replies = sends(machine.connected(first: supply.log.first, at: now))
        if supply.alertsAtOnce { try await beginAlerts() }
        let rings = supply.bell.listen()
        return try await withThrowingTaskGroup(of: Ending.self) { group in
            group.addTask { try await self.hear(inbound) }
            group.addTask { try await self.watch() }
            group.addTask { try await self.speak(rings, outbound) }
            defer { group.cancelAll() }
            return try await group.next() ?? .lost("nothing was said")
        }
    }

    // MARK: - In

    private func hear(_ inbound: NIOAsyncChannelInboundStream<LinkMessage>) async throws -> Ending {
        for try await message in inbound {
            try await obey(machine.received(message, at: now))
            if let ending { return ending }
            supply.bell.ring()
        }
        return ending ?? .lost("the next node closed the connection")
    }

    private func watch() async throws -> Ending {
        while true {
            try await Task.sleep(for: Self.tick)
            try await obey(machine.tick(at: now))
            if let ending { return ending }
            supply.bell.ring()
        }
    }

    private func obey(_ actions: [LinkSender.Action]) async throws {
        for action in actions {
            switch action {
            case .send(let message): replies.append(message)
            case .begin(let welcome): try await begin(welcome)
            case .delivered(let sequence): await deliver(sequence)
            case .alertTaken(let number): try await note(number)
            case .lookFor(let want): wanted(want)
            case .imageTaken(let number): try await imageTaken(number)
            case .close(let reason):
                ending = reason.hasPrefix("refused: ") ? .refused(reason) : .lost(reason)
            }
        }
    }

    private func begin(_ welcome: LinkWelcome) async throws {
        outbox = Outbox(
            supply.logFolder,
            keys: supply.keys,
            welcome,
            maxDelay: supply.maxDelay.nanoseconds
        )
        takesAlerts = welcome.takesAlerts
        if welcome.takesAlerts, alerts == nil { try await beginAlerts() }
        try await beginImages(welcome)
    }

    private func beginAlerts() async throws {
        guard let source = supply.alerts else { return }
        alerts = AlertOutbox(source.folder, keys: source.keys, from: try await source.cursor())
    }

    private func deliver(_ sequence: UInt64) async {
        let next = supply.log.extent.next
        guard sequence <= next else {
            ending = .lost(
                "it wants sighting \(sequence), but there are only \(next): is this an older copy of the node?"
            )
            return
        }
        delivered = sequence
        await supply.onDelivered(sequence)
    }

    private func note(_ number: UInt64) async throws {
        let before = alerts?.cursor
        alerts?.taken(number)
        if let cursor = alerts?.cursor, cursor != before { try await supply.alerts?.note(cursor) }
    }

    // MARK: - Out

    private func speak(_ rings: AsyncStream<Void>, _ outbound: Outbound) async throws -> Ending {
        for await _ in rings {
            while ending == nil, case let messages = try await next(), !messages.isEmpty {
                try await send(messages, outbound)
            }
            if let ending { return ending }
            if untilSettled, try await isSettled() { return .settled }
        }
        // Another conversation of the same forwarder listens now, or the task was cancelled.
        return .lost("the link was given up")
    }

    /// What goes next, the most urgent first: one message, or several alerts.
    private func next() async throws -> [LinkMessage] {
        if !replies.isEmpty { return [replies.removeFirst()] }
        let urgent = try await nextAlerts()
        if !urgent.isEmpty { return urgent }
        guard machine.canSend else { return [] }
        let bytesPerSecond = await supply.pacer?.bytesPerSecond
        let extent = supply.log.extent
        let message = try outbox?.next(
            extent,
            at: now,
            bytesPerSecond: bytesPerSecond,
            isFlushing: untilSettled
        )
        guard let message else { return nextOfImages(bytesPerSecond).map { [$0] } ?? [] }
        machine.sentOfStream()
        return [message]
    }

    /// Alerts that wait, as many as may share a packet: what is around one is more than what is in it.
    private func nextAlerts() async throws -> [LinkMessage] {
        guard let source = supply.alerts, alerts != nil else { return [] }
        let published = await source.published()
        var messages: [LinkMessage] = []
        while messages.count < Self.alertsTogether, let line = try alerts?.next(before: published) {
            if packer == nil { packer = try AlertPacker() }
            messages.append(.alert(number: line.sequence, try packer?.pack(line.text) ?? []))
        }
        return messages
    }

    private func send(_ messages: [LinkMessage], _ outbound: Outbound) async throws {
        var bytes: [UInt8] = []
        for message in messages {
            let own = message.bytes
            await supply.onSent(message, own.count)
            bytes += own
        }
        try await write(bytes, outbound)
        for message in messages { machine.sent(message, at: now) }
    }

    /// Writes bytes as fast as the budget lets them go.
    private func write(_ bytes: [UInt8], _ outbound: Outbound) async throws {
        guard let pacer = supply.pacer else { return try await outbound.write(ByteBuffer(bytes: bytes)) }
        let pieceMax = await pacer.pieceMax
        var start = 0
        while start < bytes.count {
            let piece = bytes[start..<min(start + pieceMax, bytes.count)]
            try await pacer.pass(piece.count)
            await pacer.left(try await line.send(piece))
            start += piece.count
        }
    }

    /// Whether the next node has all there is now.
    private func isSettled() async throws -> Bool {
        guard machine.isSettled, outbox?.isEmpty(supply.log.extent) == true, replies.isEmpty else {
            return false
        }
        guard alerts?.isSettled ?? true else { return false }
        return try await areImagesSettled()
    }

    private func sends(_ actions: [LinkSender.Action]) -> [LinkMessage] {
        actions.compactMap { if case .send(let message) = $0 { message } else { nil } }
    }

    /// Nanoseconds since the conversation began.
    private var now: Int64 { (clock.now - began).nanoseconds }
}
