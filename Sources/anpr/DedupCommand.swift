import ANPRModel
public import ArgumentParser
public import Deduplication
public import FeedDecoding
import Gateway

/// `anpr dedup`: feeds in, sightings out.
struct DedupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dedup",
        abstract: "Join the reads of feeds into sightings, as NDJSON on standard output.",
        discussion: """
            Feeds are read side by side, each with its own watermark, as live feeds would be. The last line on \
            standard error is one JSON object of counts.
            """
    )

    @Option(help: "The camera register (CSV).")
    var cameras: String

    @Option(help: "The longest time from a sighting's first read to any other.")
    var window = DurationArgument(milliseconds: 10_000)

    @Option(help: "The longest time from one read to the next. (default: the window)")
    var gap: DurationArgument?

    @Option(help: "How far out of order a feed may be without any effect.")
    var lateness = DurationArgument(milliseconds: 120_000)

    @Option(help: "How long closed sightings can still be amended by late reads.")
    var reconcile = DurationArgument(milliseconds: 86_400_000)

    @Option(
        help: "What to do about misreads: off, link them to what they probably are, or merge them into it."
    )
    var variants: VariantMode = .off

    @Option(help: "The format of all feeds: ndjson or csv. (default: by extension)")
    var format: FeedFormat?

    @Argument(help: "Files, directories, or - for standard input.")
    var feeds: [String]

    func run() throws {
        let register = try CommandInput.register(cameras)
        let rules = DeduplicationRules(
            window: .init(window: window.milliseconds, gap: gap?.milliseconds),
            lateness: lateness.milliseconds,
            reconcile: reconcile.milliseconds,
            variants: variants
        )
        let files = try CommandInput.files(feeds).map { path in
            try CommandInput.unusable {
                try FeedFile(
                    path: path,
                    name: FeedFileName(path).stem,
                    format: format,
                    register: register,
                    rules: FeedRules()
                )
            }
        }
        var dedup = StreamDedup(register: register, rules: rules, files: files)
        let line = ProgressLine()
        let began = ContinuousClock.now
        let summary = try unsafe dedup.run(
            progress: { line.show($0.counts.received, $0.sightings, began) },
            output: Console.writeOutput
        )
        line.clear()
        if let failure = summary.failure { Console.note("\(failure)") }
        let counts = summary.counts
        for (reason, count) in summary.reasons.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            Console.note("rejected: \(count) \(reason.name)")
        }
        Console.note(
            """
            {"received":\(counts.received),"accepted":\(counts.accepted),"rejected":\(counts.rejected),\
            "redelivered":\(counts.redelivered),"late":\(counts.late),"sightings":\(summary.sightings)}
            """
        )
        if let failure = summary.failure {
            throw failure.isTotal ? CommandInput.unusableInput : ExitCode.failure
        }
    }
}

extension FeedFormat: ExpressibleByArgument {}
extension VariantMode: ExpressibleByArgument {}
