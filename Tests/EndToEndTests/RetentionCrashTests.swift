import Foundation
import Simulation
import TestSupport
import Testing

/// Retention killed in the midst of its work: nothing that is kept is lost, nothing that went comes back.
@Suite(.serialized)
struct RetentionCrashTests {
    private static let days = 12
    private static let held = "AB27*"

    private struct Row: Hashable, Decodable {
        var vrm: String
        var first: String
    }

    /// A node with reads of some days by two forces.
    private final class Node {
        let scratch: Scratch
        let config: String
        private(set) var all: [(row: Row, force: String)] = []
        var data: String { scratch.path + "/data" }
        private var pristine: String { scratch.path + "/pristine" }

        init() throws {
            scratch = try Scratch()
            _ = try scratch.write("force,camera,site\n43,43-1,S1\n44,44-1,S2\n", "cameras.csv")
            var random = SeededRandom(seed: 77)
            var texts = ["43": "", "44": ""]
            for day in 1...RetentionCrashTests.days {
                for minute in 0..<60 {
                    let force = random.chance(perMille: 500) ? "43" : "44"
                    let vrm = random.chance(perMille: 150) ? "AB27CDE" : "XY\(30 + random.below(20))ABC"
                    let time = String(format: "2026-01-%02dT10:%02d:00.000Z", day, minute)
                    texts[force, default: ""] +=
                        #"{"force":"\#(force)","camera":"\#(force)-1","vrm":"\#(vrm)","captured":"\#(time)","confidence":90}"#
                        + "\n"
                    all.append((Row(vrm: vrm, first: time), force))
                }
            }
            _ = try scratch.write(texts["43"] ?? "", "a.ndjson")
            _ = try scratch.write(texts["44"] ?? "", "b.ndjson")
            let head = """
                node: north
                data: \(scratch.path)/data
                forces: [{ code: "43" }, { code: "44" }]
                cameras: cameras.csv
                feeds:
                  - { name: a, force: "43", path: a.ndjson }
                  - { name: b, force: "44", path: b.ndjson }

                """
            _ = try Program.succeed(["ingest", "--config", try scratch.write(head, "first.yaml")])
            _ = try Program.succeed([
                "hold", "add", "--vrm", RetentionCrashTests.held, "--review", "2027-01-01", "--reference",
                "OP TEST",
                "--reason", "a test of holds", "--data", "\(scratch.path)/data",
            ])
            // All that is not held of one force goes, and nothing of the other's: each day is written anew.
            config = try scratch.write(
                head + "retention: [{ when: { force: \"44\" }, keep: 1d }, { keep: 1200mo }]\n",
                "n.yaml"
            )
            try FileManager.default.copyItem(atPath: data, toPath: pristine)
        }

        func renew() throws {
            try FileManager.default.removeItem(atPath: data)
            try FileManager.default.copyItem(atPath: pristine, toPath: data)
        }

        /// How many days have been written anew, or are just being: those whose first segment has gone or has another beside it.
        func rewritten() throws -> Int {
            let archive = data + "/archive"
            return try FileManager.default.contentsOfDirectory(atPath: archive).count { day in
                let names = try FileManager.default.contentsOfDirectory(atPath: "\(archive)/\(day)")
                let segments = names.filter { $0.hasSuffix(".segment") }
                return segments.count != 1 || !segments[0].hasPrefix("1-")
            }
        }

        /// The sightings that stay, and those that go.
        var expected: (stay: Set<Row>, go: Set<Row>) {
            let stay = all.filter { $0.force == "43" || $0.row.vrm == "AB27CDE" }.map(\.row)
            return (Set(stay), Set(all.map(\.row)).subtracting(stay))
        }

        func found() throws -> Set<Row> {
            let lines = try Program.succeed([
                "query", "--from", "2026-01-01", "--reason", "a test of kills", "--format", "ndjson",
                "--data", data,
            ]).lines
            let rows = try lines.map { try JSONDecoder().decode(Row.self, from: Data($0.utf8)) }
            #expect(Set(rows).count == rows.count)
            return Set(rows)
        }
    }

    @Test(
        "a purge killed a hundred times, wherever it is: all that is kept is there, and in the end nothing else"
    )
    func kills() throws {
        let node = try Node()
        let (stay, go) = node.expected
        #expect(stay.count > 300 && go.count > 200)
        var random = SeededRandom(seed: 78)
        var partly = 0
        for round in 0..<20 {
            try node.renew()
            for _ in 0..<5 {
                let days = try node.rewritten() + random.below(4)
                let process = try Program.start(
                    ["retention", "apply", "--config", node.config],
                    output: "/dev/null",
                    errors: "/dev/null"
                )
                // Somewhere in the days it works on; the moment in it is the test's input, not something waited for.
                _ = try Patience.wait(for: "the purge to come so far") {
                    try !process.isRunning || node.rewritten() >= days ? true : nil
                }
                usleep(UInt32(random.below(4000)))
                process.signal(SIGKILL)
                process.wait()
            }
            let between = try node.found()
            #expect(between.isSuperset(of: stay), "round \(round)")
            if between.count > stay.count, between.count < stay.count + go.count { partly += 1 }
            _ = try Program.succeed(["retention", "apply", "--config", node.config])
            #expect(try node.found() == stay, "round \(round)")
            try FileKeys.expectNoneAstray(node.data, "round \(round)")
            let report = try Program.run(["retention", "report", "--config", node.config])
            #expect(report.status == 0, "\(report.output)")
        }
        #expect(partly > 0, "no kill fell into the midst of a purge")
    }
}
