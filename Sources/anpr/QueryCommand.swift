import ANPRModel
import Access
import Archive
import ArgumentParser
import Foundation

/// `anpr query`: plate history, with a reason or not at all.
struct QueryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query",
        abstract:
            "Find sightings. Who asked, why, what and how much was found is logged before anything is shown.",
        discussion: """
            In a mark, ? stands for one character and * for any number. With --fuzzy also marks are found that a \
            camera takes for it: 0ODQ, 1IL, 2Z, 5S, 6G and 8B for one another, and one character more or less at \
            either edge. Those are approximate (~). --summary vrm shows which marks that admits, and how often they \
            were seen, without any sighting.
            """
    )

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table, ndjson, csv
    }

    enum Summary: String, ExpressibleByArgument, CaseIterable {
        case vrm, site, day, weekday, hour, force

        var subject: SightingSummary.Subject {
            switch self {
            case .vrm: .vrm
            case .site: .site
            case .day: .day
            case .weekday: .weekday
            case .hour: .hour
            case .force: .force
            }
        }
    }

    @Argument(help: "The mark, or a pattern.")
    var vrm: String?

    @Option(help: "Only sightings that end at or after this time (RFC 3339, or a date).")
    var from: MomentArgument?

    @Option(help: "Only sightings that begin at or before this time (RFC 3339, or a date).")
    var to: MomentArgument?

    @Flag(help: "Find also marks that look like this one. They are told apart (~).")
    var fuzzy = false

    @Option(help: "Only this site; may be given several times.")
    var site: [String] = []

    @Option(help: "Only sightings that this camera contributed to.")
    var camera: String?

    @Option(help: "Only sightings that this force contributed to, by code.")
    var force: String?

    @Option(help: "Only near a place: LATITUDE,LONGITUDE,METRES.")
    var near: String?

    @Option(help: "Only inside an area: its corners, as 'LATITUDE,LONGITUDE LATITUDE,LONGITUDE …'.")
    var within: String?

    @Option(help: "Only sightings whose best read has this confidence at least (0-100), or none told.")
    var confidence: Int?

    @Option(help: "Show no more than the newest so many.")
    var limit: Int?

    @Option(
        help:
            "Count instead of showing: by vrm, site, day, weekday, hour or force, with when each was seen first and last."
    )
    var summary: Summary?

    @OptionGroup var why: ReasonOptions

    @Option(help: "How to write what is found.")
    var format: Format = .table

    @OptionGroup var node: DataOption

    func run() throws {
        let query = try query()
        let folder = try node.folder()
        let request = request(of: folder)
        try request.demandReason()
        let found = try ArchiveSearch(data: folder).run(query)
        // Logged and on disk first: if this fails, nothing is shown.
        try request.note(found.batch.count)
        if let summary {
            try Console.output(
                SummaryText(SightingSummary(of: found, by: summary.subject), summary.subject).text(format)
            )
        } else {
            try show(found.newest(limit ?? found.batch.count))
        }
        if !found.approximate.isEmpty {
            let count = NumberText.grouped(found.approximate.count)
            let why = fuzzy ? "which looks like this one or was probably read of" : "probably of"
            Console.note("\(count) of them (~) were read under another mark, \(why) the same vehicle.")
        }
        Console.note(
            "\(NumberText.grouped(found.batch.count)) sightings, newest first. This search was logged."
        )
        if summary == nil, let limit, limit < found.batch.count {
            Console.note("Only the newest \(NumberText.grouped(limit)) are shown.")
        }
    }

    private func show(_ found: ResolvedSightings) throws {
        switch format {
        case .table: try Console.output(SightingTable.text(found))
        case .ndjson: try ndjson(found)
        case .csv: try Console.output(SightingTable.csv(found))
        }
    }

    private func mark(_ text: String) throws -> MarkPattern {
        if fuzzy {
            guard let mark = VRM(normalising: text) else {
                throw ValidationError("--fuzzy takes a whole mark: 1 to 12 of A-Z and 0-9.")
            }
            return MarkPattern(alike: mark)
        }
        guard let mark = MarkPattern(text) else {
            throw ValidationError("The mark takes 1 to 12 of A-Z and 0-9, with ? and *.")
        }
        return mark
    }

    private func query() throws -> SightingQuery {
        var query = SightingQuery()
        if fuzzy, vrm == nil { throw ValidationError("--fuzzy needs a mark.") }
        query.mark = try vrm.map(mark)
        query.from = from?.time
        query.to = to?.time
        query.sites = site
        query.camera = camera
        query.force = force
        if let near {
            let numbers = near.split(separator: ",").compactMap { Double($0) }
            guard numbers.count == 3, abs(numbers[0]) <= 90, abs(numbers[1]) <= 180, numbers[2] >= 0 else {
                throw ValidationError("--near takes LATITUDE,LONGITUDE,METRES, such as 51.5,-1.1,500.")
            }
            query.near = .init(latitude: numbers[0], longitude: numbers[1], radius: numbers[2])
        }
        if let within {
            guard let area = SightingQuery.Polygon(within) else {
                throw ValidationError(
                    "--within takes three corners at least, such as '51.5,-1.2 51.6,-1.2 51.6,-1.1'."
                )
            }
            query.within = area
        }
        guard query != SightingQuery() else {
            throw ValidationError(
                "Say what to look for: a mark, a time, a site, a camera, a force or a place."
            )
        }
        if let confidence, !(0...100).contains(confidence) {
            throw ValidationError("--confidence is from 0 to 100.")
        }
        if let limit, limit < 1 { throw ValidationError("--limit is 1 at least.") }
        query.confidence = confidence
        return query
    }

    private func request(of folder: String) -> LoggedRequest {
        var request: [String: String] = [:]
        request["vrm"] = vrm
        request["from"] = from?.text
        request["to"] = to?.text
        request["site"] = site.isEmpty ? nil : site.joined(separator: " ")
        request["fuzzy"] = fuzzy ? "yes" : nil
        request["within"] = within
        request["confidence"] = confidence.map { String($0) }
        request["summary"] = summary?.rawValue
        request["camera"] = camera
        request["force"] = force
        request["near"] = near
        return LoggedRequest(data: folder, action: .search, why: why, request: request)
    }

    private func ndjson(_ found: ResolvedSightings) throws {
        var writer = SightingNDJSON(register: found.register)
        var text = ByteWriter()
        for index in 0..<found.batch.count {
            let isApproximate = found.approximate.contains(index)
            writer.append(index, of: found.batch, isApproximate: isApproximate, to: &text)
            if text.count > 60_000 { try unsafe text.drain(Console.writeOutput) }
        }
        try unsafe text.drain(Console.writeOutput)
    }
}

/// What was counted, in writing.
struct SummaryText {
    private let summary: SightingSummary
    private let subject: SightingSummary.Subject

    init(_ summary: SightingSummary, _ subject: SightingSummary.Subject) {
        (self.summary, self.subject) = (summary, subject)
    }

    func text(_ format: QueryCommand.Format) -> String {
        switch format {
        case .table: table
        case .ndjson: lines
        case .csv: csv
        }
    }

    private var table: String {
        if summary.groups.isEmpty { return "" }
        let rows =
            [[subject.rawValue, "sightings", "first (UTC)", "last (UTC)"]]
            + summary.groups.map { group in
                [
                    (group.isApproximate ? "~" : "") + group.value, NumberText.grouped(group.sightings),
                    TimestampWriter.text(group.first), TimestampWriter.text(group.last),
                ]
            }
        return TextTable.text(rows)
    }

    private var csv: String {
        "\(subject.rawValue),sightings,first,last,approximate\n"
            + summary.groups.map { group in
                "\(SightingTable.quoted(group.value)),\(group.sightings),\(TimestampWriter.text(group.first)),"
                    + "\(TimestampWriter.text(group.last)),\(group.isApproximate ? "yes" : "")\n"
            }.joined()
    }

    private var lines: String {
        summary.groups.map { group in
            "{\"\(subject.rawValue)\":\(JSONText.quoted(group.value)),\"sightings\":\(group.sightings),"
                + "\"first\":\"\(TimestampWriter.text(group.first))\",\"last\":\"\(TimestampWriter.text(group.last))\""
                + (group.isApproximate ? ",\"approximate\":true" : "") + "}\n"
        }.joined()
    }
}
