import Foundation
package import Logging
import ServiceLifecycle
import UnixSignals

/// The daemon: takes live feeds and links, joins, archives, forwards; until it is told to stop.
package struct Serve {
    private let configuration: NodeConfiguration
    private let logger: Logger
    private let onBound: @Sendable (String, Int) -> Void

    /// A daemon.
    ///
    /// - Parameter onBound: called with each port that is open: `links`, `http`, or the name of a TCP feed.
    package init(
        _ configuration: NodeConfiguration,
        logger: Logger,
        onBound: @escaping @Sendable (String, Int) -> Void
    ) {
        self.configuration = configuration
        self.logger = logger
        self.onBound = onBound
    }

    /// Runs until SIGTERM or SIGINT, then finishes what was taken in and returns.
    package func run() async throws {
        let node = try NodeService(configuration)
        report(await node.recovery)
        let notifier = Notifier()
        let table = FeedTable()
        let onBound = onBound
        var alerts: AlertService?
        if let interest = configuration.interest {
            alerts = try await AlertService(configuration, interest, node: node, logger: logger)
        }
        let forwarders = forwarders(node, alerts)
        let webhooks = webhooks(alerts, node)
        // Before any alert is raised: one that comes before the first connection stands is not to be passed over.
        for forwarder in forwarders { try await forwarder.settleAlerts() }
        for webhook in webhooks { _ = try await webhook.cursor() }
        let subscribers = SubscriberTable(configuration.interest?.subscribers ?? [])
        let intakes = Intakes(
            configuration,
            node: node,
            alerts: alerts,
            subscribers: subscribers,
            table: table,
            logger: logger,
            notifier: notifier,
            onBound: onBound
        )
        try await intakes.prepare()
        // Those that bring something in stop before those that work it off.
        let keeper = try ArchiveKeeper(configuration)
        var services: [any Service] = [
            Housekeeping(node: node, logger: logger, notifier: notifier),
            Filing(node: node, keeper: keeper, data: configuration.data, logger: logger),
        ]
        services += forwarders.map { ForwarderService(forwarder: $0, alerts: alerts) }
        services += webhooks
        if let alerts { services.append(alerts) }
        let images = ImageDesk(configuration)
        services += links(node, alerts, images)
        services.append(
            ControlServer(
                data: configuration.data,
                desk: ReplayDesk(data: configuration.data, node: node, alerts: alerts),
                images: images,
                logger: logger
            )
        )
        services.append(Reloader(intakes: intakes))
        services.append(intakes)
        if let http = configuration.http {
            let status = StatusPages(
                node: node,
                data: configuration.data,
                alerts: alerts,
                budget: IntakeBudget(configuration.intakeMax),
                forwarders: forwarders
            )
            services.append(server(http, table, status, subscribers))
        }
        let group = ServiceGroup(
            services: services,
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        notifier.tell("READY=1\nMAINPID=\(ProcessInfo.processInfo.processIdentifier)")
        try await group.run()
        // What the last reads brought.
        try await alerts?.catchUp()
        try await node.finish()
        logger.info("stopped", metadata: ["node": "\(configuration.node)"])
    }

    private func report(_ recovery: NodeCore.Recovery) {
        logger.info(
            "opened",
            metadata: [
                "node": "\(configuration.node)", "entries": "\(recovery.entries)",
                "torn": "\(recovery.tornBytes)",
                "strays": "\(recovery.strays)",
            ]
        )
    }

    private func forwarders(_ node: NodeService, _ alerts: AlertService?) -> [Forwarder] {
        configuration.forward.map { forward in
            let source = alerts.map { alerts in
                AlertSource(
                    folder: alerts.folder,
                    keys: alerts.keys,
                    published: { await alerts.published },
                    cursor: {
                        try await node.forwardedAlerts(to: forward.text, otherwise: await alerts.published)
                    },
                    note: { try await node.forwarded(alertsBefore: $0, to: forward.text) }
                )
            }
            let patches = PatchCursor(
                first: { try await node.patchCursor(to: forward.text) },
                note: { try await node.pushed(patchesBefore: $0, to: forward.text) }
            )
            return Forwarder(
                to: forward,
                log: node.log,
                logFolder: node.logFolder,
                keys: node.keys,
                node: configuration.node,
                stream: node.stream,
                alerts: source,
                data: configuration.data,
                patches: forward.pushesPatches ? patches : nil,
                logger: logger
            ) { sequence in try? await node.delivered(to: forward.text, before: sequence) }
        }
    }

    private func webhooks(_ alerts: AlertService?, _ node: NodeService) -> [WebhookService] {
        guard let alerts else { return [] }
        return (configuration.interest?.webhooks ?? []).map {
            WebhookService(webhook: $0, alerts: alerts, node: node, logger: logger)
        }
    }

    private func links(_ node: NodeService, _ alerts: AlertService?, _ images: ImageDesk) -> [any Service] {
        guard let receive = configuration.receive else { return [] }
        let onBound = onBound
        return [
            LinkServer(node: node, receive: receive, alerts: alerts, images: images, logger: logger) {
                onBound("links", $0)
            }
        ]
    }

    private func server(
        _ address: NodeConfiguration.Address,
        _ table: FeedTable,
        _ status: StatusPages,
        _ subscribers: SubscriberTable
    ) -> HTTPServer {
        let (budget, alerts, onBound) = (status.budget, status.alerts, onBound)
        return HTTPServer(
            address: address,
            tls: configuration.httpTLS,
            posts: FeedPosts(table: table, budget: budget, logger: logger),
            captures: CaptureService(table: table, budget: budget, logger: logger),
            alerts: alerts.map { AlertStream(alerts: $0, subscribers: subscribers) },
            status: status,
            logger: logger
        ) { onBound("http", $0) }
    }
}

/// Has the configuration read again at each SIGHUP.
struct Reloader: Service {
    let intakes: Intakes

    func run() async throws {
        await cancelWhenGracefulShutdown {
            for await _ in await UnixSignalsSequence(trapping: .sighup) { intakes.reload() }
        }
    }
}

/// A forwarder as a service.
struct ForwarderService: Service {
    let forwarder: Forwarder
    let alerts: AlertService?

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown {
                async let bells: Void = follow()
                try await forwarder.run()
                await bells
            }
        } catch is CancellationError {}
    }

    /// Has alerts sent as they are raised.
    private func follow() async {
        guard let alerts else { return }
        for await _ in await alerts.follow() { forwarder.alertsGrew() }
    }
}

/// What a node does by the clock: notices silence, gives out what waits.
struct Housekeeping: Service {
    let node: NodeService
    let logger: Logger
    let notifier: Notifier

    private static let interval = Duration.milliseconds(500)

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await keepHouse() }
        } catch is CancellationError {}
    }

    private func keepHouse() async throws {
        var trouble: String?
        var clocks = ClockWatch()
        while !Task.isCancelled {
            try await node.sweep()
            let now = await node.trouble
            if now != trouble { report(now) }
            trouble = now
            if clocks.isDue() { clocks.look(await node.status, logger) }
            notifier.tell("WATCHDOG=1")
            try await Task.sleep(for: Self.interval)
        }
    }

    private func report(_ trouble: String?) {
        if let trouble {
            logger.error("reads are not taken", metadata: ["why": "\(trouble)"])
        } else {
            logger.notice("reads are taken again")
        }
    }
}
