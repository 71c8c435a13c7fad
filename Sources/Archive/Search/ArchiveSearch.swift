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
        let catalogue = try Catalogue("\(folder)/catalogue.sqlite", isReadOnly: true)
        let snapshot = try catalogue.snapshot()
        var union = RegisterUnion()
        var candidates = SightingBatch()
        for segment in snapshot.segments where overlaps(query, segment.first, segment.last) {
            try searchSegment("\(folder)/archive/\(segment.name)", query, &union, &candidates)
        }
        try searchLog(from: snapshot.archivedThrough, query, &union, &candidates)
        let found = ResolvedSightings(newestOf: candidates, union.register)
        let matching = (0..<found.batch.count).filter { query.matches($0, of: found) }
        let sightings = found.batch.sightings
        let newestFirst = matching.sorted { left, right in
            if sightings[left].captured != sightings[right].captured {
                return sightings[left].captured > sightings[right].captured
            }
            return MarkOrder.precedes(sightings[left], sightings[right])
        }
        return ResolvedSightings(found.batch.reordered(newestFirst), found.register)
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
        var found = SightingBatch()
        var frame = SightingBatch()
        for (index, entry) in reader.entries.enumerated() where overlaps(query, entry.earliest, entry.latest)
        {
            if let range = query.mark?.range,
                entry.firstMark > range.upperBound || entry.lastMark < range.lowerBound
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

    /// Picks by what no amendment changes: the mark and the site.
    private func take(
        _ batch: SightingBatch,
        _ register: CameraRegister,
        _ query: SightingQuery,
        into found: inout SightingBatch
    ) {
        let site = query.site.map { register.site($0) ?? .max }
        for index in 0..<batch.count {
            let sighting = batch.sightings[index]
            if let mark = query.mark, !mark.matches(sighting.vrm) { continue }
            if let site, register.siteOfCamera[Int(sighting.camera)] != site { continue }
            guard overlaps(query, sighting.first, sighting.last) else { continue }
            found.append(index, of: batch)
        }
    }
}
