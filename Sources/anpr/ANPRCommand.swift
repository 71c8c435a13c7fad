import ArgumentParser

/// The one executable.
@main
struct ANPRCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "anpr",
        abstract:
            "Joins number-plate reads of several forces into sightings, and keeps, forwards and finds them.",
        version: ProgramVersion.text,
        subcommands: [
            DedupCommand.self, IngestCommand.self, ServeCommand.self, QueryCommand.self, JourneysCommand.self,
            ConvoyCommand.self, CommonCommand.self, PatternCommand.self, EvidenceCommand.self,
            RetentionCommand.self,
            HoldCommand.self, KeysCommand.self,
            QuarantineCommand.self, AuditCommand.self, FramesCommand.self, SimulateCommand.self,
            BenchCommand.self,
            AlertsCommand.self, ImageCommand.self, CheckCommand.self, StatusCommand.self, ReloadCommand.self,
        ]
    )
}

/// Which program this is, for `--version` and for what is written for others.
enum ProgramVersion {
    static let text = "0.9.0"
}
