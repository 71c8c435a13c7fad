import ANPRModel

/// A piece of the answer to a query.
public struct SearchPage: Sendable {
    /// The sightings, in the order of the answer.
    public let found: ResolvedSightings
    /// Where it goes on; `nil` where nothing comes behind.
    public let next: SearchCursor?
}

extension ArchiveSearch {
    /// The newest sightings that match, or those that come behind a place in the answer.
    ///
    /// - Parameters:
    ///   - cursor: the place; by default the beginning.
    ///   - count: no more than so many.
    /// - Throws: `SearchCursor.Refusal` for a cursor of another query; else as `run` does.
    /// - Complexity: of few marks, or without `count`, a search of all from the place on. Else further and further back until there
    ///   are enough, each time eight times as far, and each as the archive is then: memory for some eight times `count` where sightings are as many at all times.
    public func page(_ query: SightingQuery, behind cursor: SearchCursor? = nil, count: Int? = nil) throws
        -> SearchPage
    {
        try page(query, behind: cursor, count: count, first: 3_600_000)
    }

    /// - Parameter width: how far back is looked at first, in milliseconds.
    package func page(
        _ query: SightingQuery,
        behind cursor: SearchCursor?,
        count: Int?,
        first width: Int64
    ) throws -> SearchPage {
        try cursor?.demand(of: query)
        guard let count = count.map({ max(0, $0) }) else {
            return SearchPage(found: try behind(cursor, cursor?.narrowed(query) ?? query), next: nil)
        }
        let found = try newest(query, behind: cursor, moreThan: count, width)
        let isLast = found.batch.count <= count || count == 0
        return SearchPage(
            found: found.newest(count),
            next: isLast ? nil : SearchCursor(behind: count - 1, of: found, query)
        )
    }

    private func behind(_ cursor: SearchCursor?, _ query: SightingQuery) throws -> ResolvedSightings {
        let found = try run(query)
        guard let cursor else { return found }
        let rows = 0..<found.batch.count
        return found.part(rows.first(from: { cursor.isBefore($0, of: found) })..<rows.upperBound)
    }

    /// More than so many of the newest sightings behind a place, or all there are.
    private func newest(
        _ query: SightingQuery,
        behind cursor: SearchCursor?,
        moreThan count: Int,
        _ width: Int64
    ) throws -> ResolvedSightings {
        let narrowed = cursor?.narrowed(query) ?? query
        if query.mark?.isOfFew == true { return try behind(cursor, narrowed) }
        let top = [cursor?.captured, query.to].compactMap(\.self).min()
        var found = ResolvedSightings()
        var end: Timestamp?
        for begin in try begins(below: top, above: query.from, width) {
            let part = try behind(cursor, narrowed.around(begin, end))
            // In their order, so that those of this span stand together.
            let rows = 0..<part.batch.count
            let captured = part.batch.sightings.map(\.captured)
            let first = end.map { end in rows.first(from: { captured[$0] < end }) } ?? 0
            let last = begin.map { begin in rows.first(from: { captured[$0] < begin }) } ?? rows.upperBound
            found.append(part.part(first..<last))
            if found.batch.count > count { break }
            end = begin
        }
        return found
    }

    /// Moments further and further back, the last of them `nil`, for the very beginning.
    private func begins(below top: Timestamp?, above bottom: Timestamp?, _ width: Int64) throws
        -> [Timestamp?]
    {
        guard let held = try extent() else { return [nil] }
        let newest = min(max(top ?? held.upperBound, held.lowerBound), held.upperBound).milliseconds
        let oldest = max(bottom ?? held.lowerBound, held.lowerBound).milliseconds
        var begins: [Timestamp?] = []
        var width = width
        while newest - width > oldest {
            begins.append(Timestamp(milliseconds: newest - width))
            width *= 8
        }
        return begins + [nil]
    }
}

extension MarkPattern {
    /// Whether it matches so few marks that all their sightings can be held.
    fileprivate var isOfFew: Bool { exactKey != nil || keyList != nil || alike != nil }
}

extension SightingQuery {
    /// A query that finds all whose best read is of a span of time, and less else.
    ///
    /// What was read under another mark is found by the sighting that names it, which may lie so much further on or back as the
    /// two can last.
    fileprivate func around(_ begin: Timestamp?, _ end: Timestamp?) -> SightingQuery {
        let room = mark == nil ? 0 : SightingReach.unknown.before
        var part = self
        if let begin {
            part.from = max(from ?? .distantPast, Timestamp(milliseconds: begin.milliseconds - room))
        }
        if let end { part.to = min(to ?? .distantFuture, Timestamp(milliseconds: end.milliseconds + room)) }
        return part
    }
}
