package import ANPRModel
import Archive
package import Interest

/// Holds an archive against lists of vehicles of interest.
package struct LookBackSearch {
    private let data: String
    private let index: InterestIndex

    private static let day: Int64 = 86_400_000

    /// A search of a data folder.
    package init(data: String, index: InterestIndex) {
        self.data = data
        self.index = index
    }

    /// The alerts that would have been raised for sightings whose best read lies in a span, newest first.
    ///
    /// An entry past its weed date when the vehicle was seen gives none.
    ///
    /// - Complexity: reads all that the archive has of the span, a day at a time.
    package func run(from: Timestamp, to: Timestamp, now: Timestamp) throws -> [Alert] {
        var alerts: [Alert] = []
        let search = ArchiveSearch(data: data)
        guard let earliest = try search.earliest() else { return [] }
        var end = to
        while end >= max(from, earliest) {
            let start = max(from, Timestamp(milliseconds: Int64(end.day) * Self.day))
            alerts += try day(search, from: start, to: end, now: now)
            end = Timestamp(milliseconds: start.milliseconds - 1)
        }
        return alerts
    }

    private func day(_ search: ArchiveSearch, from: Timestamp, to: Timestamp, now: Timestamp) throws
        -> [Alert]
    {
        var query = SightingQuery()
        query.from = from
        query.to = to
        let found = try search.run(query)
        var alerts: [Alert] = []
        for sighting in found.batch.sightings where sighting.captured >= from && sighting.captured <= to {
            for hit in index.hits(sighting.vrm, at: sighting.captured) {
                alerts.append(
                    Alert(
                        hit,
                        of: index,
                        sighting: sighting,
                        by: found.register.cameras[Int(sighting.camera)],
                        raised: now,
                        origin: .lookBack
                    )
                )
            }
        }
        return alerts
    }
}
