import Foundation
import TestSupport
import Testing

/// Pages, files and evidence as those who ask for them get them.
struct ExportCommandTests {
    private let scratch: Scratch
    private let data: String
    private let why: [String]

    init() throws {
        scratch = try Scratch()
        data = "\(scratch.path)/data"
        why = ["--data", data, "--reason", "a test of exports"]
        try ingest((0..<12).map { Self.read("AB27CDE", "2026-01-0\($0 % 3 + 5)T10:0\($0 % 10):00Z") }, "a")
    }

    private static func read(_ vrm: String, _ time: String) -> String {
        #"{"force":"43","camera":"43-1","vrm":"\#(vrm)","captured":"\#(time)","confidence":90}"# + "\n"
    }

    private func ingest(_ lines: [String], _ name: String) throws {
        _ = try scratch.write(lines.joined(), "\(name).ndjson")
        _ = try scratch.write("force,camera,site\n43,43-1,S1\n", "cameras.csv")
        let config = try scratch.write(
            """
            node: north
            data: \(data)
            forces: [{ code: "43" }]
            cameras: cameras.csv
            deduplication: { variants: off }
            feeds: [{ name: \(name), force: "43", path: \(name).ndjson }]
            retention: [{ keep: 100mo }]
            """,
            "north.yaml"
        )
        _ = try Program.succeed(["ingest", "--config", config])
    }

    private func next(_ outcome: Program.Outcome) -> String? {
        outcome.errors.split(separator: "\n").first { $0.hasPrefix("Next: --cursor ") }
            .map { String($0.dropFirst(15)) }
    }

    private func audit() throws -> [String] {
        try String(contentsOfFile: "\(data)/audit/audit.ndjson", encoding: .utf8).split(separator: "\n")
            .map(String.init)
    }

    @Test("pages go on where the last one ended, also when reads come in between; each is on record")
    func pages() throws {
        let query = ["query", "AB27*", "--format", "ndjson"] + why
        let whole = try Program.succeed(query).lines
        try #require(whole.count == 12)
        let first = try Program.succeed(query + ["--limit", "5"])
        var shown = first.lines
        var cursor = next(first)
        try ingest([Self.read("AB27XYZ", "2026-01-09T10:00:00Z")], "b")
        let before = try audit().count
        var pages = 0
        while let token = cursor {
            let page = try Program.succeed(query + ["--limit", "5", "--cursor", token])
            shown += page.lines
            cursor = next(page)
            pages += 1
        }
        #expect(shown == whole && pages == 2)
        let records = try audit().dropFirst(before)
        #expect(records.count == 2 && records.allSatisfy { $0.contains(#""cursor":"A"#) })
        // Without a limit a cursor gives the rest.
        let rest = try Program.succeed(query + ["--cursor", try #require(next(first))])
        #expect(rest.lines == Array(whole[5...]) && next(rest) == nil)

        let token = try #require(next(first))
        let count = try audit().count
        for wrong in [
            ["query", "AB28*", "--cursor", token], ["query", "AB27*", "--cursor", "nothing"],
            ["query", "AB27*", "--cursor", token, "--summary", "day"],
            ["query", "AB27*", "--limit", "0"],
        ] {
            let refused = try Program.run(wrong + why)
            #expect(refused.status == 64 && refused.output.isEmpty, "\(refused.errors)")
            #expect(!refused.errors.contains("AB27CDE"))
        }
        #expect(try audit().count == count)
    }

    @Test("Parquet goes to a file whole, or to standard output; text goes to a file, too")
    func files() throws {
        let file = "\(scratch.path)/out.parquet"
        let written = try Program.succeed(
            ["query", "AB27CDE", "--format", "parquet", "--output", file] + why
        )
        #expect(written.output.isEmpty)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: file))
        #expect(bytes.prefix(4) == Data("PAR1".utf8) && bytes.suffix(4) == Data("PAR1".utf8))
        let direct = "\(scratch.path)/direct.parquet"
        let process = try Program.start(["query", "AB27CDE", "--format", "parquet"] + why, output: direct)
        #expect(process.wait() == 0)
        #expect(try Data(contentsOf: URL(fileURLWithPath: direct)) == bytes)
        let csv = "\(scratch.path)/out.csv"
        _ = try Program.succeed(["query", "AB27CDE", "--format", "csv", "--output", csv] + why)
        let text = try String(contentsOfFile: csv, encoding: .utf8)
        #expect(
            text
                == (try Program.succeed(["query", "AB27CDE", "--format", "csv", "--output", "-"] + why))
                .output
        )
        let names = try FileManager.default.contentsOfDirectory(atPath: scratch.path)
        #expect(!names.contains { $0.hasSuffix(".partial") })
        #expect(
            try Program.run(["query", "AB27CDE", "--format", "parquet", "--summary", "day"] + why).status
                == 64
        )
    }

    @Test("evidence is on record before it is there, and is verified; a folder that exists is refused")
    func evidence() throws {
        let pack = "\(scratch.path)/pack"
        let ask = ["query", "ab27 cde", "--from", "2026-01-06", "--category", "serious", "--evidence", pack]
        let written = try Program.succeed(ask + why)
        #expect(written.output.isEmpty && written.errors.contains("signed by "))
        let text = try String(contentsOfFile: "\(pack)/request.json", encoding: .utf8)
        let request = try #require(
            try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        )
        #expect(request["found"] as? Int == 8 && request["reason"] as? String == "a test of exports")
        #expect(request["category"] as? String == "serious" && request["actor"] != nil)
        #expect((request["query"] as? [String: String])?["vrm"] == "ab27 cde")
        #expect((request["policy"] as? [String: Any])?["version"] as? Int == 1)
        #expect(((request["program"] as? [String: Any])?["sha256"] as? String)?.count == 64)
        // The record that it names is in the log, which is good.
        let record = try #require(request["audit"] as? [String: Any])
        let (count, hash) = ("\(record["sequence"] as? Int ?? 0)", record["hash"] as? String ?? "")
        let head = ["audit", "verify", "--data", data, "--count", count, "--hash", hash]
        #expect(try Program.succeed(head).output.contains("good"))
        let lines = try String(contentsOfFile: "\(pack)/sightings.ndjson", encoding: .utf8)
        let query = ["query", "AB27CDE", "--from", "2026-01-06", "--format", "ndjson"]
        #expect(try Program.succeed(query + why).output == lines)

        let again = try Program.run(ask + why)
        #expect(again.status == 64 && again.errors.contains("it exists"))
        for more in [["--limit", "3"], ["--format", "csv"], ["--summary", "day"], ["--output", "x"]] {
            let other = ["query", "AB27CDE", "--evidence", "\(scratch.path)/other"]
            #expect(try Program.run(other + more + why).status == 64)
        }

        let good = try Program.succeed(["evidence", "verify", pack])
        #expect(good.output.hasPrefix("good: 3 files, signed by "))
        let config = "\(scratch.path)/north.yaml"
        let key = String(good.output.dropFirst(25).dropLast())
        _ = try Program.succeed(["evidence", "verify", pack, "--key", key])
        let report = try Program.run(["retention", "report", "--config", config])
        #expect(report.status == 0)
        let stranger = String(repeating: "A", count: 43) + "="
        #expect(try Program.run(["evidence", "verify", pack, "--key", stranger]).status == 1)
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: "\(pack)/sightings.csv"))
        _ = try handle.seekToEnd()
        try handle.write(contentsOf: Data("more\n".utf8))
        try handle.close()
        let altered = try Program.run(["evidence", "verify", pack])
        #expect(altered.status == 1 && altered.output == "sightings.csv: altered\n")
        #expect(try Program.run(["evidence", "verify", "\(scratch.path)/none"]).status == 65)
    }
}
