import ArgumentParser

/// `anpr bench`: what a line carries, measured.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure what sightings take and what a line carries.",
        discussion: "Without a subcommand it is 'line': see 'anpr bench line --help'.",
        subcommands: [LineBenchCommand.self, FramesBenchCommand.self, ArchiveBenchCommand.self],
        defaultSubcommand: LineBenchCommand.self
    )
}

/// How a report is written.
enum BenchFormat: String, CaseIterable, ExpressibleByArgument {
    case text, json
}
