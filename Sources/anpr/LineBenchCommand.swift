import ANPRModel
import ArgumentParser
import Bandwidth
import Deduplication
import FeedDecoding
import Forwarding
import Foundation
import Gateway
import Simulation

/// `anpr bench line`, and `anpr bench` by itself: what traffic takes of a line.
struct LineBenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "line",
        abstract: "Replay traffic over a line in event time, and report what it takes.",
        discussion: """
            Reads are simulated (--profile) or come from recorded feeds (--cameras FILE FEED…). They are joined as a \
            node joins them, packed as a node packs them, and go over a line that never carries more than its rate in \
            any second; nothing is sent, and nothing waits for a clock. Beside it the same reads go as each force would \
            send them alone: joined and packed in the same way, as NDJSON, as gzip, and in BOF2 compact calls.

            Profiles: \(SimulationProfile.all.map(\.name).joined(separator: ", ")). A profile brings 2 million reads a \
            day for each force, in the shape of a working day whose busiest hour has three times the mean; without \
            --day or --duration it is that hour.

            Targets are YAML, all optional: bytesPerSightingMax: 9.0, bytesPerReadMax: 6.0, busiestSecondMax: 64kbit/s, \
            headroomMin: 20% (of the busiest minute), waitMax: 2s, catchUpMax: 2h, savedMin: 30%, \
            readsPerDayMin: 50000000, replaySpeedMin: 100000. Without waitMax no sighting may wait longer than a minute \
            for the line. Exits with 1 when a target is missed.
            """
    )

    @Option(help: "The line's rate, such as 64kbit/s. (default: the profile's line, or 64kbit/s)")
    var link: RateArgument?

    @Option(help: "Which collaboration to simulate, instead of feeds.")
    var profile: String?

    @Option(help: "About how many simulated reads to replay. (default: what the time brings)")
    var reads: Int?

    @Option(help: "Names the simulated traffic.")
    var seed: UInt64 = 1

    @Option(help: "How much simulated time to replay, around the busiest hour; 24h and more from midnight.")
    var duration = DurationArgument(milliseconds: 3_600_000)

    @Flag(help: "Replay a whole simulated day: --duration 24h.")
    var day = false

    @Option(help: "The camera register (CSV) of recorded feeds.")
    var cameras: String?

    @Option(help: "The format of all feeds: ndjson or csv. (default: by extension)")
    var feedFormat: FeedFormat?

    @Option(help: "How long sightings may wait for others to go with them.")
    var maxDelay = DurationArgument(milliseconds: 1000)

    @Flag(help: "The line goes without TLS.")
    var noTLS = false

    @Option(help: "The longest time from a sighting's first read to any other.")
    var window = DurationArgument(milliseconds: 10_000)

    @Option(help: "The longest time from one read to the next. (default: the window)")
    var gap: DurationArgument?

    @Option(help: "How far out of order a feed may be without any effect.")
    var lateness = DurationArgument(milliseconds: 120_000)

    @Option(help: "How long closed sightings can still be amended by late reads.")
    var reconcile = DurationArgument(milliseconds: 86_400_000)

    @Option(help: "What to do about misreads: off, link or merge.")
    var variants: VariantMode = .off

    @Option(help: "A file of targets (YAML).")
    var targets: String?

    @Option(help: "How to write the report: text or json.")
    var format: BenchFormat = .text

    @Option(help: "Draw the line's use over time to this SVG file.")
    var plot: String?

    @Argument(help: "Recorded feeds: files, directories, or - for standard input.")
    var feeds: [String] = []

    private static let minute: Int64 = 60_000

    func validate() throws {
        guard (profile == nil) != feeds.isEmpty else {
            throw ValidationError("Give --profile NAME, or --cameras FILE and feeds.")
        }
        if let profile, !SimulationProfile.all.contains(where: { $0.name == profile }) {
            let known = SimulationProfile.all.map(\.name).joined(separator: ", ")
            throw ValidationError("There is no profile '\(profile)'; there are \(known).")
        }
        guard (cameras == nil) == feeds.isEmpty else {
            throw ValidationError("Recorded feeds need --cameras FILE, and only they take it.")
        }
        guard (1...1_000_000_000).contains(reads ?? 1) else {
            throw ValidationError("--reads takes 1 to 1000000000.")
        }
        guard (Self.minute...31 * 1440 * Self.minute).contains(duration.milliseconds) else {
            throw ValidationError("--duration takes 1m to 31d.")
        }
        guard (0...3_600_000).contains(maxDelay.milliseconds) else {
            throw ValidationError("--max-delay takes 0s to 1h.")
        }
    }

    func run() throws {
        var wanted = BandwidthTargets()
        if let targets {
            do {
                wanted = try BandwidthTargets.read(targets)
            } catch let refused as ConfigurationRefused {
                Console.note("\(refused)")
                throw CommandInput.unusableInput
            }
        }
        let began = ContinuousClock.now
        var (replay, source, failure) = try profile == nil ? recorded(began) : simulated(began)
        let report = try replay.finish()
        let seconds = max(0.001, (ContinuousClock.now - began) / .seconds(1))
        let speed = (Double(report.reads.accepted + report.reads.redelivered) / seconds).rounded()
        let document = BenchDocument(
            source: source,
            report: report,
            targets: wanted.verdicts(on: report, replaySpeed: speed),
            replay: .init(seconds: (seconds * 1000).rounded() / 1000, readsPerSecond: speed)
        )
        switch format {
        case .text: try Console.output(BenchText(document: document).text)
        case .json: try Console.output(document.json() + "\n")
        }
        if let plot { try draw(replay, source, report, to: plot) }
        if let failure {
            Console.note("\(failure)")
            throw failure.isTotal ? CommandInput.unusableInput : ExitCode.failure
        }
        if !document.isMet { throw ExitCode.failure }
    }

    private func settings(_ readsPerDay: Int?, _ profile: SimulationProfile?) -> LinkReplay.Settings {
        let usual = profile.flatMap { RateText.bitsPerSecond($0.link) } ?? 64_000
        var settings = LinkReplay.Settings(bitsPerSecond: link?.bitsPerSecond ?? usual)
        settings.isEncrypted = !noTLS
        settings.delayMax = maxDelay.milliseconds
        settings.readsPerDay = readsPerDay
        settings.rules = DeduplicationRules(
            window: .init(window: window.milliseconds, gap: gap?.milliseconds),
            lateness: lateness.milliseconds,
            reconcile: reconcile.milliseconds,
            variants: variants
        )
        return settings
    }

    private typealias Run = (replay: LinkReplay, source: BenchDocument.Source, failure: FeedFile.Failure?)

    private func simulated(_ began: ContinuousClock.Instant) throws -> Run {
        guard let profile = SimulationProfile.all.first(where: { $0.name == self.profile }) else {
            throw CommandInput.unusableInput
        }
        let length = day ? 1440 * Self.minute : duration.milliseconds
        let whole = 1440 * Self.minute
        let centred = min(max(0, SimulatedDay.busiest - length / 2), max(0, whole - length))
        let from = centred / Self.minute * Self.minute
        let share = SimulatedDay.share(from: from, duration: length)
        let usual = 2_000_000 * profile.members.count
        let readsPerDay = reads.map { max(1, Int(Double($0) / max(share, 1e-6))) } ?? usual
        var traffic = SimulatedDay(
            profile,
            readsPerDay: readsPerDay,
            seed: seed,
            from: from,
            duration: length
        )
        let register = CameraRegister(traffic.cameras)
        var replay = try LinkReplay(
            settings(readsPerDay, profile),
            register: register,
            feeds: traffic.feedCount
        )
        let line = ProgressLine()
        var slice = TrafficSlice(feeds: traffic.feedCount)
        var taken = 0
        var slices = 0
        while let end = traffic.next(into: &slice.reads) {
            slice.end = end
            for feed in slice.reads.indices {
                slice.received[feed] = slice.reads[feed].count
                taken += slice.reads[feed].count
            }
            try replay.take(slice)
            slices += 1
            if slices % 600 == 0 { line.show(UInt64(taken), replay.sightings, began) }
        }
        line.clear()
        return (replay, BenchDocument.Source(profile: profile.name, seed: seed), nil)
    }

    private func recorded(_ began: ContinuousClock.Instant) throws -> Run {
        let register = try CommandInput.register(cameras ?? "")
        let files = try CommandInput.files(feeds).map { path in
            try CommandInput.unusable {
                try FeedFile(
                    path: path,
                    name: FeedFileName(path).stem,
                    format: feedFormat,
                    register: register,
                    rules: FeedRules()
                )
            }
        }
        let source = BenchDocument.Source(feeds: files.map(\.name))
        var slices = FeedSlices(files)
        var replay = try LinkReplay(settings(nil, nil), register: register, feeds: files.count)
        let line = ProgressLine()
        var slice = TrafficSlice(feeds: files.count)
        var taken = 0
        var count = 0
        while slices.next(into: &slice) {
            taken += slice.received.reduce(0, +)
            try replay.take(slice)
            count += 1
            if count % 600 == 0 { line.show(UInt64(taken), replay.sightings, began) }
        }
        line.clear()
        return (replay, source, slices.failure)
    }

    private func draw(
        _ replay: LinkReplay,
        _ source: BenchDocument.Source,
        _ report: BandwidthReport,
        to path: String
    ) throws {
        let drawing = UsePlot(
            title: "Use of the line: \(source.text)",
            minutes: replay.minutes,
            base: replay.base ?? SimulatedDay.midnight,
            bitsPerSecond: report.line.bitsPerSecond
        )
        try Data(drawing.svg.utf8).write(to: URL(fileURLWithPath: path))
    }
}

/// A line's rate on the command line: `64kbit/s`, `2Mbit/s`.
struct RateArgument: ExpressibleByArgument, Sendable {
    let bitsPerSecond: Int

    init?(argument: String) {
        guard let rate = RateText.bitsPerSecond(argument), rate >= LinkBudget.bitsPerSecondMin,
            rate <= 1_000_000_000_000
        else { return nil }
        bitsPerSecond = rate
    }
}
