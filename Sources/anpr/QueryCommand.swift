import ANPRModel
import Access
import Archive
import ArgumentParser
import Foundation
import Gateway
import SightingExport

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

            With - for the mark, marks are taken from standard input, one a line, and answered one after another by a \
            search that stays open; each is a search on record, and a line that is no mark is told by its number.
            """
    )

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table, ndjson, csv, parquet
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

    @Argument(help: "The mark, or a pattern; - for one after another from standard input.")
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

    @Option(help: "Go on where a page of the same query ended; as told there.")
    var cursor: String?

    @Option(
        help:
            "Count instead of showing: by vrm, site, day, weekday, hour or force, with when each was seen first and last."
    )
    var summary: Summary?

    @OptionGroup var why: ReasonOptions

    @Option(help: "How to write what is found.")
    var format: Format = .table

    @Option(help: "Write what is found to this file instead of standard output, replacing what it was.")
    var output: String?

    @Option(help: "Write the whole answer to this new folder, signed.")
    var evidence: String?

    @OptionGroup var node: DataOption

    func run() throws {
        try demandSense()
        if vrm == "-" { return try answerEach() }
        let query = try query(vrm)
        let place = try cursor.map { token in
            do {
                return try SearchCursor(token: token, of: query)
            } catch {
                throw ValidationError("--cursor: \(error).")
            }
        }
        let folder = try node.folder()
        let request = request(of: folder, vrm)
        try request.demandReason()
        // Who may not sign is told so before anything is searched.
        let key = try evidence.map { _ in try SigningKey.purges(of: folder) }
        let page = try ArchiveSearch(data: folder).page(
            query,
            behind: place,
            count: summary == nil ? limit : nil
        )
        let now = Operator.now
        // Logged and on disk first: if this fails, nothing is shown.
        let record = try request.note(page.found.batch.count, at: now)
        if let evidence, let key {
            let writing = EvidenceWriting(request: request, record: record, now: now, key: key)
            try writing.write(page.found, to: evidence)
        } else {
            try show(page.found)
        }
        tell(of: page)
    }

    /// Refuses options that don't go together.
    private func demandSense() throws {
        let isPart = limit != nil || cursor != nil
        if vrm == "-", cursor != nil || evidence != nil || format == .parquet {
            throw ValidationError(
                "Marks from standard input are answered as text, each from its newest sighting on."
            )
        }
        if let limit, limit < 1 { throw ValidationError("--limit is 1 at least.") }
        if summary != nil, cursor != nil || evidence != nil || format == .parquet {
            throw ValidationError("--summary counts the whole answer, as text.")
        }
        if let evidence {
            guard !isPart, output == nil, format == .table else {
                throw ValidationError(
                    "--evidence is of the whole answer in formats of its own: without --limit, --cursor, --output, --format."
                )
            }
            do {
                try EvidencePack.demandNew(evidence)
            } catch {
                throw ValidationError("--evidence: \(error).")
            }
        }
        if format == .parquet, output ?? "-" == "-", Console.outputIsTerminal {
            throw ValidationError("Parquet is not for a terminal: give --output FILE.")
        }
    }

    private func show(_ found: ResolvedSightings) throws {
        let sink = try OutputSink(output)
        try write(found, to: sink.write)
        try sink.finish()
    }

    /// Writes what was found, or its summary, in the format that was asked for.
    func write(_ found: ResolvedSightings, to sink: ([UInt8]) throws -> Void) throws {
        if let summary {
            let text = SummaryText(SightingSummary(of: found, by: summary.subject), summary.subject)
            try sink(Array(text.text(format).utf8))
        } else if let format = SightingFormat(rawValue: format.rawValue) {
            try format.write(found, to: sink)
        } else {
            try sink(Array(SightingTable.text(found).utf8))
        }
    }

    private func tell(of page: SearchPage) {
        if !page.found.approximate.isEmpty {
            let count = NumberText.grouped(page.found.approximate.count)
            let why = fuzzy ? "which looks like this one or was probably read of" : "probably of"
            Console.note("\(count) of them (~) were read under another mark, \(why) the same vehicle.")
        }
        let count = NumberText.grouped(page.found.batch.count)
        let place = cursor == nil ? "" : " behind the cursor"
        let more = page.next == nil ? "" : " There are more."
        Console.note("\(count) sightings\(place), newest first.\(more) This search was logged.")
        guard let next = page.next else { return }
        Console.note("Next: --cursor \(next.token)")
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

    /// What is asked for, of a mark if there is one.
    func query(_ vrm: String?) throws -> SightingQuery {
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
        query.confidence = confidence
        return query
    }

    /// What goes on record of a search for a mark if there is one.
    func request(of folder: String, _ vrm: String?) -> LoggedRequest {
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
        request["limit"] = limit.map { String($0) }
        request["cursor"] = cursor
        request["evidence"] = evidence
        return LoggedRequest(data: folder, action: .search, why: why, request: request)
    }
}
