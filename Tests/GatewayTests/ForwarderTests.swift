import Archive
import Foundation
import Forwarding
import Gateway
import Logging
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing

/// What a forwarder says to a next node that this test plays.
struct ForwarderTests {
    /// The next node: welcomes the first connection and lets go of it at its first alert; then it only listens.
    private final class NextNode: ChannelInboundHandler {
        typealias InboundIn = LinkMessage
        typealias OutboundOut = ByteBuffer

        private let connection: Int
        private let heard: AsyncStream<(Int, LinkMessage)>.Continuation

        init(_ connection: Int, _ heard: AsyncStream<(Int, LinkMessage)>.Continuation) {
            (self.connection, self.heard) = (connection, heard)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let message = unwrapInboundIn(data)
            heard.yield((connection, message))
            guard connection == 1 else { return }
            switch message {
            case .hello:
                let welcome = LinkMessage.welcome(LinkWelcome(next: 0, takesAlerts: true))
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: welcome.bytes)), promise: nil)
            case .alert: context.close(promise: nil)
            default: break
            }
        }
    }

    private static func listen(_ heard: AsyncStream<(Int, LinkMessage)>.Continuation) async throws
        -> any Channel
    {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let connections = Counter()
        return try await ServerBootstrap(group: loop)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        ByteToMessageHandler(LinkFraming()),
                        NextNode(connections.next(), heard)
                    )
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    private final class Counter: Sendable {
        private let count = Mutex(0)

        func next() -> Int {
            count.withLock {
                $0 += 1
                return $0
            }
        }
    }

    private static func alert(_ number: UInt64) -> [UInt8] {
        Array(#"{"sequence":\#(number),"id":"here-\#(number)"}"#.utf8)
    }

    @Test(
        "after a lost connection alerts go right behind the greeting, the newest first, and wait for no answer"
    )
    func alertsAtOnce() async throws {
        let scratch = try TemporaryFolder()
        let (messages, heard) = AsyncStream.makeStream(of: (Int, LinkMessage).self)
        let listener = try await Self.listen(heard)
        let port = try #require(listener.localAddress?.port)
        let alerts = "\(scratch.path)/alerts"
        let log = try AlertLog(alerts, keys: nil)
        for number in 1...2 as ClosedRange<UInt64> {
            try log.append(day: 20_000) { _ in [Self.alert(number)] }
        }
        let forwarder = Forwarder(
            to: NodeConfiguration.Forward(addresses: [.init(host: "127.0.0.1", port: port)]),
            log: try SightingLog("\(scratch.path)/log", keys: nil),
            logFolder: "\(scratch.path)/log",
            keys: nil,
            node: "here",
            stream: "a stream",
            alerts: AlertSource(folder: alerts, keys: nil, published: { 3 }, cursor: { 1 }, note: { _ in }),
            logger: Logger(label: "test"),
            onDelivered: { _ in }
        )
        let sending = Task { try await forwarder.run() }
        var said: [LinkMessage] = []
        for await (connection, message) in messages where connection == 2 {
            said.append(message)
            if said.count == 3 { break }
        }
        sending.cancel()
        _ = try? await sending.value
        try await listener.close().get()
        guard case .hello = said[0], case .alert(let first, _) = said[1], case .alert(let second, _) = said[2]
        else {
            Issue.record("\(said)")
            return
        }
        #expect([first, second] == [2, 1])
    }
}
