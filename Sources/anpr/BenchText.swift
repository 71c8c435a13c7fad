import Bandwidth
import Gateway

/// The report of `anpr bench` for people.
struct BenchText {
    let document: BenchDocument
    private var report: BandwidthReport { document.report }

    init(document: BenchDocument) { self.document = document }

    var text: String {
        let parts = [heading, reads, duplicates, bytes, line, capacity, comparisons, targets]
        return parts.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
    }

    private var heading: [String] {
        let traffic = report.traffic
        let speed = NumberText.grouped(Int(document.replay.readsPerSecond))
        let rate = Self.rate(Double(report.line.bitsPerSecond))
        let over = "\(rate)\(report.line.isEncrypted ? " with TLS" : ""), frames each "
        let delay = DurationText.text(Int64((report.line.delayMaxSeconds * 1000).rounded()))
        return [
            "\(document.source.text) over \(over)\(delay)",
            "\(traffic.from ?? "no reads") to \(traffic.to ?? "-"), \(Self.span(traffic.seconds)) of event time",
            "replayed in \(NumberText.hundredths(document.replay.seconds)) s, \(speed) reads/s, comparisons included",
        ]
    }

    private var reads: [String] {
        let traffic = report.traffic
        return [
            row("reads", report.reads.received, "received"),
            row("  accepted", report.reads.accepted),
            row("  rejected", report.reads.rejected),
            row("  redelivered", report.reads.redelivered),
            row("  late", report.reads.late, "behind the watermark, whatever became of them"),
            row("reads a second", NumberText.decimal(traffic.readsPerSecond), "on average"),
            row("  busiest second", traffic.busiestSecondReads, Self.clock(traffic.busiestSecondAt)),
        ]
    }

    private var duplicates: [String] {
        let kinds = report.duplicates
        let joined = kinds.sameCamera + kinds.sameSite + kinds.acrossForces + kinds.late
        let all = kinds.redelivered + joined
        let good = report.reads.accepted + report.reads.redelivered
        return [
            row("duplicates", all, "\(NumberText.percent(all, of: good)) of the good reads"),
            row("  redelivered", kinds.redelivered, "the same read sent again"),
            row("  same camera", kinds.sameCamera, "frames of one passage"),
            row("  same site", kinds.sameSite, "other cameras of the force: lanes, front and rear"),
            row("  across forces", kinds.acrossForces, "other forces' cameras at sites they share"),
            row("  late", kinds.late, "joined to a sighting given out before"),
            row("sightings", report.sightings, "and \(NumberText.grouped(report.amendments)) amendments"),
        ]
    }

    private var bytes: [String] {
        let bytes = report.bytes
        let perFrame = Double(report.sightings + report.amendments) / Double(max(1, report.frames))
        return [
            row(
                "bytes sent",
                report.bytesTotal,
                "in \(NumberText.grouped(report.frames)) frames of \(NumberText.decimal(perFrame)) on average"
            ),
            part("  sightings", bytes.sightings),
            part("  amendments", bytes.amendments),
            part("  cameras", bytes.register),
            part("  marks", bytes.marks),
            part("  messages", bytes.messages),
            part("  TCP, IP\(report.line.isEncrypted ? ", TLS" : "")", bytes.transport),
            row("acknowledgements", report.bytesReturned, "the other way"),
            row(
                "bytes a sighting",
                NumberText.hundredths(report.bytesPerSighting),
                "\(NumberText.hundredths(report.frameBytesPerSighting)) of it frames; \(NumberText.hundredths(report.fullBytesPerSighting)) in all where the line is full"
            ),
            row("bytes a read", NumberText.hundredths(report.bytesPerRead)),
        ]
    }

    private var line: [String] {
        let use = report.use
        let wait = report.wait
        let after = report.catchUp
        let caughtUp = after.seconds.map { "caught up after \(Self.span($0))" } ?? "never caught up with"
        return [
            row("line, on average", Self.rate(use.mean), Self.shareOfLine(use.mean, report)),
            row(
                "  busiest second",
                Self.rate(use.busiestSecond),
                "\(Self.percent(use.headroomSecond)) headroom, \(Self.clock(use.busiestSecondAt))"
            ),
            row(
                "  busiest minute",
                Self.rate(use.busiestMinute),
                "\(Self.percent(use.headroomMinute)) headroom, \(Self.clock(use.busiestMinuteAt))"
            ),
            row(
                "wait for the line",
                "\(NumberText.hundredths(wait.longestSeconds)) s",
                "at most; \(NumberText.hundredths(wait.meanSeconds)) s on average, 99 % within \(NumberText.decimal(wait.mostSeconds)) s"
            ),
            row(
                "line down for 1 h",
                NumberText.grouped(after.sightings),
                "sightings of the busiest hour, \(NumberText.grouped(after.bytes)) bytes: \(caughtUp)"
            ),
        ]
    }

    private var capacity: [String] {
        let most = report.capacity
        var lines = [
            row(
                "the line carries",
                NumberText.decimal(most.readsPerSecond),
                "steady reads/s, \(Self.millions(most.readsPerDay)) a day; \(Self.millions(most.readsPerDayFull)) in full frames"
            )
        ]
        let shaped = most.readsPerDayShaped.map { ", \(Self.millions($0)) reads a day of this shape" } ?? ""
        lines.append(
            row(
                "  this traffic",
                "\(NumberText.hundredths(most.growth)) x",
                "until its busiest minute fills the line\(shaped)"
            )
        )
        return lines
    }

    private var comparisons: [String] {
        let alone = report.alone
        let reads = report.reads.accepted + report.reads.redelivered
        var lines = [
            "the same reads                       bytes   a read   times",
            compared("joined, as above", report.bytesTotal, report.bytesPerRead, 1),
        ]
        let perRead = reads == 0 ? 0 : Double(alone.bytes) / Double(reads)
        let times = report.bytesTotal == 0 ? 0 : Double(alone.bytes) / Double(report.bytesTotal)
        lines.append(
            compared("each force joining its own", alone.bytes, perRead, times)
                + "   joining across forces saves \(Self.percent(alone.saved))"
        )
        for comparison in report.comparisons {
            var line = compared(
                Self.form(comparison.form, report.line.delayMaxSeconds),
                comparison.bytes,
                comparison.bytesPerRead,
                comparison.times
            )
            if comparison.form == "gzipFile" {
                line += "   of \(NumberText.grouped(comparison.reads)) reads, without a line"
            }
            lines.append(line)
        }
        return lines
    }

    private var targets: [String] {
        document.targets.map { verdict in
            let measured = verdict.measured.map { Self.figure($0, verdict.unit) } ?? "without end"
            let limit = Self.figure(verdict.limit, verdict.unit)
            return NumberText.left("\(verdict.isMet ? "met   " : "MISSED")  \(verdict.target)", 30)
                + NumberText.right(measured, 18) + "   asked for \(limit)"
        }
    }

    // MARK: - Rows

    private func row(_ name: String, _ value: Int, _ remark: String = "") -> String {
        row(name, NumberText.grouped(value), remark)
    }

    private func row(_ name: String, _ value: String, _ remark: String = "") -> String {
        let line = NumberText.left(name, 18) + NumberText.right(value, 14)
        return remark.isEmpty ? line : line + "   " + remark
    }

    private func part(_ name: String, _ value: Int) -> String {
        row(name, value, NumberText.percent(value, of: report.bytesTotal))
    }

    private func compared(_ name: String, _ bytes: Int, _ perRead: Double, _ times: Double) -> String {
        NumberText.left(name, 28) + NumberText.right(NumberText.grouped(bytes), 14)
            + NumberText.right(NumberText.hundredths(perRead), 9)
            + NumberText.right(NumberText.decimal(times), 8)
    }

    // MARK: - Figures

    private static func form(_ form: String, _ delay: Double) -> String {
        let each = DurationText.text(Int64((delay * 1000).rounded()))
        return switch form {
        case "ndjson": "NDJSON"
        case "gzip": "gzip, flushed each \(each)"
        case "gzipFile": "gzip, as one file"
        default: "BOF2 compact calls"
        }
    }

    private static func figure(_ value: Double, _ unit: BandwidthTargets.Unit) -> String {
        switch unit {
        case .bytes: "\(NumberText.hundredths(value)) bytes"
        case .bitsPerSecond: rate(value)
        case .share: percent(value)
        case .seconds: value < 60 ? "\(NumberText.hundredths(value)) s" : span(value)
        case .readsPerDay: "\(NumberText.grouped(Int(value))) a day"
        case .readsPerSecond: "\(NumberText.grouped(Int(value))) reads/s"
        }
    }

    private static func rate(_ bits: Double) -> String {
        bits >= 10_000_000
            ? "\(NumberText.decimal(bits / 1e6)) Mbit/s" : "\(NumberText.decimal(bits / 1e3)) kbit/s"
    }

    private static func percent(_ share: Double) -> String { "\(NumberText.decimal(share * 100)) %" }

    private static func shareOfLine(_ bits: Double, _ report: BandwidthReport) -> String {
        "\(percent(bits / Double(report.line.bitsPerSecond))) of the line"
    }

    private static func millions(_ value: Int) -> String {
        value >= 1_000_000 ? "\(NumberText.decimal(Double(value) / 1e6)) M" : NumberText.grouped(value)
    }

    /// A time of day, of a text in RFC 3339.
    private static func clock(_ time: String?) -> String {
        time.map { "at \($0.dropFirst(11).prefix(8))" } ?? ""
    }

    private static func span(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded())
        let parts = [(whole / 3600, "h"), (whole % 3600 / 60, "min"), (whole % 60, "s")]
        let said = parts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        return said.isEmpty ? "0 s" : said.joined(separator: " ")
    }
}
