import Foundation
import TestSupport
import Testing

/// Records that were refused, looked at and taken in after all.
@Suite
struct QuarantineTests {
    private static func line(_ camera: String, _ second: Int, _ more: String = "") -> String {
        #"{"force":"43","camera":"\#(camera)","vrm":"AB27CDE","captured":"2026-11-20T06:00:0\#(second).000Z"\#(more)}"#
    }

    @Test(
        "what is mended is taken in once; what is not stays; contents are shown for a reason, and that is logged"
    )
    func replay() throws {
        let scratch = try Scratch()
        let cameras = try scratch.write("force,camera,site\n43,43-1,S1\n", "cameras.csv")
        let feed = try scratch.write(
            [
                Self.line("43-1", 0), Self.line("43-9", 1), "rubbish",
                Self.line("43-9", 2, #","confidence":500"#),
                Self.line("43-8", 3),
            ].joined(separator: "\n"),
            "feed.ndjson"
        )
        let config = try scratch.write(
            """
            node: q
            data: \(scratch.path)/q
            forces: [{ code: "43" }]
            cameras: \(cameras)
            feeds: [{ name: feed, force: "43", path: \(feed) }]
            """,
            "q.yaml"
        )
        _ = try Program.succeed(["ingest", "--config", config])
        let data = scratch.path + "/q"
        let listed = try Program.succeed(["quarantine", "list", "--data", data, "--feed", "feed"]).lines
        #expect(listed.count == 4)
        #expect(!listed.joined().contains("AB27"), "a list shows no contents")

        let id = try #require(listed[0].split(separator: " ").last.map(String.init))
        #expect(try Program.run(["quarantine", "show", id, "--data", data]).status == 64, "without a reason")
        #expect(try Program.run(["quarantine", "show", id, "--data", data, "--reason", " "]).status == 1)
        let shown = try Program.succeed([
            "quarantine", "show", id, "--data", data, "--reason", "looking into camera 43-9",
        ])
        #expect(shown.lines == [Self.line("43-9", 1)])
        #expect(try Program.succeed(["audit", "verify", "--data", data]).output.contains("4 records"))

        let nothing = try Program.succeed(["quarantine", "replay", "--config", config]).output
        #expect(nothing.contains("4 records tried, 0 taken in, 4 still refused"), "\(nothing)")
        _ = try scratch.write("force,camera,site\n43,43-1,S1\n43,43-9,S9\n", "cameras.csv")
        let some = try Program.succeed([
            "quarantine", "replay", "--config", config, "--why", "camera-unknown",
        ]).output
        #expect(some.contains("3 records tried, 1 taken in, 2 still refused"), "\(some)")
        let again = try Program.succeed(["quarantine", "replay", "--config", config]).output
        #expect(again.contains("3 records tried, 0 taken in"), "\(again)")
        #expect(try Program.succeed(["quarantine", "list", "--data", data]).lines.count == 3)
        #expect(try Program.succeed(["quarantine", "list", "--data", data, "--all"]).lines.count == 4)
        #expect(try Collaboration.stored(data).map(\.best.camera) == ["43-1", "43-9"])
        // The feed itself is not read again from its start.
        let report = try Program.succeed(["ingest", "--config", config]).output
        #expect(report.contains("q: 0 reads"), "\(report)")
    }
}
