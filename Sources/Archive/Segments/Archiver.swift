public import ANPRModel
import Compression
import SightingFrames

/// Moves sightings from the log into day segments, and small segments into larger ones.
///
/// Every step writes new files first, then changes the catalogue in one transaction, then removes what the catalogue no
/// longer names: a crash in between leaves files that `removeStrays` finds, never a gap and never a double.
public final class Archiver {
    private let folder: String
    private let logFolder: String
    private let catalogue: Catalogue
    /// What went to the log and waits for its segment, and the number behind it.
    private var gathered = SightingBatch()
    private var gatheredThrough: UInt64 = 0
    /// What the segment written last was packed by; readers are quicker where many share one.
    private var codebook: Codebook?

    /// A day with more segments than this has them merged.
    private static let segmentsMax = 16
    /// A day that is over has its segments merged when all but the largest have more than one in so many of that one's sightings.
    private static let lateShare = 16
    /// No more sightings are merged at a time, which takes half a gigabyte.
    private static let mergedMax = 1 << 22
    /// How many sightings are sorted at a time.
    private static let runMax = 1 << 20
    /// So many sightings are worth a segment.
    private static let segmentWorth = 1 << 17

    /// An archiver of a data folder.
    public init(_ folder: String, log: String, catalogue: Catalogue) throws(StorageError) {
        self.folder = folder
        logFolder = log
        self.catalogue = catalogue
        try DataFolder.make(folder)
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
            var reader = SightingLogReader(logFolder, from: start)
            var batch = SightingBatch()
            while batch.count < Self.runMax, let run = try reader.read(before: limit) {
                batch.append(contentsOf: run.batch)
            }
            guard reader.next > start else { return moved }
            let added = try write(batch, reader.register)
            try catalogue.replace([], with: added, archivedThrough: reader.next)
            moved += batch.count
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
            gatheredThrough = first
            gathered.reserve(Self.segmentWorth + batch.count, contributions: 2 * Self.segmentWorth)
        }
        gathered.append(contentsOf: batch)
        gatheredThrough += UInt64(batch.count)
        if gathered.count >= Self.segmentWorth { try archiveGathered(register) }
    }

    /// Writes segments of what was taken and still waits.
    public func archiveGathered(_ register: CameraRegister) throws {
        let archived = try catalogue.snapshot().archivedThrough
        if !gathered.isEmpty, archived < gatheredThrough {
            let known = Int(archived + UInt64(gathered.count)) - Int(gatheredThrough)
            let fresh = known > 0 ? gathered.reordered(Array(known..<gathered.count)) : gathered
            try catalogue.replace([], with: try write(fresh, register), archivedThrough: gatheredThrough)
        }
        gathered.removeAll()
    }

    /// Merges segments of days that have too many, or that are over and have more than a few late sightings beside a large
    /// segment; makes amendments permanent on the way.
    public func merge() throws {
        let segments = try catalogue.snapshot().segments
        // The day before the newest one still gets late sightings.
        let open = (segments.map(\.day).max() ?? 0) - 1
        for (day, ofDay) in Dictionary(grouping: segments, by: \.day).sorted(by: { $0.key < $1.key }) {
            let small = Self.mergeable(ofDay)
            let largest = small.last?.rows ?? 0
            let others = small.reduce(0) { $0 + $1.rows } - largest
            guard small.count > Self.segmentsMax || (day < open && others > largest / Self.lateShare) else {
                continue
            }
            try rewrite(small, as: try load(small))
        }
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
    ///
    /// - Parameters:
    ///   - purges: what was deleted, when a retention rule does this.
    ///   - holds: the holds' version that this goes by, if it goes by any.
    /// - Returns: whether it was done; not, if there is another version by now.
    @discardableResult
    func rewrite(
        _ segments: [Catalogue.Segment],
        as all: ResolvedSightings,
        purges: [SignedPurge] = [],
        holds: Int64? = nil
    ) throws -> Bool {
        let added = try write(all.batch, all.register)
        guard try catalogue.replace(segments, with: added, purges: purges, holds: holds) else {
            for segment in added { try DataFolder.remove("\(folder)/\(segment.name)") }
            return false
        }
        for segment in segments { try DataFolder.remove("\(folder)/\(segment.name)") }
        return true
    }

    /// Removes segments with all that is in them.
    ///
    /// - Returns: whether it was done; not, if there is another version of the holds by now.
    func drop(_ segments: [Catalogue.Segment], purges: [SignedPurge], holds: Int64) throws -> Bool {
        guard try catalogue.replace(segments, with: [], purges: purges, holds: holds) else { return false }
        for segment in segments { try DataFolder.remove("\(folder)/\(segment.name)") }
        return true
    }

    /// Sightings of segments, each in its newest version.
    ///
    /// - Parameter query: what has to be among them; without one they are all.
    func load(_ segments: [Catalogue.Segment], for query: SightingQuery? = nil) throws -> ResolvedSightings {
        let folder = folder
        let parts = try Parallel.map(segments) { segment in
            var reader = try SegmentReader("\(folder)/\(segment.name)")
            var own = SightingBatch()
            try reader.read(query, into: &own)
            return (batch: own, register: reader.register)
        }
        var union = RegisterUnion()
        var batch = SightingBatch()
        for var part in parts {
            part.batch.renumberCameras(union.indexes(of: part.register))
            batch.append(contentsOf: part.batch)
        }
        return ResolvedSightings(newestOf: batch, union.register)
    }

    /// Writes sightings as one segment for each day.
    private func write(_ batch: SightingBatch, _ register: CameraRegister) throws -> [Catalogue.Segment] {
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
        var segments: [Catalogue.Segment] = []
        for day in days.keys.sorted() {
            segments.append(try write(batch, days[day] ?? [], register, day))
        }
        return segments
    }

    private func write(
        _ batch: SightingBatch,
        _ rows: [UInt32],
        _ register: CameraRegister,
        _ day: Int32
    ) throws -> Catalogue.Segment {
        let date = TimestampWriter.text(Timestamp(milliseconds: Int64(day) * 86_400_000)).prefix(10)
        try DataFolder.make("\(folder)/\(date)")
        // The name must be new even after a crash that left a file the catalogue does not know.
        var number = 1
        while DataFolder.exists("\(folder)/\(date)/\(number).segment") { number += 1 }
        let name = "\(date)/\(number).segment"
        let (length, used) = try PagedSegment.write(
            "\(folder)/\(name)",
            batch,
            rows: rows,
            day: day,
            register: register,
            codebook: codebook
        )
        codebook = used
        try DataFolder.sync("\(folder)/\(date)")
        return Catalogue.Segment(
            id: 0,
            day: day,
            name: name,
            rows: rows.count,
            bytes: length,
            first: rows.reduce(.distantFuture) { min($0, batch.sightings[Int($1)].first) },
            last: rows.reduce(.distantPast) { max($0, batch.sightings[Int($1)].last) },
            counts: Catalogue.Segment.Counts(
                contributions: rows.reduce(0) { $0 + batch.contributionCount(Int($1)) },
                amendments: rows.count { batch.sightings[Int($0)].revision > 0 },
                links: batch.variants.isEmpty
                    ? 0
                    : rows.reduce(0) { $0 + batch.variants(of: Int($1)).count { !$0.isMerged } },
                reach: rows.reduce(0) { max($0, batch.sightings[Int($1)].reach) }
            )
        )
    }

    /// Removes files that no transaction ever named, as a crash leaves them.
    ///
    /// - Returns: how many there were.
    public func removeStrays() throws -> Int {
        let named = Set(try catalogue.snapshot().segments.map(\.name))
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

extension Sighting {
    /// How long it lasts, or begins from when it was opened if that is more, in milliseconds.
    fileprivate var reach: Int64 {
        max(last.milliseconds - first.milliseconds, abs(first.milliseconds - opened.milliseconds))
    }
}
