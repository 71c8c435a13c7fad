import ANPRModel
import SightingFrames

/// The segments of an archive, and the indexes that lead to them: reads the sightings that a query may want, in any version.
struct SegmentFiles: Sendable {
    /// The archive's folder.
    let folder: String
    // Each has a file open, of which a process may have a thousand by default.
    private let opened = ReaderCache<SectionedSegmentReader>(countMax: 448)
    private let indexes = ReaderCache<MarkIndexReader>(countMax: 160)
    private let formers = ReaderCache<FormerSegmentReader>(countMax: 32)
    private let histories = RecentHistories(bytesMax: 256 << 20)
    /// What those that are open share.
    private let prototypes = SegmentPrototypes()
    /// Fewer sightings are not worth another reader.
    private static let shareRows = 1 << 16

    /// The segments of an archive's folder.
    init(_ folder: String) { self.folder = folder }

    /// What segments may have of what a query asks for, each under its own register; others may come with them.
    ///
    /// - Parameters:
    ///   - segments: those of them are looked at that the query can be about.
    ///   - query: without one it is all.
    ///   - reach: how far versions of one sighting lie apart in the archive that the segments belong to.
    ///   - only: by a segment's contents the sections that are looked at; without it they are all.
    ///   - keys: that open them.
    func read(
        _ segments: SegmentGroups,
        _ query: SightingQuery?,
        _ reach: SightingReach = .unknown,
        only: [String: Set<Int>]? = nil,
        keys: KeyRing
    ) throws -> [(batch: SightingBatch, register: CameraRegister)] {
        let asked = AskedSightings(query, reach, only: only, keys: keys)
        let indexed = segments.indexed.filter { $0.times.contains { asked.mayMatch($0.first, $0.last) } }
        let former = shares(of: segments.former.filter { asked.mayMatch($0.first, $0.last) }, query)
            .map { Work.former($0, $1) }
        if let vrm = query?.mark?.exact, only == nil {
            return try history(of: vrm, indexed, asked) + answer(former, asked).flatMap(\.self)
        }
        return try answer(indexed.map { .indexed($0) } + former, asked).flatMap(\.self)
    }

    /// What the segments of some indexes have of one mark: only what is not known is read, and no more of that than is asked for.
    private func history(
        of vrm: VRM,
        _ groups: [SegmentGroups.Indexed],
        _ asked: AskedSightings
    ) throws -> RecentHistories.Found {
        let known = histories.known(vrm, groups.map(\.identity))
        let missing = groups.indices.filter { known[$0] == nil }
        let read = try answer(missing.map { .indexed(groups[$0]) }, asked)
        var found = known.map { $0 ?? [] }
        var whole: [(group: String, found: RecentHistories.Found)] = []
        for (group, new) in zip(missing, read) {
            found[group] = new
            let isWhole = groups[group].times.allSatisfy { asked.isWholeHistory($0.first, $0.last) }
            if isWhole { whole.append((groups[group].identity, new)) }
        }
        if !whole.isEmpty { histories.keep(whole, of: vrm) }
        return found.flatMap(\.self)
    }

    /// What each part of the work gives.
    private func answer(_ work: [Work], _ asked: AskedSightings) throws -> [RecentHistories.Found] {
        let answer = { @Sendable (work: Work) throws -> RecentHistories.Found in
            do {
                switch work {
                case .indexed(let group):
                    let index = try index(group.name, asked.keys)
                    return try IndexSearch(files: self, index: index, group: group, asked: asked).read()
                case .former(let segment, let share): return try read(segment, share, asked)
                }
            } catch {
                close(work)
                throw error
            }
        }
        // What was not looked at before waits for the disk more than it computes.
        let isFirst = work.contains { !isOpen($0) }
        return try isFirst ? Parallel.mapWaiting(work, answer) : Parallel.map(work, answer)
    }

    /// Closes the files that a catalogue does not name, and forgets what was in them.
    func keep(only archive: ArchiveView) {
        let snapshot = archive.snapshot
        let names = snapshot.segments.map(\.name) + snapshot.indexes.map(\.name)
        let paths = Set(names.map { "\(folder)/\($0)" })
        opened.keep(only: paths)
        indexes.keep(only: paths)
        formers.keep(only: paths)
        histories.keep(only: Set(archive.segments.indexed.map(\.identity)))
        prototypes.clear()
    }

    /// What several processors look at beside one another.
    private enum Work: Sendable {
        case indexed(SegmentGroups.Indexed)
        case former(Catalogue.Segment, FormerSegmentReader.Share)
    }

    /// Closes what trouble was with: it may be put right under the same name.
    private func close(_ work: Work) {
        switch work {
        case .indexed(let group):
            indexes.close("\(folder)/\(group.name)")
            for segment in group.segments.values { opened.close("\(folder)/\(segment.name)") }
        case .former(let segment, _): formers.close("\(folder)/\(segment.name)")
        }
    }

    /// Whether the file was opened that is looked at first.
    private func isOpen(_ work: Work) -> Bool {
        switch work {
        case .indexed(let group): indexes.has("\(folder)/\(group.name)")
        case .former(let segment, _): formers.has("\(folder)/\(segment.name)")
        }
    }

    // MARK: - Readers

    /// An identity in hexadecimal, as a catalogue has it.
    static func text(_ id: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: id.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// Who reads an index.
    func index(_ name: String, _ keys: KeyRing) throws -> MarkIndexReader {
        let path = "\(folder)/\(name)"
        return try indexes.reader(path) {
            try MarkIndexReader(try DataFile(path, .read), keys, like: prototypes)
        }
    }

    /// Who reads a segment of sections.
    ///
    /// - Parameter told: what its index tells of it, if it need not say itself where its sections stand.
    func segment(
        _ segment: Catalogue.Segment,
        _ keys: KeyRing,
        as told: MarkIndexHead.File? = nil
    ) throws -> SectionedSegmentReader {
        let path = "\(folder)/\(segment.name)"
        let reader = try opened.reader(path) {
            let file = try DataFile(path, .read)
            guard let told, let layout = told.layout else {
                return try SectionedSegmentReader(file, keys, like: prototypes)
            }
            return try SectionedSegmentReader(file, keys, like: prototypes, as: told, layout)
        }
        guard reader.contents == segment.contents else {
            throw StorageError(.mismatch, "\(path): not the segment that the catalogue names")
        }
        return reader
    }

    // MARK: - Files of before

    /// What is looked at together: a segment, or a part of a large one where a search without a mark goes through all of it and
    /// there are too few for all processors.
    private func shares(of segments: [Catalogue.Segment], _ query: SightingQuery?) -> [(
        Catalogue.Segment, FormerSegmentReader.Share
    )] {
        let sharesMax = Parallel.width / max(1, segments.count)
        return segments.flatMap { segment in
            let isWhole = query == nil || query?.mark != nil
            let count = isWhole ? 1 : max(1, min(sharesMax, segment.rows / Self.shareRows))
            return (0..<count).map { (segment, FormerSegmentReader.Share(index: $0, count: count)) }
        }
    }

    private func read(
        _ segment: Catalogue.Segment,
        _ share: FormerSegmentReader.Share,
        _ asked: AskedSightings
    ) throws -> RecentHistories.Found {
        let path = "\(folder)/\(segment.name)"
        let reader = try formers.reader(path) { try FormerSegmentReader(path, like: prototypes) }
        var batch = SightingBatch()
        try reader.read(asked.query, asked.reach, share: share, into: &batch)
        return batch.isEmpty ? [] : [(batch, reader.register)]
    }
}
