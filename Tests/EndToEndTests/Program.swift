import Foundation
import TestSupport
import Testing

/// The real program, run as people run it.
enum Program {
    /// What a run gave.
    struct Outcome {
        var output: String
        var errors: String
        var status: Int32

        /// The lines of standard output.
        var lines: [String] { output.split(separator: "\n").map(String.init) }
    }

    /// The executable beside the test bundle, built for the same configuration.
    static var path: String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        #if DEBUG
            let configuration = "debug"
        #else
            let configuration = "release"
        #endif
        return ProcessInfo.processInfo.environment["ANPR_BINARY"]
            ?? root.appendingPathComponent(".build/\(configuration)/anpr").path
    }

    /// Starts the program without waiting.
    static func start(
        _ arguments: [String],
        output: String? = nil,
        errors: String? = nil,
        input: String? = nil,
        environment: [String: String] = [:]
    ) throws -> ChildProcess {
        try ChildProcess(
            path,
            arguments,
            output: output,
            errors: errors,
            input: input,
            environment: environment
        )
    }

    /// Runs the program to its end.
    ///
    /// Output goes through files, so that no pipe can fill up.
    ///
    /// - Parameter input: a file to read as standard input.
    static func run(_ arguments: [String], input: String? = nil) throws -> Outcome {
        let folder = try Scratch()
        let files = ["out", "err"].map { folder.path + "/" + $0 }
        let status = try start(arguments, output: files[0], errors: files[1], input: input).wait()
        let texts = try files.map { try String(contentsOfFile: $0, encoding: .utf8) }
        return Outcome(output: texts[0], errors: texts[1], status: status)
    }

    /// Runs the program and expects success.
    static func succeed(_ arguments: [String]) throws -> Outcome {
        let outcome = try run(arguments)
        try #require(outcome.status == 0, "anpr \(arguments.joined(separator: " ")): \(outcome.errors)")
        return outcome
    }
}

/// A folder of a test's own, gone when the test is.
final class Scratch {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "anpr-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file.
    func write(_ text: String, _ name: String) throws -> String {
        let file = "\(path)/\(name)"
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        return file
    }
}

/// An archive that runs as a process of its own, on a port that the system chose and that it keeps when restarted.
final class ArchiveProcess {
    let data: String
    private(set) var port = 0
    private let scratch: Scratch
    private let gateways: [(node: String, forces: [String])]
    private let tls: String?
    private let more: String
    private var process: ChildProcess?

    /// Its configuration.
    var config: String { scratch.path + "/archive.yaml" }

    /// Starts an archive.
    ///
    /// - Parameters:
    ///   - tls: the certificates of its links, as YAML.
    ///   - more: further sections of the configuration.
    init(
        _ scratch: Scratch,
        gateways: [(node: String, forces: [String])],
        tls: String? = nil,
        more: String = ""
    ) throws {
        self.scratch = scratch
        self.tls = tls
        self.more = more
        self.gateways = gateways
        data = scratch.path + "/archive"
        try start()
    }

    deinit { kill() }

    /// Starts it and waits until its port is open.
    func start() throws {
        let portFile = scratch.path + "/port"
        try? FileManager.default.removeItem(atPath: portFile)
        let list = gateways.map { gateway in
            "    - { node: \(gateway.node), forces: [\(gateway.forces.map { "\"\($0)\"" }.joined(separator: ", "))] }"
        }
        let config = try scratch.write(
            """
            node: archive
            data: \(data)
            receive:
              listen: 127.0.0.1:\(port)
              idleAfter: 10m
              \(tls.map { "tls: \($0)" } ?? "")
              gateways:
            \(list.joined(separator: "\n"))
            \(more)
            """,
            "archive.yaml"
        )
        let log = scratch.path + "/archive.log"
        let process = try Program.start(["serve", "--config", config, "--port-file", portFile], errors: log)
        self.process = process
        port = try Patience.wait(for: "the archive's port") {
            try #require(process.isRunning, "the archive did not start")
            return Self.port("links", in: portFile)
        }
    }

    /// A port that a daemon wrote down.
    static func port(_ name: String, in file: String) -> Int? {
        let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").map { $0.split(separator: " ") }.first {
            $0.first == name[...]
        }
        return line.flatMap { $0.count == 2 ? Int($0[1]) : nil }
    }

    /// All it has logged.
    func log() throws -> String { try String(contentsOfFile: scratch.path + "/archive.log", encoding: .utf8) }

    /// Kills it at once, as a crash would.
    func kill() {
        process?.signal(SIGKILL)
        process?.wait()
    }

    /// Asks it to stop and waits.
    ///
    /// - Returns: its exit code.
    func stop() -> Int32 {
        process?.signal(SIGTERM)
        return process?.wait() ?? -1
    }
}
