import Foundation
import TestSupport
import Testing

/// Retention of alerts, refused records and the audit log, as those who answer for it see it.
struct RecordRetentionTests {
    private let scratch: Scratch
    private let data: String
    private let config: String

    init() throws {
        scratch = try Scratch()
        data = "\(scratch.path)/data"
        _ = try scratch.write("force,camera,site\n43,43-1,S1\n", "cameras.csv")
        _ = try scratch.write("", "a.ndjson")
        _ = try scratch.write("vrm\n", "wanted.csv")
        config = try scratch.write(
            """
            node: north
            data: \(data)
            encryption: off
            forces: [{ code: "43" }]
            cameras: cameras.csv
            feeds: [{ name: a, force: "43", path: a.ndjson }]
            interest: { lists: [{ name: wanted, path: wanted.csv }] }
            """,
            "north.yaml"
        )
        _ = try Program.succeed(["ingest", "--config", config])
    }

    private static func alert(_ sequence: Int, _ force: String, _ vrm: String, _ day: String) -> String {
        #"{"sequence":\#(sequence),"id":"\#(sequence)","raised":"\#(day)T10:00:00.000Z","origin":"read","#
            + #""match":"exact","list":"wanted","entry":{},"vrm":"\#(vrm)","site":"S1","force":"\#(force)","#
            + #""camera":"\#(force)-1","captured":"\#(day)T10:00:00.000Z","confidence":90}"# + "\n"
    }

    private func names(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(data)/\(folder)").filter {
            $0.hasSuffix(".ndjson")
        }.sorted()
    }

    @Test("alerts go by force, refused records by day, audit records by name; each on record, none unasked")
    func byClass() throws {
        let (old, young) = ("2026-01-05", "2026-11-01")
        let alerts =
            Self.alert(1, "43", "AB27CDE", old) + Self.alert(2, "44", "AB28CDE", old)
            + Self.alert(3, "44", "AB29CDE", old)
        _ = try scratch.write(alerts, "data/alerts/\(old).ndjson")
        _ = try scratch.write(Self.alert(4, "44", "AB28CDE", young), "data/alerts/\(young).ndjson")
        let refused = #"{"feed":"a","line":1,"offset":0,"raw":"","reason":"malformed","received":"\#(old)"}"#
        _ = try scratch.write("\(refused)\n\(refused)\n", "data/quarantine/\(old).ndjson")
        _ = try Program.succeed([
            "hold", "add", "--vrm", "AB29CDE", "--review", "2027-01-01", "--reference", "R v Doe", "--reason",
            "disclosure in the case", "--data", data,
        ])
        let before = try String(contentsOfFile: config, encoding: .utf8)

        let unnamed = try scratch.write(before + "\nretention: [{ keep: 600mo }]\n", "north.yaml")
        #expect(try Program.succeed(["retention", "apply", "--config", unnamed]).output.contains(" went, "))
        #expect(try names("alerts").count == 2)

        let rules = """
            retention:
              - { when: { class: hit, force: "44" }, keep: 30d }
              - { when: { class: quarantine }, keep: 1mo }
              - { when: { class: audit }, keep: 1s }
              - { keep: 600mo }
            """
        _ = try scratch.write(before + "\n" + rules + "\n", "north.yaml")
        let lines = [
            "keep 30d when class hit, force 44: 0 contributions VERB, 0 sightings whole, 0 images, 1 records;",
            "keep 1mo when class quarantine: 0 contributions VERB, 0 sightings whole, 0 images, 2 records;",
            "keep 1s when class audit: 0 contributions VERB, 0 sightings whole, 0 images, ",
        ]
        let plan = try Patience.wait(for: "a second to pass") {
            let plan = try Program.succeed(["retention", "plan", "--config", config]).output
            return plan.components(separatedBy: " records; before").count == 4 ? plan : nil
        }
        for line in lines { #expect(plan.contains(line.replacing("VERB", with: "would go")), "\(plan)") }
        let overdue = try Program.run(["retention", "report", "--config", config])
        #expect(overdue.status == 1, "\(overdue.output)")
        #expect(overdue.output.contains("0 images and 2 records are past their date under 'keep 1mo"))

        let applied = try Program.succeed(["retention", "apply", "--config", config]).output
        for line in lines { #expect(applied.contains(line.replacing("VERB", with: "went")), "\(applied)") }
        let left = try String(contentsOfFile: "\(data)/alerts/\(old).ndjson", encoding: .utf8)
        #expect(left == Self.alert(1, "43", "AB27CDE", old) + Self.alert(3, "44", "AB29CDE", old))
        #expect(try names("quarantine").allSatisfy { $0 > "\(old).ndjson" })
        let audit = try String(contentsOfFile: "\(data)/audit/audit.ndjson", encoding: .utf8)
        #expect(!audit.contains("R v Doe") && audit.contains(#""class":"audit""#), "\(audit)")
        _ = try Program.succeed(["audit", "verify", "--data", data])

        let report = try Program.run(["retention", "report", "--config", config])
        #expect(report.status == 0, "\(report.output)")
        #expect(
            report.output.contains(
                "class hit, force 44: 0 contributions, 0 sightings whole, 0 images, 1 records have gone"
            )
        )
        #expect(report.output.contains("3 records of purges, all as signed by"), "\(report.output)")
    }
}
