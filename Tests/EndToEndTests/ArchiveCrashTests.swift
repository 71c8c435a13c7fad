import Foundation
import Simulation
import TestSupport
import Testing

/// Filing, merging and another master key, killed in the midst of their work: nothing is lost, and nothing there twice.
@Suite(.serialized)
struct ArchiveCrashTests {
    private static let days = 24

    private struct Row: Hashable, Decodable {
        var vrm: String
        var first: String
    }

    /// Reads of some weeks by two forces, one site of which both see.
    private final class Node {
        let scratch: Scratch
        let config: String
        private(set) var all: Set<Row> = []
        var data: String { scratch.path + "/data" }

        /// - Parameter more: lines of the first feed beside its reads.
        init(more: String = "") throws {
            scratch = try Scratch()
            _ = try scratch.write(
                "force,camera,site\n43,43-1,S1\n43,43-2,S3\n44,44-1,S2\n44,44-2,S3\n",
                "cameras.csv"
            )
            var random = SeededRandom(seed: 79)
            var texts = ["43": "", "44": ""]
            for day in 1...ArchiveCrashTests.days {
                for minute in 0..<40 {
                    let vrm = "XY\(30 + random.below(20))ABC"
                    let time = String(format: "2026-01-%02dT10:%02d:00.000Z", day, minute)
                    let isShared = random.chance(perMille: 200)
                    let forces = isShared ? ["43", "44"] : [random.chance(perMille: 500) ? "43" : "44"]
                    for force in forces {
                        let camera = "\(force)-\(isShared ? 2 : 1)"
                        texts[force, default: ""] +=
                            #"{"force":"\#(force)","camera":"\#(camera)","vrm":"\#(vrm)","captured":"\#(time)","confidence":90}"#
                            + "\n"
                    }
                    all.insert(Row(vrm: vrm, first: time))
                }
            }
            _ = try scratch.write((texts["43"] ?? "") + more, "a.ndjson")
            _ = try scratch.write(texts["44"] ?? "", "b.ndjson")
            if !more.isEmpty { all.insert(Row(vrm: "XY30ABC", first: "2026-01-24T11:00:00.000Z")) }
            config = try scratch.write(
                """
                node: north
                data: \(scratch.path)/data
                forces: [{ code: "43" }, { code: "44" }]
                cameras: cameras.csv
                feeds:
                  - { name: a, force: "43", path: a.ndjson }
                  - { name: b, force: "44", path: b.ndjson }

                """,
                "n.yaml"
            )
        }

        /// How many files the archive has.
        func files() -> Int {
            (try? FileManager.default.subpathsOfDirectory(atPath: data + "/archive").count) ?? 0
        }

        /// What there is beside sightings: refused records, and images after their title.
        func others() throws -> [[String]] {
            [
                try Program.succeed(["quarantine", "list", "--data", data]).lines,
                try Program.succeed([
                    "image", "list", "--from", "2026-01-01", "--reason", "a test of kills", "--data", data,
                ]).lines,
            ]
        }

        func found() throws -> [Row] {
            try Program.succeed([
                "query", "--from", "2026-01-01", "--reason", "a test of kills", "--format", "ndjson",
                "--data", data,
            ]).lines.map { try JSONDecoder().decode(Row.self, from: Data($0.utf8)) }
        }
    }

    /// Two records that are refused, and a read with an image.
    private static let others =
        "rubbish\nmore\n"
        + #"{"force":"43","camera":"43-1","vrm":"XY30ABC","captured":"2026-01-24T11:00:00.000Z","confidence":90,"#
        + #""plateImage":"\#(Data([0xFF, 0xD8, 0xFF, 1, 2, 3]).base64EncodedString())"}"# + "\n"

    @Test("filing and merging killed a hundred times: in the end all is there, each once, in an index a week")
    func merging() throws {
        var random = SeededRandom(seed: 80)
        var partly = 0
        let node = try Node()
        for round in 0..<10 {
            try? FileManager.default.removeItem(atPath: node.data)
            for _ in 0..<10 {
                let files = node.files() + random.below(30)
                let process = try Program.start(
                    ["ingest", "--config", node.config],
                    output: "/dev/null",
                    errors: "/dev/null"
                )
                // Somewhere in what it files; the moment in it is the test's input, not something waited for.
                _ = try Patience.wait(for: "the filing to come so far") {
                    !process.isRunning || node.files() >= files ? true : nil
                }
                usleep(UInt32(random.below(6000)))
                if process.isRunning { partly += 1 }
                process.signal(SIGKILL)
                process.wait()
            }
            _ = try Program.succeed(["ingest", "--config", node.config])
            let found = try node.found()
            #expect(found.count == node.all.count && Set(found) == node.all, "round \(round)")
            let names = try FileManager.default.subpathsOfDirectory(atPath: node.data + "/archive")
            #expect(names.count { $0.hasSuffix(".segment") } == Self.days, "round \(round)")
            // Two weeks that are over, and the days behind them.
            #expect(names.count { $0.hasSuffix(".marks") } < Self.days, "round \(round)")
            #expect(names.allSatisfy { !$0.hasSuffix(".tmp") })
            try FileKeys.expectNoneAstray(node.data, "round \(round)")
        }
        #expect(partly > 30, "few kills fell into the midst of it: \(partly)")
    }

    @Test("the making of another master key killed a hundred times: all opens after each")
    func rotation() throws {
        var random = SeededRandom(seed: 81)
        let node = try Node(more: Self.others)
        _ = try Program.succeed(["ingest", "--config", node.config])
        let others = try node.others()
        #expect(others[0].count == 2 && others[1].count == 2, "\(others)")
        var before = try Data(contentsOf: URL(fileURLWithPath: node.data + "/keys/ring"))
        var changed = 0
        // Nearer to the change on any machine: sooner after one that was through, later after one that was not.
        var latest = 20_000
        for round in 0..<100 {
            let process = try Program.start(
                ["keys", "rotate", "--data", node.data],
                output: "/dev/null",
                errors: "/dev/null"
            )
            usleep(UInt32(random.below(latest)))
            process.signal(SIGKILL)
            process.wait()
            #expect(try Set(node.found()) == node.all, "round \(round)")
            #expect(try node.others() == others, "round \(round)")
            let ring = try Data(contentsOf: URL(fileURLWithPath: node.data + "/keys/ring"))
            latest = ring == before ? min(latest * 5 / 4, 5_000_000) : max(latest * 4 / 5, 1000)
            if ring != before { changed += 1 }
            before = ring
        }
        #expect((1..<100).contains(changed), "no kill fell near the change: \(changed)")
        _ = try Program.succeed(["keys", "rotate", "--data", node.data])
        #expect(try Set(node.found()) == node.all && node.others() == others)
        // Journal and log are read when the node is opened.
        _ = try Program.succeed(["ingest", "--config", node.config])
        #expect(try Set(node.found()) == node.all && node.others() == others)
        let names = try FileManager.default.contentsOfDirectory(atPath: node.data + "/keys")
        #expect(!names.contains { $0.hasSuffix(".next") || $0.hasSuffix(".tmp") }, "\(names)")
    }
}
