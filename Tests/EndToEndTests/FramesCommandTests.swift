import Archive
import Foundation
import TestSupport
import Testing

/// Files of sightings shown by themselves: with a reason, and on record, or not at all.
struct FramesCommandTests {
    private let scratch: Scratch
    private let data: String

    init() throws {
        scratch = try Scratch()
        data = "\(scratch.path)/data"
        _ = try scratch.write("force,camera,site\n43,43-1,S1\n", "cameras.csv")
        _ = try scratch.write(
            #"{"force":"43","camera":"43-1","vrm":"AB27CDE","captured":"2026-01-05T10:00:00Z","confidence":90}"#
                + "\n",
            "a.ndjson"
        )
        let config = try scratch.write(
            """
            node: north
            data: \(data)
            forces: [{ code: "43" }]
            cameras: cameras.csv
            encryption: off
            feeds: [{ name: a, force: "43", path: a.ndjson }]
            """,
            "north.yaml"
        )
        _ = try Program.succeed(["ingest", "--config", config])
    }

    /// The files with an ending, below the data folder.
    private func files(_ ending: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: data).filter { $0.hasSuffix(ending) }.sorted()
    }

    private func searches(_ folder: String) throws -> Int {
        let path = "\(folder)/audit.ndjson"
        guard DataFolder.exists(path) else { return 0 }
        return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").count {
            $0.contains(#""action":"search""#)
        }
    }

    private func frames(_ file: String, _ more: [String] = [], reason: String = "a test of frames") throws
        -> Program.Outcome
    {
        try Program.run(["frames", file, "--reason", reason] + more)
    }

    @Test("a file of a data folder is logged there and nowhere else, and without a reason not shown")
    func inside() throws {
        let elsewhere = "\(scratch.path)/elsewhere"
        let link = "\(scratch.path)/link"
        var count = 0
        for name in try files(".sightings") + files(".segment") {
            let file = "\(data)/\(name)"
            let found = try frames(file)
            #expect(found.status == 0 && found.output.contains("AB27CDE"), "\(found.errors)")
            count += 1
            #expect(try searches("\(data)/audit") == count)
            let redirected = try frames(file, ["--audit", elsewhere])
            #expect(redirected.status == 64 && redirected.output.isEmpty, "\(redirected.errors)")
            #expect(redirected.errors.contains("leave --audit out"))
            #expect(try Program.run(["frames", file]).status == 64)
            #expect(try searches("\(data)/audit") == count)
            let unsaid = try frames(file, reason: " - ")
            #expect(unsaid.status == 1 && unsaid.output.isEmpty)
            // The attempt is on record.
            count += 1
            #expect(try searches("\(data)/audit") == count)
            // A link from elsewhere is the same file.
            try? FileManager.default.removeItem(atPath: link)
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: file)
            #expect(try frames(link, ["--audit", elsewhere]).status == 64)
            #expect(try frames(link).output == found.output)
            count += 1
            #expect(try searches("\(data)/audit") == count)
        }
        #expect(count >= 6 && !DataFolder.exists(elsewhere))
        _ = try Program.succeed(["audit", "verify", "--data", data])
    }

    @Test("a segment is found by every path that leads to it")
    func relative() throws {
        let segment = try #require(try files(".segment").first)
        let parts = segment.split(separator: "/").map(String.init)
        try #require(parts.count == 3)
        let ways = [
            (data, segment), (data, "./\(segment)"), ("\(data)/archive", "\(parts[1])/\(parts[2])"),
            ("\(data)/archive/\(parts[1])", parts[2]),
            ("\(data)/audit", "../\(segment)"), (scratch.path, "data/\(segment)"),
        ]
        let output = "\(scratch.path)/out"
        for (folder, path) in ways {
            try? FileManager.default.removeItem(atPath: output)
            let command =
                "cd '\(folder)' && exec '\(Program.path)' frames '\(path)' --reason 'a test of frames'"
            let shell = try ChildProcess("/bin/sh", ["-c", command], output: output)
            #expect(shell.wait() == 0, "\(folder): \(path)")
            #expect(try String(contentsOfFile: output, encoding: .utf8).contains("AB27CDE"))
        }
        #expect(try searches("\(data)/audit") == ways.count)
    }

    @Test("a log file carried elsewhere is shown where --audit says who logs it")
    func outside() throws {
        let carried = "\(scratch.path)/carried.sightings"
        let name = try #require(try files(".sightings").first)
        try FileManager.default.copyItem(atPath: "\(data)/\(name)", toPath: carried)
        let unlogged = try frames(carried)
        #expect(unlogged.status == 64 && unlogged.output.isEmpty && unlogged.errors.contains("--audit"))
        let log = "\(scratch.path)/log"
        let found = try frames(carried, ["--audit", log])
        #expect(found.status == 0 && found.output.contains("AB27CDE"), "\(found.errors)")
        #expect(try searches(log) == 1)
        #expect(try searches("\(data)/audit") == 0)
    }
}
