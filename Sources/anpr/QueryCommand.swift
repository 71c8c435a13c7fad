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
        discussion: "In a mark, ? stands for one character and * for any number."
    )

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table, ndjson, csv
    }

    @Argument(help: "The mark, or a pattern.")
    var vrm: String?

    @Option(help: "Only sightings that end at or after this time (RFC 3339, or a date).")
    var from: MomentArgument?

    @Option(help: "Only sightings that begin at or before this time (RFC 3339, or a date).")
    var to: MomentArgument?

    @Option(help: "Only this site.")
    var site: String?

    @Option(help: "Only sightings that this camera contributed to.")
    var camera: String?

    @Option(help: "Only sightings that this force contributed to, by code.")
    var force: String?

    @Option(help: "Only near a place: LATITUDE,LONGITUDE,METRES.")
    var near: String?

    @OptionGroup var why: ReasonOptions

    @Option(help: "How to write what is found.")
    var format: Format = .table

    @OptionGroup var node: DataOption

    func run() throws {
        let query = try query()
        let folder = try node.folder()
        let log = Operator.audit(folder)
        guard why.isEnough else {
            try log.append(record(count: 0, .refused))
            Console.note("Refused: --reason says nothing. The attempt was logged.")
            throw ExitCode.failure
        }
        let found = try ArchiveSearch(data: folder).run(query)
        // Logged and on disk first: if this fails, nothing is shown.
        try log.append(record(count: found.batch.count, .allowed))
        switch format {
        case .table: try Console.output(SightingTable.text(found))
        case .ndjson: try ndjson(found)
        case .csv: try Console.output(SightingTable.csv(found))
        }
        if !found.approximate.isEmpty {
            let count = NumberText.grouped(found.approximate.count)
            Console.note("\(count) of them (~) were read under another mark, probably of the same vehicle.")
        }
        Console.note(
            "\(NumberText.grouped(found.batch.count)) sightings, newest first. This search was logged."
        )
    }

    private func query() throws -> SightingQuery {
        var query = SightingQuery()
        if let vrm {
            guard let mark = MarkPattern(vrm) else {
                throw ValidationError("The mark takes 1 to 12 of A-Z and 0-9, with ? and *.")
            }
            query.mark = mark
        }
        query.from = from?.time
        query.to = to?.time
        query.site = site
        query.camera = camera
        query.force = force
        if let near {
            let numbers = near.split(separator: ",").compactMap { Double($0) }
            guard numbers.count == 3, abs(numbers[0]) <= 90, abs(numbers[1]) <= 180, numbers[2] >= 0 else {
                throw ValidationError("--near takes LATITUDE,LONGITUDE,METRES, such as 51.5,-1.1,500.")
            }
            query.near = .init(latitude: numbers[0], longitude: numbers[1], radius: numbers[2])
        }
        guard query != SightingQuery() else {
            throw ValidationError(
                "Say what to look for: a mark, a time, a site, a camera, a force or a place."
            )
        }
        return query
    }

    private func record(count: Int, _ outcome: AuditRecord.Outcome) -> AuditRecord {
        var request: [String: String] = [:]
        request["vrm"] = vrm
        request["from"] = from.map { TimestampWriter.text($0.time) }
        request["to"] = to.map { TimestampWriter.text($0.time) }
        request["site"] = site
        request["camera"] = camera
        request["force"] = force
        request["near"] = near
        return AuditRecord(
            at: TimestampWriter.text(Operator.now),
            actor: Operator.name,
            action: .search,
            reason: why.reason,
            category: why.category,
            reference: why.reference,
            request: request,
            count: count,
            outcome: outcome
        )
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
