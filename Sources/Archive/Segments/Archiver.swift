public import ANPRModel
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

    /// A day with more segments than this has them merged.
    private static let segmentsMax = 16
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

    /// Merges the segments of days that have too many, and makes amendments permanent on the way.
    public func merge() throws {
        let segments = try catalogue.snapshot().segments
        for (_, ofDay) in Dictionary(grouping: segments, by: \.day) where ofDay.count > Self.segmentsMax {
            try rewrite(ofDay) { $0 }
        }
    }

    /// Replaces segments by what `change` makes of their sightings, each in its newest version.
    func rewrite(
        _ segments: [Catalogue.Segment],
        purges: () -> [Catalogue.Purge] = { [] },
        _ change: (ResolvedSightings) -> ResolvedSightings
    ) throws {
        let all = try change(load(segments))
        let added = try write(all.batch, all.register)
        try catalogue.replace(segments, with: added, purges: purges())
        for segment in segments { try DataFolder.remove("\(folder)/\(segment.name)") }
    }

    /// All sightings of segments, each in its newest version.
    func load(_ segments: [Catalogue.Segment]) throws -> ResolvedSightings {
        var union = RegisterUnion()
        var batch = SightingBatch()
        for segment in segments {
            let reader = try SegmentReader("\(folder)/\(segment.name)")
            var own = SightingBatch()
            for index in reader.entries.indices { try reader.frame(index, into: &own) }
            own.renumberCameras(union.indexes(of: reader.register))
            batch.append(contentsOf: own)
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
            let order = MarkOrder.sort(days[day] ?? [], of: batch)
            segments.append(try write(batch.reordered(order), register, day))
        }
        return segments
    }

    private func write(_ batch: SightingBatch, _ register: CameraRegister, _ day: Int32) throws
        -> Catalogue.Segment
    {
        let date = TimestampWriter.text(Timestamp(milliseconds: Int64(day) * 86_400_000)).prefix(10)
        try DataFolder.make("\(folder)/\(date)")
        // The name must be new even after a crash that left a file the catalogue does not know.
        var number = 1
        while DataFolder.exists("\(folder)/\(date)/\(number).segment") { number += 1 }
        let name = "\(date)/\(number).segment"
        let length = try SegmentFile.write("\(folder)/\(name)", batch, register: register)
        try DataFolder.sync("\(folder)/\(date)")
        return Catalogue.Segment(
            id: 0,
            day: day,
            name: name,
            rows: batch.count,
            bytes: length,
            first: batch.sightings.map(\.first).min() ?? .distantPast,
            last: batch.sightings.map(\.last).max() ?? .distantPast
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
