import ANPRModel
import Forwarding
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import ServiceLifecycle

/// Takes links from other nodes: the shell around `LinkReceiver`, one conversation a connection.
struct LinkServer: Service {
    let node: NodeService
    let receive: NodeConfiguration.Receive
    let alerts: AlertService?
    let images: ImageDesk
    let logger: Logger
    /// Called with the port once it is bound; for port 0.
    let onBound: @Sendable (Int) -> Void

    /// A sender that is there says something every five seconds.
    private static let silenceMax = TimeAmount.seconds(60)

    func run() async throws {
        let secure = try receive.tls?.receiver()
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .bind(host: receive.host, port: receive.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let secure {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: secure))
                    }
                    try channel.pipeline.syncOperations.addHandlers(
                        IdleStateHandler(readTimeout: Self.silenceMax),
                        SilenceCloser(),
                        ByteToMessageHandler(LinkFraming())
                    )
                    return try NIOAsyncChannel<LinkMessage, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        let port = server.channel.localAddress?.port ?? receive.port
        logger.info("listening", metadata: ["host": "\(receive.host)", "port": "\(port)"])
        onBound(port)
        try await serveConnections(of: server) { await serve($0) }
    }

    /// Takes messages until the connection is over.
    private func hear(
        _ inbound: NIOAsyncChannelInboundStream<LinkMessage>,
        _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>,
        _ conversation: LinkConversation
    ) async throws {
        do {
            for try await message in inbound {
                let (replies, isOver) = await conversation.received(message)
                try await write(replies, outbound)
                if isOver { return }
            }
        } catch let fault as LinkMessage.Fault {
            logger.warning("link message refused", metadata: ["why": "\(fault)"])
            try await write([.refused(fault.description)], outbound)
        }
    }

    private func write(
        _ messages: [LinkMessage],
        _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) async throws {
        for message in messages { try await outbound.write(ByteBuffer(bytes: message.bytes)) }
    }

    private func serve(_ connection: NIOAsyncChannel<LinkMessage, ByteBuffer>) async {
        do {
            try await connection.executeThenClose { inbound, outbound in
                let conversation = LinkConversation(
                    node: node,
                    alerts: alerts,
                    images: images,
                    channel: receive.tls == nil ? nil : connection.channel,
                    logger: logger
                )
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        for await want in conversation.wants {
                            try await write(await conversation.want(want), outbound)
                        }
                    }
                    let heard: Result<Void, any Error>
                    do {
                        heard = .success(try await hear(inbound, outbound, conversation))
                    } catch {
                        heard = .failure(error)
                    }
                    await conversation.ended()
                    group.cancelAll()
                    try heard.get()
                }
            }
        } catch {
            logger.info("link ended", metadata: ["why": "\(error)"])
        }
    }
}
