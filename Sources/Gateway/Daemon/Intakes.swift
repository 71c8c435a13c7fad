import Archive
import Logging
import ServiceLifecycle
import Synchronization

/// Runs the sources of live feeds; they come and go when the configuration is read again, the others run on.
actor Intakes: Service {
    private enum Event {
        case reload
        /// A feed's source ended with an error; whether it was there from the start.
        case failed(String, isFirst: Bool, any Error)
    }

    private let node: NodeService
    private let alerts: AlertService?
    private let subscribers: SubscriberTable
    private let table: FeedTable
    private let logger: Logger
    private let onBound: @Sendable (String, Int) -> Void
    private let notifier: Notifier
    private var configuration: NodeConfiguration
    private var intakes: [String: FeedIntake] = [:]
    private var sources: [String: Task<Void, Never>] = [:]
    private var wasReloaded = false
    private let events: AsyncStream<Event>
    private let eventsIn: AsyncStream<Event>.Continuation

    init(
        _ configuration: NodeConfiguration,
        node: NodeService,
        alerts: AlertService?,
        subscribers: SubscriberTable,
        table: FeedTable,
        logger: Logger,
        notifier: Notifier,
        onBound: @escaping @Sendable (String, Int) -> Void
    ) {
        self.configuration = configuration
        self.node = node
        self.alerts = alerts
        self.subscribers = subscribers
        self.table = table
        self.logger = logger
        self.notifier = notifier
        self.onBound = onBound
        (events, eventsIn) = AsyncStream.makeStream()
    }

    /// Has the configuration read again.
    nonisolated func reload() { eventsIn.yield(.reload) }

    /// Makes the feeds known, so that the first post finds them.
    func prepare() async throws {
        for feed in configuration.feeds where feed.source.isLive {
            intakes[feed.name] = try await FeedIntake(feed, of: configuration, node: node, alerts: alerts)
        }
        publish()
    }

    func run() async throws {
        for feed in configuration.feeds where feed.source.isLive { try await start(feed) }
        do {
            try await cancelWhenGracefulShutdown { try await self.attend() }
        } catch is CancellationError {}
        notifier.tell("STOPPING=1")
        for source in sources.values { source.cancel() }
        for source in sources.values { await source.value }
    }

    private func attend() async throws {
        for await event in events {
            switch event {
            case .reload: await takeUp()
            case .failed(let feed, let isFirst, let error):
                logger.error("feed ended", metadata: ["feed": "\(feed)", "why": "\(error)"])
                // At the start better no daemon than one that seems well; one that was well goes on for the others.
                if isFirst { throw error }
            }
        }
    }

    // MARK: - Sources

    private func start(_ feed: NodeConfiguration.Feed) async throws {
        try await node.add(feed: feed)
        let intake: FeedIntake
        if let known = intakes[feed.name] {
            intake = known
            await intake.update(feed)
        } else {
            intake = try await FeedIntake(feed, of: configuration, node: node, alerts: alerts)
            intakes[feed.name] = intake
        }
        guard let service = source(feed, intake) else { return }
        let eventsIn = eventsIn
        let isFirst = !wasReloaded
        sources[feed.name] = Task {
            do {
                try await service.run()
            } catch is CancellationError {
            } catch {
                eventsIn.yield(.failed(feed.name, isFirst: isFirst, error))
            }
        }
    }

    private func source(_ feed: NodeConfiguration.Feed, _ intake: FeedIntake) -> (any Service)? {
        let onBound = onBound
        switch feed.source {
        case .file, .http, .bof2: return nil
        case .tcp(let address, let acknowledges):
            return LineIntake(intake: intake, address: address, acknowledges: acknowledges, logger: logger) {
                onBound(feed.name, $0)
            }
        case .directory(let rules):
            return DropFolder(intake: intake, path: feed.path ?? "", rules: rules, logger: logger)
        case .input: return InputIntake(intake: intake, logger: logger)
        }
    }

    private func stop(_ name: String) async {
        guard let source = sources.removeValue(forKey: name) else { return }
        source.cancel()
        await source.value
    }

    private func publish() {
        table.replace(
            configuration.feeds.compactMap {
                $0.source == .http || $0.source == .bof2 ? intakes[$0.name] : nil
            }
        )
    }

    // MARK: - Reading the configuration again

    private func takeUp() async {
        notifier.tell("RELOADING=1")
        defer { notifier.tell("READY=1") }
        do {
            let new = try NodeConfiguration.read(configuration.path)
            let obstacles = new.needsRestart(after: configuration)
            guard obstacles.isEmpty else {
                logger.error(
                    "configuration refused, the old one stays",
                    metadata: ["why": "a restart is needed for \(obstacles.joined(separator: ", "))"]
                )
                return
            }
            try await change(to: new)
            logger.notice("configuration taken up", metadata: ["feeds": "\(new.feeds.count)"])
        } catch let refused as ConfigurationRefused {
            let problems = refused.problems.map { "\($0)" }.joined(separator: "; ")
            logger.error("configuration refused, the old one stays", metadata: ["why": "\(problems)"])
        } catch {
            logger.error("configuration refused, the old one stays", metadata: ["why": "\(error)"])
        }
    }

    private func change(to new: NodeConfiguration) async throws {
        let old = configuration.feeds.filter(\.source.isLive)
        let now = new.feeds.filter(\.source.isLive)
        try await node.update(new)
        try await alerts?.update(new)
        subscribers.replace(new.interest?.subscribers ?? [])
        configuration = new
        wasReloaded = true
        for feed in old where !now.contains(feed) { await stop(feed.name) }
        for feed in old where !now.contains(where: { $0.name == feed.name }) {
            intakes[feed.name] = nil
            try await node.ended(feed.name)
        }
        for feed in now {
            // Cameras may have come or gone for those that stay as they are.
            if old.contains(feed) { await intakes[feed.name]?.update(feed) } else { try await start(feed) }
        }
        publish()
    }
}

extension NodeConfiguration {
    /// What differs from an earlier configuration and can't be changed while the node runs.
    func needsRestart(after old: NodeConfiguration) -> [String] {
        var names: [String] = []
        if node != old.node { names.append("node") }
        if data != old.data { names.append("data") }
        if http != old.http || httpTLS != old.httpTLS || intakeMax != old.intakeMax { names.append("http") }
        if forward != old.forward { names.append("forward") }
        if (receive == nil) != (old.receive == nil) || receive?.host != old.receive?.host
            || receive?.port != old.receive?.port
        {
            names.append("receive.listen")
        }
        if receive?.tls != old.receive?.tls { names.append("receive.tls") }
        if interest?.folder != old.interest?.folder { names.append("interest") }
        if interest?.webhooks != old.interest?.webhooks { names.append("interest.webhooks") }
        return names
    }
}
