import ANPRModel
import Access
import Archive
import ArgumentParser

/// `anpr common`: which marks were at several places.
struct CommonCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "common",
        abstract: "Which marks were seen at several places, each within its own time. Logged as a search.",
        discussion:
            "A place is SITE@FROM/TO, such as --at S12@2026-01-05T09:50:00Z/2026-01-05T10:20:00Z; two at least."
    )

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table, ndjson
    }

    /// A site and a time.
    struct Place: ExpressibleByArgument {
        let text: String
        let query: SightingQuery

        init?(argument: String) {
            // A site's name may have anything in it; times have no @.
            guard let at = argument.lastIndex(of: "@"), at > argument.startIndex else { return nil }
            let times = argument[argument.index(after: at)...].split(separator: "/").map(String.init)
                .compactMap(MomentArgument.init)
            guard times.count == 2, times[0].time <= times[1].time else { return nil }
            var query = SightingQuery()
            query.sites = [String(argument[..<at])]
            (query.from, query.to) = (times[0].time, times[1].time)
            self.query = query
            text = argument
        }
    }

    @Option(help: "A place and a time: SITE@FROM/TO; given for each.")
    var at: [Place]

    @Option(help: "At how many of them a mark must have been. By default at all.")
    var places: Int?

    @OptionGroup var why: ReasonOptions

    @Option(help: "How to write what is found.")
    var format: Format = .table

    @OptionGroup var node: DataOption

    func validate() throws {
        guard at.count >= 2 else { throw ValidationError("--at is given twice at least.") }
        if let places, !(2...at.count).contains(places) {
            throw ValidationError("--places is from 2 to as many as there are.")
        }
    }

    func run() throws {
        let folder = try node.folder()
        var asked = ["analysis": "common", "at": at.map(\.text).joined(separator: " ")]
        asked["places"] = places.map { String($0) }
        let request = LoggedRequest(data: folder, action: .search, why: why, request: asked)
        try request.demandReason()
        let search = ArchiveSearch(data: folder)
        let common = try CommonVehicles(at: at.map(\.query), placesMin: places) { try search.run($0) }
        // Logged and on disk first: if this fails, nothing is shown.
        try request.note(common.vehicles.count)
        switch format {
        case .table: try Console.output(table(common.vehicles))
        case .ndjson: try Console.output(common.vehicles.map(line).joined())
        }
        Console.note(
            "\(NumberText.grouped(common.vehicles.count)) marks, of \(NumberText.grouped(common.sightings)) sightings at "
                + "\(at.count) places. This search was logged."
        )
    }

    /// The places' numbers, from 1 on as they were given.
    private func numbers(_ vehicle: CommonVehicles.Vehicle, _ separator: String) -> String {
        vehicle.places.sorted().map { String($0 + 1) }.joined(separator: separator)
    }

    private func table(_ vehicles: [CommonVehicles.Vehicle]) -> String {
        let rows = vehicles.map { vehicle in
            [
                vehicle.vrm.text, numbers(vehicle, " "), String(vehicle.sightings),
                TimestampWriter.text(vehicle.first), TimestampWriter.text(vehicle.last),
            ]
        }
        if rows.isEmpty { return "" }
        return TextTable.text([["mark", "places", "sightings", "first", "last"]] + rows)
    }

    private func line(_ vehicle: CommonVehicles.Vehicle) -> String {
        "{\"vrm\":\"\(vehicle.vrm.text)\",\"places\":[\(numbers(vehicle, ","))],\"sightings\":\(vehicle.sightings),"
            + "\"first\":\"\(TimestampWriter.text(vehicle.first))\",\"last\":\"\(TimestampWriter.text(vehicle.last))\"}\n"
    }
}
