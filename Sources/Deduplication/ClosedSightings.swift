import ANPRModel

/// The sightings closed within the reconcile horizon, with their reads: what a late read is held against.
///
/// Costs some 100 bytes a sighting, 24 a contribution and 8 a read.
struct ClosedSightings: Sendable {
    /// A read inside a closed sighting.
    struct Mark: Sendable {
        var camera: CameraIndex
        /// Milliseconds after the sighting was opened; negative for what came late and was earlier.
        var offset: Int32
    }

    /// A closed sighting in full.
    struct Entry: Sendable {
        var sighting: Sighting
        var contributions: ContributionList
        var marks: [Mark]

        /// Whether it has a read of the same camera at the same time.
        func hasCopy(of read: Read, order: [UInt32]) -> Bool {
            let rank = order[Int(read.camera)]
            let offset = read.captured.milliseconds - sighting.opened.milliseconds
            return marks.contains { Int64($0.offset) == offset && order[Int($0.camera)] == rank }
        }

        /// Whether some read lies within `gap` milliseconds of a time.
        func isNear(_ time: Timestamp, gap: Int64) -> Bool {
            let offset = time.milliseconds - sighting.opened.milliseconds
            return marks.contains { abs(Int64($0.offset) - offset) <= gap }
        }
    }

    private struct Chunk: Sendable {
        var batch = SightingBatch()
        var marks: [Mark] = []
        var markEnds: [UInt32] = []
        /// Sightings that were amended since, in full.
        var amended: [Int: Entry] = [:]
    }

    private var keys = ClosedKeys()
    private var chunks: [Chunk] = []

    /// How many sightings are remembered.
    var count: Int { keys.count }

    /// Remembers sightings that have closed in time.
    ///
    /// - Parameters:
    ///   - marks: the reads of all of them, each sighting's together.
    ///   - markEnds: where each sighting's reads end in `marks`.
    mutating func append(
        contentsOf batch: SightingBatch,
        siteOfCamera: [SiteIndex],
        marks: [Mark],
        markEnds: [Int]
    ) {
        let place = place(ofChunk: keys.append(batch.sightings, siteOfCamera: siteOfCamera))
        let base = chunks[place].marks.count
        chunks[place].batch.append(contentsOf: batch)
        chunks[place].marks.append(contentsOf: marks)
        for end in markEnds { chunks[place].markEnds.append(UInt32(base + end)) }
    }

    /// Remembers a sighting of one late read.
    ///
    /// - Parameters:
    ///   - index: its place in `batch`.
    ///   - closedAt: the watermark: it closed long after it was seen.
    mutating func append(_ index: Int, of batch: SightingBatch, site: SiteIndex, closedAt: Timestamp) {
        let sighting = batch.sightings[index]
        let last = max(sighting.last, closedAt)
        let reference = keys.append(sighting.vrm, site, first: sighting.first, last: last)
        let place = place(ofChunk: reference.chunk)
        chunks[place].batch.append(index, of: batch)
        chunks[place].marks.append(Mark(camera: sighting.camera, offset: 0))
        chunks[place].markEnds.append(UInt32(chunks[place].marks.count))
    }

    /// Where a chunk, the last one or the one after it, is kept.
    private mutating func place(ofChunk number: Int) -> Int {
        if number - keys.firstChunk == chunks.count { chunks.append(Chunk()) }
        return number - keys.firstChunk
    }

    /// The remembered sightings of a (vrm, site) near a time, in full.
    mutating func find(
        _ vrm: VRM,
        _ site: SiteIndex,
        near time: Timestamp,
        margin: Int64
    ) -> [(reference: ClosedKeys.Reference, entry: Entry)] {
        keys.find(vrm, site, near: time, margin: margin).map { ($0, entry($0)) }
    }

    /// Replaces a remembered sighting by its amended form.
    mutating func amend(_ reference: ClosedKeys.Reference, _ entry: Entry) {
        chunks[reference.chunk - keys.firstChunk].amended[reference.row] = entry
        keys.widen(reference, first: entry.sighting.first, last: entry.sighting.last)
    }

    /// Forgets what ended before a time, or what is too much.
    mutating func forget(before time: Timestamp, countMax: Int) {
        chunks.removeFirst(keys.forget(before: time, countMax: countMax))
    }

    private func entry(_ reference: ClosedKeys.Reference) -> Entry {
        let chunk = chunks[reference.chunk - keys.firstChunk]
        if let amended = chunk.amended[reference.row] { return amended }
        let start = reference.row == 0 ? 0 : Int(chunk.markEnds[reference.row - 1])
        return Entry(
            sighting: chunk.batch.sightings[reference.row],
            contributions: ContributionList(chunk.batch.contributions(of: reference.row)),
            marks: Array(chunk.marks[start..<Int(chunk.markEnds[reference.row])])
        )
    }
}
