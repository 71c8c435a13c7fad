import ANPRModel
import Access
import Archive
import ArgumentParser
import Foundation

/// `anpr convoy`: who travels with a vehicle.
struct ConvoyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convoy",
        abstract:
            "Which other marks travel with this one, more often than traffic explains. Logged as a search.",
        discussion: """
            Two are together where both pass a site within --window of each other. What counts is on how many journeys \
            they were: vehicles that traffic holds together are so on one. Beside that stands on how many they would have \
            been by chance, from the other's own passages of the same sites at the same time of day, and how unlikely so \
            many are (3 is one in a thousand). That is of one mark; of all that there are some come together by chance, which \
            how many were near on one journey, on two and so on shows.
            """
    )

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table, ndjson
    }

    @Argument(help: "The mark, whole.")
    var vrm: String

    @Option(help: "Only sightings that end at or after this time (RFC 3339, or a date).")
    var from: MomentArgument?

    @Option(help: "Only sightings that begin at or before this time (RFC 3339, or a date).")
    var to: MomentArgument?

    @Option(help: "How far apart they may pass a site, before or behind; up to 1h.")
    var window = DurationArgument(milliseconds: Convoy.Rules().window)

    @Option(help: "The fewest passages together.")
    var passages: Int = Convoy.Rules().passagesMin

    @Option(help: "The fewest journeys together.")
    var journeys: Int = Convoy.Rules().journeysMin

    @Option(help: "After so long without a sighting another journey begins.")
    var stop: DurationArgument?

    @OptionGroup var why: ReasonOptions

    @Option(help: "How to write what is found.")
    var format: Format = .table

    @OptionGroup var node: DataOption

    func run() throws {
        guard let mark = VRM(normalising: vrm) else {
            throw ValidationError("The mark takes 1 to 12 of A-Z and 0-9.")
        }
        let rules = try rules()
        let folder = try node.folder()
        let request = request(of: folder)
        try request.demandReason()
        let search = ArchiveSearch(data: folder)
        var query = SightingQuery()
        query.mark = MarkPattern(mark.text)
        query.from = from?.time
        query.to = to?.time
        let convoy = try Convoy(with: try search.run(query), rules) { try search.run($0) }
        // Logged and on disk first: if this fails, nothing is shown.
        try request.note(convoy.companions.count)
        switch format {
        case .table: try Console.output(ConvoyText.table(convoy))
        case .ndjson: try Console.output(convoy.companions.map(ConvoyText.line).joined())
        }
        Console.note(
            "\(convoy.passages) passages on \(convoy.journeys) journeys, with "
                + "\(NumberText.grouped(convoy.neighbours)) other marks near. This search was logged."
        )
        if convoy.leftOut > 0 {
            Console.note(
                "\(NumberText.grouped(convoy.leftOut)) more had enough together, and fewer passages than these; "
                    + "--passages or --journeys asks for more."
            )
        }
        if convoy.companions.contains(where: \.looksAlike) {
            Console.note("Marks that look like this one (~) may be the same vehicle, misread.")
        }
        if convoy.neighbours > 0 {
            let counts = convoy.neighboursByJourneys.enumerated().map {
                "\($0 + 1): \(NumberText.grouped($1))"
            }
            Console.note("How many were near on so many journeys: \(counts.joined(separator: ", ")).")
        }
    }

    private func rules() throws -> Convoy.Rules {
        guard (1...3_600_000).contains(window.milliseconds) else {
            throw ValidationError("--window takes up to 1h.")
        }
        guard passages >= 1, journeys >= 1 else {
            throw ValidationError("--passages and --journeys are 1 at least.")
        }
        var rules = Convoy.Rules()
        rules.window = window.milliseconds
        rules.passagesMin = passages
        rules.journeysMin = journeys
        rules.stop = stop?.milliseconds ?? rules.stop
        return rules
    }

    private func request(of folder: String) -> LoggedRequest {
        var request = ["vrm": vrm, "analysis": "convoy", "window": "\(window.milliseconds) ms"]
        request["from"] = from?.text
        request["to"] = to?.text
        request["passages"] = String(passages)
        request["journeys"] = String(journeys)
        return LoggedRequest(data: folder, action: .search, why: why, request: request)
    }
}

/// Companions in writing.
enum ConvoyText {
    /// For people.
    static func table(_ convoy: Convoy) -> String {
        let titles = ["mark", "journeys", "by chance", "unlikely", "passages", "own", "first", "last"]
        let rows = convoy.companions.map { other in
            [
                (other.looksAlike ? "~" : "") + other.vrm.text, "\(other.journeys) of \(convoy.journeys)",
                decimal(other.expected, 3),
                decimal(other.surprise), String(other.passages), String(other.own), stamp(other.first),
                stamp(other.last),
            ]
        }
        return rows.isEmpty ? "" : TextTable.text([titles] + rows)
    }

    /// For machines: a JSON object and a line feed.
    static func line(_ other: Convoy.Companion) -> String {
        "{\"vrm\":\"\(other.vrm.text)\",\"journeys\":\(other.journeys),\"expected\":\(other.expected),"
            + "\"surprise\":\(other.surprise),\"passages\":\(other.passages),\"own\":\(other.own),"
            + (other.looksAlike ? "\"looksAlike\":true," : "")
            + "\"first\":\"\(TimestampWriter.text(other.first))\",\"last\":\"\(TimestampWriter.text(other.last))\"}\n"
    }

    static func decimal(_ value: Double, _ places: Int = 1) -> String {
        String(format: "%.\(places)f", value)
    }

    private static func stamp(_ time: Timestamp) -> String {
        TimestampWriter.text(time).replacing("T", with: " ").replacing("Z", with: "")
    }
}
