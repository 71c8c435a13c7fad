import ANPRModel
import Access
import Archive
import ArgumentParser
import Foundation
import Gateway
import Interest

/// `anpr alerts`: vehicles of interest that were seen.
struct AlertsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alerts",
        abstract: "Vehicles of interest that were seen: those reported, and those the archive has.",
        subcommands: [List.self, LookBack.self]
    )

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table, ndjson
    }

    /// Which, why, and how to write them.
    struct Request: ParsableArguments {
        @Option(help: "Only of this list.")
        var list: String?

        @Option(help: "Only what was seen at or after this time (RFC 3339, or a date).")
        var from: MomentArgument?

        @Option(help: "Only what was seen at or before this time (RFC 3339, or a date).")
        var to: MomentArgument?

        @OptionGroup var why: ReasonOptions

        @Option(help: "How to write what is found.")
        var format: Format = .table

        /// The configuration's vehicles of interest.
        func interest(_ node: ConfigurationOption) throws -> (NodeConfiguration, NodeConfiguration.Interest) {
            let configuration = try node.read()
            guard let interest = configuration.interest else {
                Console.note("\(node.config): there is no interest section, so nothing is looked out for")
                throw CommandInput.unusableInput
            }
            if let list, !interest.lists.contains(where: { $0.name == list }) {
                Console.note("\(node.config): there is no list \(list)")
                throw CommandInput.unusableInput
            }
            return (configuration, interest)
        }

        /// What goes on record.
        func logged(_ what: String, _ data: String) -> LoggedRequest {
            var request = ["alerts": what]
            request["list"] = list
            request["from"] = from?.text
            request["to"] = to?.text
            return LoggedRequest(data: data, action: .search, why: why, request: request)
        }

        /// Shows alerts, once it is on record that they are shown.
        func show(_ alerts: [Alert], _ logged: LoggedRequest) throws {
            try logged.note(alerts.count)
            switch format {
            case .table: try Console.output(AlertTable.text(alerts))
            case .ndjson:
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
                for alert in alerts {
                    try Console.output(String(decoding: try encoder.encode(alert), as: UTF8.self) + "\n")
                }
            }
            Console.note("\(NumberText.grouped(alerts.count)) alerts, newest first. This search was logged.")
        }

        func takes(_ alert: Alert) -> Bool {
            guard list == nil || alert.list == list, let moment = alert.moment else { return false }
            return moment >= (from?.time ?? .distantPast) && moment <= (to?.time ?? .distantFuture)
        }
    }

    /// `anpr alerts list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "Show the alerts that were raised."
        )

        @OptionGroup var node: ConfigurationOption
        @OptionGroup var request: Request

        func run() throws {
            let (configuration, interest) = try request.interest(node)
            let data = try DataOption.existing(configuration.data)
            let logged = request.logged("list", data)
            try logged.demandReason()
            var reader = AlertLogReader(interest.folder, keys: try KeyRing(data: data), from: 0)
            var alerts: [Alert] = []
            while true {
                let lines = try reader.read()
                if lines.isEmpty { break }
                alerts += try lines.map { try JSONDecoder().decode(Alert.self, from: Data($0.text)) }
                    .filter(request.takes)
            }
            try request.show(
                alerts.sorted { ($0.captured, $0.sequence) > ($1.captured, $1.sequence) },
                logged
            )
        }
    }

    /// `anpr alerts look-back`.
    struct LookBack: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "look-back",
            abstract:
                "Hold the archive against the lists as they are now; nothing is reported to anyone else."
        )

        @OptionGroup var node: ConfigurationOption
        @OptionGroup var request: Request

        func validate() throws {
            if request.from == nil {
                throw ValidationError("Say how far to look back: --from takes a time or a date.")
            }
        }

        func run() throws {
            let (configuration, interest) = try request.interest(node)
            let data = try DataOption.existing(configuration.data)
            let logged = request.logged("look-back", data)
            try logged.demandReason()
            var chosen = interest
            if let list = request.list { chosen.lists.removeAll { $0.name != list } }
            let look = LookBackSearch(data: data, index: InterestIndex(try chosen.load()))
            let alerts = try look.run(
                from: request.from?.time ?? .earliest,
                to: request.to?.time ?? Operator.now,
                now: Operator.now
            )
            try request.show(alerts, logged)
        }
    }
}

/// Alerts as a table for people.
enum AlertTable {
    static func text(_ alerts: [Alert]) -> String {
        let titles = ["captured", "mark", "match", "list", "site", "camera", "action", "warnings"]
        let rows = alerts.map { alert in
            [
                alert.captured, alert.vrm,
                alert.match == .exact ? "exact" : "like \(alert.entry["vrm"] ?? "")",
                alert.list, alert.site, "\(alert.force)/\(alert.camera)", alert.entry["action"] ?? "",
                alert.entry["warnings"] ?? "",
            ]
        }
        return TextTable.text([titles] + rows)
    }
}
