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

    private func serve(_ connection: NIOAsyncChannel<LinkMessage, ByteBuffer>) async {
        do {
            try await connection.executeThenClose { inbound, outbound in
                var conversation = LinkConversation(
                    node: node,
                    alerts: alerts,
                    channel: receive.tls == nil ? nil : connection.channel,
                    logger: logger
                )
                do {
                    for try await message in inbound {
                        let (replies, isOver) = await conversation.received(message)
                        for reply in replies { try await outbound.write(ByteBuffer(bytes: reply.bytes)) }
                        if isOver { return }
                    }
                } catch let fault as LinkMessage.Fault {
                    logger.warning("link message refused", metadata: ["why": "\(fault)"])
                    try await outbound.write(ByteBuffer(bytes: LinkMessage.refused(fault.description).bytes))
                }
            }
        } catch {
            logger.info("link ended", metadata: ["why": "\(error)"])
        }
    }
}
