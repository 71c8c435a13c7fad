import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Logging
import NIOCore
import NIOSSL
import ServiceLifecycle

/// The node's HTTP interface.
struct HTTPServer: Service {
    let address: NodeConfiguration.Address
    let tls: TLSFiles?
    let posts: FeedPosts
    let captures: CaptureService
    /// Where there are vehicles of interest.
    let alerts: AlertStream?
    let status: StatusPages
    let logger: Logger
    /// Called with the port once it is bound.
    let onBound: @Sendable (Int) -> Void

    /// A connection silent for so long is closed.
    private static let idleTimeout = TimeAmount.minutes(2)
    /// A daemon that stops waits so long for requests that have begun.
    private static let stopPatience = Duration.seconds(5)

    func run() async throws {
        let router = Router(context: ConnectionContext.self)
        let clientsProve = tls?.trust != nil
        router.post("/v1/feeds/{feed}") { request, context in
            let feed = context.parameters.get("feed") ?? ""
            let names = clientsProve ? try await PeerNames.of(context.channel) : []
            return await posts.answer(request, feed: feed, from: names)
        }
        for name in ["inputcapturewebservice", "InputCaptureWebService"] {
            router.post("/bof2/services/\(name)") { request, _ in await captures.answer(request) }
        }
        for name in ["inputbinarydatawebservice", "InputBinaryDataWebService"] {
            router.post("/bof2/services/\(name)") { request, _ in
                await captures.answer(request, operations: CaptureCall.binaryOperations)
            }
        }
        if let alerts { router.get("/v1/alerts") { request, _ in await alerts.answer(request) } }
        router.get("/livez") { _, _ in Response.json("{\"status\":\"live\"}") }
        router.get("/readyz") { _, _ in await status.ready() }
        router.get("/metrics") { _, _ in await status.metrics() }
        router.get("/v1/status") { _, _ in await status.json() }
        var quiet = logger
        // No line for each request: what matters is counted.
        quiet.logLevel = max(logger.logLevel, .warning)
        let application = Application(
            responder: router.buildResponder(),
            server: try server(),
            configuration: ApplicationConfiguration(address: .hostname(address.host, port: address.port)),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? address.port
                logger.info("listening", metadata: ["interface": "http", "port": "\(port)"])
                onBound(port)
            },
            logger: quiet
        )
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await application.run() }
                group.addTask {
                    // A client that never sends the rest of its request would hold up the end.
                    try await gracefulShutdown()
                    try await Task.sleep(for: Self.stopPatience)
                }
                defer { group.cancelAll() }
                try await group.next()
            }
        } catch is CancellationError {
        } catch  where Task.isShuttingDownGracefully {
            // Connections that were cut off are no reason to call a stop a failure.
            logger.notice("connections cut off", metadata: ["why": "\(error)"])
        }
    }

    private func server() throws -> HTTPServerBuilder {
        let plain = HTTPServerBuilder.http1(
            configuration: .init(
                additionalChannelHandlers: [BrokenConnections()],
                idleTimeout: Self.idleTimeout
            )
        )
        guard let tls else { return plain }
        var configuration = try tls.serverConfiguration(clients: .optionalVerification)
        configuration.applicationProtocols = ["http/1.1"]
        return try .tls(plain, tlsConfiguration: configuration)
    }
}

/// A request's context, which knows the connection it came over.
struct ConnectionContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}
