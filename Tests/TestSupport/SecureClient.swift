import NIOCore
import NIOPosix
import NIOSSL

/// A client that speaks HTTP over TLS to this machine, a connection for each request.
public struct SecureClient {
    private let port: Int
    private let context: NIOSSLContext

    /// A connection silent for so long is a failed test, not a hanging one.
    private static let patience = TimeAmount.seconds(60)

    /// A client.
    ///
    /// - Parameters:
    ///   - authority: whose certificates it trusts, in PEM.
    ///   - identity: what it shows when it is asked; nothing where absent.
    public init(port: Int, trusting authority: String, as identity: TestAuthority.Identity? = nil) throws {
        self.port = port
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(authority.utf8)))
        if let identity {
            configuration.certificateChain = try NIOSSLCertificate.fromPEMBytes(
                Array(identity.certificate.utf8)
            ).map { .certificate($0) }
            configuration.privateKey = .privateKey(try .init(bytes: Array(identity.key.utf8), format: .pem))
        }
        context = try NIOSSLContext(configuration: configuration)
    }

    /// Sends a request and waits for its answer.
    public func request(
        _ method: String,
        _ path: String,
        headers: [String: String] = [:],
        body: [UInt8] = []
    ) async throws -> PlainResponse {
        var head = "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(body.count)\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        let request = ByteBuffer(bytes: Array((head + "\r\n").utf8) + body)
        return try await send(request).get()
    }

    private func send(_ request: ByteBuffer) -> EventLoopFuture<PlainResponse> {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let answer = loop.makePromise(of: PlainResponse.self)
        let context = context
        let connected: EventLoopFuture<any Channel> = ClientBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = try NIOSSLClientHandler(context: context, serverHostname: nil)
                    try channel.pipeline.syncOperations.addHandlers(
                        handler,
                        Exchange(request, answer, patience: Self.patience)
                    )
                }
            }
            .connect(host: "127.0.0.1", port: port)
        connected.whenFailure { answer.fail($0) }
        return answer.futureResult
    }

    /// One request and its answer, all on the connection's own thread: tests that block theirs hold nothing up here.
    private final class Exchange: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let request: ByteBuffer
        private let answer: EventLoopPromise<PlainResponse>
        private let patience: TimeAmount
        private var received: [UInt8] = []
        private var isAnswered = false

        init(_ request: ByteBuffer, _ answer: EventLoopPromise<PlainResponse>, patience: TimeAmount) {
            self.request = request
            self.answer = answer
            self.patience = patience
        }

        func channelActive(context: ChannelHandlerContext) {
            context.writeAndFlush(wrapOutboundOut(request), promise: nil)
            let channel = context.channel
            context.eventLoop.scheduleTask(in: patience) { channel.close(promise: nil) }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received += unwrapInboundIn(data).readableBytesView
            guard !isAnswered, let response = PlainResponse(parsing: received) else { return }
            isAnswered = true
            answer.succeed(response)
            context.close(promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            end(PlainSocket.Broken(action: "read an answer"))
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            end(error)
            context.close(promise: nil)
        }

        private func end(_ error: any Error) {
            guard !isAnswered else { return }
            isAnswered = true
            answer.fail(error)
        }
    }
}

extension PlainResponse {
    /// Takes an answer whose length is given apart; `nil` while it is not whole.
    init?(parsing bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.firstRange(of: "\r\n\r\n") else { return nil }
        let lines = text[..<end.lowerBound].split(separator: "\r\n")
        guard let first = lines.first, let status = Int(first.dropFirst(9).prefix(3)) else { return nil }
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            fields[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
        }
        let body = String(text[end.upperBound...])
        guard body.utf8.count >= Int(fields["content-length"] ?? "0") ?? 0 else { return nil }
        self.init(status: status, headers: fields, body: body)
    }
}
