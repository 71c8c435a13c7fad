import ANPRModel
import Access
import Archive
import ArgumentParser

/// `anpr journeys`: the ways of one vehicle.
struct JourneysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "journeys",
        abstract:
            "A mark's journeys with the speeds they imply, and legs too fast for one vehicle. Logged as a search.",
        discussion: """
            Distances are straight lines between cameras, so speeds are the least that were driven. A leg is too fast (!) \
            when it took less than 85 % of the best time, by --best-speed and with 5 s for clocks: the mark may be on two \
            vehicles, or was read wrongly.
            """
    )

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, ndjson
    }

    @Argument(help: "The mark, whole.")
    var vrm: String

    @Option(help: "Only sightings that end at or after this time (RFC 3339, or a date).")
    var from: MomentArgument?

    @Option(help: "Only sightings that begin at or before this time (RFC 3339, or a date).")
    var to: MomentArgument?

    @Option(help: "After so long without a sighting another journey begins.")
    var stop: DurationArgument?

    @Option(help: "The best speed on any way, in km/h of straight line.")
    var bestSpeed: Double = 130

    @Flag(help: "Show only legs that are too fast for one vehicle.")
    var tooFast = false

    @OptionGroup var why: ReasonOptions

    @Option(help: "How to write what is found.")
    var format: Format = .text

    @OptionGroup var node: DataOption

    func run() throws {
        guard let mark = VRM(normalising: vrm) else {
            throw ValidationError("The mark takes 1 to 12 of A-Z and 0-9.")
        }
        guard bestSpeed > 0 else { throw ValidationError("--best-speed is over 0.") }
        let folder = try node.folder()
        let request = request(of: folder)
        try request.demandReason()
        var query = SightingQuery()
        query.mark = MarkPattern(mark.text)
        query.from = from?.time
        query.to = to?.time
        let found = try ArchiveSearch(data: folder).run(query)
        // Logged and on disk first: if this fails, nothing is shown.
        try request.note(found.batch.count)
        var rules = Journeys.Rules()
        rules.bestSpeed = bestSpeed
        rules.stop = stop?.milliseconds ?? rules.stop
        let journeys = Journeys(of: found, rules)
        let text = JourneysText(journeys, found)
        switch format {
        case .text: try Console.output(tooFast ? text.legs(journeys.tooFast) : text.all)
        case .ndjson:
            try Console.output(text.lines(tooFast ? journeys.tooFast : journeys.journeys.flatMap(\.legs)))
        }
        let fast = journeys.tooFast.count
        if fast > 0 {
            Console.note(
                "\(fast) legs (!) are too fast for one vehicle: look at the images before anything is made of it."
            )
        }
        Console.note(
            "\(journeys.journeys.count) journeys of \(NumberText.grouped(found.batch.count)) sightings. This search was logged."
        )
    }

    private func request(of folder: String) -> LoggedRequest {
        var request = ["vrm": vrm, "analysis": "journeys"]
        request["from"] = from?.text
        request["to"] = to?.text
        return LoggedRequest(data: folder, action: .search, why: why, request: request)
    }
}

/// Journeys in writing.
struct JourneysText {
    private let journeys: Journeys
    private let found: ResolvedSightings

    init(_ journeys: Journeys, _ found: ResolvedSightings) {
        (self.journeys, self.found) = (journeys, found)
    }

    /// Each journey with its sightings, and how long it was between them.
    var all: String {
        var text = ""
        for (number, journey) in journeys.journeys.enumerated() {
            if number > 0 { text += "  \(Self.span(journeys.pauses[number - 1].took)) later\n" }
            text += "\(time(journey.rows[0])) \(site(journey.rows[0]))\n"
            text += legs(journey.legs)
        }
        return text
    }

    /// A line for each leg.
    func legs(_ legs: [Journeys.Leg]) -> String {
        legs.map { leg in
            let distance = leg.metres.map { Self.decimal($0 / 1000, 1) + " km" } ?? "?"
            let speed = leg.speed.map { Self.decimal($0, 0) + " km/h" } ?? "-"
            return "\(leg.isTooFast ? "!" : " ") \(time(leg.to)) \(site(leg.to))  "
                + "\(distance) from \(site(leg.from)) in \(Self.span(leg.took)), \(speed)\n"
        }.joined()
    }

    /// A JSON object for each leg.
    func lines(_ legs: [Journeys.Leg]) -> String {
        legs.map { leg in
            "{\"from\":\(JSONText.quoted(site(leg.from))),\"to\":\(JSONText.quoted(site(leg.to))),"
                + "\"departed\":\"\(stamp(leg.from))\",\"arrived\":\"\(stamp(leg.to))\",\"milliseconds\":\(leg.took)"
                + (leg.metres.map { ",\"metres\":\(Int($0.rounded()))" } ?? "")
                + (leg.speed.map { ",\"kilometresPerHour\":\(Self.decimal($0, 1))" } ?? "")
                + (leg.isTooFast ? ",\"tooFast\":true" : "") + "}\n"
        }.joined()
    }

    private func stamp(_ row: Int) -> String { TimestampWriter.text(found.batch.sightings[row].captured) }
    private func time(_ row: Int) -> String { stamp(row).replacing("T", with: " ").replacing("Z", with: "") }
    private func site(_ row: Int) -> String { found.register.siteName(of: found.batch.sightings[row].camera) }

    private static func span(_ milliseconds: Int64) -> String {
        let seconds = milliseconds / 1000
        if seconds < 60 { return "\(decimal(Double(milliseconds) / 1000, 1)) s" }
        if seconds < 3600 { return "\(seconds / 60) min \(seconds % 60) s" }
        return "\(seconds / 3600) h \(seconds / 60 % 60) min"
    }

    private static func decimal(_ value: Double, _ places: Int) -> String {
        let scale = places == 0 ? 1.0 : 10.0
        let whole = Int64((value * scale).rounded())
        return places == 0 ? "\(whole)" : "\(whole / 10).\(abs(whole % 10))"
    }
}
