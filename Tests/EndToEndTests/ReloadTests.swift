import Foundation
import TestSupport
import Testing

/// A configuration that is read again while feeds run on.
@Suite(.serialized)
struct ReloadTests {
    private static let token = "token: { sha256: \"\(LiveNode.tokenHash)\" }"
    private static let stream =
        "{ name: t, force: \"43\", source: tcp, listen: \"127.0.0.1:0\", format: ndjson, acknowledge: true }"
    private static let posted = "{ name: a, force: \"43\", source: http, format: ndjson, \(token) }"
    private static let joining = "{ name: b, force: \"44\", source: http, format: ndjson, \(token) }"

    private static func line(_ second: Int, _ camera: String = "43-1") -> [UInt8] {
        let seconds = second % 60 < 10 ? "0\(second % 60)" : "\(second % 60)"
        let time = "2026-11-20T06:\(second / 60 + 10):\(seconds).000Z"
        let force = camera.prefix(2)
        return Array(
            #"{"force":"\#(force)","camera":"\#(camera)","vrm":"AB27CDE","captured":"\#(time)"}"#.utf8
        ) + [0x0A]
    }

    /// Writes the configuration anew, has it read, and waits until the daemon has said what it made of it.
    private func reload(_ node: LiveNode, _ change: (String) -> String) throws -> String {
        let before = try node.log().components(separatedBy: "\n").count
        let text = try String(contentsOfFile: node.config, encoding: .utf8)
        try change(text).write(toFile: node.config, atomically: true, encoding: .utf8)
        _ = try Program.succeed(["reload", "--data", node.data])
        return try Patience.wait(for: "what the daemon made of its configuration") {
            try #require(node.isRunning)
            let fresh = try node.log().components(separatedBy: "\n").dropFirst(before - 1)
            return fresh.first { $0.contains("configuration") }
        }
    }

    @Test(
        "feeds and cameras join and leave, bad configurations are refused whole, and an open stream loses nothing"
    )
    func reload() throws {
        let scratch = try Scratch()
        let cameras = try scratch.write("force,camera,site\n43,43-1,S1\n43,43-2,S2\n", "cameras.csv")
        let node = try LiveNode(
            scratch,
            feeds: [Self.stream, Self.posted],
            forces: ["43", "44"],
            cameras: cameras
        )
        let open = try PlainSocket(port: node.port("t"))
        var sent = 0
        func stream(_ line: [UInt8]) throws {
            // Cut in the middle, so that a reload may fall inside a record.
            try open.send(Array(line.prefix(20)))
            try open.send(Array(line.dropFirst(20)))
            sent += line.count
            while let said = try open.line(), Int(said) != sent {}
        }
        try stream(Self.line(0))
        #expect(try node.post("b", Self.line(1, "44-1")).status == 404)

        // A camera and a feed join.
        _ = try scratch.write(
            "force,camera,site\n43,43-1,S1\n43,43-2,S2\n43,43-3,S3\n44,44-1,S1\n",
            "cameras.csv"
        )
        let joined = try reload(node) {
            $0.replacing("  - " + Self.posted, with: "  - \(Self.posted)\n  - \(Self.joining)")
        }
        #expect(joined.contains("taken up"), "\(joined)")
        #expect(try node.post("b", Self.line(2, "44-1")).body.contains(#""accepted":1"#))
        try stream(Self.line(20, "43-3"))

        // Nothing of a bad one is taken: all that is wrong is said, and the feeds stay.
        let refused = try reload(node) {
            $0.replacing("  - " + Self.joining, with: "").replacing("source: tcp", with: "source: pigeon")
                .replacing("node: live", with: "node: live\nodd: 1")
        }
        #expect(
            refused.contains("refused") && refused.contains("pigeon") && refused.contains("odd"),
            "\(refused)"
        )
        #expect(try node.post("b", Self.line(40, "44-1")).body.contains(#""accepted":1"#))

        // What can't change in a running node is named.
        let restart = try reload(node) {
            $0.replacing("source: pigeon", with: "source: tcp").replacing("\nodd: 1", with: "")
                .replacing("node: live", with: "node: other")
        }
        #expect(restart.contains("a restart is needed for node"), "\(restart)")

        // A feed and a camera leave.
        _ = try scratch.write("force,camera,site\n43,43-1,S1\n43,43-3,S3\n", "cameras.csv")
        let left = try reload(node) { $0.replacing("node: other", with: "node: live") }
        #expect(left.contains("taken up"), "\(left)")
        #expect(try node.post("b", Self.line(60, "44-1")).status == 404)
        #expect(
            try node.post("a", Self.line(61, "43-2")).body.contains(#""rejected":1"#),
            "its camera has left"
        )
        try stream(Self.line(80))
        #expect(node.stop() == 0)
        let stored = try node.sightings()
        #expect(
            stored.map(\.best.camera) == ["43-1", "43-3", "44-1", "43-1"],
            "the first two are one passage"
        )
    }

    @Test("other deduplication rules hold from the reload on: what is open leaves under the old ones")
    func rules() throws {
        let scratch = try Scratch()
        let cameras = try scratch.write("force,camera,site\n43,43-1,S1\n43,43-2,S2\n", "cameras.csv")
        let node = try LiveNode(
            scratch,
            feeds: [Self.posted],
            forces: ["43"],
            cameras: cameras,
            more: "deduplication: { window: 10s, idleAfter: 10m }"
        )
        for second in [0, 4, 8] { _ = try node.post("a", Self.line(second)) }
        let said = try reload(node) { $0.replacing("window: 10s", with: "window: 3s") }
        #expect(said.contains("taken up"), "\(said)")
        // Sent again: still the same reads, in the sighting that has left.
        _ = try node.post("a", Self.line(4))
        for second in [20, 23, 24, 27, 30] { _ = try node.post("a", Self.line(second)) }
        node.kill()
        try node.start()
        #expect(try node.post("a", Self.line(31)).status == 200)
        #expect(node.stop() == 0)
        let stored = try node.sightings()
        #expect(stored.map(\.reads) == [3, 2, 2, 2])
        let status = try Program.succeed(["status", "--data", node.data, "--json"]).output
        #expect(status.contains(#""logged""#))
    }

    @Test(
        "a daemon that is told to stop answers what it took, keeps it, and ends well; one whose port is taken says so"
    )
    func stop() throws {
        let scratch = try Scratch()
        let cameras = try scratch.write("force,camera,site\n43,43-1,S1\n", "cameras.csv")
        let node = try LiveNode(scratch, feeds: [Self.stream, Self.posted], forces: ["43"], cameras: cameras)
        // Connections that stay open hold nobody up.
        let idle = try (0..<20).map { _ in try PlainSocket(port: node.port("http")) }
        let open = try PlainSocket(port: node.port("t"))
        try open.send(Self.line(0))
        while let said = try open.line(), Int(said) != Self.line(0).count {}
        let other = try Scratch()
        let taken = Self.stream.replacing("127.0.0.1:0", with: "127.0.0.1:\(node.port("t"))")
        let config = try other.write(
            "node: x\ndata: \(other.path)/x\nforces: [{ code: \"43\" }]\ncameras: \(cameras)\nfeeds:\n  - \(taken)\n",
            "x.yaml"
        )
        let second = try Program.run(["serve", "--config", config])
        #expect(second.status == 1)
        #expect(node.stop() == 0)
        #expect(idle.count == 20)
        #expect(try node.sightings().count == 1)
    }
}
