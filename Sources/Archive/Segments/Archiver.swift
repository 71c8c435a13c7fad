public import ANPRModel
import Compression
import SightingFrames

/// Moves sightings from the log into day segments, small segments into larger ones, and their indexes into those of some days.
///
/// Every step writes new files first, then changes the catalogue in one transaction, then removes what the catalogue no
/// longer names and destroys the keys that it says are doomed: a crash in between leaves files and keys that `removeStrays` finds,
/// never a gap and never a double.
public final class Archiver {
    let folder: String
    private let logFolder: String
    let catalogue: Catalogue
    let keys: KeyRing
    /// Without a cache, so that nothing is kept open of what is replaced.
    var files: SegmentFiles { SegmentFiles(folder) }
    /// What went to the log and waits for its segment.
    private var gathered = GatheredSightings()
    /// What segments were packed by, the latest first; readers are quicker where many share one.
    private var codebooks: [Codebook] = []
    /// And indexes of marks.
    var indexCodebooks: [Codebook] = []
    /// The hours of a day and whole days have their own.
    static let codebooksMax = 8

    /// So many days have their marks named together: a history is looked for in fewer places the more they are, and when one of them
    /// goes, those of the others are written anew.
    let indexDays: Int32
    /// A day with more segments than this has them merged.
    private static let segmentsMax = 16
    /// A day that is over has its segments merged when all but the largest have more than one in so many of that one's sightings.
    private static let lateShare = 16
    /// No more sightings are merged at a time, which takes half a gigabyte.
    private static let mergedMax = 1 << 22
    /// How many sightings are sorted at a time.
    private static let runMax = 1 << 20
    /// A day's segments with no more than one in so many of the sightings that come are written anew with those.
    private static let smallShare = 16

    /// An archiver of a data folder.
    ///
    /// - Parameters:
    ///   - keys: under which segments are closed; by default as the data folder, in which `folder` lies, says itself.
    ///   - indexDays: how many days have their marks named together once they are over, from 1 on.
    public init(
        _ folder: String,
        log: String,
        catalogue: Catalogue,
        keys: KeyRing? = nil,
        indexDays: Int = 8
    ) throws(StorageError) {
        self.folder = folder
        logFolder = log
        self.catalogue = catalogue
        self.indexDays = Int32(clamping: max(1, indexDays))
        try DataFolder.make(folder)
        if let keys { self.keys = keys } else { self.keys = try KeyRing(data: "\(folder)/..", catalogue) }
    }

    /// Moves what the log holds before `limit` into segments.
    ///
    /// - Parameter limit: the log's extent.
    /// - Returns: how many sightings were moved.
    public func archive(before limit: UInt64) throws -> Int {
        var moved = 0
        while true {
            let start = try catalogue.snapshot().archivedThrough
            guard start < limit else { return moved }
            var reader = SightingLogReader(logFolder, keys: keys, from: start)
            var batch = SightingBatch()
            while batch.count < Self.runMax, let run = try reader.read(before: limit) {
                batch.append(contentsOf: run.batch)
            }
            guard reader.next > start else { return moved }
            moved += batch.count
            try file(batch, reader.register, through: reader.next)
        }
    }

    /// Takes sightings as they go to the log, so that they need not be read back from there.
    ///
    /// - Parameters:
    ///   - batch: the sightings; runs come in order and without gaps.
    ///   - first: the number of the first of them.
    ///   - register: of the node, which only grows.
    public func take(_ batch: SightingBatch, first: UInt64, register: CameraRegister) throws {
        if gathered.isEmpty {
            // What is in the log from before, and what was archived before a crash and is given again.
            _ = try archive(before: first)
            gathered.begin(first)
        }
        gathered.append(batch)
        if gathered.isDue { try file(gathered.takeDue(), register) }
    }

    /// Writes segments of what was taken and still waits.
    public func archiveGathered(_ register: CameraRegister) throws {
        try file(gathered.takeAll(), register)
    }

    private func file(_ due: GatheredSightings.Due, _ register: CameraRegister) throws {
        guard !due.batch.isEmpty else { return }
        let first = due.through - UInt64(due.batch.count)
        // What was taken before and could not be filed is in the log.
        _ = try archive(before: first)
        let archived = try catalogue.snapshot().archivedThrough
        guard archived < due.through else { return }
        guard archived >= first else {
            throw StorageError(
                .mismatch,
                "\(logFolder): sightings from \(archived) to \(first) are not there"
            )
        }
        var fresh = due.batch
        if archived > first {
            fresh = due.batch.reordered(Array(Int(archived - first)..<due.batch.count))
        }
        try file(fresh, register, through: due.through)
    }

    /// Writes segments of sightings, together with what small ones of the same days have.
    ///
    /// So that a day that comes at once has one segment, though the first sightings of it came with the day before. Small ones that
    /// can't be read stay as they are, and what is new is filed without them.
    ///
    /// - Parameter through: the log's number behind them.
    private func file(_ fresh: SightingBatch, _ register: CameraRegister, through: UInt64) throws {
        var batch = fresh
        var union = RegisterUnion()
        _ = union.indexes(of: register)
        var small = try smallSegments(of: batch)
        if !small.isEmpty {
            if var known = try? load(small) {
                known.batch.renumberCameras(union.indexes(of: known.register))
                batch.append(contentsOf: known.batch)
            } else {
                small = []
            }
        }
        if batch.sightings.contains(where: { $0.revision > 0 }) {
            batch = ResolvedSightings(newestOf: batch, union.register).batch
        }
        var change = try write(batch, union.register)
        change.archivedThrough = through
        change.removed = small
        try commit(change)
    }

    /// The segments of the days of sightings that have few beside those, and indexes of their own.
    private func smallSegments(of batch: SightingBatch) throws -> [Catalogue.Segment] {
        var rows: [Int32: Int] = [:]
        for sighting in batch.sightings { rows[sighting.first.day, default: 0] += 1 }
        let all = try catalogue.snapshot().segments
        let named = Dictionary(grouping: all, by: \.marks).mapValues(\.count)
        let segments = Dictionary(grouping: all, by: \.day)
        return rows.sorted { $0.key < $1.key }.flatMap { day, count in
            let small = (segments[day] ?? []).filter {
                $0.rows <= count / Self.smallShare && ($0.marks.isEmpty || named[$0.marks] == 1)
            }
            return small.reduce(0) { $0 + $1.rows } <= count / Self.smallShare ? small : []
        }
    }

    /// Merges segments of days that have too many, or that are over and have more than a few late sightings beside a large
    /// segment, and indexes of days that are over; makes amendments permanent on the way.
    ///
    /// - Throws: the first trouble, once all that can be merged is: a day that can't be read holds no other up.
    public func merge() throws {
        var attempts = Attempts()
        let segments = Dictionary(grouping: try catalogue.snapshot().segments, by: \.day)
        // The day before the newest one still gets late sightings.
        let open = (segments.keys.max() ?? 0) - 1
        for (day, ofDay) in segments.sorted(by: { $0.key < $1.key })
        where Self.isDue(Self.mergeable(ofDay), isOver: day < open) {
            attempts.make { try merge(day) }
        }
        attempts.make { try mergeIndexes(before: open) }
        try attempts.finish()
    }

    private func merge(_ day: Int32) throws {
        // As the catalogue is now: an index that led to this day and to one merged before has another in its place.
        let small = Self.mergeable(try catalogue.snapshot().segments.filter { $0.day == day })
        try rewrite(small, as: try load(small))
    }

    /// Whether segments that can be merged are too many, or those of a day that is over but the largest too large.
    private static func isDue(_ small: [Catalogue.Segment], isOver: Bool) -> Bool {
        let largest = small.last?.rows ?? 0
        let others = small.reduce(0) { $0 + $1.rows } - largest
        return small.count > segmentsMax || (isOver && others > largest / lateShare)
    }

    /// The smallest segments of a day, ascending, as many as can be merged in memory.
    private static func mergeable(_ segments: [Catalogue.Segment]) -> [Catalogue.Segment] {
        var rows = 0
        return segments.sorted { ($0.rows, $0.id) < ($1.rows, $1.id) }.prefix { segment in
            rows += segment.rows
            return rows <= mergedMax
        }
    }

    /// Replaces segments of a day by others with these sightings.
    func rewrite(_ segments: [Catalogue.Segment], as all: ResolvedSightings) throws {
        var change = try write(all.batch, all.register)
        change.removed = segments
        // An index that goes on naming what is gone would be closed under its keys, and open no more once those are destroyed.
        try replaceIndexes(of: segments, [:], [:], &change)
        try commit(change)
    }

    /// Makes a change whose files are written.
    ///
    /// - Returns: whether it was done; not, and its files are gone, if the holds have another version by now.
    @discardableResult
    func commit(_ change: Catalogue.Change) throws -> Bool {
        guard let unused = try catalogue.change(change, haveKeys: { (try? keys.have(change.used)) == true })
        else {
            let kept = Set(change.removed.map(\.name))
            for name in change.added.map(\.name) + change.indexes.map(\.name) where !kept.contains(name) {
                try DataFolder.remove("\(folder)/\(name)")
            }
            return false
        }
        // The keys first: what can't be removed opens no more.
        try destroyDoomed(change.doomed)
        for name in change.removed.map(\.name) + unused.map(\.name) {
            try DataFolder.remove("\(folder)/\(name)")
        }
        return true
    }

    /// Destroys keys of what went, of purges that were broken off.
    func finishPurges() throws { try destroyDoomed(try catalogue.doomedKeys()) }

    /// Destroys keys of what went.
    private func destroyDoomed(_ names: [DataKeyName]) throws {
        guard !names.isEmpty else { return }
        try keys.destroy(names)
        try catalogue.forgetDoomed(names)
    }

    /// Sightings of segments, each in its newest version.
    ///
    /// - Parameters:
    ///   - query: what has to be among them; without one they are all.
    ///   - only: by a segment's contents the sections that are looked at; without it they are all.
    func load(
        _ segments: [Catalogue.Segment],
        for query: SightingQuery? = nil,
        only: [String: Set<Int>]? = nil
    ) throws -> ResolvedSightings {
        var union = RegisterUnion()
        var batch = SightingBatch()
        for var part in try files.read(SegmentGroups(segments), query, only: only, keys: keys) {
            part.batch.renumberCameras(union.indexes(of: part.register))
            batch.append(contentsOf: part.batch)
        }
        return ResolvedSightings(newestOf: batch, union.register)
    }

    /// Writes sightings as one segment, with its index, for each day.
    ///
    /// - Returns: what comes with that.
    func write(_ batch: SightingBatch, _ register: CameraRegister) throws -> Catalogue.Change {
        var days: [Int32: [UInt32]] = [:]
        var rows: [UInt32] = []
        var day: Int32?
        for (row, sighting) in batch.sightings.enumerated() {
            // Sightings come in order of time, so days change rarely.
            let own = sighting.first.day
            if own != day {
                if let day { days[day, default: []] += rows }
                rows.removeAll(keepingCapacity: true)
                day = own
            }
            rows.append(UInt32(row))
        }
        if let day { days[day, default: []] += rows }
        var change = Catalogue.Change()
        for day in days.keys.sorted() {
            try write(batch, days[day] ?? [], register, day, into: &change)
        }
        return change
    }

    private func write(
        _ batch: SightingBatch,
        _ rows: [UInt32],
        _ register: CameraRegister,
        _ day: Int32,
        into change: inout Catalogue.Change
    ) throws {
        let sections = try SegmentSections(batch, rows, register)
        let name = try freshName(day)
        let (length, head, layout, used) = try SectionedSegment.write(
            "\(folder)/\(name).segment",
            sections,
            day: day,
            register: register,
            keys: keys,
            codebooks: codebooks
        )
        Self.remember(used, in: &codebooks)
        let index = try write(index: name, of: head, layout, sections)
        try DataFolder.sync("\(folder)/\(Self.dayName(day))")
        var segment = Catalogue.Segment(head, "\(name).segment", bytes: length, marks: index.name)
        segment.counts?.reach = rows.reduce(0) { max($0, batch.sightings[Int($1)].reach) }
        change.added.append(segment)
        change.indexes.append(index)
        change.used.formUnion(head.sections.flatMap(\.keys))
    }

    static func remember(_ used: Codebook, in codebooks: inout [Codebook]) {
        codebooks = ([used] + codebooks.filter { $0 != used }).prefix(codebooksMax).map(\.self)
    }

    static func dayName(_ day: Int32) -> Substring {
        TimestampWriter.text(Timestamp(milliseconds: Int64(day) * 86_400_000)).prefix(10)
    }

    /// A name for files of a day that none has, in a folder that is there.
    ///
    /// It must be new even after a crash that left a file the catalogue does not know, and none that was there may come back: who has
    /// the file open that had it would take it for the new one.
    func freshName(_ day: Int32) throws -> String {
        let date = Self.dayName(day)
        try DataFolder.make("\(folder)/\(date)")
        let names = DataFolder.names(in: "\(folder)/\(date)")
        let number = names.compactMap { Int($0.prefix { $0.isNumber }) }.max() ?? 0
        let drawn = String(UInt32.random(in: .min ... .max), radix: 16)
        return "\(date)/\(number + 1)-\(drawn)"
    }

    /// Removes files that no transaction ever named, as a crash leaves them, and destroys keys that were to be.
    ///
    /// - Returns: how many files there were.
    public func removeStrays() throws -> Int {
        try finishPurges()
        let snapshot = try catalogue.snapshot()
        let named = Set(snapshot.segments.map(\.name) + snapshot.indexes.map(\.name))
        var removed = 0
        for day in DataFolder.names(in: folder) {
            for name in DataFolder.names(in: "\(folder)/\(day)") where !named.contains("\(day)/\(name)") {
                try DataFolder.remove("\(folder)/\(day)/\(name)")
                removed += 1
            }
        }
        return removed
    }
}

extension Catalogue.Segment {
    /// A segment of sections.
    init(_ head: SectionedHead, _ name: String, bytes: Int, marks: String) {
        let sections = head.sections.filter { !$0.isDropped }
        self.init(
            id: 0,
            day: head.day,
            name: name,
            rows: sections.reduce(0) { $0 + $1.rows },
            bytes: bytes,
            first: sections.map(\.first).min() ?? .distantFuture,
            last: sections.map(\.last).max() ?? .distantPast,
            counts: Counts(
                contributions: sections.reduce(0) { $0 + $1.contributions.reduce(0, +) },
                amendments: sections.reduce(0) { $0 + $1.amendments },
                links: sections.reduce(0) { $0 + $1.links },
                reach: -1
            ),
            contents: SegmentFiles.text(head.id),
            marks: marks
        )
    }
}

extension Sighting {
    /// How long it lasts, or begins from when it was opened if that is more, in milliseconds.
    fileprivate var reach: Int64 {
        max(last.milliseconds - first.milliseconds, abs(first.milliseconds - opened.milliseconds))
    }
}
