import ANPRModel
import FeedDecoding
import Foundation
import Simulation
import TestSupport
import Testing

/// Vehicles of interest: lists in, alerts out, each once.
@Suite(.serialized)
struct AlertTests {
    /// What matters of an alert.
    private struct Line: Decodable {
        var sequence: UInt64
        var id: String
        var origin: String
        var match: String
        var list: String
        var entry: [String: String]
        var vrm: String
        var site: String
        var captured: String

        init(_ text: String) throws { self = try JSONDecoder().decode(Line.self, from: Data(text.utf8)) }
    }

    private static let feeds = ["a", "b"].map { name in
        "{ name: \(name), force: \"\(name == "a" ? 43 : 44)\", source: http, format: ndjson, "
            + "token: { sha256: \"\(LiveNode.tokenHash)\" } }"
    }

    private static func read(_ vrm: String, _ camera: String, _ second: Double) -> [UInt8] {
        let whole = Int(second)
        let clock = "06:\(10 + whole / 60):\(whole % 60 < 10 ? "0" : "")\(whole % 60)"
        let thousandths = Int((second - Double(whole)) * 1000 + 0.5)
        let fraction = String("00\(thousandths)".suffix(3))
        return Array(
            #"{"force":"\#(camera.prefix(2))","camera":"\#(camera)","vrm":"\#(vrm)","captured":"2026-11-20T\#(clock).\#(fraction)Z","confidence":90}"#
                .utf8
        ) + [0x0A]
    }

    private static func interest(_ scratch: Scratch, hook: Int) throws -> String {
        _ = try scratch.write("AB27CDE,FORD,,,STOP,FI,stolen,,,,31/12/2026,,,,,S-1\n", "stolen.csv")
        _ = try scratch.write("vrm,action\nCD28OOO,OBSERVE\n", "observe.csv")
        _ = try scratch.write("hook secret\n", "hook.token")
        return """
            deduplication: { lateness: 5s, idleAfter: 10m }
            interest:
              lists:
                - { name: stolen, path: stolen.csv }
                - { name: observe, path: observe.csv, match: alike }
              webhooks:
                - { name: control, url: "http://127.0.0.1:\(hook)/alerts", tokenFile: hook.token }
              subscribers:
                - { name: desk, token: { sha256: "\(LiveNode.tokenHash)" } }
            """
    }

    private static func listed(_ node: LiveNode, _ command: String = "list", _ more: [String] = []) throws
        -> [Line]
    {
        try Program.succeed(
            [
                "alerts", command, "--config", node.config, "--reason", "a test of alerts", "--format",
                "ndjson",
            ] + more
        ).lines.map { try Line($0) }
    }

    /// Opens a stream of alerts and reads past its head.
    private static func follow(_ node: LiveNode, _ headers: [String: String]) throws -> (PlainSocket, String)
    {
        let socket = try PlainSocket(port: node.port("http"))
        var head = "GET /v1/alerts HTTP/1.1\r\nHost: localhost\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        try socket.send(Array((head + "\r\n").utf8))
        let status = try socket.line() ?? ""
        while let line = try socket.line(), line != "\r" {}
        return (socket, status)
    }

    private static func nextEvent(_ socket: PlainSocket) throws -> Line {
        while let line = try socket.line() {
            if line.hasPrefix("data: ") { return try Line(String(line.dropFirst(6))) }
        }
        throw PlainSocket.Broken(action: "read an event")
    }

    private static let desk = ["Authorization": "Bearer \(LiveNode.token)", "X-Reason": "watching the M4"]

    @Test("a passage seen by two forces alerts once, at once, by webhook, event stream, file and command")
    func once() throws {
        let scratch = try Scratch()
        let cameras = try scratch.write(
            "force,camera,site\n43,43-1,S1\n44,44-1,S1\n43,43-2,S2\n",
            "cameras.csv"
        )
        let hook = try HookServer(statuses: [503, 503])
        let node = try LiveNode(
            scratch,
            feeds: Self.feeds,
            forces: ["43", "44"],
            cameras: cameras,
            more: try Self.interest(scratch, hook: hook.port)
        )
        #expect(try Self.follow(node, [:]).1.contains("401"))
        #expect(try Self.follow(node, ["Authorization": "Bearer wrong"]).1.contains("401"))
        #expect(try Self.follow(node, ["Authorization": "Bearer \(LiveNode.token)"]).1.contains("403"))
        let (events, answer) = try Self.follow(node, Self.desk)
        #expect(answer.contains("200"))

        _ = try node.post("a", Self.read("AB27CDE", "43-1", 0) + Self.read("XX27XXX", "43-1", 0.5))
        let first = try Self.nextEvent(events)
        #expect(
            first.id == "live-1" && first.origin == "read" && first.match == "exact" && first.site == "S1"
        )
        #expect(first.entry["reason"] == "stolen" && first.entry["source"] == "S-1" && first.list == "stolen")
        // The same passage: another force, another frame, sent again.
        _ = try node.post("b", Self.read("AB27CDE", "44-1", 1))
        _ = try node.post("a", Self.read("AB27CDE", "43-1", 0) + Self.read("AB27CDE", "43-1", 2))
        // Another site, another passage, and a mark that only looks like an entry of the list that takes those.
        _ = try node.post("a", Self.read("AB27CDE", "43-2", 30))
        _ = try node.post("a", Self.read("AB27CD", "43-2", 31) + Self.read("CD280QO", "43-2", 32))
        #expect(try Self.nextEvent(events).site == "S2")
        let alike = try Self.nextEvent(events)
        #expect(alike.match == "alike" && alike.vrm == "CD280QO" && alike.entry["vrm"] == "CD28OOO")

        // A list changes: what comes and what is still open is held against it.
        _ = try scratch.write("AB27CDE,,,,,,,,,,,,,,,S-1\nXX27XXX\n", "stolen.csv")
        _ = try Program.succeed(["reload", "--data", node.data])
        _ = try Patience.wait(for: "the lists") { try node.log().contains("taken up") ? true : nil }
        _ = try node.post("a", Self.read("YY27YYY", "43-1", 60))
        _ = try node.post("b", Self.read("YY27YYY", "44-1", 60))
        let late = try Self.nextEvent(events)
        #expect(late.vrm == "XX27XXX" && late.origin == "sighting")

        let posts = try Patience.wait(for: "the webhook") {
            hook.received.filter { $0.status == 204 }.count == 4 ? hook.received : nil
        }
        #expect(posts.map(\.status) == [503, 503, 204, 204, 204, 204])
        #expect(posts.allSatisfy { $0.headers["authorization"] == "Bearer hook secret" })
        #expect(posts.suffix(4).map { $0.headers["idempotency-key"] } == (1...4).map { "live-\($0)" })
        #expect(try posts.suffix(4).map { try Line($0.body).sequence } == [1, 2, 3, 4])

        // Whoever comes back misses nothing.
        let (again, _) = try Self.follow(node, Self.desk.merging(["Last-Event-ID": "2"]) { $1 })
        #expect(try Self.nextEvent(again).sequence == 3)
        let metrics = try Patience.wait(for: "what the webhook has to be noted") {
            let metrics = try node.get("/metrics").body
            return metrics.contains(#"anpr_webhook_waiting_alerts{webhook="control"} 0"#) ? metrics : nil
        }
        #expect(metrics.contains(#"anpr_alerts_total{list="stolen"} 3"#), "\(metrics)")
        let status = node.stop()
        let said = try node.log()
        #expect(status == 0, "those who listen don't hold it up: \(said)")

        try checkRecords(node)
    }

    /// What a stopped node shows and has on record of four alerts and two who followed.
    private func checkRecords(_ node: LiveNode) throws {
        #expect(try Self.listed(node).map(\.sequence).sorted() == [1, 2, 3, 4])
        #expect(try Self.listed(node, "list", ["--list", "observe"]).map(\.sequence) == [3])
        #expect(try Program.run(["alerts", "list", "--config", node.config, "--reason", " "]).status == 1)
        _ = try node.sightings()
        #expect(try Self.listed(node).count == 4)
        let audit = try String(contentsOfFile: node.data + "/audit/audit.ndjson", encoding: .utf8)
        #expect(audit.contains("watching the M4") && audit.contains("subscriber desk"))
        #expect(audit.components(separatedBy: #""alerts":"ends""#).count == 3)
        _ = try Program.succeed(["audit", "verify", "--data", node.data])
        let log = try node.log()
        #expect(!["27CDE", "XX27", "280QO", "28OOO"].contains(where: log.contains), "\(log)")
    }

    @Test("looking back holds the archive against the lists as they are; weed dates and reasons count")
    func lookBack() throws {
        let scratch = try Scratch()
        let cameras = try scratch.write(
            "force,camera,site\n43,43-1,S1\n44,44-1,S1\n43,43-2,S2\n",
            "cameras.csv"
        )
        let node = try LiveNode(scratch, feeds: Self.feeds, forces: ["43", "44"], cameras: cameras)
        _ = try node.post("a", Self.read("AB27CDE", "43-1", 0) + Self.read("CD28OO0", "43-2", 100))
        _ = try node.post("b", Self.read("AB27CDE", "44-1", 1))
        #expect(node.stop() == 0)
        _ = try node.sightings()
        let text = try String(contentsOfFile: node.config, encoding: .utf8)
        try (text + "\n" + Self.interest(scratch, hook: 1)).write(
            toFile: node.config,
            atomically: true,
            encoding: .utf8
        )
        let found = try Self.listed(node, "look-back", ["--from", "2026-11-01"])
        #expect(found.map(\.vrm) == ["CD28OO0", "AB27CDE"])
        #expect(found.map(\.match) == ["alike", "exact"])
        #expect(found.allSatisfy { $0.origin == "lookBack" && $0.sequence == 0 })
        #expect(try Self.listed(node, "look-back", ["--from", "2026-11-01", "--list", "stolen"]).count == 1)
        #expect(try Self.listed(node, "look-back", ["--from", "2026-11-21"]).isEmpty)
        #expect(try Self.listed(node, "list").isEmpty, "nothing was reported")
        _ = try scratch.write("AB27CDE,,,,,,,,,,2026-11-19\n", "stolen.csv")
        #expect(try Self.listed(node, "look-back", ["--from", "2026-11-01", "--list", "stolen"]).isEmpty)
        let refused = try Program.run([
            "alerts", "look-back", "--config", node.config, "--from", "2026-11-01", "--reason", "x",
        ])
        #expect(refused.status == 1 && refused.output.isEmpty)
        _ = try scratch.write("AB27CDE\n?B27\n", "stolen.csv")
        let broken = try Program.run(["check", node.config])
        #expect(broken.status == 65 && broken.errors.contains("line 2"), "\(broken.errors)")
    }

    /// The feeds in posts of fifty lines.
    private static func pieces(_ feeds: [[UInt8]]) -> [(feed: String, bytes: [UInt8])] {
        feeds.enumerated().flatMap { place, bytes in
            let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
            return stride(from: 0, to: lines.count, by: 50).map { start in
                let part = lines[start..<min(start + 50, lines.count)].joined(separator: [0x0A])
                return ("h\(place)", Array(part) + [0x0A])
            }
        }
    }

    @Test(
        "after kills at random moments each sighting of a listed mark was alerted once",
        arguments: [31, 32] as [UInt64]
    )
    func kills(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var profile =
            SimulationProfile.all.first { $0.name == "thames-valley-hampshire" } ?? SimulationProfile.all[0]
        for place in profile.members.indices { profile.members[place].format = .ndjson }
        let simulated = SimulatedFeeds(profile, reads: 6000, seed: seed, garbagePerMille: 3)
        let scratch = try Scratch()
        let cameras = scratch.path + "/cameras.csv"
        try Data(SimulatedFiles.register(simulated.cameras)).write(to: URL(fileURLWithPath: cameras))
        let codes = profile.members.map(\.code)
        let register = CameraRegister(simulated.cameras)
        let marks = zip(simulated.feeds, codes).flatMap { bytes, code in
            FeedBytes.decode(bytes, .ndjson, register, .init(forces: [code])).reads.map(\.vrm.text)
        }
        let listed = Set(marks.filter { _ in random.below(20) == 0 })
        _ = try scratch.write(listed.sorted().joined(separator: "\n"), "list.csv")
        let hook = try HookServer()
        let node = try LiveNode(
            scratch,
            feeds: codes.enumerated().map { place, code in
                "{ name: h\(place), force: \"\(code)\", source: http, format: ndjson, "
                    + "token: { sha256: \"\(LiveNode.tokenHash)\" } }"
            },
            forces: codes,
            cameras: cameras,
            more: """
                deduplication: { lateness: 3h, idleAfter: 10m }
                interest:
                  lists: [{ name: all, path: list.csv }]
                  webhooks: [{ name: w, url: "http://127.0.0.1:\(hook.port)/" }]
                """
        )
        var pieces = Self.pieces(simulated.feeds).shuffled(using: &random)
        var kills = 0
        while let piece = pieces.last {
            if (try? node.post(piece.feed, piece.bytes))?.status == 200 { pieces.removeLast() }
            if random.below(9) == 0, kills < 12 {
                usleep(UInt32(random.below(4000)))
                node.kill()
                try node.start()
                kills += 1
            }
        }
        #expect(kills == 12, "the feeds were long enough")
        #expect(node.stop() == 0)
        let stored = try node.sightings()
        let alerts = try Self.listed(node)
        let wanted = stored.filter { listed.contains($0.vrm) }
        #expect(wanted.count > 50 && alerts.count == wanted.count)
        let moments = alerts.map { alert in
            guard case .moment(let moment) = TimestampReader.read(alert.captured) else { return Int64.min }
            return moment.milliseconds
        }
        for sighting in wanted {
            let count = zip(alerts, moments).count { alert, moment in
                alert.vrm == sighting.vrm && alert.site == sighting.site && moment >= sighting.first
                    && moment <= sighting.last
            }
            #expect(count == 1)
        }
        #expect(alerts.map(\.sequence).sorted() == Array(1...UInt64(alerts.count)))
        // The webhook is told all of them in the end, whatever was cut off.
        try node.start()
        _ = try Patience.wait(for: "the webhook") {
            Set(hook.received.compactMap { $0.headers["idempotency-key"] }).count == alerts.count ? true : nil
        }
    }
}
