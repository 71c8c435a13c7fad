import Foundation
import Testing

/// What no compiler checks: sizes, banned words, and that the README says what is.
struct HygieneTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func files(_ folder: String) throws -> [(name: String, lines: [String])] {
        let base = root.appendingPathComponent(folder)
        let names = try FileManager.default.subpathsOfDirectory(atPath: base.path).filter {
            $0.hasSuffix(".swift")
        }
        return try names.map { name in
            let text = try String(contentsOf: base.appendingPathComponent(name), encoding: .utf8)
            return ("\(folder)/\(name)", text.components(separatedBy: "\n"))
        }
    }

    @Test("no file is longer than 400 lines", arguments: ["Sources", "Tests"])
    func fileSizes(folder: String) throws {
        for file in try Self.files(folder) { #expect(file.lines.count <= 400, "\(file.name)") }
    }

    @Test("no function is longer than 70 lines", arguments: ["Sources", "Tests"])
    func functionSizes(folder: String) throws {
        for file in try Self.files(folder) {
            var start: (line: Int, indent: Int)?
            for (number, line) in file.lines.enumerated() {
                let indent = line.prefix { $0 == " " }.count
                if let open = start, line.hasPrefix(String(repeating: " ", count: open.indent) + "}"),
                    indent == open.indent
                {
                    #expect(number - open.line <= 70, "\(file.name):\(open.line + 1)")
                    start = nil
                } else if start == nil, line.contains("func ") || line.contains(" init("), line.hasSuffix("{")
                {
                    start = (number, indent)
                }
            }
        }
    }

    @Test(
        "words that have no place in the sources",
        arguments: [
            ("try!", "throw instead"), ("as!", "cast with as?"), ("fatalError(", "throw instead"),
            (" print(", "Console writes for the program"), ("FIXME", "mend it"), ("TO" + "DO", "do it"),
            ("@unchecked Sendable", "let the compiler check"), ("NSLog", "use the logger"),
        ]
    )
    func bannedWords(word: String, instead: String) throws {
        for file in try Self.files("Sources") {
            for (number, line) in file.lines.enumerated()
            where !line.trimmingCharacters(in: .whitespaces).hasPrefix("//") {
                #expect(!line.contains(word), "\(file.name):\(number + 1): \(instead)")
            }
        }
    }

    @Test("the README names every command, target and sample there is")
    func readme() throws {
        let readme = try String(contentsOf: Self.root.appendingPathComponent("README.md"), encoding: .utf8)
        for folder in ["Sources", "sample-feeds"] {
            let base = Self.root.appendingPathComponent(folder).path
            for name in try FileManager.default.contentsOfDirectory(atPath: base) where name != "run" {
                #expect(readme.contains("`\(name)`"), "\(folder)/\(name)")
            }
        }
        let commands = [
            "dedup", "ingest", "serve", "query", "retention", "quarantine", "audit", "frames", "simulate",
            "check",
        ]
        for command in commands { #expect(readme.contains("`anpr \(command)"), "\(command)") }
    }
}
