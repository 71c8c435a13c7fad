import ArgumentParser

/// The one executable.
@main
struct ANPRCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "anpr",
        abstract:
            "Joins number-plate reads of several forces into sightings, and keeps, forwards and finds them.",
        subcommands: [
            DedupCommand.self, IngestCommand.self, ServeCommand.self, QueryCommand.self, JourneysCommand.self,
            ConvoyCommand.self, CommonCommand.self,
            RetentionCommand.self,
            HoldCommand.self,
            QuarantineCommand.self, AuditCommand.self, FramesCommand.self, SimulateCommand.self,
            BenchCommand.self,
            AlertsCommand.self, ImageCommand.self, CheckCommand.self, StatusCommand.self, ReloadCommand.self,
        ]
    )
}
