import Deduplication
import ANPRModel
import Access
import Archive
import ArgumentParser
import FeedDecoding
import Foundation
import Gateway
import Logging
import Synchronization

/// `anpr ingest`: the whole pipeline over finite feeds.
struct IngestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ingest",
        abstract: "Take finite feeds in, deduplicate, archive, forward, apply retention; then report.",
        discussion: """
            Without feeds, takes those the configuration names. A file given here is matched to a configured feed by \
            its name, or as NAME=FILE; one that matches none may speak for all forces of the node. What an earlier \
            run took of the same bytes is passed over, so a run that was cut off is simply repeated.
            """
    )

    @OptionGroup var node: ConfigurationOption

    @Option(help: "The format of feeds whose extension tells none: ndjson or csv.")
    var format: FeedFormat?

    @Option(help: "How long to wait for the next node without any progress.")
    var patience = DurationArgument(milliseconds: 30_000)

    @Option(help: "How many journal bytes to gather before a sync: less is safe sooner, more is faster.")
    var syncBytes: Int = Ingest.syncBytesDefault

    @Argument(help: "Files, NAME=FILE, directories, or - for standard input.")
    var feeds: [String] = []

    func run() async throws {
        let configuration = try node.read()
        let began = ContinuousClock.now
        let core = try open(configuration)
        let set = try CommandInput.unusable {
            try FeedSet(CommandInput.files(feeds), format: format, node: core)
        }
        // Collection is on record before it begins, so that a run that is killed is on record too.
        try Operator.audit(configuration.data).append(
            AuditRecord(
                at: TimestampWriter.text(Operator.now),
                actor: Operator.name,
                action: .ingest,
                reason: "ingest begins",
                request: ["feeds": set.entries.map(\.name).joined(separator: " ")],
                count: 0
            )
        )
        // Where to begin is known before anything comes.
        let alerts = try configuration.interest.map {
            (try AlertDesk(configuration, $0, keys: core.keys), try core.alertCursor())
        }
        var ingest = Ingest(node: core, feeds: set, now: Operator.now, syncBytes: syncBytes)
        let line = ProgressLine()
        let report = try CommandInput.unusable { try ingest.run { line.show($0, began) } }
        let raised = try alerts.map { desk, first in
            let end = core.log.extent.next
            try core.alerted(
                before: try desk.catchUp(core.logFolder, from: first, before: end, now: Operator.now)
            )
            return desk.raised.values.reduce(0, +)
        }
        // What is damaged in the archive is told once all else is done.
        var attempts = Attempts()
        attempts.make { try core.tidy() }
        let took = ContinuousClock.now - began
        line.clear()
        var deliveries: [Delivery] = []
        for forward in configuration.forward {
            deliveries.append(try await deliver(core, configuration, forward))
        }
        attempts.make { try core.tidy() }
        let pass = core.applyRetention(now: Operator.now)
        attempts.make { try pass.attempts.finish() }
        try audit(configuration, report, pass.outcomes)
        try Console.output(
            IngestReport(
                configuration: configuration,
                report: report,
                deliveries: deliveries,
                purged: pass.outcomes,
                alerts: raised,
                took: took
            ).text
        )
        try attempts.finish()
        if report.feeds.contains(where: { $0.failure != nil })
            || deliveries.contains(where: { $0.failure != nil })
        {
            throw ExitCode.failure
        }
    }

    private func open(_ configuration: NodeConfiguration) throws -> NodeCore {
        let core = try NodeCore(configuration)
        if let cameras = configuration.cameras {
            try core.register(CommandInput.register(cameras).cameras)
        }
        return core
    }

    private func deliver(
        _ core: NodeCore,
        _ configuration: NodeConfiguration,
        _ forward: NodeConfiguration.Forward
    ) async throws -> Delivery {
        let first = try core.patchCursor(to: forward.text)
        let pushed = Mutex(first)
        let patches = PatchCursor(
            first: { pushed.withLock { $0 } },
            note: { sequence in pushed.withLock { $0 = sequence } }
        )
        let forwarder = Forwarder(
            to: forward,
            log: core.log,
            logFolder: core.logFolder,
            keys: core.keys,
            node: configuration.node,
            stream: core.stream,
            data: configuration.data,
            patches: forward.pushesPatches ? patches : nil,
            logger: Logger(label: "anpr.link") { _ in SwiftLogNoOpLogHandler() }
        ) { _ in }
        var delivery = Delivery(to: forward.text)
        do {
            try await forwarder.deliverAll(patience: .milliseconds(patience.milliseconds))
        } catch let undelivered as Forwarder.Undelivered {
            delivery.failure = undelivered.description
        }
        let status = await forwarder.status
        delivery.bytes = status.bytes
        try core.delivered(to: forward.text, before: status.delivered)
        let reached = pushed.withLock { $0 }
        if reached > first { try core.pushed(patchesBefore: reached, to: forward.text) }
        return delivery
    }

    private func audit(
        _ configuration: NodeConfiguration,
        _ report: Ingest.Report,
        _ purged: [RetentionOutcome]
    ) throws {
        let log = Operator.audit(configuration.data)
        let at = TimestampWriter.text(Operator.now)
        let feeds = report.feeds.map(\.name).joined(separator: " ")
        try log.append(
            AuditRecord(
                at: at,
                actor: Operator.name,
                action: .ingest,
                reason: "ingest",
                request: ["feeds": feeds],
                count: Int(report.counts.received)
            )
        )
        if report.tally.acrossForces > 0 {
            try log.append(
                AuditRecord(
                    at: at,
                    actor: "anpr",
                    action: .combine,
                    reason: "deduplication across forces",
                    request: ["feeds": feeds],
                    count: report.tally.acrossForces
                )
            )
        }
        try RetentionCommand.audit(purged, data: configuration.data, actor: "anpr")
    }
}

/// How forwarding to one address ended.
struct Delivery {
    var to: String
    var bytes = 0
    var failure: String?
}

/// One line on a terminal that says how far a long run has come.
final class ProgressLine {
    private let isShown = Console.showsProgress
    private var last = ContinuousClock.now
    private static let interval = Duration.milliseconds(200)

    func show(_ report: Ingest.Report, _ began: ContinuousClock.Instant) {
        show(report.counts.received, report.tally.sightings, began, more: "  lag \(report.lag / 1000) s")
    }

    func show(_ reads: UInt64, _ sightings: Int, _ began: ContinuousClock.Instant, more: String = "") {
        let now = ContinuousClock.now
        guard isShown, now - last > Self.interval else { return }
        last = now
        let seconds = max(0.001, (now - began) / .seconds(1))
        let rate = Int(Double(reads) / seconds)
        Console.progress(
            "\(NumberText.grouped(reads)) reads  \(NumberText.grouped(rate))/s  "
                + "\(NumberText.grouped(sightings)) sightings\(more)"
        )
    }

    func clear() {
        if isShown { Console.progress("") }
    }
}
