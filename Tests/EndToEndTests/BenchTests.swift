import ANPRModel
import Foundation
import Testing

/// `anpr bench` as people and pipelines run it.
struct BenchTests {
    private static let short = ["bench", "--profile", "east-midlands", "--duration", "5m", "--reads", "4000"]

    @Test("a report, a picture and exit 0 when all targets are met")
    func met() throws {
        let scratch = try Scratch()
        let targets = try scratch.write(
            "bytesPerSightingMax: 100\nheadroomMin: 1%\nwaitMax: 10s\n",
            "targets.yaml"
        )
        let plot = scratch.path + "/use.svg"
        let outcome = try Program.succeed(
            Self.short + ["--link", "64kbit/s", "--targets", targets, "--plot", plot]
        )
        #expect(outcome.lines.filter { $0.hasPrefix("met ") }.count == 3)
        #expect(outcome.errors.isEmpty)
        #expect(try String(contentsOfFile: plot, encoding: .utf8).hasPrefix("<svg "))
    }

    @Test("exit 1 when a target is missed, with the report all the same")
    func missed() throws {
        let scratch = try Scratch()
        let targets = try scratch.write("bytesPerSightingMax: 1\nheadroomMin: 1%\n", "targets.yaml")
        let outcome = try Program.run(Self.short + ["--targets", targets, "--format", "json"])
        #expect(outcome.status == 1)
        let json = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
        let verdicts = json?["targets"] as? [[String: Any]] ?? []
        let missed = verdicts.filter { $0["isMet"] as? Bool == false }.compactMap { $0["target"] as? String }
        #expect(verdicts.count == 3 && missed == ["bytesPerSightingMax"])
    }

    @Test("wrong usage is 64; targets that can't be used are 65, with their lines")
    func refused() throws {
        let scratch = try Scratch()
        let targets = try scratch.write("waitMax: 2s\nspeedMax: 3\n", "targets.yaml")
        let outcome = try Program.run(Self.short + ["--targets", targets])
        #expect(outcome.status == 65 && outcome.errors.contains("targets.yaml: line 2:"))
        #expect(try Program.run(["bench"]).status == 64)
        #expect(try Program.run(["bench", "--profile", "nowhere"]).status == 64)
        #expect(try Program.run(["bench", "--profile", "east-midlands", "--link", "1bit/s"]).status == 64)
    }

    @Test(
        "an archive is filled, measured and searched, and searched again as it is; another folder is left alone"
    )
    func archive() throws {
        let scratch = try Scratch()
        let small = ["bench", "archive", "--days", "3", "--reads-per-day", "4000", "--vehicles", "400"]
        let data = scratch.path + "/filled"
        let outcome = try Program.succeed(small + ["--searches", "20", "--data", data])
        #expect(outcome.lines.count == 9 && outcome.lines[0].contains("bytes each"))
        #expect(outcome.lines[7].contains("convoy") && outcome.lines[8].contains("dropped in"))
        // Every search is for something that was filed.
        #expect(outcome.lines.dropFirst().allSatisfy { !$0.contains(" 0 sightings") })
        let segments = try FileManager.default.subpathsOfDirectory(atPath: data + "/archive")
        #expect(segments.contains { $0.hasSuffix(".segment") })
        let again = try Program.succeed(["bench", "archive", "--searches", "20", "--data", data])
        #expect(again.lines.count == 8 && again.lines[7].contains("convoy"))
        #expect(again.lines.dropFirst().allSatisfy { !$0.contains(" 0 sightings") })
        #expect(try FileManager.default.subpathsOfDirectory(atPath: data + "/archive") == segments)
        let less = try Program.succeed(["bench", "archive", "--searches", "1", "--data", data, "--drop"])
        #expect(less.lines.count == 9 && less.lines[8].contains("dropped in"))
        #expect(try FileManager.default.subpathsOfDirectory(atPath: data + "/archive") != segments)
        let other = scratch.path + "/other"
        try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
        #expect(try Program.run(small + ["--data", other]).status == 65)
        #expect(try Program.run(["bench", "archive", "--profile", "nowhere"]).status == 64)
    }

    @Test("recorded feeds give the counts that 'anpr dedup' gives")
    func recorded() throws {
        let scratch = try Scratch()
        let profile = ["--profile", "east-midlands", "--reads", "20000", "--seed", "7"]
        _ = try Program.succeed(["simulate"] + profile + ["--out", scratch.path])
        let feeds = ["--cameras", scratch.path + "/cameras.csv", scratch.path + "/feeds"]
        let bench = try Program.succeed(["bench", "--format", "json"] + feeds)
        let dedup = try Program.succeed(["dedup"] + feeds)
        let counts = try #require(dedup.errors.split(separator: "\n").last).utf8
        let expected = try JSONSerialization.jsonObject(with: Data(counts)) as? [String: Int]
        let json = try JSONSerialization.jsonObject(with: Data(bench.output.utf8)) as? [String: Any]
        let report = try #require(json?["report"] as? [String: Any])
        let reads = try #require(report["reads"] as? [String: Int])
        for key in ["received", "accepted", "rejected", "redelivered"] {
            #expect(reads[key] == expected?[key])
        }
        #expect(report["sightings"] as? Int == expected?["sightings"])
    }
}
