import ArgumentParser

/// `anpr bench`: what a line carries, measured.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure what sightings take and what a line carries.",
        subcommands: [FramesBenchCommand.self]
    )
}
