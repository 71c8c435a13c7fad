import ArgumentParser
import Foundation
import FoundationNetworking
import Gateway

/// `anpr status`: how a node stands.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show how a node stands: feeds, lag, counts, archive, links out."
    )

    @Option(help: "The node's data folder.")
    var data: String?

    @Option(help: "The running node's HTTP interface, such as http://127.0.0.1:8080.")
    var server: String?

    @Flag(help: "Show it again every second, until interrupted.")
    var watch = false

    @Flag(help: "One JSON object.")
    var json = false

    func validate() throws {
        if (data == nil) == (server == nil) { throw ValidationError("Give either --data or --server.") }
    }

    func run() async throws {
        repeat {
            let text = json ? try await source() + "\n" : try await table()
            try Console.output(watch && !json ? "\u{1B}[H\u{1B}[2J" + text : text)
            if watch { try await Task.sleep(for: .seconds(1)) }
        } while watch
    }

    private func table() async throws -> String {
        let bytes = Data(try await source().utf8)
        return StatusTable(try JSONDecoder().decode(StatusTable.Report.self, from: bytes)).text
    }

    /// The status as JSON: a running node's own word, or what a folder shows.
    private func source() async throws -> String {
        if let data {
            let folder = try DataOption.existing(data)
            return try FolderStatus(folder).json
        }
        guard let server, let url = URL(string: server + "/v1/status"), url.host != nil else {
            throw ValidationError("--server must be an address such as http://127.0.0.1:8080")
        }
        do {
            let (body, response) = try await URLSession.shared.data(from: url)
            guard (response as? HTTPURLResponse)?.statusCode == 200 else {
                throw ConsoleError(
                    text: "\(server): answered \((response as? HTTPURLResponse)?.statusCode ?? 0)"
                )
            }
            return String(decoding: body, as: UTF8.self).trimmingCharacters(in: .newlines)
        } catch let error as ConsoleError {
            throw error
        } catch {
            throw ConsoleError(text: "\(server): \(error.localizedDescription)")
        }
    }
}

/// A node's status for people.
struct StatusTable {
    /// What a status says; a folder's has no feeds.
    struct Report: Decodable {
        struct Feed: Decodable {
            var feed: String
            var received: Int
            var accepted: Int
            var rejected: Int
            var redelivered: Int
            var late: Int
            var silentSeconds: Int?
        }

        struct Link: Decodable {
            var to: String
            var waiting: Int
            var connected: String?
            var trouble: String?
            var secondsLeft: Int?
            var bytesPerSecond: Int?
            var budgetBytesPerSecond: Int?

            /// What is known of it: of a folder only what waits.
            var text: String {
                var parts = ["\(NumberText.grouped(waiting)) sightings wait"]
                if let bytesPerSecond {
                    parts.insert(connected.map { "connected to \($0)" } ?? "down: \(trouble ?? "")", at: 0)
                    if waiting > 0 {
                        parts[1] +=
                            secondsLeft.map { ", caught up in about \(DurationText.text(Int64($0) * 1000))" }
                            ?? ", not getting fewer"
                    }
                    let use = budgetBytesPerSecond.map { " of \(NumberText.grouped($0))" } ?? ""
                    parts.append("\(NumberText.grouped(bytesPerSecond))\(use) bytes/s")
                }
                return parts.joined(separator: "; ")
            }
        }

        var node: String
        var isRunning: Bool?
        var ready: Bool?
        var trouble: String?
        var sightings: Int?
        var lagMilliseconds: Int?
        var waitingReads: Int?
        var openSightings: Int?
        var logged: Int
        var archived: Int?
        var archiveBytes: Int?
        var segments: Int?
        var retentionApplied: String?
        var holds: Int?
        var links: [Link]?
        var feeds: [Feed]?
    }

    let text: String

    init(_ report: Report) {
        var lines = ["node        \(report.node)"]
        if let ready = report.ready {
            lines.append("state       \(ready ? "ready" : "reads are not taken: \(report.trouble ?? "")")")
        }
        if let isRunning = report.isRunning {
            lines.append("state       \(isRunning ? "running" : "not running")")
        }
        if let lag = report.lagMilliseconds {
            lines.append("lag         \(NumberText.grouped(lag / 1000)) s of event time")
        }
        if let reads = report.waitingReads, let open = report.openSightings {
            lines.append(
                "in work     \(NumberText.grouped(reads)) reads to be ordered, \(NumberText.grouped(open)) sightings open"
            )
        }
        lines.append("log         \(NumberText.grouped(report.logged)) sightings")
        if let archived = report.archived, let bytes = report.archiveBytes, let segments = report.segments {
            lines.append(
                "archive     \(NumberText.grouped(archived)) sightings, \(NumberText.grouped(segments)) segments, \(NumberText.grouped(bytes)) bytes"
            )
        }
        if let holds = report.holds, holds > 0 || report.retentionApplied != nil {
            let applied = report.retentionApplied.map { "last applied \($0)" } ?? "never applied"
            lines.append("retention   \(applied); legal holds: \(NumberText.grouped(holds))")
        }
        for link in report.links ?? [] {
            lines.append("link        \(link.to): \(link.text)")
        }
        if let feeds = report.feeds, !feeds.isEmpty { lines += ["", Self.header] + feeds.map(Self.row) }
        text = lines.joined(separator: "\n") + "\n"
    }

    private static let widths = [22, 13, 13, 11, 13, 9, 9]

    private static var header: String {
        line(["feed", "received", "accepted", "rejected", "redelivered", "late", "silent"])
    }

    private static func row(_ feed: Report.Feed) -> String {
        line(
            [feed.feed]
                + [feed.received, feed.accepted, feed.rejected, feed.redelivered, feed.late].map(
                    NumberText.grouped
                )
                + [feed.silentSeconds.map { "\($0) s" } ?? "idle"]
        )
    }

    private static func line(_ cells: [String]) -> String {
        zip(cells, widths).enumerated().map { place, cell in
            let padding = String(repeating: " ", count: max(0, cell.1 - cell.0.count))
            return place == 0 ? cell.0 + padding : padding + cell.0
        }.joined()
    }
}
