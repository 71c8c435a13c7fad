import Foundation
import Glibc
import TestSupport
import Testing

/// Marks from standard input: each answered as by a command of its own, while more may come.
struct QueryEachMarkTests {
    private let scratch: Scratch
    private let why: [String]
    private var data: String { "\(scratch.path)/data" }

    init() throws {
        scratch = try Scratch()
        why = ["--data", "\(scratch.path)/data", "--reason", "a test of lists"]
        let reads = (0..<12).map { number in
            let vrm = ["AB27CDE", "AB27XYZ", "KG31WXW"][number % 3]
            let time = "2026-01-0\(number % 4 + 5)T10:00:00Z"
            return #"{"force":"43","camera":"43-1","vrm":"\#(vrm)","captured":"\#(time)","confidence":90}"#
                + "\n"
        }
        _ = try scratch.write(reads.joined(), "a.ndjson")
        _ = try scratch.write("force,camera,site\n43,43-1,S1\n", "cameras.csv")
        let config = try scratch.write(
            """
            node: north
            data: \(scratch.path)/data
            forces: [{ code: "43" }]
            cameras: cameras.csv
            deduplication: { variants: off }
            feeds: [{ name: a, force: "43", path: a.ndjson }]
            retention: [{ keep: 100mo }]
            """,
            "north.yaml"
        )
        _ = try Program.succeed(["ingest", "--config", config])
    }

    private func audit() throws -> [String] {
        try String(contentsOfFile: "\(data)/audit/audit.ndjson", encoding: .utf8).split(separator: "\n")
            .map(String.init)
    }

    @Test("each as by itself, under one header, and each on record", arguments: ["ndjson", "csv"])
    func list(format: String) throws {
        let marks = ["KG31WXW", "ab27 cde", "AB27ZZZ", "AB27*"]
        let input = try scratch.write("KG31WXW\r\n\nab27 cde\nAB27ZZZ\n  AB27*", "marks")
        for options in [
            ["--format", format], ["--format", format, "--summary", "vrm"],
            ["--format", format, "--limit", "2"],
        ] {
            let alone = try marks.map { try Program.succeed(["query", $0] + options + why).lines }
            let before = try audit().count
            let outcome = try Program.run(["query", "-"] + options + why, input: input)
            try #require(outcome.status == 0, "\(outcome.errors)")
            let expected = alone.enumerated().flatMap { place, lines in
                format == "csv" && place > 0 ? Array(lines.dropFirst()) : lines
            }
            #expect(outcome.lines == expected)
            let records = try audit().dropFirst(before)
            #expect(records.count == marks.count)
            for (mark, record) in zip(marks, records) {
                #expect(record.contains(#""vrm":"\#(mark)""#) && record.contains("a test of lists"))
            }
            #expect(try Program.succeed(["audit", "verify", "--data", data]).status == 0)
        }
    }

    @Test(
        "a table has a heading for each; lines that are no marks are told by their number, and the others answered"
    )
    func headings() throws {
        let input = try scratch.write("AB27CDE\nAB27-CDE-TOO-LONG\nKG31WXW\n", "marks")
        let outcome = try Program.run(["query", "-", "--limit", "1"] + why, input: input)
        #expect(outcome.status == 1)
        let headings = outcome.lines.filter { $0.contains(": ") && $0.contains("sightings") }
        #expect(
            headings == [
                "AB27CDE: 1 sightings, newest first; there are more",
                "KG31WXW: 1 sightings, newest first; there are more",
            ]
        )
        #expect(outcome.lines.count == 6)
        #expect(outcome.errors.contains("line 2: ") && outcome.errors.contains("2 marks, 2 sightings."))
        #expect(!outcome.errors.contains("AB27"))
    }

    @Test(
        "what can't be answered so is refused before anything is read; lines of no use leave a file as it was"
    )
    func refusals() throws {
        let input = try scratch.write("AB27CDE\n", "marks")
        let count = try audit().count
        for wrong in [
            ["--format", "parquet"], ["--cursor", "nothing"], ["--evidence", "\(scratch.path)/pack"],
            ["--limit", "0"],
            ["--near", "51,1"],
        ] {
            let refused = try Program.run(["query", "-"] + wrong + why, input: input)
            #expect(refused.status == 64 && refused.output.isEmpty, "\(wrong): \(refused.errors)")
        }
        #expect(try audit().count == count)
        let reasonless = try Program.run(["query", "-", "--data", data, "--reason", " "], input: input)
        #expect(reasonless.status == 1 && reasonless.output.isEmpty)
        #expect(try audit().count == count + 1)

        let file = try scratch.write("as it was", "out.ndjson")
        let useless = try scratch.write("!\n", "useless")
        let outcome = try Program.run(
            ["query", "-", "--format", "ndjson", "--output", file] + why,
            input: useless
        )
        #expect(outcome.status == 65)
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "as it was")
        _ = try Program.run(["query", "-", "--format", "ndjson", "--output", file] + why, input: input)
        #expect(try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").count == 4)
    }

    @Test("a mark is answered before the next one comes")
    func oneByOne() throws {
        let (pipe, output) = ("\(scratch.path)/pipe", "\(scratch.path)/answers")
        try #require(unsafe mkfifo(pipe, 0o600) == 0)
        // Open for reading, too, so that nobody waits for anybody.
        let descriptor = unsafe open(pipe, O_RDWR | O_CLOEXEC)
        let end = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        let process = try Program.start(
            ["query", "-", "--format", "ndjson"] + why,
            output: output,
            input: pipe
        )
        for (mark, total) in [("AB27CDE", 4), ("KG31WXW", 8)] {
            try end.write(contentsOf: Data("\(mark)\n".utf8))
            try Patience.wait(for: "the answer") {
                try #require(process.isRunning)
                let text = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
                return text.split(separator: "\n").count == total ? () : nil
            }
        }
        try end.close()
        #expect(process.wait() == 0)
    }
}
