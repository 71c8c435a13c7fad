import Foundation
import TestSupport
import Testing

/// Retention and legal holds as those who answer for them use them.
@Suite(.serialized)
struct RetentionCommandTests {
    private let scratch: Scratch
    private let data: String

    init() throws {
        scratch = try Scratch()
        data = "\(scratch.path)/data"
    }

    private static func read(_ force: String, _ vrm: String, _ time: String, _ more: String = "") -> String {
        #"{"force":"\#(force)","camera":"\#(force)-1","vrm":"\#(vrm)","captured":"\#(time)","confidence":90\#(more)}"#
            + "\n"
    }

    private func configuration(_ retention: String) throws -> String {
        try scratch.write(
            """
            node: north
            data: \(data)
            forces: [{ code: "43" }, { code: "44" }]
            cameras: cameras.csv
            feeds:
              - { name: a, force: "43", path: a.ndjson }
              - { name: b, force: "44", path: b.ndjson }
            \(retention)
            """,
            "north.yaml"
        )
    }

    private func marks(_ data: String) throws -> [String] {
        try Program.succeed([
            "query", "--from", "2026-01-01", "--reason", "a test of retention", "--format", "ndjson",
            "--data",
            data,
        ]).lines.compactMap { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            return object?["vrm"] as? String
        }.sorted()
    }

    private func hold(_ arguments: [String]) throws -> Program.Outcome {
        try Program.run(
            ["hold"] + arguments + ["--data", data, "--reason", "disclosure in the case"]
        )
    }

    @Test("plan, hold, apply, report, release: what is held stays, the rest goes, and it can be shown")
    func commands() throws {
        _ = try scratch.write("force,camera,site\n43,43-1,S1\n44,44-1,S1\n", "cameras.csv")
        _ = try scratch.write(
            Self.read("43", "AB27CDE", "2026-01-05T10:00:00Z")
                + Self.read("43", "AB28CDE", "2026-01-05T11:00:00Z"),
            "a.ndjson"
        )
        _ = try scratch.write(Self.read("44", "AB28CDE", "2026-01-05T11:00:01Z"), "b.ndjson")
        _ = try Program.succeed(["ingest", "--config", try configuration("")])
        let config = try configuration(
            "retention: [{ when: { force: \"44\" }, keep: 7d }, { keep: 1mo }]"
        )
        let overdue = try Program.run(["retention", "report", "--config", config])
        #expect(overdue.status == 1, "\(overdue.output)")
        let alarm = "ALARM: 3 contributions, 0 images and 0 records are past their date under 'keep 1mo'"
        #expect(overdue.output.contains(alarm), "\(overdue.output)")

        let scope = ["--vrm", "ab27 cde", "--to", "2026-02-01", "--review", "2026-03-01"]
        let unnamed = try hold(["add"] + scope)
        #expect(unnamed.status == 64 && unnamed.errors.contains("--reference"))
        #expect(try hold(["add", "--review", "2026-03-01", "--reference", "R v Doe"]).status == 64)
        let placed = try hold(["add"] + scope + ["--reference", "R v Doe"])
        #expect(placed.status == 0 && placed.output.contains("hold 1"), "\(placed.errors)")
        let list = try hold(["list"])
        #expect(list.output.contains("AB27CDE, to 2026-02-01T00:00:00.000Z") && list.output.contains("(due)"))

        let plan = try Program.succeed(["retention", "plan", "--config", config]).output
        #expect(plan.contains("keep 1mo: 1 contributions would go, 0 sightings whole, 0 images"), "\(plan)")
        #expect(plan.contains("; 1 more are held"), "\(plan)")
        #expect(try marks(data) == ["AB27CDE", "AB28CDE"])
        let applied = try Program.succeed(["retention", "apply", "--config", config]).output
        #expect(applied.contains("keep 1mo: 1 contributions went, 0 sightings whole, 0 images"), "\(applied)")
        #expect(applied.contains("; 1 more are held"), "\(applied)")
        #expect(try marks(data) == ["AB27CDE"])

        let report = try Program.run(["retention", "report", "--config", config])
        #expect(report.status == 0 && report.output.contains("Nothing is overdue."), "\(report.output)")
        #expect(report.output.contains("1 legal hold; to be reviewed: 1."))
        #expect(report.output.contains("2 records of purges, all as signed by "))
        let stranger = String(repeating: "A", count: 43) + "="
        let other = try Program.run(["retention", "report", "--config", config, "--key", stranger])
        #expect(other.status == 1 && other.output.contains("ALARM: purge 1: its signature is not the node's"))

        #expect(try hold(["release", "2"]).status == 1)
        #expect(try hold(["release", "1"]).output.contains("hold 1 released"))
        #expect(try hold(["list"]).output.isEmpty)
        #expect(
            try hold(["list", "--all", "--format", "ndjson"]).output.contains(#""releaseReason":"disclosure"#)
        )
        _ = try Program.succeed(["retention", "apply", "--config", config])
        #expect(try marks(data).isEmpty)
        let audit = try String(contentsOfFile: "\(data)/audit/audit.ndjson", encoding: .utf8)
        #expect(audit.components(separatedBy: #""action":"hold""#).count == 7)
        #expect(audit.contains(#""hold":"release 1""#) && audit.contains("R v Doe"))
        _ = try Program.succeed(["audit", "verify", "--data", data])
    }

    @Test("a hold on a site holds the images of that site and no others, for plan and report as for apply")
    func holdOnSite() throws {
        _ = try scratch.write("force,camera,site\n43,43-1,S1\n44,44-1,S2\n", "cameras.csv")
        func image(_ content: UInt8) -> String {
            let jpeg = Data([0xFF, 0xD8, 0xFF]) + Data(repeating: content, count: 300)
            return #","plateImage":"\#(jpeg.base64EncodedString())""#
        }
        let (first, second) = ("2026-01-05T10:00:00Z", "2026-01-05T11:00:00Z")
        _ = try scratch.write(Self.read("43", "AB27CDE", first, image(1)), "a.ndjson")
        _ = try scratch.write(
            Self.read("44", "AB28CDE", first, image(2)) + Self.read("44", "AB29CDE", second, image(3)),
            "b.ndjson"
        )
        _ = try Program.succeed(["ingest", "--config", try configuration("")])
        #expect(
            try hold(["add", "--site", "S1", "--review", "2026-03-01", "--reference", "R v Doe"]).status == 0
        )
        let config = try configuration("retention: [{ when: { class: patch }, keep: 7d }, { keep: 600mo }]")
        let plan = try Program.succeed(["retention", "plan", "--config", config]).output
        #expect(plan.contains(": 0 contributions would go, 0 sightings whole, 2 images; before"), "\(plan)")
        let overdue = try Program.run(["retention", "report", "--config", config])
        #expect(overdue.status == 1, "\(overdue.output)")
        #expect(overdue.output.contains("ALARM: 0 contributions, 2 images and 0 records are past their date"))
        let applied = try Program.succeed(["retention", "apply", "--config", config]).output
        #expect(applied.contains(": 0 contributions went, 0 sightings whole, 2 images; before"), "\(applied)")
        let report = try Program.run(["retention", "report", "--config", config])
        #expect(report.status == 0 && report.output.contains("Nothing is overdue."), "\(report.output)")
        // What is left is the image of the site that is held.
        #expect(try hold(["release", "1"]).status == 0)
        let last = try Program.succeed(["retention", "plan", "--config", config]).output
        #expect(last.contains(", 1 images; before"), "\(last)")
    }

    @Test("what can't go on record is not done: no hold is placed or released")
    func unlogged() throws {
        _ = try scratch.write("force,camera,site\n43,43-1,S1\n44,44-1,S1\n", "cameras.csv")
        _ = try scratch.write(Self.read("43", "AB27CDE", "2026-01-05T10:00:00Z"), "a.ndjson")
        _ = try scratch.write("", "b.ndjson")
        _ = try Program.succeed(["ingest", "--config", try configuration("")])
        let add = ["add", "--site", "S1", "--review", "2026-03-01", "--reference", "R v Doe"]
        #expect(try hold(add).status == 0)
        let head = "\(data)/audit/head.json"
        let good = try Data(contentsOf: URL(fileURLWithPath: head))
        try Data("no head".utf8).write(to: URL(fileURLWithPath: head))
        #expect(try hold(add).status == 1)
        #expect(try hold(["release", "1"]).status == 1)
        try good.write(to: URL(fileURLWithPath: head))
        let holds = try hold(["list", "--all", "--format", "ndjson"])
        #expect(holds.status == 0 && holds.lines.count == 1, "\(holds.output)")
        #expect(!holds.output.contains("releaseReason"))
        _ = try Program.succeed(["audit", "verify", "--data", data])
    }

    @Test(
        "a record of a purge that was altered, made unreadable or removed is reported by its number",
        arguments: [
            (
                "UPDATE purgeRecords SET text = replace(text, 'north', 'south') WHERE purge = 1",
                "purge 1: its signature"
            ),
            ("UPDATE purgeRecords SET text = 'nothing' WHERE purge = 2", "purge 2: its record is missing"),
            ("DELETE FROM purgeRecords WHERE purge = 2", "purge 2: its record is missing"),
            ("UPDATE purges SET sightings = 7 WHERE id = 2", "purge 2: the catalogue says otherwise"),
            ("DELETE FROM purges WHERE id = 2", "purge 2: it is missing"),
        ]
    )
    func tampering(change: String, alarm: String) throws {
        _ = try scratch.write("force,camera,site\n43,43-1,S1\n44,44-1,S1\n", "cameras.csv")
        let days = ["05", "06", "07"]
        _ = try scratch.write(
            days.map { Self.read("43", "AB27CDE", "2026-01-\($0)T10:00:00Z") }.joined(),
            "a.ndjson"
        )
        _ = try scratch.write("", "b.ndjson")
        let config = try configuration("retention: [{ keep: 1mo }]")
        _ = try Program.succeed(["ingest", "--config", config])
        let good = try Program.run(["retention", "report", "--config", config])
        #expect(good.status == 0 && good.output.contains("3 records of purges"), "\(good.output)")
        let code = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()"
        let python = try ChildProcess("/usr/bin/python3", ["-c", code, "\(data)/catalogue.sqlite", change])
        #expect(python.wait() == 0)
        let report = try Program.run(["retention", "report", "--config", config])
        #expect(report.status == 1 && report.output.contains("ALARM: \(alarm)"), "\(report.output)")
    }

    @Test("a purge of files that did not end is told, and on record as broken off by the next pass")
    func brokenOff() throws {
        _ = try scratch.write("force,camera,site\n43,43-1,S1\n44,44-1,S1\n", "cameras.csv")
        _ = try scratch.write(Self.read("43", "AB27CDE", "2026-01-05T10:00:00Z"), "a.ndjson")
        _ = try scratch.write("", "b.ndjson")
        let config = try configuration("retention: [{ keep: 1mo }]")
        _ = try Program.succeed(["ingest", "--config", config])
        let begun =
            #"{"at":"2026-03-01T00:00:00.000Z","before":"2026-02-01T00:00:00.000Z","contributions":0,"day":"2026-01-05","#
            + #""held":0,"images":12,"node":"north","policy":1,"rule":"keep 1mo","sightings":0}"#
        let code =
            "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); "
            + "c.execute('INSERT INTO purgesBegun (text) VALUES (?)', (sys.argv[2],)); c.commit()"
        let python = try ChildProcess("/usr/bin/python3", ["-c", code, "\(data)/catalogue.sqlite", begun])
        #expect(python.wait() == 0)
        let report = { try Program.succeed(["retention", "report", "--config", config]).output }
        #expect(try report().contains("1 purge has begun and not ended"))
        for _ in 0..<2 {
            _ = try Program.succeed(["retention", "apply", "--config", config])
            let text = try report()
            #expect(text.contains("; 1 more broken off, of up to 12 images and 0 records"), "\(text)")
            #expect(text.contains("2 records of purges, all as signed by"), "\(text)")
            #expect(!text.contains("not ended"), "\(text)")
        }
    }

    /// A running node that applies one rule each second.
    private func node(keep: String) throws -> LiveNode {
        let cameras = try scratch.write("force,camera,site\n43,43-1,S1\n", "cameras.csv")
        return try LiveNode(
            scratch,
            feeds: [
                "{ name: a, force: \"43\", source: http, format: ndjson, token: { sha256: \"\(LiveNode.tokenHash)\" } }"
            ],
            forces: ["43"],
            cameras: cameras,
            more: """
                deduplication: { window: 2s, lateness: 2s, idleAfter: 500ms }
                retention: [{ keep: \(keep) }]
                retentionEvery: 1s
                """
        )
    }

    @Test("a running node deletes by itself what is past its date, and not what is held meanwhile")
    func daemon() throws {
        let node = try node(keep: "1d")
        _ = try Patience.wait(for: "retention to be applied") {
            try node.metric("anpr_retention_applied_timestamp_seconds") > 0 ? true : nil
        }
        _ = try Program.succeed([
            "hold", "add", "--vrm", "AB27*", "--review", "2027-01-01", "--reference", "OP TEST", "--reason",
            "a test of holds", "--data", node.data,
        ])
        let reads =
            Self.read("43", "AB27CDE", "2026-01-05T10:00:00Z")
            + Self.read("43", "AB28CDE", "2026-01-05T11:00:00Z")
        #expect(try node.post("a", Array(reads.utf8)).status == 200)
        let report = { try Program.run(["retention", "report", "--config", node.config]).output }
        _ = try Patience.wait(for: "the purge") {
            try report().contains("keep 1d: 1 contributions, 1 sightings whole") ? true : nil
        }
        #expect(try marks(node.data) == ["AB27CDE"])
        #expect(try node.metric("anpr_retention_overdue_seconds") < 30)
        #expect(node.stop() == 0)
        #expect(try marks(node.data) == ["AB27CDE"])
        let log = try node.log()
        #expect(log.contains("retention applied") && !log.contains("27CDE") && !log.contains("28CDE"))
    }

    @Test("a running node merges what it filed for retention, and keeps to rules that are reloaded")
    func merging() throws {
        let node = try node(keep: "600mo")
        let folder = "\(node.data)/archive/2026-01-05"
        func segments() -> [String] {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            return names.filter { $0.hasSuffix(".segment") }
        }
        func post(_ hour: String, _ more: String = "") throws {
            let reads = (27..<50).map { Self.read("43", "AB\($0)CDE", "2026-01-05T\(hour):\($0):00Z") }
            #expect(try node.post("a", Array((reads.joined() + more).utf8)).status == 200)
        }
        try post("08", Self.read("43", "AB27CDE", "2026-01-09T10:00:00Z"))
        let first = try Patience.wait(for: "the first to be filed") { segments().first }
        // More of a day that is over, which is too few to be filed but for retention.
        try post("12")
        _ = try Patience.wait(for: "both to be one") {
            let now = segments()
            return now.count == 1 && now != [first] ? true : nil
        }
        let found = { try self.marks(node.data).count }
        #expect(try found() == 47)
        // Fewer rules than the pass before had, and more: whichever is under way goes by its own.
        let text = try String(contentsOfFile: node.config, encoding: .utf8)
        for rules in [
            "{ when: { class: hit }, keep: 1d }, { when: { class: quarantine }, keep: 1d }, { keep: 600mo }",
            "{ keep: 1d }",
        ] {
            let changed = text.replacing("retention: [{ keep: 600mo }]", with: "retention: [\(rules)]")
            try changed.write(toFile: node.config, atomically: true, encoding: .utf8)
            _ = try Program.succeed(["reload", "--data", node.data])
        }
        _ = try Patience.wait(for: "the last rules") { try found() == 0 ? true : nil }
        #expect(node.stop() == 0)
    }
}
