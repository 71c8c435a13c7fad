import ANPRModel

/// Reads what the first layout of frames wrote: logs and segments of before stay readable.
struct FirstLayout {
    private let cameras: SiteCameras
    private var best: BestReader
    private var reads: ColumnReader
    private var last: ColumnReader
    private var captured: ColumnReader
    private var partCount: ColumnReader
    private var partCamera: ColumnReader
    private var partReads: ColumnReader
    private var partFirst: ColumnReader
    private var partConfidence: ColumnReader

    /// Of a frame's columns.
    init(_ columns: ColumnReaders, _ cameras: SiteCameras) {
        self.cameras = cameras
        best = BestReader(columns, .told(after: 0), cameras)
        reads = columns[.reads]
        last = columns[.last]
        captured = columns[.captured]
        partCount = columns[.partCount]
        partCamera = columns[.partCamera]
        partReads = columns[.partReads]
        partFirst = columns[.partFirst]
        partConfidence = columns[.partConfidence]
    }

    /// So many sightings of these columns have no more contributions: one, or some that take a byte each.
    func contributionsMax(_ count: Int) -> Int { count + partReads.left }

    /// Puts the columns back, read as far as they are.
    func giveBack(_ columns: inout ColumnReaders) {
        best.giveBack(&columns)
        columns[.reads] = reads
        columns[.last] = last
        columns[.captured] = captured
        columns[.partCount] = partCount
        columns[.partCamera] = partCamera
        columns[.partReads] = partReads
        columns[.partFirst] = partFirst
        columns[.partConfidence] = partConfidence
    }

    /// Reads a row for each mark.
    ///
    /// - Parameter parts: has room for `contributionsMax`.
    mutating func read(
        _ marks: [VRM],
        _ rows: inout OutputSpan<Sighting>,
        _ parts: inout OutputSpan<Contribution>
    ) throws(FrameFault) {
        for vrm in marks {
            let best = try best.next()
            let start = parts.count
            var sum = BestReader.Sum(
                reads: UInt32(try reads.number(upTo: UInt64(UInt32.max))),
                last: best.first,
                captured: best.first
            )
            if sum.reads != 1 {
                sum.last = try last.time(after: best.first)
                sum.captured = try captured.time(after: best.first)
            }
            try readParts(best, sum.reads, &parts)
            rows.append(best.sighting(vrm, sum, start..<parts.count))
        }
    }

    /// The contributions: none written where there is one that says what the sighting says, else each whole.
    private mutating func readParts(
        _ best: BestReader.Best,
        _ reads: UInt32,
        _ parts: inout OutputSpan<Contribution>
    ) throws(FrameFault) {
        let count = try partCount.number(upTo: UInt64(cameras.count))
        guard count > 0 else { return parts.append(best.contribution(reads)) }
        for _ in 0..<count {
            guard let camera = cameras.camera(at: try partCamera.number(), of: best.site) else {
                throw .unknownCamera
            }
            let reads = UInt32(try partReads.number(upTo: UInt64(UInt32.max)))
            let first = try partFirst.time(after: best.first)
            let confidence = try partConfidence.confidence()
            parts.append(Contribution(camera: camera, reads: reads, first: first, confidence: confidence))
        }
    }
}
