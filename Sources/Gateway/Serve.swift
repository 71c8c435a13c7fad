package import Logging
import ServiceLifecycle
import UnixSignals

/// The daemon: takes links, joins, archives, forwards; until it is told to stop.
package struct Serve {
    private let configuration: NodeConfiguration
    private let logger: Logger
    private let onBound: @Sendable (Int) -> Void

    /// A daemon.
    ///
    /// - Parameter onBound: called with the port that links come in on.
    package init(
        _ configuration: NodeConfiguration,
        logger: Logger,
        onBound: @escaping @Sendable (Int) -> Void
    ) {
        self.configuration = configuration
        self.logger = logger
        self.onBound = onBound
    }

    /// Runs until SIGTERM or SIGINT, then finishes what was taken in and returns.
    package func run() async throws {
        let node = try NodeService(configuration)
        let recovery = await node.recovery
        logger.info(
            "opened",
            metadata: [
                "node": "\(configuration.node)", "entries": "\(recovery.entries)",
                "torn": "\(recovery.tornBytes)",
                "strays": "\(recovery.strays)",
            ]
        )
        var services: [any Service] = [Housekeeping(node: node, configuration: configuration)]
        if let receive = configuration.receive {
            services.append(LinkServer(node: node, receive: receive, logger: logger, onBound: onBound))
        }
        for forward in configuration.forward {
            services.append(
                ForwarderService(
                    forwarder: Forwarder(
                        to: forward,
                        log: node.log,
                        logFolder: node.logFolder,
                        node: configuration.node,
                        stream: node.stream,
                        logger: logger
                    ) { sequence in try? await node.delivered(to: forward.text, before: sequence) }
                )
            )
        }
        let group = ServiceGroup(
            services: services,
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        try await group.run()
        try await node.tidy(forwards: configuration.forward.map(\.text), isForced: true)
        logger.info("stopped", metadata: ["node": "\(configuration.node)"])
    }
}

/// A forwarder as a service.
struct ForwarderService: Service {
    let forwarder: Forwarder

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await forwarder.run() }
        } catch is CancellationError {}
    }
}

/// What a node does by the clock: notices silence, moves the log into the archive.
struct Housekeeping: Service {
    let node: NodeService
    let configuration: NodeConfiguration

    private static let interval = Duration.milliseconds(500)

    func run() async throws {
        let idleAfter = Duration.milliseconds(configuration.receive?.idleAfter ?? 30_000)
        let forwards = configuration.forward.map(\.text)
        do {
            try await cancelWhenGracefulShutdown {
                while !Task.isCancelled {
                    try await node.sweep(idleAfter: idleAfter)
                    try await node.tidy(forwards: forwards, isForced: false)
                    try await Task.sleep(for: Self.interval)
                }
            }
        } catch is CancellationError {}
    }
}
