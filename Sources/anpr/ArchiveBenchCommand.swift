import ANPRModel
import Archive
import ArgumentParser
import Deduplication
import Foundation
import Gateway
import Simulation

/// `anpr bench archive`: how many bytes a sighting takes at rest, how fast it gets there, and how soon it is found.
struct ArchiveBenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "archive",
        abstract: "Fill an archive with simulated traffic, then measure its size and its searches.",
        discussion: """
            Joins simulated reads as a node does, files the sightings day by day and merges each day that is over; only the \
            filing is timed. Of the vehicles, a twentieth make half of all journeys. Then searches: the whole history of marks \
            that were drawn from all sightings, marks with one character to guess, and all sightings of a site in an hour.
            """
    )

    @Option(help: "Which collaboration to simulate.")
    var profile: String = "east-midlands"

    @Option(help: "How many days.")
    var days: Int = 30

    @Option(help: "About how many reads a day has.")
    var readsPerDay: Int = 1_400_000

    @Option(help: "How many vehicles there are.")
    var vehicles: Int = 4_000_000

    @Option(help: "Names the simulated traffic.")
    var seed: UInt64 = 1

    @Option(help: "How many searches of each kind.")
    var searches: Int = 200

    @Option(
        help:
            "The folder to fill, which stays; one that was filled before is only searched. (default: one that does not stay)"
    )
    var data: String?

    @Flag(help: "Let the oldest day go of an archive that was filled before, too.")
    var drop = false

    @Option(help: "The most bytes a sighting may take; exit 1 if it takes more.")
    var bytesMax: Double?

    func validate() throws {
        guard (1...3660).contains(days), (1...1_000_000_000).contains(readsPerDay),
            (1...1_000_000).contains(searches),
            (20...100_000_000).contains(vehicles)
        else { throw ValidationError("a number is out of range.") }
        guard SimulationProfile.all.contains(where: { $0.name == profile }) else {
            throw ValidationError("there is no profile '\(profile)'.")
        }
    }

    func run() throws {
        guard let profile = SimulationProfile.all.first(where: { $0.name == self.profile }) else { return }
        let folder = data ?? "\(NSTemporaryDirectory())anpr-bench-\(UUID().uuidString)"
        let isFilled = DataFolder.exists("\(folder)/catalogue.sqlite")
        if DataFolder.exists(folder), !isFilled {
            Console.note("\(folder) is there already, and no archive")
            throw CommandInput.unusableInput
        }
        defer { if data == nil { try? FileManager.default.removeItem(atPath: folder) } }
        let traffic = SimulatedDay(
            profile,
            readsPerDay: readsPerDay,
            seed: seed,
            duration: Int64(days) * 86_400_000,
            vehicles: vehicles
        )
        var bench = try ArchiveBench(folder, traffic, seed: seed)
        if isFilled { try bench.draw() } else { try bench.fill() }
        try bench.search(searches)
        try bench.convoy()
        if !isFilled || drop { try bench.drop() }
        try Console.output(bench.text)
        if let bytesMax, bench.bytesEach > bytesMax {
            Console.note("A sighting takes more than \(bytesMax) bytes.")
            throw ExitCode.failure
        }
    }
}

/// An archive being filled, measured and searched.
struct ArchiveBench {
    private let folder: String
    private let catalogue: Catalogue
    private let archiver: Archiver
    private let register: CameraRegister
    private var traffic: SimulatedDay
    private var random: SeededRandom
    private var filing = Duration.zero
    private var sightings = 0
    /// Sightings drawn from all that were filed.
    private var drawn: [(vrm: VRM, site: String, first: Timestamp)] = []
    private static let drawnMax = 20_000
    private(set) var text = ""
    /// How many bytes a sighting takes, with all that leads to it.
    private(set) var bytesEach = 0.0

    init(_ folder: String, _ traffic: SimulatedDay, seed: UInt64) throws {
        self.folder = folder
        try DataFolder.make(folder)
        catalogue = try Catalogue("\(folder)/catalogue.sqlite")
        archiver = try Archiver("\(folder)/archive", log: "\(folder)/sightings", catalogue: catalogue)
        register = CameraRegister(traffic.cameras)
        self.traffic = traffic
        random = SeededRandom(seed: seed ^ 0x5EED)
    }

    /// Joins all traffic and files what comes of it.
    mutating func fill() throws {
        var deduplicator = Deduplicator(register: register, rules: DeduplicationRules(variants: .off))
        var reads: [[Read]] = []
        var closed = SightingBatch()
        while let end = traffic.next(into: &reads) {
            for feed in reads.indices { deduplicator.take(reads[feed], from: FeedIndex(feed), into: &closed) }
            guard closed.count >= 1 << 15 else { continue }
            try file(&closed, end)
        }
        for feed in reads.indices { deduplicator.set(FeedIndex(feed), .ended, into: &closed) }
        try file(&closed, .distantFuture)
        let clock = ContinuousClock()
        filing += try clock.measure {
            try archiver.archiveGathered(register)
            try archiver.merge()
        }
        bytesEach = Double(try catalogue.snapshot().bytes) / Double(max(sightings, 1))
        let seconds = Self.seconds(filing)
        text += """
            \(NumberText.grouped(sightings)) sightings in \(try catalogue.snapshot().segments.count) segments, \
            \(String(format: "%.2f", bytesEach)) bytes each; filed and merged at \
            \(String(format: "%.2f", Double(sightings) / seconds / 1e6)) M/s

            """
    }

    private mutating func file(_ closed: inout SightingBatch, _ end: Timestamp) throws {
        for sighting in closed.sightings where random.below(max(1, sightings / Self.drawnMax + 1)) == 0 {
            let one = (sighting.vrm, register.siteName(of: sighting.camera), sighting.first)
            if drawn.count < Self.drawnMax {
                drawn.append(one)
            } else {
                drawn[random.below(drawn.count)] = one
            }
        }
        let first = UInt64(sightings)
        sightings += closed.count
        filing += try ContinuousClock().measure {
            try archiver.take(closed, first: first, register: register)
            if end.milliseconds % 3_600_000 < 60_000 { try archiver.merge() }
        }
        closed.removeAll()
    }

    /// Draws sightings from what is there: those of some moments.
    mutating func draw() throws {
        let archive = ArchiveSearch(data: folder)
        let snapshot = try catalogue.snapshot()
        let segments = snapshot.segments
        let rows = segments.reduce(0) { $0 + $1.rows }
        bytesEach = Double(snapshot.bytes) / Double(max(rows, 1))
        text += """
            \(NumberText.grouped(rows)) rows in \(segments.count) segments and \(snapshot.indexes.count) indexes, \
            \(String(format: "%.2f", bytesEach)) bytes each

            """
        for _ in 0..<40 where rows > 0 {
            var left = random.below(rows)
            let segment = segments.first {
                left -= $0.rows
                return left < 0
            }
            guard let segment else { continue }
            let span = Int(segment.last.milliseconds - segment.first.milliseconds) + 1
            let found = try archive.run(
                Self.query {
                    $0.from = Timestamp(milliseconds: segment.first.milliseconds + Int64(random.below(span)))
                    $0.to = $0.from.map { Timestamp(milliseconds: $0.milliseconds + 20_000) }
                }
            )
            drawn += found.batch.sightings.map {
                ($0.vrm, found.register.siteName(of: $0.camera), $0.first)
            }
        }
    }

    /// All files of the archive.
    private var files: [String] {
        let archive = "\(folder)/archive"
        return DataFolder.names(in: archive).flatMap { day in
            DataFolder.names(in: "\(archive)/\(day)").map { "\(archive)/\(day)/\($0)" }
        }
    }

    /// Searches, several times of each kind.
    mutating func search(_ count: Int) throws {
        guard !drawn.isEmpty else { return }
        // The files are in the system's memory; those that are not are measured by themselves.
        let files = files
        try readAll(files)
        let marks = marks(count + Self.warming)
        let warming = marks.suffix(min(Self.warming, marks.count / 2))
        let archive = try opened(warming)
        let often = histories(of: Array(marks.dropLast(warming.count).prefix(count)))
        try measure("history of a mark, drawn as often as it is seen", often, archive)
        let alike = try marksAlike(count)
        let other = try opened(warming.filter { !alike.contains($0) })
        try measure("history of a mark, each drawn alike", histories(of: alike), other)
        try measure("one ? in a mark", (0..<max(1, count / 20)).map { _ in guess() }, archive)
        try measure("a site's hour", (0..<max(1, count / 10)).map { _ in hour() }, archive)
        for isRead in [true, false] {
            try measure(
                "history of a mark, nothing open\(isRead ? "" : " and nothing in the system's memory")",
                histories(of: self.marks(max(1, count / 10))),
                nil,
                before: isRead ? {} : { for path in files { try DataFile(path, .read).forget() } }
            )
        }
        try readAll(files)
    }

    /// At most so many searches before those that are timed, for other marks: files are open by then.
    private static let warming = 30

    /// A search as a process has it that is asked all day.
    private func opened(_ marks: some Sequence<VRM>) throws -> ArchiveSearch {
        let archive = ArchiveSearch(data: folder)
        for vrm in marks { _ = try archive.run(Self.history(of: vrm)) }
        return archive
    }

    /// Marks, none twice, that are each as likely as it is seen often: fewer where there are no more.
    private mutating func marks(_ count: Int) -> [VRM] {
        var marks: [VRM] = []
        var known: Set<VRM> = []
        for _ in 0..<20 * count where marks.count < count {
            let vrm = random.one(of: drawn).vrm
            if known.insert(vrm).inserted { marks.append(vrm) }
        }
        return marks
    }

    /// Marks, none twice, of which each with ten sightings or more is as likely as any other, and the few with fewer less so.
    ///
    /// Of sightings drawn at random half are of the few vehicles that make half of all journeys.
    private mutating func marksAlike(_ count: Int) throws -> [VRM] {
        let archive = ArchiveSearch(data: folder)
        var marks: [VRM] = []
        var known: Set<VRM> = []
        for _ in 0..<100 * count where marks.count < count {
            let vrm = random.one(of: drawn).vrm
            let found = try archive.run(Self.history(of: vrm)).batch.count
            if random.below(max(found, 10)) < 10, known.insert(vrm).inserted { marks.append(vrm) }
        }
        return marks
    }

    private func histories(of marks: [VRM]) -> [SightingQuery] { marks.map(Self.history) }

    private static func history(of vrm: VRM) -> SightingQuery {
        query { $0.mark = MarkPattern(vrm.text) }
    }

    /// For a mark with one character to guess.
    private mutating func guess() -> SightingQuery {
        var characters = Array(random.one(of: drawn).vrm.text)
        characters[random.below(characters.count)] = "?"
        return Self.query { $0.mark = MarkPattern(String(characters)) }
    }

    /// For all sightings of a site in an hour.
    private mutating func hour() -> SightingQuery {
        let one = random.one(of: drawn)
        return Self.query {
            $0.sites = [one.site]
            $0.from = Timestamp(milliseconds: one.first.milliseconds - 1_800_000)
            $0.to = Timestamp(milliseconds: one.first.milliseconds + 1_800_000)
        }
    }

    /// Has the system keep files in memory.
    private func readAll(_ files: [String]) throws {
        for path in files { _ = try DataFile(path, .read).contents() }
    }

    /// Looks for who travels with the vehicle that has the nearest to 500 sightings of those drawn.
    mutating func convoy() throws {
        let archive = ArchiveSearch(data: folder)
        let histories = try Dictionary(grouping: drawn.prefix(400), by: \.vrm).keys.sorted().map { vrm in
            try archive.run(Self.history(of: vrm))
        }
        let vehicle = histories.min { abs($0.batch.count - 500) < abs($1.batch.count - 500) }
        guard let vehicle else { return }
        let days = Set(vehicle.batch.sightings.map(\.first.day)).count
        var near = 0
        var times: [Double] = []
        for _ in 0..<3 {
            let took = try ContinuousClock().measure {
                near = try Convoy(with: vehicle) { try archive.run($0) }.neighbours
            }
            times.append(Self.seconds(took))
        }
        times.sort()
        text += """
            convoy of a mark with \(vehicle.batch.count) sightings on \(days) days, 3 times: \
            \(String(format: "%.2f", times[1])) s, \(NumberText.grouped(near)) marks near

            """
    }

    /// Lets a whole day go, if there are others: the oldest that ends with its last sighting.
    ///
    /// Where one goes on beyond midnight, some of the next day are as old, and that day is rewritten.
    mutating func drop() throws {
        let days = Dictionary(grouping: try catalogue.snapshot().segments, by: \.day)
        let rows = days.mapValues { $0.reduce(0) { $0 + $1.rows } }
        // Clocks that are behind give the day before the first a few sightings.
        let whole = days.keys.filter { rows[$0] ?? 0 > (rows.values.max() ?? 0) / 2 }
        let ending = whole.filter { day in days[day]?.allSatisfy { $0.last.day == day } ?? false }
        guard let day = ending.min(), day != whole.max() else { return }
        let policy = RetentionPolicy([RetentionRule(text: "the oldest", keep: .span(0))])
        let retention = Retention(archiver: archiver, catalogue: catalogue, policy: policy)
        _ = try retention.apply(now: Timestamp(milliseconds: Int64(day) * 86_400_000))
        let last = try catalogue.snapshot().segments.filter { $0.day == day }.map(\.last).max()
        let now = Timestamp(milliseconds: (last?.milliseconds ?? 0) + 1)
        var gone = 0
        let took = try ContinuousClock().measure { gone = try retention.apply(now: now)[0].sightings }
        text += """
            a day, \(NumberText.grouped(gone)) sightings, dropped in \
            \(String(format: "%.2f", Self.seconds(took) * 1000)) ms

            """
    }

    private static func query(_ change: (inout SightingQuery) -> Void) -> SightingQuery {
        var query = SightingQuery()
        change(&query)
        return query
    }

    /// Asks for each, then for each again, as what was read and unpacked is kept for who does.
    ///
    /// - Parameter archive: without one each is asked of one that has nothing open.
    private mutating func measure(
        _ name: String,
        _ queries: [SightingQuery],
        _ archive: ArchiveSearch?,
        before prepare: () throws -> Void = {}
    ) throws {
        var found = 0
        let times = try queries.map { query in
            try prepare()
            return try ContinuousClock().measure {
                found += try (archive ?? ArchiveSearch(data: folder)).run(query).batch.count
            }
        }
        text += "\(name), \(queries.count) searches: \(Self.half(times))"
        if let archive, queries.allSatisfy({ $0.mark?.exact != nil }) {
            let again = try queries.map { query in
                try ContinuousClock().measure { _ = try archive.run(query) }
            }
            text += ", asked again \(Self.half(again))"
        }
        text += ", \(found / max(1, queries.count)) sightings on average\n"
    }

    /// The median and the 99th percentile.
    private static func half(_ times: [Duration]) -> String {
        guard !times.isEmpty else { return "none" }
        let sorted = times.map { seconds($0) * 1000 }.sorted()
        return String(
            format: "p50 %.2f ms, p99 %.2f ms",
            sorted[sorted.count / 2],
            sorted[sorted.count * 99 / 100]
        )
    }

    private static func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    }
}
