package import Archive
import Forwarding
package import Logging
import NIOCore
import NIOPosix
import NIOSSL

/// Sends a node's sighting log to the next node, acknowledged and resumed exactly; the shell around `LinkSender`.
package actor Forwarder {
    /// What went over the link.
    package struct Traffic: Sendable, Equatable {
        /// Bytes sent, messages with their framing, what was sent twice included.
        package var bytes = 0
        /// Messages sent.
        package var messages = 0
        /// Connections made.
        package var connections = 0
        /// The sighting before which the next node has everything.
        package var delivered: UInt64 = 0

        /// Nothing yet.
        package init() {}
    }

    /// Why a delivery did not come to its end.
    package struct Undelivered: Error, CustomStringConvertible {
        /// The address, what is missing and what was said last.
        package var description: String
    }

    private enum Event: Sendable {
        case message(LinkMessage)
        case logGrew
        case closed(String)
    }

    private let forward: NodeConfiguration.Forward
    private let log: SightingLog
    private let logFolder: String
    private let node: String
    private let stream: String
    private let logger: Logger
    private let onDelivered: @Sendable (UInt64) async -> Void
    /// What went over the link so far.
    package private(set) var traffic = Traffic()
    private var lastTrouble = "no connection was tried"
    private var secure: NIOSSLContext?
    private var budget: LinkBudget?
    private let began = ContinuousClock.now

    /// The longest wait before another try.
    private static let backoffMax = Duration.seconds(5)

    /// A forwarder of one log to one address.
    ///
    /// - Parameter onDelivered: called when the next node has everything before a sighting.
    package init(
        to forward: NodeConfiguration.Forward,
        log: SightingLog,
        logFolder: String,
        node: String,
        stream: String,
        logger: Logger,
        onDelivered: @escaping @Sendable (UInt64) async -> Void
    ) {
        self.forward = forward
        self.log = log
        self.logFolder = logFolder
        self.node = node
        self.stream = stream
        self.logger = logger
        self.onDelivered = onDelivered
        budget = forward.budget.map { LinkBudget(bitsPerSecond: $0, isEncrypted: forward.tls != nil) }
    }

    /// Sends until the task is cancelled, through any number of broken connections.
    package func run() async throws {
        var attempt = 0
        while !Task.isCancelled {
            let before = traffic.delivered
            let isRefused = await converse(untilSettled: false)
            attempt = traffic.delivered > before && !isRefused ? 0 : attempt + 1
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
            let before = traffic.delivered
            let isRefused = await converse(untilSettled: true)
            if isSettled { return }
            if traffic.delivered > before {
                lastProgress = clock.now
                attempt = 0
            }
            guard !isRefused, clock.now - lastProgress < patience else {
                let missing = log.extent.next - min(traffic.delivered, log.extent.next)
                throw Undelivered(
                    description: "\(forward.text): \(missing) sightings wait in the outbox: \(lastTrouble)"
                )
            }
            attempt += 1
            try await Task.sleep(for: Self.backoff(attempt))
        }
    }

    private var isSettled = false

    /// 100 ms, doubled with each failure up to 5 s, a quarter of it at random so that gateways don't come back in step.
    private static func backoff(_ attempt: Int) -> Duration {
        let base = min(Duration.milliseconds(100 << min(attempt, 6)), backoffMax)
        return base * Double.random(in: 0.75...1)
    }

    /// One connection, from greeting to end.
    ///
    /// - Returns: whether the next node refused.
    private func converse(untilSettled: Bool) async -> Bool {
        do {
            if secure == nil { secure = try forward.tls?.sender() }
            let (secure, name) = (secure, forward.tls?.name(of: forward.host))
            var bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(.seconds(5))
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            if let budget {
                // What was handed over goes when the line can take it: no more than a moment's worth, here and in the kernel.
                let room = 2 * budget.pieceMax + 2048
                bootstrap = bootstrap.channelOption(.socketOption(.so_sndbuf), value: room)
                    .channelOption(.writeBufferWaterMark, value: .init(low: 1, high: budget.pieceMax))
            }
            let channel =
                try await bootstrap
                .connect(host: forward.host, port: forward.port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        if let secure {
                            let handler = try NIOSSLClientHandler(context: secure, serverHostname: name)
                            try channel.pipeline.syncOperations.addHandler(handler)
                        }
                        try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(LinkFraming()))
                        return try NIOAsyncChannel<LinkMessage, ByteBuffer>(
                            wrappingChannelSynchronously: channel
                        )
                    }
                }
            traffic.connections += 1
            return try await channel.executeThenClose { inbound, outbound in
                try await self.talk(inbound, outbound, untilSettled: untilSettled)
            }
        } catch {
            lastTrouble = "\(error)"
            return false
        }
    }

    private func talk(
        _ inbound: NIOAsyncChannelInboundStream<LinkMessage>,
        _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>,
        untilSettled: Bool
    ) async throws -> Bool {
        let (events, continuation) = AsyncStream.makeStream(of: Event.self)
        log.observe { continuation.yield(.logGrew) }
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    for try await message in inbound { continuation.yield(.message(message)) }
                    continuation.yield(.closed("the next node closed the connection"))
                } catch { continuation.yield(.closed("\(error)")) }
                continuation.finish()
            }
            defer {
                continuation.finish()
                group.cancelAll()
            }
            return try await converse(events, outbound, untilSettled: untilSettled)
        }
    }

    private func converse(
        _ events: AsyncStream<Event>,
        _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>,
        untilSettled: Bool
    ) async throws -> Bool {
        var machine = LinkSender(node: node, stream: stream)
        var outbox: OutboxReader?
        isSettled = false
        _ = try await perform(machine.connected(first: log.first), &outbox, outbound)
        for await event in events {
            switch event {
            case .message(let message):
                if let reason = try await perform(machine.received(message), &outbox, outbound) {
                    lastTrouble = reason
                    if case .refused = message { return true }
                    return false
                }
            case .logGrew: break
            case .closed(let reason):
                lastTrouble = reason
                return false
            }
            let extent = log.extent
            while machine.canSend, let blocks = try outbox?.next(extent) {
                _ = try await perform(machine.send(blocks), &outbox, outbound)
            }
            if untilSettled, machine.isSettled, try outbox?.next(log.extent) == nil, outbox != nil {
                isSettled = true
                return false
            }
        }
        return false
    }

    /// Obeys the machine.
    ///
    /// - Returns: why the connection has to be closed, if it has to.
    private func perform(
        _ actions: [LinkSender.Action],
        _ outbox: inout OutboxReader?,
        _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) async throws -> String? {
        for action in actions {
            switch action {
            case .send(let message):
                let bytes = message.bytes
                traffic.bytes += bytes.count
                traffic.messages += 1
                try await write(bytes, outbound)
            case .readFrom(let sequence):
                outbox = OutboxReader(logFolder, from: sequence, lengthMax: messageMax)
            case .delivered(let sequence):
                let next = log.extent.next
                guard sequence <= next else {
                    return
                        "it wants sighting \(sequence), but there are only \(next): is this an older copy of the node?"
                }
                traffic.delivered = sequence
                await onDelivered(sequence)
            case .close(let reason): return reason
            }
        }
        return nil
    }

    /// About how many bytes a message takes: on a narrow line no more than it carries in two seconds.
    private var messageMax: Int { min(256 << 10, 2 * (budget?.bytesPerSecond ?? 256 << 10)) }

    /// Writes bytes as fast as the budget lets them go.
    private func write(_ bytes: [UInt8], _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>) async throws {
        guard let pieceMax = budget?.pieceMax else {
            return try await outbound.write(ByteBuffer(bytes: bytes))
        }
        var start = 0
        while start < bytes.count {
            let piece = bytes[start..<min(start + pieceMax, bytes.count)]
            while let wait = budget?.delay(piece.count, at: now), wait > 0 {
                try await Task.sleep(for: .nanoseconds(wait))
            }
            // Counted when it is handed over: a line that takes it later carries it no earlier.
            budget?.sent(piece.count, at: now)
            try await outbound.write(ByteBuffer(bytes: piece))
            start += piece.count
        }
    }

    /// Nanoseconds since the forwarder was made.
    private var now: Int64 {
        let (seconds, attoseconds) = (ContinuousClock.now - began).components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
