public import ANPRModel
import SightingFrames

/// Answers searches from a data folder, while another process may be writing to it.
///
/// Amendments are applied on reading. What a writer replaces in the meantime is looked for again, so that an answer is
/// always of one moment of the catalogue. Segments stay open from one search to the next, and what they had of marks asked for
/// lately stays in memory, up to 256 MiB; what the archive has no more, a search lets go of when it begins.
public struct ArchiveSearch: Sendable {
    private let folder: String
    private static let attemptsMax = 5
    private let segments: SegmentFiles
    private let catalogue: CatalogueView

    /// A search over a data folder.
    public init(data folder: String) {
        self.folder = folder
        segments = SegmentFiles("\(folder)/archive")
        catalogue = CatalogueView(data: folder)
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
            } catch let error as StorageError
                where (error.code == .system || error.code == .destroyed) && attempt < Self.attemptsMax
            {
                // A file named a moment ago was replaced, or its key destroyed: look at the new catalogue.
                attempt += 1
            }
        }
    }

    /// The moment before which nothing was seen; `nil` when nothing was seen at all.
    public func earliest() throws -> Timestamp? {
        let archive = try catalogue.look(segments.keep)
        var earliest = archive.snapshot.segments.map(\.first).min()
        var reader = log(of: archive)
        while let run = try reader.read() {
            for sighting in run.batch.sightings { earliest = min(earliest ?? sighting.first, sighting.first) }
        }
        return earliest
    }

    /// From the first read that is filed to the last; `nil` where nothing is.
    func extent() throws -> ClosedRange<Timestamp>? {
        let filed = try catalogue.look(segments.keep).snapshot.segments
        guard let first = filed.map(\.first).min(), let last = filed.map(\.last).max() else { return nil }
        return first...max(first, last)
    }

    private func collect(_ query: SightingQuery) throws -> ResolvedSightings {
        let archive = try catalogue.look(segments.keep)
        let found = try candidates(query, archive)
        var rows = (0..<found.batch.count).filter {
            query.matchesRest($0, of: found)
                && (query.matchesMark($0, of: found.batch) || query.matchesAlternate($0, of: found.batch))
        }
        var all = found
        var approximate = Set(rows.filter { query.isApproximate($0, of: found.batch) })
        for other in try linked(to: rows, of: found, query, archive) {
            let first = all.batch.count
            all.append(other)
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
    private func candidates(_ query: SightingQuery, _ archive: ArchiveView) throws -> ResolvedSightings {
        var union = RegisterUnion()
        var candidates = SightingBatch()
        for (batch, register) in try segments.read(archive.segments, query, archive.reach, keys: archive.keys)
        {
            var found = SightingBatch()
            take(batch, register, query, into: &found)
            guard !found.isEmpty else { continue }
            found.renumberCameras(union.indexes(of: register))
            candidates.append(contentsOf: found)
        }
        try searchLog(of: archive, query, &union, &candidates)
        return ResolvedSightings(newestOf: candidates, union.register)
    }

    /// The sightings that those found name as probably of the same vehicle, for each other mark.
    private func linked(
        to rows: [Int],
        of found: ResolvedSightings,
        _ query: SightingQuery,
        _ archive: ArchiveView
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
            let candidates = try candidates(other, archive)
            let matching = (0..<candidates.batch.count).filter { row in
                identities.contains(SightingIdentity(row, of: candidates.batch, candidates.register))
                    && query.matchesRest(row, of: candidates)
            }
            return ResolvedSightings(candidates.batch.reordered(matching), candidates.register)
        }
    }

    /// Reads what is in the log and not in a segment.
    private func log(of archive: ArchiveView) -> SightingLogReader {
        SightingLogReader(
            "\(folder)/sightings",
            keys: archive.keys,
            from: archive.snapshot.archivedThrough
        )
    }

    /// What is in the log and not in a segment, up to the last mark.
    private func searchLog(
        of archive: ArchiveView,
        _ query: SightingQuery,
        _ union: inout RegisterUnion,
        _ candidates: inout SightingBatch
    ) throws {
        var reader = log(of: archive)
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
