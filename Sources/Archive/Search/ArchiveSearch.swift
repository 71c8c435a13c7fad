public import ANPRModel
import SightingFrames

/// Answers searches from a data folder, while another process may be writing to it.
///
/// Amendments are applied on reading. What a writer replaces in the meantime is looked for again, so that an answer is
/// always of one moment of the catalogue. Segments stay open from one search to the next.
public struct ArchiveSearch: Sendable {
    private let folder: String
    private static let attemptsMax = 5
    /// Fewer sightings are not worth another reader.
    private static let shareRows = 1 << 16
    private let segments = SegmentCache()
    private let catalogue: CatalogueView

    /// A search over a data folder.
    public init(data folder: String) {
        self.folder = folder
        catalogue = CatalogueView("\(folder)/catalogue.sqlite")
    }

    /// All sightings that match, newest first: by the best read's time, of the same time by id.
    ///
    /// Of a mark also those, told apart as approximate, that were read under another one and are probably of the same
    /// vehicle: linked to one that matches, or with one merged into them. Where any of several marks is asked for, links are
    /// not followed.
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
        let snapshot = try catalogue.snapshot()
        var earliest = snapshot.segments.map(\.first).min()
        var reader = SightingLogReader("\(folder)/sightings", from: snapshot.archivedThrough)
        while let run = try reader.read() {
            for sighting in run.batch.sightings { earliest = min(earliest ?? sighting.first, sighting.first) }
        }
        return earliest
    }

    private func collect(_ query: SightingQuery) throws -> ResolvedSightings {
        let snapshot = try catalogue.snapshot()
        let found = try candidates(query, snapshot)
        var rows = (0..<found.batch.count).filter {
            query.matchesRest($0, of: found)
                && (query.matchesMark($0, of: found.batch) || query.matchesAlternate($0, of: found.batch))
        }
        var all = found
        var approximate = Set(rows.filter { query.isApproximate($0, of: found.batch) })
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
            return all.id(of: left) < all.id(of: right)
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
        segments.keep(only: Set(snapshot.segments.map { "\(folder)/archive/\($0.name)" }))
        let reach = snapshot.reach
        let looked = snapshot.segments.filter { query.mayMatch($0.first, $0.last, reach) }
        let found = try Parallel.map(shares(of: looked, query)) { segment, share in
            try searchSegment("\(folder)/archive/\(segment.name)", query, reach, share)
        }
        for case (var batch, let register)? in found {
            batch.renumberCameras(union.indexes(of: register))
            candidates.append(contentsOf: batch)
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
        guard query.mark != nil, query.mark?.list == nil, !found.batch.variants.isEmpty else { return [] }
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

    /// What is looked at together: a segment, or a part of a large one where a search without a mark goes through all of it and
    /// there are too few for all processors.
    private func shares(of segments: [Catalogue.Segment], _ query: SightingQuery) -> [(
        Catalogue.Segment, SegmentReader.Share
    )] {
        let sharesMax = Parallel.width / max(1, segments.count)
        return segments.flatMap { segment in
            let count = query.mark == nil ? max(1, min(sharesMax, segment.rows / Self.shareRows)) : 1
            return (0..<count).map { (segment, SegmentReader.Share(index: $0, count: count)) }
        }
    }

    /// What of a segment may match, under its own register; `nil` for nothing.
    private func searchSegment(
        _ path: String,
        _ query: SightingQuery,
        _ reach: SightingReach,
        _ share: SegmentReader.Share
    ) throws -> (SightingBatch, CameraRegister)? {
        try segments.read(path) { reader in
            var all = SightingBatch()
            try reader.read(query, reach, share: share, into: &all)
            guard !all.isEmpty else { return nil }
            var found = SightingBatch()
            take(all, reader.register, query, into: &found)
            return found.isEmpty ? nil : (found, reader.register)
        }
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
        let cameras = query.cameras(of: register)
        for index in 0..<batch.count {
            let sighting = batch.sightings[index]
            guard query.matchesMark(index, of: batch) || query.matchesAlternate(index, of: batch) else {
                continue
            }
            if let cameras, !cameras[Int(sighting.camera)] { continue }
            guard query.mayMatch(sighting.first, sighting.last, .unknown) else { continue }
            found.append(index, of: batch)
        }
    }
}
