import Gateway
import Glibc
import NIOCore
import NIOPosix
import NIOSSL
import TestSupport
import Testing

/// What goes over a line is known to the byte, and what waits for it goes with the connection that is given up.
struct LineQueueTests {
    /// The other end: reads until something has come, then not until it is told to.
    private final class SlowReader: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let stalled: EventLoopPromise<any Channel>
        private let ended: EventLoopPromise<(any Error)?>

        init(_ stalled: EventLoopPromise<any Channel>, _ ended: EventLoopPromise<(any Error)?>) {
            (self.stalled, self.ended) = (stalled, ended)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let channel = context.channel
            channel.setOption(.autoRead, value: false).map { channel }.cascade(to: stalled)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            ended.succeed(error)
            context.close(promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) { ended.succeed(nil) }
    }

    private static func contexts() throws -> (server: NIOSSLContext, client: NIOSSLContext) {
        let authority = try TestAuthority("the authority")
        let identity = try authority.issue("line")
        let server = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(identity.certificate.utf8))
                .map { .certificate($0) },
            privateKey: .privateKey(try .init(bytes: Array(identity.key.utf8), format: .pem))
        )
        var client = TLSConfiguration.makeClientConfiguration()
        let trusted = try NIOSSLCertificate.fromPEMBytes(Array(authority.certificate.utf8))
        client.trustRoots = .certificates(trusted)
        return (try NIOSSLContext(configuration: server), try NIOSSLContext(configuration: client))
    }

    @Test("a connection that is given up is reset: nothing that waited is sent", arguments: [false, true])
    func abandon(isSecure: Bool) async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let (stalled, ended) = (
            loop.makePromise(of: (any Channel).self), loop.makePromise(of: (any Error)?.self)
        )
        let contexts = isSecure ? try Self.contexts() : nil
        let listener = try await ServerBootstrap(group: loop)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let contexts { try pipeline.addHandler(NIOSSLServerHandler(context: contexts.server)) }
                    try pipeline.addHandler(SlowReader(stalled, ended))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(listener.localAddress?.port)
        let channel = try await ClientBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let contexts else { return }
                    let handler = try NIOSSLClientHandler(context: contexts.client, serverHostname: nil)
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        try await channel.writeAndFlush(ByteBuffer(bytes: [1]))
        let other = try await stalled.futureResult.get()
        // More than both ends' buffers take.
        channel.writeAndFlush(ByteBuffer(repeating: 2, count: 32 << 20), promise: nil)
        try await LineQueue(of: channel).abandon()
        try? await channel.closeFuture.get()
        // Where it has noticed by itself it is closed already.
        try? await other.setOption(.autoRead, value: true).get()
        let error = try await ended.futureResult.get()
        #expect((error as? IOError)?.errnoCode == ECONNRESET, "\(String(describing: error))")
        try await listener.close()
    }

    /// The other end of a connection that is counted: what came from the socket, once so many bytes of text were in it.
    private final class CountingEnd {
        var fromSocket = 0
        var text = 0
        let wanted: Int
        let counted: EventLoopPromise<Int>

        init(_ wanted: Int, _ counted: EventLoopPromise<Int>) {
            (self.wanted, self.counted) = (wanted, counted)
        }
    }

    private final class SocketCounter: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let end: CountingEnd
        init(_ end: CountingEnd) { self.end = end }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            end.fromSocket += unwrapInboundIn(data).readableBytes
            context.fireChannelRead(data)
        }
    }

    private final class TextCounter: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let end: CountingEnd
        init(_ end: CountingEnd) { self.end = end }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            end.text += unwrapInboundIn(data).readableBytes
            if end.text == end.wanted { end.counted.succeed(end.fromSocket) }
        }
    }

    @Test(
        "what goes besides the pieces is known to the byte: TLS's handshake, or nothing",
        arguments: [false, true]
    )
    func besides(isSecure: Bool) async throws {
        let pieces = [1, 1315, 16 << 10, 40]
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let counted = loop.makePromise(of: Int.self)
        let contexts = isSecure ? try Self.contexts() : nil
        let listener = try await ServerBootstrap(group: loop)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    let end = CountingEnd(pieces.reduce(0, +), counted)
                    try pipeline.addHandler(SocketCounter(end))
                    if let contexts { try pipeline.addHandler(NIOSSLServerHandler(context: contexts.server)) }
                    try pipeline.addHandler(TextCounter(end))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(listener.localAddress?.port)
        let meter = LineMeter(isEncrypted: isSecure)
        let channel = try await ClientBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(meter)
                    guard let contexts else { return }
                    let handler = try NIOSSLClientHandler(context: contexts.client, serverHostname: nil)
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        let line = LineQueue(of: channel, meter: meter)
        var besides: [Int] = []
        for piece in pieces {
            let bytes = [UInt8](repeating: 1, count: piece)
            besides.append(try await line.send(bytes[...]).besides)
        }
        let records = isSecure ? 22 * pieces.count : 0
        #expect(try await counted.futureResult.get() == pieces.reduce(0, +) + records + besides[0])
        #expect(isSecure ? besides[0] > 300 : besides[0] == 0)
        #expect(besides[1...].allSatisfy { $0 == 0 } && line.besides() == 0)
        try await channel.close()
        try await listener.close()
    }
}
