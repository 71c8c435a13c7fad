import ANPRModel
import Access
import Archive
import ArgumentParser

/// `anpr pattern`: what is usual of a vehicle, and what of late was otherwise.
struct PatternCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pattern",
        abstract:
            "Where a mark stands, when it usually is where, and what of late is out of that. Logged as a search.",
        discussion: """
            Times of day and days of the week are UTC. A usual time is the middle one around the clock; half of the \
            sightings are as near to it as stands behind ±.

            What is out of the usual is held against the days before --recent: on how many of the same days of the week it \
            was there within an hour of that time (few: it is listed), on how many of all days, and on how many it was there \
            at all. The score adds up what of the three speaks against it, 3 being a site where it never was. Missed is \
            what was so on four of five such days or more.
            """
    )

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table, ndjson, csv
    }

    @Argument(help: "The mark, whole.")
    var vrm: String

    @Option(help: "Only sightings that end at or after this time (RFC 3339, or a date).")
    var from: MomentArgument?

    @Option(help: "Only sightings that begin at or before this time (RFC 3339, or a date). By default now.")
    var to: MomentArgument?

    @Option(help: "How many days at the end are held against those before.")
    var recent: Int = UsualPattern.Rules().recentDays

    @Option(help: "After so long without a sighting it stood.")
    var stop: DurationArgument?

    @Option(help: "In a table only what was usual on at least so many days.")
    var days: Int = 2

    @OptionGroup var why: ReasonOptions

    @Option(help: "How to write what is found.")
    var format: Format = .table

    @OptionGroup var node: DataOption

    func run() throws {
        guard let mark = VRM(normalising: vrm) else {
            throw ValidationError("The mark takes 1 to 12 of A-Z and 0-9.")
        }
        guard (0...366).contains(recent) else { throw ValidationError("--recent is from 0 to 366 days.") }
        let folder = try node.folder()
        let request = request(of: folder)
        try request.demandReason()
        var query = SightingQuery()
        query.mark = MarkPattern(mark.text)
        query.from = from?.time
        query.to = to?.time
        let found = try ArchiveSearch(data: folder).run(query)
        let now = Operator.now
        // Logged and on disk first: if this fails, nothing is shown.
        try request.note(found.batch.count, at: now)
        var rules = UsualPattern.Rules()
        rules.recentDays = recent
        rules.stop = stop?.milliseconds ?? rules.stop
        let pattern = UsualPattern(of: found, from: from?.time, until: to?.time ?? now, rules)
        let text = PatternText(pattern)
        switch format {
        case .table: try Console.output(text.tables(daysMin: days))
        case .ndjson: try Console.output(text.lines)
        case .csv: try Console.output(text.csv)
        }
        Console.note(
            "\(NumberText.grouped(pattern.sightings)) sightings on \(pattern.days.count) days, of which "
                + "\(pattern.learned.count) say what is usual. This search was logged."
        )
        if pattern.unjudged > 0 {
            Console.note(
                "Of \(pattern.unjudged) nothing is said: there are fewer than \(rules.daysMin) such days before."
            )
        }
    }

    private func request(of folder: String) -> LoggedRequest {
        var request = ["vrm": vrm, "analysis": "pattern", "recent": String(recent)]
        request["from"] = from?.text
        request["to"] = to?.text
        return LoggedRequest(data: folder, action: .search, why: why, request: request)
    }
}
