import Archive
import Foundation
import Forwarding
import Gateway
import Logging
import NIOCore
import NIOPosix
import TestSupport
import Testing

/// What a forwarder says to a next node that this test plays.
struct ForwarderTests {
    /// The next node: welcomes connections until one brings an alert, and lets go of that one; then it only listens.
    private final class NextNode: ChannelInboundHandler {
        typealias InboundIn = LinkMessage
        typealias OutboundOut = ByteBuffer

        private let hasLetGo: Flag
        private let heard: AsyncStream<LinkMessage>.Continuation
        /// Whether the connection began behind the one that was let go.
        private var isHeard = false

        init(_ hasLetGo: Flag, _ heard: AsyncStream<LinkMessage>.Continuation) {
            (self.hasLetGo, self.heard) = (hasLetGo, heard)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let message = unwrapInboundIn(data)
            if hasLetGo.isSet, case .hello = message { isHeard = true }
            if isHeard { heard.yield(message) }
            guard !hasLetGo.isSet else { return }
            switch message {
            case .hello:
                let welcome = LinkMessage.welcome(LinkWelcome(next: 0, takesAlerts: true))
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: welcome.bytes)), promise: nil)
            case .alert:
                hasLetGo.set()
                context.close(promise: nil)
            default: break
            }
        }
    }

    private static func listen(_ heard: AsyncStream<LinkMessage>.Continuation) async throws -> any Channel {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let hasLetGo = Flag()
        return try await ServerBootstrap(group: loop)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        ByteToMessageHandler(LinkFraming()),
                        NextNode(hasLetGo, heard)
                    )
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    private static func alert(_ number: UInt64) -> [UInt8] {
        Array(#"{"sequence":\#(number),"id":"here-\#(number)"}"#.utf8)
    }

    @Test(
        "after a lost connection alerts go right behind the greeting, the newest first, and wait for no answer"
    )
    func alertsAtOnce() async throws {
        let scratch = try TemporaryFolder()
        let (messages, heard) = AsyncStream.makeStream(of: LinkMessage.self)
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
        for await message in messages {
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
