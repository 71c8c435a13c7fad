import ANPRModel
import Foundation
import Simulation
import TestSupport
import Testing

/// A daemon that takes live feeds, as a process of its own, on ports that the system chose.
final class LiveNode {
    let scratch: Scratch
    let data: String
    let config: String
    private var process: ChildProcess?
    private var ports: [String: Int] = [:]

    /// The token of every feed, and its SHA-256.
    static let token = "open sesame"
    static let tokenHash = "41ef4bb0b23661e66301aac36066912dac037827b4ae63a7b1165a5aa93ed4eb"

    /// Writes the configuration and starts the daemon.
    ///
    /// - Parameters:
    ///   - feeds: the feeds, as YAML.
    ///   - cameras: the register's file.
    ///   - data: the data folder, if not beside the configuration.
    ///   - more: further sections of the configuration.
    init(
        _ scratch: Scratch,
        feeds: [String],
        forces: [String],
        cameras: String,
        data: String? = nil,
        intakeMax: Int = 64 << 20,
        more: String = ""
    )
        throws
    {
        self.scratch = scratch
        self.data = data ?? scratch.path + "/live"
        config = try scratch.write(
            """
            node: live
            data: \(self.data)
            forces: [\(forces.map { "{ code: \"\($0)\" }" }.joined(separator: ", "))]
            cameras: \(cameras)
            http: { listen: "127.0.0.1:0", intakeMax: \(intakeMax) }
            feeds:
            \(feeds.map { "  - " + $0 }.joined(separator: "\n"))
            \(more)
            """,
            "live.yaml"
        )
        try start()
    }

    deinit { kill() }

    /// Starts it and waits until all its ports are open.
    func start() throws {
        let file = scratch.path + "/live-ports"
        try? FileManager.default.removeItem(atPath: file)
        let expected =
            1
            + (try String(contentsOfFile: config, encoding: .utf8)).components(separatedBy: "source: tcp")
            .count - 1
        let process = try Program.start(
            ["serve", "--config", config, "--port-file", file],
            errors: scratch.path + "/live.log"
        )
        self.process = process
        ports = try Patience.wait(for: "the daemon's ports") {
            try #require(process.isRunning, "the daemon did not start: \((try? log())?.suffix(500) ?? "")")
            let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
            let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
            guard lines.count == expected else { return nil }
            return lines.reduce(into: [:]) { $0[String($1[0])] = Int($1[1]) }
        }
    }

    func port(_ name: String) -> Int { ports[name] ?? 0 }

    func log() throws -> String { try String(contentsOfFile: scratch.path + "/live.log", encoding: .utf8) }

    func kill() {
        process?.signal(SIGKILL)
        process?.wait()
    }

    var isRunning: Bool { process?.isRunning ?? false }

    func stop() -> Int32 {
        process?.signal(SIGTERM)
        return process?.wait() ?? -1
    }

    /// Posts a body to a feed over a connection of its own.
    func post(_ feed: String, _ body: [UInt8], headers: [String: String]? = nil) throws -> PlainResponse {
        try PlainSocket(port: port("http")).request(
            "POST",
            "/v1/feeds/\(feed)",
            headers: headers ?? ["Authorization": "Bearer \(Self.token)"],
            body: body
        )
    }

    func get(_ path: String) throws -> PlainResponse {
        try PlainSocket(port: port("http")).request("GET", path)
    }

    /// Ends all feeds, so that everything that is open closes, and gives what is stored.
    func sightings() throws -> [PlainSighting] {
        let nothing = try scratch.write("", "nothing.ndjson")
        _ = try Program.succeed(["ingest", "--config", config, nothing])
        return try Collaboration.stored(data)
    }
}
