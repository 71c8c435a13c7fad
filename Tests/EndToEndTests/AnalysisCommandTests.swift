import Foundation
import TestSupport
import Testing

/// Convoys and common vehicles as an analyst asks for them.
struct AnalysisCommandTests {
    private static func read(_ vrm: String, _ site: Int, _ time: String) -> String {
        #"{"force":"43","camera":"43-\#(site)","vrm":"\#(vrm)","captured":"\#(time)","confidence":90}"# + "\n"
    }

    /// AB27CDE and AB28CDE pass three sites one behind the other on three days; AB29CDE is there on one.
    private static func archive(_ scratch: Scratch) throws -> String {
        var lines: [String] = []
        for day in ["05", "06", "08"] {
            for site in 1...3 {
                lines.append(read("AB27CDE", site, "2026-01-\(day)T10:0\(site):00Z"))
                lines.append(read("AB28CDE", site, "2026-01-\(day)T10:0\(site):15Z"))
                if day == "05" { lines.append(read("AB29CDE", site, "2026-01-\(day)T10:0\(site):20Z")) }
            }
        }
        return try archive(scratch, lines)
    }

    private static func archive(_ scratch: Scratch, _ lines: [String]) throws -> String {
        _ = try scratch.write(lines.joined(), "a.ndjson")
        _ = try scratch.write("force,camera,site\n43,43-1,S1\n43,43-2,S2\n43,43-3,S3\n", "cameras.csv")
        let config = try scratch.write(
            """
            node: north
            data: \(scratch.path)/data
            forces: [{ code: "43" }]
            cameras: cameras.csv
            deduplication: { variants: off }
            feeds: [{ name: a, force: "43", path: a.ndjson }]
            """,
            "north.yaml"
        )
        _ = try Program.succeed(["ingest", "--config", config])
        return "\(scratch.path)/data"
    }

    @Test(
        "with a reason who travels along and who was at several places is shown and logged; without one nothing is"
    )
    func commands() throws {
        let scratch = try Scratch()
        let data = try Self.archive(scratch)
        let why = ["--data", data, "--reason", "a test of convoys"]
        let convoy = try Program.succeed(["convoy", "ab27 cde"] + why)
        #expect(convoy.lines.count == 2 && convoy.output.contains("AB28CDE  3 of 3"), "\(convoy.output)")
        #expect(
            convoy.errors.contains("9 passages on 3 journeys, with 2 other marks near"),
            "\(convoy.errors)"
        )
        let wide = try Program.succeed(["convoy", "AB27CDE", "--journeys", "1", "--format", "ndjson"] + why)
        let marks = try wide.lines.map { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            return object?["vrm"] as? String
        }
        #expect(marks == ["AB28CDE", "AB29CDE"])
        #expect(try Program.succeed(["convoy", "AB27CDE", "--window", "14s"] + why).output.isEmpty)

        let at = ["--at", "S1@2026-01-05T10:00:00Z/2026-01-05T10:02:00Z", "--at", "S3@2026-01-08/2026-01-09"]
        let common = try Program.succeed(["common"] + at + why)
        #expect(common.lines.count == 3 && !common.output.contains("AB29CDE"), "\(common.output)")
        let third = ["--at", "S2@2026-01-05/2026-01-06", "--places", "2"]
        #expect(try Program.succeed(["common"] + at + third + why).output.contains("AB29CDE  1 3"))

        for wrong in [
            ["common"] + Array(at[..<2]), ["common", "--at", "S1", "--at", "S2@x/y"], ["convoy", "?"],
        ] {
            #expect(try Program.run(wrong + why).status == 64)
        }
        for asked in [["convoy", "AB27CDE"], ["common"] + at] {
            let refused = try Program.run(asked + ["--data", data, "--reason", " . "])
            #expect(refused.status == 1 && refused.output.isEmpty)
        }
        let audit = try String(contentsOfFile: "\(data)/audit/audit.ndjson", encoding: .utf8)
        #expect(audit.components(separatedBy: #""analysis":"convoy""#).count == 5)
        #expect(audit.components(separatedBy: #""analysis":"common""#).count == 4)
        #expect(audit.components(separatedBy: #""outcome":"refused""#).count == 3)
    }

    @Test("what is usual of a mark is shown in three forms and logged; without a reason nothing is")
    func pattern() throws {
        let scratch = try Scratch()
        var lines = (0..<6).flatMap { week in
            let day = String(format: "2026-%02d-%02d", week < 4 ? 1 : 2, [5, 12, 19, 26, 2, 9][week])
            return ["T08:00:00Z", "T08:10:00Z", "T17:00:00Z"].enumerated().map { place, time in
                Self.read("AB27CDE", place % 2 + 1, day + time)
            }
        }
        lines.append(Self.read("AB27CDE", 3, "2026-02-09T12:00:00Z"))
        // The morning of the last Monday is missing.
        lines.removeAll { $0.contains("2026-02-09T08:00") }
        let data = try Self.archive(scratch, lines)
        let ask = ["pattern", "ab27cde", "--from", "2026-01-05", "--to", "2026-02-10", "--data", data]
        let why = ["--reason", "a test of patterns"]
        let table = try Program.succeed(ask + why)
        for expected in [
            "S2         S1         5      8 h 50 min", "Mon  S1    17:00 ±0 min  6 of 6",
            "never there before on 29 days",
            "2026-02-09  S1    08:00 ±0 min  5 of 5",
        ] {
            #expect(table.output.contains(expected), "\(table.output)")
        }
        let kinds = try Program.succeed(ask + why + ["--format", "ndjson"]).lines.map { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            return object?["kind"] as? String
        }
        #expect(Set(kinds) == ["stay", "usual", "unusual", "missed"])
        let csv = try Program.succeed(ask + why + ["--format", "csv"]).lines
        #expect(csv.count == kinds.count + 1)
        #expect(try Program.run(ask + ["--reason", "."]).status == 1)
        #expect(try Program.run(["pattern", "AB?", "--data", data] + why).status == 64)
        let audit = try String(contentsOfFile: "\(data)/audit/audit.ndjson", encoding: .utf8)
        #expect(audit.components(separatedBy: #""analysis":"pattern""#).count == 5)
    }
}
