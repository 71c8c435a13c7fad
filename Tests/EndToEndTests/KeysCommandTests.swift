import Foundation
import TestSupport
import Testing

/// The master key of a data folder, changed as those who keep it do.
struct KeysCommandTests {
    @Test(
        "keys go over to a command's master key: searches go on, and the node waits for a configuration that names it"
    )
    func rotation() throws {
        let scratch = try Scratch()
        let data = "\(scratch.path)/data"
        _ = try scratch.write("force,camera,site\n43,43-1,S1\n", "cameras.csv")
        _ = try scratch.write(
            #"{"force":"43","camera":"43-1","vrm":"AB27CDE","captured":"2026-01-05T10:00:00Z","confidence":90}"#
                + "\n",
            "a.ndjson"
        )
        let key = Data(repeating: 8, count: 32).base64EncodedString()
        let command = "cat '\(try scratch.write(key + "\n", "elsewhere.key"))'"
        func ingest(_ encryption: String) throws -> Program.Outcome {
            let config = try scratch.write(
                """
                node: north
                data: \(data)
                forces: [{ code: "43" }]
                cameras: cameras.csv
                feeds: [{ name: a, force: "43", path: a.ndjson }]
                \(encryption)
                """,
                "north.yaml"
            )
            return try Program.run(["ingest", "--config", config])
        }
        func isFound() throws -> Bool {
            let found = try Program.run([
                "query", "AB27CDE", "--reason", "a test of keys", "--format", "ndjson", "--data", data,
            ])
            return found.status == 0 && found.lines.count == 1
        }
        #expect(try ingest("").status == 0)
        #expect(try isFound())
        let both = ["--to-file", "\(scratch.path)/x", "--to-command", command]
        #expect(try Program.run(["keys", "rotate", "--data", data] + both).status == 64)
        let rotated = try Program.run(["keys", "rotate", "--data", data, "--to-command", command])
        #expect(rotated.status == 0 && rotated.errors.contains("masterKey"), "\(rotated.errors)")
        #expect(!rotated.errors.contains(key) && !rotated.output.contains(key))
        #expect(try isFound())
        #expect(!FileManager.default.fileExists(atPath: "\(data)/keys/master.key"))
        let before = try ingest("")
        #expect(
            before.status != 0 && before.errors.contains("not wrapped by the master key"),
            "\(before.errors)"
        )
        #expect(try isFound())
        let named = try ingest("encryption: { masterKey: { command: \"\(command)\" } }")
        #expect(named.status == 0, "\(named.errors)")
        let plain = try Program.run(["keys", "rotate", "--data", data])
        #expect(plain.status == 1 && plain.errors.contains("not in a file"))
        let file = "\(scratch.path)/made.key"
        let moved = try Program.succeed(["keys", "rotate", "--data", data, "--to-file", file])
        #expect(moved.errors.contains("file: \(file)"), "\(moved.errors)")
        #expect(try isFound())
        #expect(try ingest("encryption: { masterKey: { file: \"\(file)\" } }").status == 0)
        #expect(try Program.run(["keys", "rotate", "--data", data]).status == 0)
        #expect(try isFound())
    }
}
