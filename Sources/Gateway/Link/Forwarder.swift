package import Archive
import Forwarding
package import Logging
import NIOCore
import NIOPosix
import NIOSSL

/// Sends a node's sighting log and alerts to the next node, acknowledged and resumed exactly, through any number of broken
/// connections; each is a `SendingLink`'s.
///
/// Where the next node has several addresses they are tried in turn, from the first on whenever a connection was lost.
package actor Forwarder {
    /// Why a delivery did not come to its end.
    package struct Undelivered: Error, CustomStringConvertible {
        /// The address, what is missing and what was said last.
        package var description: String
    }

    private let forward: NodeConfiguration.Forward
    private let log: SightingLog
    private let logFolder: String
    private let keys: KeyRing?
    private let node: String
    private let stream: String
    private let alerts: AlertSource?
    private let images: ImageShelf?
    private let logger: Logger
    private let onDelivered: @Sendable (UInt64) async -> Void
    private let pacer: LinePacer?
    private let bell = LinkBell()
    private var secure: NIOSSLContext?
    private var lastTrouble = "no connection was tried"
    /// The addresses at which alerts were taken.
    private var alertTakers: Set<NodeConfiguration.Address> = []
    private var own: LinkStatus
    private var sentRate = RateGauge()
    private var deliveredRate = RateGauge()
    private var arrivedRate = RateGauge()

    /// The longest wait before another try.
    private static let backoffMax = Duration.seconds(5)

    /// A forwarder of one log to one next node.
    ///
    /// - Parameters:
    ///   - keys: of the data folder; without them only what is in the clear can be sent.
    ///   - alerts: what goes before all sightings, if the node raises any.
    ///   - data: the data folder, whose images go when they are asked for; without it none go.
    ///   - patches: how far patches were pushed; without it none go unasked.
    ///   - onDelivered: called when the next node has everything before a sighting.
    package init(
        to forward: NodeConfiguration.Forward,
        log: SightingLog,
        logFolder: String,
        keys: KeyRing?,
        node: String,
        stream: String,
        alerts: AlertSource? = nil,
        data: String? = nil,
        patches: PatchCursor? = nil,
        logger: Logger,
        onDelivered: @escaping @Sendable (UInt64) async -> Void
    ) {
        self.forward = forward
        self.log = log
        self.logFolder = logFolder
        self.keys = keys
        self.node = node
        self.stream = stream
        self.alerts = alerts
        images = data.map { data in
            ImageShelf(
                data: data,
                log: log,
                logFolder: logFolder,
                keys: keys,
                to: forward.text,
                cursor: patches,
                logger: logger
            )
        }
        self.logger = logger
        self.onDelivered = onDelivered
        own = LinkStatus(to: forward.text)
        pacer = forward.budget.map {
            LinePacer($0, zone: forward.zone, isEncrypted: forward.tls != nil)
        }
        let bell = bell
        log.observe { bell.ring() }
    }

    /// Settles from which alert on a next node is told, where that is not yet settled; to be called before any comes.
    package func settleAlerts() async throws { _ = try await alerts?.cursor() }

    /// Has what is new in the alert log sent.
    package nonisolated func alertsGrew() { bell.ring() }

    /// How the link stands.
    package var status: LinkStatus {
        get async {
            let now = ContinuousClock.now
            let next = log.extent.next
            sentRate.note(Double(own.traffic.bytes), at: now)
            deliveredRate.note(Double(own.delivered), at: now)
            arrivedRate.note(Double(next), at: now)
            var status = own
            status.waiting = next - min(own.delivered, next)
            status.trouble = lastTrouble
            status.bytesPerSecond = sentRate.perSecond
            status.deliveredPerSecond = deliveredRate.perSecond
            status.arrivedPerSecond = arrivedRate.perSecond
            status.budget = await pacer?.bytesPerSecond
            return status
        }
    }

    /// Sends until the task is cancelled, through any number of broken connections.
    package func run() async throws {
        var attempt = 0
        while !Task.isCancelled {
            let before = own.delivered
            let ending = await converse(untilSettled: false)
            if case .refused = ending {
                attempt += 1
            } else {
                attempt = own.delivered > before ? 0 : attempt + 1
            }
            if Task.isCancelled { return }
            logger.warning("link lost", metadata: ["to": "\(forward.text)", "why": "\(lastTrouble)"])
            try await Task.sleep(for: Self.backoff(attempt))
        }
    }

    /// Sends everything there is now and waits until the next node has it.
    ///
    /// - Parameter patience: how long to go on without any progress.
    package func deliverAll(patience: Duration) async throws {
        let clock = ContinuousClock()
        var lastProgress = clock.now
        var attempt = 0
        while true {
            let before = own.delivered
            let ending = await converse(untilSettled: true)
            if ending == .settled { return }
            if own.delivered > before {
                lastProgress = clock.now
                attempt = 0
            }
            var isRefused = false
            if case .refused = ending { isRefused = true }
            guard !isRefused, clock.now - lastProgress < patience else {
                let missing = log.extent.next - min(own.delivered, log.extent.next)
                throw Undelivered(
                    description: "\(forward.text): \(missing) sightings wait in the outbox: \(lastTrouble)"
                )
            }
            attempt += 1
            try await Task.sleep(for: Self.backoff(attempt))
        }
    }

    /// 100 ms, doubled with each failure up to 5 s, a quarter of it at random so that gateways don't come back in step.
    private static func backoff(_ attempt: Int) -> Duration {
        let base = min(Duration.milliseconds(100 << min(attempt, 6)), backoffMax)
        return base * Double.random(in: 0.75...1)
    }

    // MARK: - Connections

    /// One connection, to the first address that takes it.
    private func converse(untilSettled: Bool) async -> SendingLink.Ending {
        var ending = SendingLink.Ending.lost("no address")
        for address in forward.addresses {
            do {
                let (channel, line) = try await connect(address)
                own.connections += 1
                own.connected = address.text
                ending = try await converse(over: channel, line, to: address, untilSettled: untilSettled)
            } catch {
                ending = .lost("\(error)")
            }
            let wasConnected = own.connected != nil
            own.connected = nil
            if case .lost(let reason) = ending { lastTrouble = "\(address.text): \(reason)" }
            if case .refused(let reason) = ending { lastTrouble = "\(address.text): \(reason)" }
            if wasConnected { return ending }
        }
        return ending
    }

    private func connect(
        _ address: NodeConfiguration.Address
    ) async throws -> (NIOAsyncChannel<LinkMessage, ByteBuffer>, LineQueue) {
        if secure == nil { secure = try forward.tls?.sender() }
        let (secure, name) = (secure, forward.tls?.name(of: address.host))
        var bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.seconds(5))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
        if pacer != nil { bootstrap = LineQueue.bound(bootstrap) }
        let meter = pacer == nil ? nil : LineMeter(isEncrypted: secure != nil)
        let channel = try await bootstrap.connect(host: address.host, port: address.port) { channel in
            channel.eventLoop.makeCompletedFuture {
                if let meter { try channel.pipeline.syncOperations.addHandler(meter) }
                if let secure {
                    let handler = try NIOSSLClientHandler(context: secure, serverHostname: name)
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
                try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(LinkFraming()))
                return try NIOAsyncChannel<LinkMessage, ByteBuffer>(wrappingChannelSynchronously: channel)
            }
        }
        return (channel, LineQueue(of: channel.channel, meter: meter))
    }

    private func converse(
        over channel: NIOAsyncChannel<LinkMessage, ByteBuffer>,
        _ line: LineQueue,
        to address: NodeConfiguration.Address,
        untilSettled: Bool
    ) async throws -> SendingLink.Ending {
        let supply = SendingLink.Supply(
            log: log,
            logFolder: logFolder,
            keys: keys,
            alerts: alerts,
            alertsAtOnce: alertTakers.contains(address),
            images: images,
            pacer: pacer,
            maxDelay: .milliseconds(forward.maxDelay),
            bell: bell,
            onDelivered: { [weak self] in await self?.delivered($0) },
            onSent: { [weak self] in await self?.sent($0, $1) }
        )
        let link = SendingLink(
            LinkSender(node: node, stream: stream),
            supply,
            line: line,
            untilSettled: untilSettled
        )
        return try await channel.executeThenClose { inbound, outbound in
            let ending: SendingLink.Ending
            do {
                ending = try await link.run(inbound, outbound)
            } catch {
                ending = .lost("\(error)")
            }
            note(await link.takesAlerts, ending, of: address)
            // What was on its way goes again over the next connection. One that is gone already can't be given up.
            if ending != .settled { try? await line.abandon() }
            await pacer?.went(line.besides())
            return ending
        }
    }

    private func note(
        _ takesAlerts: Bool?,
        _ ending: SendingLink.Ending,
        of address: NodeConfiguration.Address
    ) {
        if takesAlerts == true { alertTakers.insert(address) }
        if case .refused = ending { alertTakers.remove(address) }
        if takesAlerts == false { alertTakers.remove(address) }
    }

    private func delivered(_ sequence: UInt64) async {
        own.delivered = sequence
        let now = ContinuousClock.now
        deliveredRate.note(Double(sequence), at: now)
        arrivedRate.note(Double(log.extent.next), at: now)
        await onDelivered(sequence)
    }

    private func sent(_ message: LinkMessage, _ count: Int) {
        own.traffic.add(message, count)
        own.messages += 1
        sentRate.note(Double(own.traffic.bytes), at: .now)
    }
}
