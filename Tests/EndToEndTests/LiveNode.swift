import ANPRModel
import Foundation
import Simulation
import Synchronization
import TestSupport
import Testing

/// A daemon that takes live feeds, as a process of its own, on ports that the system chose.
final class LiveNode {
    let scratch: Scratch
    let data: String
    let config: String
    private var process: ChildProcess?
    private let environment: [String: String]
    /// Its ports, for clients on other threads.
    let ports = LivePorts()

    /// The token of every feed, and its SHA-256.
    static let token = "open sesame"
    static let tokenHash = "41ef4bb0b23661e66301aac36066912dac037827b4ae63a7b1165a5aa93ed4eb"

    /// Writes the configuration and starts the daemon.
    ///
    /// - Parameters:
    ///   - feeds: the feeds, as YAML.
    ///   - cameras: the register's file.
    ///   - data: the data folder, if not beside the configuration.
    ///   - tls: the certificates of its HTTP interface, as YAML.
    ///   - environment: variables of the daemon.
    ///   - more: further sections of the configuration.
    init(
        _ scratch: Scratch,
        feeds: [String],
        forces: [String],
        cameras: String,
        data: String? = nil,
        intakeMax: Int = 64 << 20,
        tls: String? = nil,
        environment: [String: String] = [:],
        more: String = ""
    )
        throws
    {
        self.scratch = scratch
        self.environment = environment
        self.data = data ?? scratch.path + "/live"
        config = try scratch.write(
            """
            node: live
            data: \(self.data)
            forces: [\(forces.map { "{ code: \"\($0)\" }" }.joined(separator: ", "))]
            cameras: \(cameras)
            http: { listen: "127.0.0.1:0", intakeMax: \(intakeMax)\(tls.map { ", tls: \($0)" } ?? "") }
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
            errors: scratch.path + "/live.log",
            environment: environment
        )
        self.process = process
        let bound: [String: Int] = try Patience.wait(for: "the daemon's ports") {
            try #require(process.isRunning, "the daemon did not start: \((try? log())?.suffix(500) ?? "")")
            let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
            let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
            guard lines.count == expected else { return nil }
            return lines.reduce(into: [:]) { $0[String($1[0])] = Int($1[1]) }
        }
        ports.replace(bound)
    }

    func port(_ name: String) -> Int { ports[name] ?? 0 }

    /// A number of the daemon's that the kernel tells under a name, such as `VmRSS` in kB.
    func kernelNumber(_ name: String) throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(process?.identifier ?? 0)/status", encoding: .utf8)
        let line = text.split(separator: "\n").first { $0.hasPrefix("\(name):") }
        return try #require(line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) })
    }

    /// How many files and connections the daemon has open.
    func descriptors() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process?.identifier ?? 0)/fd").count
    }

    /// How much memory the daemon holds, in megabytes.
    func residentMegabytes() throws -> Int { try kernelNumber("VmRSS") / 1024 }

    func log() throws -> String { try String(contentsOfFile: scratch.path + "/live.log", encoding: .utf8) }

    func kill() {
        // Another daemon may get these ports.
        ports.replace([:])
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

    /// A number among the daemon's metrics; all series of a name together.
    func metric(_ name: String) throws -> Double {
        try get("/metrics").body.split(separator: "\n").filter { $0.hasPrefix(name) }
            .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }.reduce(0, +)
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

/// The ports of a daemon that comes and goes.
final class LivePorts: Sendable {
    private let ports = Mutex<[String: Int]>([:])

    /// The port of a name, while the daemon is there.
    subscript(name: String) -> Int? { ports.withLock { $0[name] } }

    /// Takes over other ports.
    func replace(_ new: [String: Int]) { ports.withLock { $0 = new } }
}
