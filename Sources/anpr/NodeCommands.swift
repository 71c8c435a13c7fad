import ANPRModel
import Access
import Archive
import ArgumentParser
import Foundation
import Gateway
import Logging
import Synchronization

/// `anpr check`: all that is wrong with a configuration.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Say all that is wrong with a configuration at once, with line numbers."
    )

    @Argument(help: "The configuration (YAML).")
    var config: String

    func run() throws {
        do {
            let configuration = try NodeConfiguration.read(config)
            try Console.output(
                """
                \(config): good. Node \(configuration.node), \(configuration.forces.count) forces, \
                \(configuration.feeds.count) feeds, \(configuration.receive?.gateways.count ?? 0) gateways, \
                \(configuration.forward.count) links out, \(configuration.retention.rules.count) retention rules.

                """
            )
        } catch let refused as ConfigurationRefused {
            Console.note("\(refused)")
            throw CommandInput.unusableInput
        }
    }
}

/// `anpr serve`: the daemon.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run a node: take live feeds and links, join, archive, forward; until SIGTERM."
    )

    @OptionGroup var node: ConfigurationOption

    @Option(help: "Write each port that is open to this file, a line of name (links, http, a feed) and port.")
    var portFile: String?

    func run() async throws {
        let configuration = try node.read()
        guard configuration.receive != nil || configuration.feeds.contains(where: \.source.isLive) else {
            Console.note(
                "\(node.config): nothing comes in: there is no receive and no live feed; for files there is ingest"
            )
            throw CommandInput.unusableInput
        }
        var logger = Logger(label: "anpr") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .info
        let ports = portFile.map(PortFile.init)
        let serve = Serve(configuration, logger: logger) { name, port in ports?.note(name, port) }
        // Collection is on record before it begins, so that a daemon that is killed is on record too.
        try audit("serve begins", configuration)
        do {
            try await serve.run()
            try audit("serve ends", configuration)
        } catch let error as StorageError {
            Console.note("\(error)")
            throw ExitCode.failure
        }
    }

    private func audit(_ what: String, _ configuration: NodeConfiguration) throws {
        let sources =
            configuration.feeds.filter(\.source.isLive).map(\.name)
            + (configuration.receive?.gateways.map(\.node) ?? [])
        try Operator.audit(configuration.data).append(
            AuditRecord(
                at: TimestampWriter.text(Operator.now),
                actor: Operator.name,
                action: .ingest,
                reason: what,
                request: ["sources": sources.joined(separator: " ")],
                count: 0
            )
        )
    }
}

/// The ports of a daemon, for those who let the system choose.
private final class PortFile: Sendable {
    private let path: String
    private let lines = Mutex("")

    init(_ path: String) { self.path = path }

    /// Adds a port; the file is always whole.
    func note(_ name: String, _ port: Int) {
        lines.withLock { lines in
            lines += "\(name) \(port)\n"
            try? Data(lines.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        }
    }
}

/// `anpr reload`: has a daemon read its configuration again.
struct ReloadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Have a running node read its configuration again; its log says what it made of it."
    )

    @OptionGroup var node: DataOption

    func run() throws {
        let folder = try node.folder()
        guard let holder = DataLock.holder(of: folder) else {
            Console.note("\(folder): no node runs on this folder")
            throw ExitCode.failure
        }
        // To anything but a daemon the signal would be its end.
        let arguments = try Console.contents(of: "/proc/\(holder)/cmdline").split(separator: 0)
        guard arguments.contains(where: { $0.elementsEqual("serve".utf8) }) else {
            Console.note("\(folder): process \(holder) works on this folder, but it is no daemon")
            throw ExitCode.failure
        }
        guard kill(holder, SIGHUP) == 0 else {
            Console.note("process \(holder): \(unsafe String(cString: strerror(errno)))")
            throw ExitCode.failure
        }
    }
}

/// `anpr audit`: the tamper-evident log.
struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "The tamper-evident log of who did what and why.",
        subcommands: [Verify.self]
    )

    /// `anpr audit verify`.
    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Check the whole chain; say where it was altered, cut or reordered.",
            discussion: """
                Prints the head: how many records, and the hash of the last. Noted down elsewhere and given back with \
                --count and --hash it shows even a log that was rewritten whole.
                """
        )

        @OptionGroup var node: DataOption

        @Option(help: "The count of a head noted down earlier.")
        var count: UInt64?

        @Option(help: "The hash of a head noted down earlier.")
        var hash: String?

        func validate() throws {
            if (count == nil) != (hash == nil) {
                throw ValidationError("--count and --hash belong together.")
            }
        }

        func run() throws {
            let expected = count.flatMap { count in hash.map { AuditLog.Head(count: count, hash: $0) } }
            do {
                let head = try Operator.audit(try node.folder()).verify(expected: expected)
                try Console.output("good: \(head.count) records, head \(head.hash)\n")
            } catch let failure as AuditLog.Failure {
                Console.note("\(failure)")
                throw ExitCode.failure
            }
        }
    }
}
