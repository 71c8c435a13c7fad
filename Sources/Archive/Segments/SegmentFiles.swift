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
        let isAsked = { (segment: Catalogue.Segment) in
            query?.mayMatch(segment.first, segment.last, reach) ?? true
        }
        let indexed = segments.indexed.filter { $0.segments.values.contains(where: isAsked) }
        let former = shares(of: segments.former.filter(isAsked), query).map { Work.former($0, $1) }
        if let query, let vrm = query.mark?.exact, only == nil {
            return try history(of: vrm, query, indexed, reach, keys)
                + answer(former, query, reach, nil, keys).flatMap(\.self)
        }
        return try answer(indexed.map { .indexed($0) } + former, query, reach, only, keys).flatMap(\.self)
    }

    /// What the segments of some indexes have of one mark: only what is not known is read, and no more of that than is asked for.
    private func history(
        of vrm: VRM,
        _ query: SightingQuery,
        _ groups: [SegmentGroups.Indexed],
        _ reach: SightingReach,
        _ keys: KeyRing
    ) throws -> RecentHistories.Found {
        let known = histories.known(vrm, groups.map(\.identity))
        let missing = groups.indices.filter { known[$0] == nil }
        let read = try answer(missing.map { .indexed(groups[$0]) }, query, reach, nil, keys)
        var found = known.map { $0 ?? [] }
        var whole: [(group: String, found: RecentHistories.Found)] = []
        for (group, new) in zip(missing, read) {
            found[group] = new
            let isWhole = groups[group].segments.values.allSatisfy {
                query.isWholeHistory($0.first, $0.last, reach)
            }
            if isWhole { whole.append((groups[group].identity, new)) }
        }
        if !whole.isEmpty { histories.keep(whole, of: vrm) }
        return found.flatMap(\.self)
    }

    /// What each part of the work gives.
    private func answer(
        _ work: [Work],
        _ query: SightingQuery?,
        _ reach: SightingReach,
        _ only: [String: Set<Int>]?,
        _ keys: KeyRing
    ) throws -> [RecentHistories.Found] {
        let answer = { @Sendable (work: Work) throws -> RecentHistories.Found in
            do {
                switch work {
                case .indexed(let group): return try read(group, query, reach, only, keys)
                case .former(let segment, let share): return try read(segment, share, query, reach)
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

    // MARK: - By index

    /// Runs to be read of one segment, by section.
    private typealias Wanted = [Int: SectionedSegmentReader.Runs]

    private func read(
        _ group: SegmentGroups.Indexed,
        _ query: SightingQuery?,
        _ reach: SightingReach,
        _ only: [String: Set<Int>]?,
        _ keys: KeyRing
    ) throws -> [(batch: SightingBatch, register: CameraRegister)] {
        let index = try index(group.name, keys)
        let files = index.contents.map { contents in
            group.segments[contents].flatMap { segment in
                query?.mayMatch(segment.first, segment.last, reach) ?? true ? segment : nil
            }
        }
        let isAsked = index.head.parts.map { part in
            guard let file = files[part.file] else { return false }
            return only.map { $0[file.contents]?.contains(part.section) ?? false } ?? true
        }
        // Who looks for all marks looks at all that a segment says of itself.
        let isTold = query?.mark != nil
        return try runs(index, files, isAsked, query, reach, keys).compactMap { file, segment, sections in
            let reader = try self.segment(segment, keys, as: isTold ? index.head.files[file] : nil)
            let wanted = Self.wanted(query, reader, reach)
            var batch = SightingBatch()
            for (section, runs) in sections.sorted(by: { $0.key < $1.key }) {
                guard try query == nil || reader.isWanted(section, wanted) else { continue }
                try reader.read(section, runs, wanted, into: &batch)
            }
            return batch.isEmpty ? nil : (batch, reader.register)
        }
    }

    /// Where what is asked for stands in each segment.
    private func runs(
        _ index: MarkIndexReader,
        _ files: [Catalogue.Segment?],
        _ isAsked: [Bool],
        _ query: SightingQuery?,
        _ reach: SightingReach,
        _ keys: KeyRing
    ) throws -> [(file: Int, Catalogue.Segment, Wanted)] {
        let parts = index.head.parts
        var hits: [MarkIndexReader.Hit]
        if let query, query.mark != nil {
            hits = try index.find(WantedSightings(query, CameraRegister(), reach), isAsked)
        } else if query != nil {
            hits = try scan(index, files, query, reach, keys)
        } else {
            var next = [Int](repeating: 0, count: parts.count)
            hits = try index.runs(isAsked.indices.map { isAsked[$0] ? $0 : nil }).map { run in
                defer { next[Int(run.part)] += 1 }
                return MarkIndexReader.Hit(part: Int(run.part), number: next[Int(run.part)], key: run.key)
            }
        }
        var found = [Wanted](repeating: [:], count: files.count)
        var lasts = [Int](repeating: -1, count: parts.count)
        // A run is found by several marks where they were merged into one sighting.
        hits.sort { ($0.part, $0.number) < ($1.part, $1.number) }
        for hit in hits where hit.number != lasts[hit.part] {
            lasts[hit.part] = hit.number
            let part = parts[hit.part]
            found[part.file][part.section, default: []].append((hit.number, hit.key))
        }
        return files.indices.compactMap { file in
            guard let segment = files[file], !found[file].isEmpty else { return nil }
            return (file, segment, found[file])
        }
    }

    /// Looks for what is asked for by time and place, and for its marks then.
    private func scan(
        _ index: MarkIndexReader,
        _ files: [Catalogue.Segment?],
        _ query: SightingQuery?,
        _ reach: SightingReach,
        _ keys: KeyRing
    ) throws -> [MarkIndexReader.Hit] {
        let parts = index.head.parts
        var numbers = [[Int]](repeating: [], count: parts.count)
        var ranges: [ClosedRange<MarkKey>] = []
        for case (let file, let segment?) in zip(files.indices, files) {
            let reader = try self.segment(segment, keys)
            let wanted = Self.wanted(query, reader, reach)
            for (number, part) in parts.enumerated() where part.file == file {
                let found = try reader.scan(part.section, wanted)
                numbers[number] = found.runs
                ranges += found.keys
            }
        }
        return ranges.isEmpty ? [] : try index.marks(of: numbers, in: ranges)
    }

    private static func wanted(
        _ query: SightingQuery?,
        _ reader: SectionedSegmentReader,
        _ reach: SightingReach
    )
        -> WantedSightings
    {
        query.map { WantedSightings($0, reader.register, reach, day: reader.day) } ?? WantedSightings()
    }

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
        _ query: SightingQuery?,
        _ reach: SightingReach
    ) throws -> [(batch: SightingBatch, register: CameraRegister)] {
        let path = "\(folder)/\(segment.name)"
        let reader = try formers.reader(path) { try FormerSegmentReader(path, like: prototypes) }
        var batch = SightingBatch()
        try reader.read(query, reach, share: share, into: &batch)
        return batch.isEmpty ? [] : [(batch, reader.register)]
    }
}
