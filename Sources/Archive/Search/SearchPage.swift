import ANPRModel

/// A piece of the answer to a query.
public struct SearchPage: Sendable {
    /// The sightings, in the order of the answer.
    public let found: ResolvedSightings
    /// Where it goes on; `nil` where nothing comes behind.
    public let next: SearchCursor?
    /// How many sightings the answer has from the beginning of this piece on.
    public let remaining: Int
}

extension ArchiveSearch {
    /// The newest sightings that match, or those that come behind a place in the answer.
    ///
    /// - Parameters:
    ///   - cursor: the place; by default the beginning.
    ///   - count: no more than so many.
    /// - Throws: `SearchCursor.Refusal` for a cursor of another query; else as `run` does.
    /// - Complexity: a search of all from the place on, whatever `count` is.
    public func page(_ query: SightingQuery, behind cursor: SearchCursor? = nil, count: Int? = nil) throws
        -> SearchPage
    {
        try cursor?.demand(of: query)
        let found = try run(cursor?.narrowed(query) ?? query)
        let rows = 0..<found.batch.count
        let start = cursor.map { cursor in rows.first(from: { cursor.isBefore($0, of: found) }) } ?? 0
        let end = start + min(rows.upperBound - start, max(0, count ?? rows.count))
        let isLast = end == rows.upperBound || end == start
        return SearchPage(
            found: found.part(start..<end),
            next: isLast ? nil : SearchCursor(behind: end - 1, of: found, query),
            remaining: rows.upperBound - start
        )
    }
}
