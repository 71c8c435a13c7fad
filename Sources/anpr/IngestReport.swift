import Deduplication
import ANPRModel
import Archive
import Gateway

/// The report at the end of a run, for people.
struct IngestReport {
    let configuration: NodeConfiguration
    let report: Ingest.Report
    let deliveries: [Delivery]
    let purged: [RetentionOutcome]
    /// Alerts raised, where there are vehicles of interest.
    let alerts: Int?
    let took: Duration

    var text: String {
        let counts = report.counts
        let seconds = max(0.001, took / .seconds(1))
        var lines = [
            """
            \(configuration.node): \(NumberText.grouped(counts.received)) reads of \(report.feeds.count) \(report.feeds.count == 1 ? "feed" : "feeds") in \
            \(NumberText.hundredths(seconds)) s, \(NumberText.grouped(Int(Double(counts.received) / seconds))) a second
            """,
            "",
        ]
        lines += feeds
        lines += forces
        lines += duplicates
        lines += bytes
        lines += remarks
        return lines.joined(separator: "\n") + "\n"
    }

    private var feeds: [String] {
        let width = max(12, (report.feeds.map(\.name.count).max() ?? 0) + 2)
        let titles = ["received", "accepted", "rejected", "redelivered", "late"]
        var lines = [NumberText.left("feed", width) + titles.map { NumberText.right($0, 13) }.joined()]
        for feed in report.feeds { lines.append(row(feed.name, feed.counts, width)) }
        if report.feeds.count > 1 { lines.append(row("all", report.counts, width)) }
        return lines + [""]
    }

    private func row(_ name: String, _ counts: FeedCounts, _ width: Int) -> String {
        let numbers = [counts.received, counts.accepted, counts.rejected, counts.redelivered, counts.late]
        return NumberText.left(name, width)
            + numbers.map { NumberText.right(NumberText.grouped(FeedCounts.signed($0)), 13) }.joined()
    }

    private var forces: [String] {
        guard !report.readsByForce.isEmpty else { return [] }
        let parts = report.readsByForce.sorted { $0.key < $1.key }.map { code, count in
            let name = configuration.forces.first { $0.code == code }?.name
            return "\(code)\(name.map { " \($0)" } ?? "") \(NumberText.grouped(count))"
        }
        return ["reads by force    \(parts.joined(separator: "   "))", ""]
    }

    private var duplicates: [String] {
        let tally = report.tally
        let redelivered = FeedCounts.signed(report.counts.redelivered)
        let spared = redelivered + tally.sameCamera + tally.sameSite + tally.acrossForces
        let all = FeedCounts.signed(report.counts.accepted) + redelivered
        let amended =
            tally.amendments > 0 ? ", and \(NumberText.grouped(tally.amendments)) amended later" : ""
        return [
            "duplicates        \(number(spared))   \(NumberText.percent(spared, of: all)) of the reads",
            "  redelivered     \(number(redelivered))",
            "  same camera     \(number(tally.sameCamera))",
            "  same site       \(number(tally.sameSite))",
            "  across forces   \(number(tally.acrossForces))",
            "sightings         \(number(tally.sightings))\(amended)",
        ] + (alerts.map { ["alerts            \(number($0))"] } ?? []) + [""]
    }

    private func number(_ value: Int) -> String { NumberText.right(NumberText.grouped(value), 11) }

    private var bytes: [String] {
        let raw = report.feeds.reduce(0) { $0 + $1.bytes }
        var lines = ["bytes raw         \(number(raw))"]
        for delivery in deliveries {
            let sent = delivery.bytes
            var line = "bytes sent        \(number(sent))"
            if report.tally.sightings > 0 {
                line += "   \(NumberText.decimal(Double(sent) / Double(report.tally.sightings))) a sighting"
            }
            if raw > 0 { line += ", saved \(NumberText.percent(raw - sent, of: raw))" }
            lines.append(line + " (to \(delivery.to))")
        }
        return lines
    }

    private var remarks: [String] {
        var lines: [String] = []
        if !report.reasons.isEmpty {
            let reasons = report.reasons.sorted { $0.key.rawValue < $1.key.rawValue }
            lines.append(
                "rejected          \(reasons.map { "\($0.value) \($0.key.name)" }.joined(separator: ", "))"
            )
            lines.append("                  see: anpr quarantine list --data \(configuration.data)")
        }
        for feed in report.feeds {
            if feed.skipped > 0 {
                lines.append(
                    "feed \(feed.name): \(NumberText.grouped(feed.skipped)) bytes were taken by an earlier run"
                )
            }
            if !feed.isConfigured {
                lines.append("feed \(feed.name): not in the configuration; took any force of the node")
            }
            if let failure = feed.failure { lines.append("feed \(feed.name) broke off: \(failure)") }
        }
        if report.droppedFields > 0 {
            lines.append("optional fields that could not be used: \(report.droppedFields)")
        }
        if report.images > 0 {
            let others = report.images - report.imagesKept - report.imagesDropped
            lines.append(
                "images            \(NumberText.grouped(report.imagesKept)) kept"
                    + (report.imagesDropped > 0
                        ? ", \(NumberText.grouped(report.imagesDropped)) dropped (too long, no JPEG, or of no one read)"
                        : "")
                    + (others > 0 ? ", \(NumberText.grouped(others)) of a kind that is not kept" : "")
            )
        }
        for delivery in deliveries {
            if let failure = delivery.failure { lines.append("not delivered: \(failure)") }
        }
        for outcome in purged where outcome.contributions > 0 || outcome.images > 0 {
            lines.append(
                "retention: \(outcome.contributions) contributions, \(outcome.images) images went under '\(outcome.rule)'"
            )
        }
        return lines.isEmpty ? [] : [""] + lines
    }
}
