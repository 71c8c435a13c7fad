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
    let logger: Logger
    /// Called with the port once it is bound; for port 0.
    let onBound: @Sendable (Int) -> Void

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
                    try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(LinkFraming()))
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

/// One conversation: asks the node what the machine wants to know, and obeys.
struct LinkConversation {
    private var machine = LinkReceiver()
    private let node: NodeService
    /// The connection that the sender proves its name over, if it has to.
    private let channel: (any Channel)?
    private let logger: Logger
    private var sender: FeedIndex = 0
    private var stream = ""
    private var name = ""

    init(node: NodeService, channel: (any Channel)?, logger: Logger) {
        self.node = node
        self.channel = channel
        self.logger = logger
    }

    /// Takes a message.
    ///
    /// - Returns: what to send back, and whether the connection is to be closed then.
    mutating func received(_ message: LinkMessage) async -> (replies: [LinkMessage], isOver: Bool) {
        var replies: [LinkMessage] = []
        var open = machine.received(message)
        while !open.isEmpty {
            switch open.removeFirst() {
            case .send(let reply): replies.append(reply)
            case .close: return (replies, true)
            case .admit(let name, let stream, let first): open += await admit(name, stream, first)
            case .store(let number, let blocks): open += await store(number, blocks)
            }
        }
        return (replies, false)
    }

    private mutating func admit(_ name: String, _ stream: String, _ first: UInt64) async -> [LinkReceiver
        .Action]
    {
        do {
            if let channel, try await !PeerNames.of(channel).contains(name) {
                throw TLSFault(description: "its certificate is not in the name of node \(name)")
            }
            let (sender, next) = try await node.admit(name, stream: stream, first: first)
            (self.sender, self.stream, self.name) = (sender, stream, name)
            logger.info("link", metadata: ["from": "\(name)", "next": "\(next)"])
            return machine.admitted(next: next)
        } catch {
            logger.warning("link refused", metadata: ["from": "\(name)", "why": "\(error)"])
            return machine.refuse("\(error)")
        }
    }

    private mutating func store(_ number: UInt64, _ blocks: [UInt8]) async -> [LinkReceiver.Action] {
        do {
            let next = try await node.store(blocks, from: sender, stream: stream)
            return machine.stored(number: number, next: next)
        } catch {
            logger.error("blocks refused", metadata: ["from": "\(name)", "why": "\(error)"])
            return machine.refuse("\(error)")
        }
    }
}
