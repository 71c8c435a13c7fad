import ANPRModel
import Access
import Archive
import ArgumentParser
import Foundation
import Gateway

/// `anpr quarantine`: rejected input.
struct QuarantineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quarantine",
        abstract: "Rejected input.",
        subcommands: [List.self, Show.self, Replay.self]
    )

    /// Which records.
    struct Selection: ParsableArguments {
        @Option(help: "Only of this feed.")
        var feed: String?

        @Option(name: .customLong("why"), help: "Only those refused for this, such as camera-unknown.")
        var reason: String?

        func entries(_ folder: String) throws -> [Quarantine.Entry] {
            try Quarantine.entries(in: "\(folder)/quarantine", keys: KeyRing(data: folder)).filter { entry in
                (feed == nil || entry.record.feed == feed) && (reason == nil || entry.record.reason == reason)
            }
        }
    }

    /// `anpr quarantine list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List rejected records by feed, place and reason; never their contents."
        )

        @OptionGroup var node: DataOption
        @OptionGroup var selection: Selection

        @Flag(help: "Also those that were replayed since.")
        var all = false

        func run() throws {
            let folder = try node.folder()
            let replayed = try Catalogue("\(folder)/catalogue.sqlite", isReadOnly: true).replayed()
            var text = ""
            var count = 0
            for entry in try selection.entries(folder) where all || !replayed.contains(entry.id) {
                let record = entry.record
                text +=
                    "\(record.received)  \(record.feed):\(record.line)  byte \(record.offset)  \(record.reason)"
                text +=
                    "\(record.continued == true ? " (continued)" : "")  \(record.raw.count) bytes  \(entry.id)"
                text += replayed.contains(entry.id) ? "  replayed\n" : "\n"
                count += 1
            }
            try Console.output(text)
            Console.note("\(NumberText.grouped(count)) records")
        }
    }

    /// `anpr quarantine show`.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Show a rejected record's bytes. They can be people's data: the reason is logged first."
        )

        @Argument(help: "The record's id, as list gives it last, such as 2026-11-20:17.")
        var id: String

        @OptionGroup var node: DataOption

        @Option(help: "Why: a sentence that will be read by an auditor.")
        var reason: String

        func run() throws {
            let folder = try node.folder()
            let entries = try Quarantine.entries(in: "\(folder)/quarantine", keys: KeyRing(data: folder))
            guard let entry = entries.first(where: { $0.id == id })
            else {
                Console.note("\(id): there is no such record")
                throw ExitCode.failure
            }
            let isReason = !reason.allSatisfy(\.isWhitespace)
            try Operator.audit(folder).append(
                AuditRecord(
                    at: TimestampWriter.text(Operator.now),
                    actor: Operator.name,
                    action: .search,
                    reason: reason,
                    request: ["quarantine": id],
                    count: isReason ? 1 : 0,
                    outcome: isReason ? .allowed : .refused
                )
            )
            guard isReason else {
                Console.note("Refused: --reason says nothing. The attempt was logged.")
                throw ExitCode.failure
            }
            let record = entry.record
            Console.note(
                "\(record.feed):\(record.line), byte \(record.offset), \(record.received): \(record.reason)"
            )
            try unsafe record.raw.withUnsafeBytes { try unsafe Console.writeOutput($0) }
            if record.raw.last != 0x0A { try Console.output("\n") }
        }
    }

    /// `anpr quarantine replay`.
    struct Replay: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "replay",
            abstract: "Take rejected records in after all, once what was wrong is mended.",
            discussion: """
                Where a daemon runs on the data folder it does it itself, by the rules and cameras it has: after a change \
                of those run anpr reload first.
                """
        )

        @OptionGroup var node: ConfigurationOption
        @OptionGroup var selection: Selection

        @Option(help: "The header row for records of CSV feeds.")
        var header = ""

        func run() throws {
            let configuration = try node.read()
            let folder = try DataOption.existing(configuration.data)
            let wanted = QuarantineReplay.Selection(
                feed: selection.feed,
                reason: selection.reason,
                header: header
            )
            let report =
                DataLock.holder(of: folder) == nil
                ? try replay(wanted, configuration) : try ask(wanted, folder)
            try Console.output(
                """
                \(NumberText.grouped(report.tried)) records tried, \(NumberText.grouped(report.taken)) taken in, \
                \(NumberText.grouped(report.tried - report.taken)) still refused\
                \(report.impossible == 0 ? "" : ", \(NumberText.grouped(report.impossible)) that can't be replayed")

                """
            )
        }

        /// Has the daemon do it; it puts on record who asked.
        private func ask(_ wanted: QuarantineReplay.Selection, _ folder: String) throws
            -> QuarantineReplay.Report
        {
            let answer = try ControlClient.ask(ControlRequest(replay: wanted), data: folder)
            guard let report = answer.report else {
                Console.note("\(folder): the daemon: \(answer.error ?? "nothing was done")")
                throw ExitCode.failure
            }
            return report
        }

        private func replay(_ wanted: QuarantineReplay.Selection, _ configuration: NodeConfiguration) throws
            -> QuarantineReplay.Report
        {
            let core = try NodeCore(configuration)
            if let cameras = configuration.cameras {
                try core.register(CommandInput.register(cameras).cameras)
            }
            let log = Operator.audit(configuration.data)
            try log.append(.replay(wanted, "begins", actor: Operator.name))
            let report = try core.replay(wanted, now: Operator.now)
            try core.tidy()
            try log.append(.replay(wanted, "ends", actor: Operator.name, count: report.taken))
            return report
        }
    }
}
