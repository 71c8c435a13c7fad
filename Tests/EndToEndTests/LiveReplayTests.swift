import Foundation
import Simulation
import TestSupport
import Testing

/// Quarantined records that a running daemon takes in after all.
@Suite
struct LiveReplayTests {
    private static let token = "token: { sha256: \"\(LiveNode.tokenHash)\" }"
    private static let register = "force,camera,site\n43,43-1,S1\n"

    private static func line(_ second: Int, camera: String = "43-9", more: String = "") -> String {
        let parts = [second / 3600, second / 60 % 60, second % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }
        let time = "2026-11-20T\(parts.joined(separator: ":")).000Z"
        return #"{"force":"43","camera":"\#(camera)","vrm":"AB27CDE","captured":"\#(time)"\#(more)}"#
    }

    private static func node(_ scratch: Scratch, more: String = "") throws -> LiveNode {
        try LiveNode(
            scratch,
            feeds: [
                "{ name: a, force: \"43\", source: http, format: ndjson, \(token) }",
                "{ name: t, force: \"43\", source: http, format: csv, \(token) }",
            ],
            forces: ["43"],
            cameras: try scratch.write(register, "cameras.csv"),
            more: more
        )
    }

    /// Registers the camera that was missing, and waits until the daemon knows it.
    private static func mend(_ node: LiveNode) throws {
        _ = try node.scratch.write(register + "43,43-9,S9\n", "cameras.csv")
        _ = try Program.succeed(["reload", "--data", node.data])
        _ = try Patience.wait(for: "the reload") {
            try node.log().contains("configuration taken up") ? true : nil
        }
    }

    @Test("the daemon takes them in once, while feeds come, and says who asked")
    func replay() throws {
        let node = try Self.node(try Scratch())
        let lines = [
            Self.line(0, camera: "43-1"), Self.line(60), "rubbish",
            Self.line(120, more: #","confidence":500"#),
            Self.line(180),
        ]
        #expect(try node.post("a", Array(lines.joined(separator: "\n").utf8)).body.contains(#""rejected":4"#))
        let replay = ["quarantine", "replay", "--config", node.config]
        let nothing = try Program.succeed(replay).output
        #expect(nothing.contains("4 records tried, 0 taken in, 4 still refused"), "\(nothing)")
        try Self.mend(node)
        let some = try Program.succeed(replay + ["--why", "camera-unknown"]).output
        #expect(some.contains("3 records tried, 2 taken in, 1 still refused"), "\(some)")
        let again = try Program.succeed(replay).output
        #expect(again.contains("2 records tried, 0 taken in"), "\(again)")
        #expect(try node.post("a", Array(Self.line(240, camera: "43-1").utf8)).status == 200)
        #expect(try node.metric("anpr_feed_accepted_total{feed=\"a\"}") == 4)

        // Records of CSV need their header, and nothing is done without it.
        let header = "force,camera,vrm,captured"
        let row = "43,43-8,AB27CDE,2026-11-20T06:00:00.000Z"
        #expect(try node.post("t", Array("\(header)\n\(row)\n".utf8)).status == 200)
        let headless = try Program.run(replay)
        #expect(headless.status == 1 && headless.errors.contains("--header"), "\(headless.errors)")
        let whole = try Program.succeed(replay + ["--header", header]).output
        #expect(whole.contains("3 records tried, 0 taken in"), "\(whole)")

        #expect(try Program.succeed(["quarantine", "list", "--data", node.data]).lines.count == 3)
        #expect(node.stop() == 0)
        // The same when it does not run.
        let offline = try Program.succeed(replay + ["--header", header]).output
        #expect(offline == whole)
        #expect(try node.sightings().map(\.best.camera) == ["43-1", "43-9", "43-9", "43-1"])
        let audit = try String(contentsOfFile: node.data + "/audit/audit.ndjson", encoding: .utf8)
        let ends = audit.split(separator: "\n").filter { $0.contains("quarantine replay ends") }
        #expect(ends.count == 5)
        #expect(ends.contains { $0.contains(#""count":2"#) && $0.contains(#""why":"camera-unknown""#) })
        #expect(ends.allSatisfy { $0.contains("\"actor\":\"\(NSUserName())\"") })
        _ = try Program.succeed(["audit", "verify", "--data", node.data])
    }

    @Test("a daemon killed in the midst of it has taken each record in once", arguments: [5, 6] as [UInt64])
    func kills(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        // What came twice would not be known as redelivered, but be a sighting of its own.
        let node = try Self.node(
            try Scratch(),
            more: "deduplication: { window: 0s, lateness: 0s, reconcile: 0s, idleAfter: 10m }"
        )
        let count = 12_000
        let lines = (0..<count).map { Self.line($0) }.joined(separator: "\n")
        #expect(try node.post("a", Array(lines.utf8)).body.contains("\"rejected\":\(count)"))
        try Self.mend(node)
        let accepted = "anpr_feed_accepted_total{feed=\"a\"}"
        var taken = 0
        for place in 1...6 {
            let asked = try Program.start(
                ["quarantine", "replay", "--config", node.config],
                output: "/dev/null",
                errors: "/dev/null"
            )
            // Somewhere in the next sixth, or at the end of it.
            let next = min(count, taken + 1 + random.below(count / 6))
            _ = try Patience.wait(for: "the replay, round \(place)") {
                try Int(node.metric(accepted)) >= next ? true : nil
            }
            node.kill()
            asked.wait()
            try node.start()
            taken = Int(try node.metric(accepted))
        }
        _ = try Program.succeed(["quarantine", "replay", "--config", node.config])
        #expect(Int(try node.metric(accepted)) == count)
        let again = try Program.succeed(["quarantine", "replay", "--config", node.config]).output
        #expect(again.hasPrefix("0 records tried"), "\(again)")
        #expect(node.stop() == 0)
        let stored = try node.sightings()
        #expect(stored.count == count)
        #expect(stored.map(\.reads).reduce(0, +) == count)
    }

    @Test("one who may not open the folder's socket, and one whom no daemon answers, are told so")
    func nobody() throws {
        let node = try Self.node(try Scratch())
        let attributes = try FileManager.default.attributesOfItem(atPath: node.data + "/control")
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        try FileManager.default.removeItem(atPath: node.data + "/control")
        let outcome = try Program.run(["quarantine", "replay", "--config", node.config])
        #expect(outcome.status == 1 && outcome.errors.contains("no daemon listens"), "\(outcome.errors)")
        #expect(node.stop() == 0)
    }
}
