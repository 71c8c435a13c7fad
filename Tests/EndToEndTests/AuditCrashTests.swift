import Access
import Foundation
import TestSupport
import Testing

/// A crash may leave the audit log a record ahead of its head, and never two.
struct AuditCrashTests {
    private static func record(_ number: Int) -> AuditRecord {
        AuditRecord(
            at: "2026-11-16T06:00:00.000Z",
            actor: "analyst",
            action: .search,
            reason: String(repeating: "a long reason ", count: 300),
            request: ["vrm": "AB27CD?"],
            count: number
        )
    }

    @Test("a head that a crash left behind is put right before another record is written")
    func twice() throws {
        let scratch = try Scratch()
        let data = "\(scratch.path)/data"
        _ = try scratch.write("force,camera,site\n43,43-1,S1\n", "cameras.csv")
        let read = #"{"force":"43","camera":"43-1","vrm":"AB27CDE","captured":"2026-01-05T10:00:00Z"}"#
        _ = try scratch.write(read + "\n", "a.ndjson")
        let config = try scratch.write(
            """
            node: north
            data: \(data)
            forces: [{ code: "43" }]
            cameras: cameras.csv
            feeds:
              - { name: a, force: "43", path: a.ndjson }
            """,
            "north.yaml"
        )
        _ = try Program.succeed(["ingest", "--config", config])
        let log = AuditLog("\(data)/audit")
        for number in 1...40 { try log.append(Self.record(number)) }
        let head = URL(fileURLWithPath: "\(data)/audit/head.json")
        let before = try Data(contentsOf: head)
        let last = try log.append(Self.record(41))
        // The first crash: the record is there, its head is not.
        try before.write(to: head)
        // The second: nothing can be added to so long a file, and who tries is killed.
        let query = "\(Program.path) query AB27CDE --data \(data) --reason 'a test of crashes'"
        let killed = try ChildProcess(
            "/bin/sh",
            ["-c", "ulimit -f 128; \(query)"],
            output: "\(scratch.path)/out"
        )
        #expect(killed.wait() != 0)
        #expect(try JSONDecoder().decode(AuditLog.Head.self, from: Data(contentsOf: head)) == last)
        #expect(try log.verify() == last)
        _ = try Program.succeed(["query", "AB27CDE", "--data", data, "--reason", "a test of crashes"])
        #expect(try log.verify(expected: last).count == last.count + 1)
    }
}
