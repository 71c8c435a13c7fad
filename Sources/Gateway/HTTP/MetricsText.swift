import Deduplication
import ANPRModel
import FeedDecoding
import Forwarding

/// A node's numbers as Prometheus text, format 0.0.4.
struct MetricsText {
    private(set) var text = ""

    init(_ status: NodeStatus, intakeUsed: Int, intakeMax: Int) {
        feeds(status)
        counter(
            "anpr_sightings_total",
            "Sightings given out, amendments not counted.",
            [("", status.tally.sightings)]
        )
        counter(
            "anpr_amendments_total",
            "Amendments to sightings given out before.",
            [("", status.tally.amendments)]
        )
        gauge(
            "anpr_lag_seconds",
            "Event time by which what has left is behind what has come.",
            Double(status.lag) / 1000
        )
        gauge("anpr_reorder_reads", "Reads waiting for their turn.", Double(status.waiting.reads))
        gauge("anpr_open_sightings", "Sightings that may still grow.", Double(status.waiting.sightings))
        gauge("anpr_unlogged_sightings", "Sightings waiting for the log.", Double(status.unlogged))
        gauge("anpr_log_next", "The number that the next sighting gets.", Double(status.logged))
        gauge("anpr_intake_bytes", "Bytes of posts in work.", Double(intakeUsed))
        gauge("anpr_intake_bytes_max", "Bytes of posts that may be in work.", Double(intakeMax))
        gauge("anpr_ready", "1 when reads are taken.", status.trouble == nil ? 1 : 0)
        histogram("anpr_journal_sync_seconds", "How long the journal's syncs took.", status.syncs)
    }

    /// Adds what became of vehicles of interest.
    ///
    /// - Parameters:
    ///   - raised: alerts by list, since the start.
    ///   - next: the number of the next alert.
    ///   - webhooks: the alert that each is told next.
    mutating func alerts(raised: [String: Int], next: UInt64, webhooks: [(name: String, next: UInt64)]) {
        counter(
            "anpr_alerts_total",
            "Alerts raised since the start, by list.",
            raised.sorted { $0.key < $1.key }.map { ("list=\"\(Self.escaped($0.key))\"", $0.value) }
        )
        gauge("anpr_alert_next", "The number that the next alert gets.", Double(next))
        head("anpr_webhook_waiting_alerts", "Alerts that a webhook was not told yet.", "gauge")
        for webhook in webhooks {
            let waiting = Int64(next) - Int64(webhook.next)
            text += "anpr_webhook_waiting_alerts{webhook=\"\(Self.escaped(webhook.name))\"} \(waiting)\n"
        }
    }

    /// Adds how retention stands, of a node that has rules.
    ///
    /// - Parameters:
    ///   - applied: when it was applied last, if ever.
    ///   - every: how often that should be, in milliseconds.
    mutating func retention(applied: Timestamp?, every: Int64, now: Timestamp) {
        let since = applied.map { now.milliseconds - $0.milliseconds }
        gauge(
            "anpr_retention_applied_timestamp_seconds",
            "When retention was applied last; 0 for never.",
            Double(applied?.milliseconds ?? 0) / 1000
        )
        gauge(
            "anpr_retention_overdue_seconds",
            "By how much the next time is overdue.",
            Double(max(0, (since ?? every) - every)) / 1000
        )
    }

    /// Adds what became of the links to other nodes.
    mutating func links(_ links: [LinkStatus]) {
        let label = { (link: LinkStatus) in "to=\"\(Self.escaped(link.to))\"" }
        counter(
            "anpr_link_bytes_total",
            "Bytes sent over links since the start, by what they were.",
            links.flatMap { link in
                [
                    ("sightings", link.traffic.sightings), ("cameras", link.traffic.cameras),
                    ("alerts", link.traffic.alerts), ("patches", link.traffic.patches),
                    ("overviews", link.traffic.overviews), ("control", link.traffic.control),
                ].map { ("\(label(link)),class=\"\($0.0)\"", $0.1) }
            }
        )
        for (name, help, value) in [
            ("connected", "1 when the next node is connected.", { $0.connected == nil ? 0 : 1 }),
            ("waiting_sightings", "Sightings that the next node does not have yet.", { Double($0.waiting) }),
            ("bytes_per_second", "Bytes sent a second, over the last ten seconds.", \.bytesPerSecond),
            (
                "budget_bytes_per_second", "What the line may carry; 0 for no budget.",
                { Double($0.budget ?? 0) }
            ),
        ] as [(String, String, (LinkStatus) -> Double)] {
            head("anpr_link_\(name)", help, "gauge")
            for link in links { text += "anpr_link_\(name){\(label(link))} \(value(link))\n" }
        }
    }

    private mutating func feeds(_ status: NodeStatus) {
        let label = { (feed: NodeStatus.Feed) in "feed=\"\(Self.escaped(feed.name))\"" }
        for (name, help, value) in [
            ("received", "Records met.", \.counts.received),
            ("accepted", "Reads taken and not redelivered.", \.counts.accepted),
            ("redelivered", "Reads delivered again.", \.counts.redelivered),
            ("late", "Reads behind the watermark.", \.counts.late),
        ] as [(String, String, KeyPath<NodeStatus.Feed, UInt64>)] {
            counter(
                "anpr_feed_\(name)_total",
                help,
                status.feeds.map { (label($0), Int($0[keyPath: value])) }
            )
        }
        let refused = status.feeds.flatMap { feed in
            feed.gauges.refused.sorted { $0.key.name < $1.key.name }.map { reason, count in
                ("\(label(feed)),reason=\"\(reason.name)\"", count)
            }
        }
        counter("anpr_feed_rejected_total", "Records in quarantine since the start, by reason.", refused)
        head(
            "anpr_camera_clock_ahead_seconds",
            "How far clocks are off that are off by 2 s or more.",
            "gauge"
        )
        for feed in status.feeds {
            for clock in feed.clocks {
                let camera = "force=\"\(Self.escaped(clock.force))\",camera=\"\(Self.escaped(clock.camera))\""
                text += "anpr_camera_clock_ahead_seconds{\(label(feed)),\(camera)} \(clock.ahead)\n"
            }
        }
        for (name, help, value) in [
            ("ignored", "Documents that are no reads by their kind, since the start.", \.gauges.ignored),
            (
                "images_dropped",
                "Images too long, no JPEG or of no one read, since the start.", \.gauges.imagesDropped
            ),
            (
                "dropped_fields", "Optional fields that could not be used, since the start.",
                \.gauges.droppedFields
            ),
        ] as [(String, String, KeyPath<NodeStatus.Feed, Int>)] {
            counter("anpr_feed_\(name)_total", help, status.feeds.map { (label($0), $0[keyPath: value]) })
        }
        let kept = status.feeds.flatMap { feed in
            ImageKind.allCases.map { kind in
                ("\(label(feed)),kind=\"\(kind.name)\"", feed.gauges.imagesKept[kind] ?? 0)
            }
        }
        counter("anpr_feed_images_kept_total", "Images kept, since the start, by what they show.", kept)
        head("anpr_feed_silence_seconds", "Time since anything came of a feed that is waited for.", "gauge")
        for feed in status.feeds {
            if let silence = feed.silence { text += "anpr_feed_silence_seconds{\(label(feed))} \(silence)\n" }
        }
    }

    private mutating func head(_ name: String, _ help: String, _ kind: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
    }

    private mutating func counter(_ name: String, _ help: String, _ values: [(labels: String, value: Int)]) {
        head(name, help, "counter")
        for (labels, value) in values { text += name + (labels.isEmpty ? "" : "{\(labels)}") + " \(value)\n" }
    }

    private mutating func gauge(_ name: String, _ help: String, _ value: Double) {
        head(name, help, "gauge")
        text += "\(name) \(value)\n"
    }

    private mutating func histogram(_ name: String, _ help: String, _ histogram: DurationHistogram) {
        head(name, help, "histogram")
        var count = 0
        for (step, bound) in DurationHistogram.bounds.enumerated() {
            count += histogram.counts[step]
            text += "\(name)_bucket{le=\"\(bound / 1000)\"} \(count)\n"
        }
        text += "\(name)_bucket{le=\"+Inf\"} \(histogram.count)\n"
        text += "\(name)_sum \(histogram.sum)\n\(name)_count \(histogram.count)\n"
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
