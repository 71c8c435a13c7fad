public import ANPRModel
import SightingFrames

/// Answers searches from a data folder, while another process may be writing to it.
///
/// Amendments are applied on reading. What a writer replaces in the meantime is looked for again, so that an answer is
/// always of one moment of the catalogue.
public struct ArchiveSearch {
    private let folder: String
    /// An amendment moves a sighting's times by no more than its window: versions this near are read too.
    private static let margin: Int64 = 3_600_000
    private static let attemptsMax = 5

    /// A search over a data folder.
    public init(data folder: String) { self.folder = folder }

    /// All sightings that match, newest first.
    ///
    /// Of a mark also those, told apart as approximate, that were read under another one and are probably of the same
    /// vehicle: linked to one that matches, or with one merged into them.
    public func run(_ query: SightingQuery) throws -> ResolvedSightings {
        var attempt = 1
        while true {
            do {
                return try collect(query)
            } catch let error as StorageError where error.code == .system && attempt < Self.attemptsMax {
                // A file named a moment ago was replaced: look at the new catalogue.
                attempt += 1
            }
        }
    }

    /// The moment before which nothing was seen; `nil` when nothing was seen at all.
    public func earliest() throws -> Timestamp? {
        let snapshot = try Catalogue("\(folder)/catalogue.sqlite", isReadOnly: true).snapshot()
        var earliest = snapshot.segments.map(\.first).min()
        var reader = SightingLogReader("\(folder)/sightings", from: snapshot.archivedThrough)
        while let run = try reader.read() {
            for sighting in run.batch.sightings { earliest = min(earliest ?? sighting.first, sighting.first) }
        }
        return earliest
    }

    private func collect(_ query: SightingQuery) throws -> ResolvedSightings {
        let snapshot = try Catalogue("\(folder)/catalogue.sqlite", isReadOnly: true).snapshot()
        let found = try candidates(query, snapshot)
        var rows = (0..<found.batch.count).filter {
            query.matchesRest($0, of: found)
                && (query.matchesMark($0, of: found.batch) || query.matchesAlternate($0, of: found.batch))
        }
        var all = found
        var approximate = Set(rows.filter { !query.matchesMark($0, of: found.batch) })
        for other in try linked(to: rows, of: found, query, snapshot) {
            var batch = other.batch
            var union = RegisterUnion()
            _ = union.indexes(of: all.register)
            batch.renumberCameras(union.indexes(of: other.register))
            all.register = union.register
            let first = all.batch.count
            all.batch.append(contentsOf: batch)
            rows += first..<all.batch.count
            approximate.formUnion(first..<all.batch.count)
        }
        return newestFirst(rows, of: all, approximate)
    }

    private func newestFirst(
        _ rows: [Int],
        of all: ResolvedSightings,
        _ approximate: Set<Int>
    ) -> ResolvedSightings {
        let sightings = all.batch.sightings
        let order = rows.sorted { left, right in
            if sightings[left].captured != sightings[right].captured {
                return sightings[left].captured > sightings[right].captured
            }
            return MarkOrder.precedes(sightings[left], sightings[right])
        }
        var result = ResolvedSightings(all.batch.reordered(order), all.register)
        result.approximate = Set(order.indices.filter { approximate.contains(order[$0]) })
        return result
    }

    /// All that may match, by what no amendment changes.
    private func candidates(_ query: SightingQuery, _ snapshot: Catalogue.Snapshot) throws
        -> ResolvedSightings
    {
        var union = RegisterUnion()
        var candidates = SightingBatch()
        for segment in snapshot.segments where overlaps(query, segment.first, segment.last) {
            try searchSegment("\(folder)/archive/\(segment.name)", query, &union, &candidates)
        }
        try searchLog(from: snapshot.archivedThrough, query, &union, &candidates)
        return ResolvedSightings(newestOf: candidates, union.register)
    }

    /// The sightings that those found name as probably of the same vehicle, for each other mark.
    private func linked(
        to rows: [Int],
        of found: ResolvedSightings,
        _ query: SightingQuery,
        _ snapshot: Catalogue.Snapshot
    ) throws -> [ResolvedSightings] {
        guard query.mark != nil, !found.batch.variants.isEmpty else { return [] }
        var named: [VRM: Set<SightingIdentity>] = [:]
        for row in rows {
            let site = found.register.siteName(of: found.batch.sightings[row].camera)
            for other in found.batch.variants(of: row)
            where !other.isMerged && query.mark?.matches(other.vrm) == false {
                let identity = SightingIdentity(vrm: other.vrm, site: site, opened: other.opened)
                named[other.vrm, default: []].insert(identity)
            }
        }
        return try named.sorted { $0.key < $1.key }.map { vrm, identities in
            var other = query
            other.mark = MarkPattern(vrm.text)
            other.from = [query.from, identities.map(\.opened).min()].compactMap(\.self).max()
            other.to = [query.to, identities.map(\.opened).max()].compactMap(\.self).min()
            let candidates = try candidates(other, snapshot)
            let matching = (0..<candidates.batch.count).filter { row in
                identities.contains(SightingIdentity(row, of: candidates.batch, candidates.register))
                    && query.matchesRest(row, of: candidates)
            }
            return ResolvedSightings(candidates.batch.reordered(matching), candidates.register)
        }
    }

    private func overlaps(_ query: SightingQuery, _ first: Timestamp, _ last: Timestamp) -> Bool {
        if let from = query.from, last.milliseconds + Self.margin < from.milliseconds { return false }
        if let to = query.to, first.milliseconds - Self.margin > to.milliseconds { return false }
        return true
    }

    private func searchSegment(
        _ path: String,
        _ query: SightingQuery,
        _ union: inout RegisterUnion,
        _ candidates: inout SightingBatch
    ) throws {
        let reader = try SegmentReader(path)
        let alternates = try query.mark.map { try reader.framesOfAlternates(in: $0.range) } ?? []
        var found = SightingBatch()
        var frame = SightingBatch()
        for (index, entry) in reader.entries.enumerated() where overlaps(query, entry.earliest, entry.latest)
        {
            if let range = query.mark?.range,
                entry.firstMark > range.upperBound || entry.lastMark < range.lowerBound,
                !alternates.contains(index)
            {
                continue
            }
            frame.removeAll()
            try reader.frame(index, into: &frame)
            take(frame, reader.register, query, into: &found)
        }
        guard !found.isEmpty else { return }
        found.renumberCameras(union.indexes(of: reader.register))
        candidates.append(contentsOf: found)
    }

    /// What is in the log and not in a segment, up to the last mark.
    private func searchLog(
        from sequence: UInt64,
        _ query: SightingQuery,
        _ union: inout RegisterUnion,
        _ candidates: inout SightingBatch
    ) throws {
        var reader = SightingLogReader("\(folder)/sightings", from: sequence)
        var found = SightingBatch()
        while let run = try reader.read() {
            take(run.batch, reader.register, query, into: &found)
            guard run.mark != nil, !found.isEmpty else { continue }
            found.renumberCameras(union.indexes(of: reader.register))
            candidates.append(contentsOf: found)
            found.removeAll()
        }
    }

    /// Picks by what no amendment changes: the marks and the site.
    private func take(
        _ batch: SightingBatch,
        _ register: CameraRegister,
        _ query: SightingQuery,
        into found: inout SightingBatch
    ) {
        let site = query.site.map { register.site($0) ?? .max }
        for index in 0..<batch.count {
            let sighting = batch.sightings[index]
            guard query.matchesMark(index, of: batch) || query.matchesAlternate(index, of: batch) else {
                continue
            }
            if let site, register.siteOfCamera[Int(sighting.camera)] != site { continue }
            guard overlaps(query, sighting.first, sighting.last) else { continue }
            found.append(index, of: batch)
        }
    }
}
