import ANPRModel

/// What is known of the times of the first reads of a frame's rows, before its columns are read.
enum FirstTimes {
    /// The column of them tells them, the first one as after this.
    case told(after: Int64)
    /// All of them, and none is outside what a time can be.
    case known([Timestamp])
}

/// Reads what every layout begins with: the first read's time and the best read's camera of each row, in order.
struct BestReader {
    private let cameras: SiteCameras
    private var first: ColumnReader
    private var low: ColumnReader
    private var high: ColumnReader
    private var confidence: ColumnReader
    private var time: Int64
    /// By row, where they are known.
    private let times: [Timestamp]
    private var row = 0

    /// Of a frame's columns.
    ///
    /// - Parameter times: what is known of the first reads' times.
    init(_ columns: ColumnReaders, _ times: FirstTimes, _ cameras: SiteCameras) {
        self.cameras = cameras
        (time, self.times) =
            switch times {
            case .told(let before): (before, [])
            case .known(let times): (0, times)
            }
        first = columns[.first]
        low = columns[.cameraLow]
        high = columns[.cameraHigh]
        confidence = columns[.confidence]
    }

    /// What the columns say of a row.
    struct Best {
        var first: Timestamp
        var camera: CameraIndex
        var confidence: Int8
        /// Of the camera.
        var site: UInt32, rank: UInt32
        var direction: UInt8
        var lane: Int8

        /// The one contribution that says what the sighting says.
        @inline(__always)
        func contribution(_ reads: UInt32) -> Contribution {
            Contribution(camera: camera, reads: reads, first: first, confidence: confidence)
        }

        /// The sighting.
        @inline(__always)
        func sighting(_ vrm: VRM, _ sum: Sum, _ contributions: Range<Int>) -> Sighting {
            Sighting(
                vrm: vrm,
                first: first,
                last: sum.last,
                captured: sum.captured,
                camera: camera,
                reads: sum.reads,
                contributions: contributions,
                confidence: confidence,
                direction: direction,
                lane: lane
            )
        }
    }

    /// What a sighting's contributions come to.
    struct Sum {
        var reads: UInt32
        var last: Timestamp
        var captured: Timestamp
    }

    /// The next row.
    @inline(__always)
    mutating func next() throws(FrameFault) -> Best {
        let first = try nextTime()
        let camera = try high.number(upTo: UInt64(UInt32.max >> 8)) << 8 | UInt64(try low.byte())
        guard camera < UInt64(cameras.count) else { throw .unknownCamera }
        let facts = cameras.facts[Int(camera)]
        return Best(
            first: first,
            camera: CameraIndex(camera),
            confidence: try confidence.confidence(),
            site: facts.site,
            rank: facts.rank,
            direction: facts.direction,
            lane: facts.lane
        )
    }

    @inline(__always)
    private mutating func nextTime() throws(FrameFault) -> Timestamp {
        if row < times.count {
            defer { row += 1 }
            return times[row]
        }
        let (sum, overflow) = time.addingReportingOverflow(try first.signed())
        time = sum
        let next = Timestamp(milliseconds: time)
        guard !overflow, next >= .earliest, next <= .latest else { throw .numberTooLarge }
        return next
    }

    /// Puts the columns back, read as far as they are.
    func giveBack(_ columns: inout ColumnReaders) {
        columns[.first] = first
        columns[.cameraLow] = low
        columns[.cameraHigh] = high
        columns[.confidence] = confidence
    }
}

/// Reads sightings and their contributions as `PartsWriter` and its callers wrote them.
struct RowReader {
    private let cameras: SiteCameras
    private var best: BestReader
    private var form: ColumnReader
    private var reads: ColumnReader
    private var last: ColumnReader
    private var captured: ColumnReader
    private var partCamera: ColumnReader
    private var partReads: ColumnReader
    private var partLead: ColumnReader
    private var partFirst: ColumnReader
    private var partConfidence: ColumnReader
    private var unusual: ColumnReader

    /// Of a frame's columns.
    ///
    /// - Parameter times: what is known of the first reads' times.
    init(_ columns: ColumnReaders, _ times: FirstTimes, _ cameras: SiteCameras) {
        self.cameras = cameras
        best = BestReader(columns, times, cameras)
        form = columns[.form]
        reads = columns[.reads]
        last = columns[.last]
        captured = columns[.captured]
        partCamera = columns[.partCamera]
        partReads = columns[.partReads]
        partLead = columns[.partLead]
        partFirst = columns[.partFirst]
        partConfidence = columns[.partConfidence]
        unusual = columns[.unusual]
    }

    /// No frame of these columns has more contributions: each takes a byte or more of one of these.
    var contributionsMax: Int { reads.left + partReads.left + unusual.left / 4 }

    /// Puts the columns back, read as far as they are.
    func giveBack(_ columns: inout ColumnReaders) {
        best.giveBack(&columns)
        columns[.form] = form
        columns[.reads] = reads
        columns[.last] = last
        columns[.captured] = captured
        columns[.partCamera] = partCamera
        columns[.partReads] = partReads
        columns[.partLead] = partLead
        columns[.partFirst] = partFirst
        columns[.partConfidence] = partConfidence
        columns[.unusual] = unusual
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
            let form = try form.number(upTo: UInt64(cameras.count) + 1)
            let sum =
                switch form {
                case PartsForm.single: try readSingle(best, &parts)
                case PartsForm.unusual: try readUnusual(best, &parts)
                default: try readJoint(best, Int(form), &parts)
                }
            rows.append(best.sighting(vrm, sum, start..<parts.count))
        }
    }

    @inline(__always)
    private mutating func readSingle(_ best: BestReader.Best, _ parts: inout OutputSpan<Contribution>)
        throws(FrameFault) -> BestReader.Sum
    {
        let reads = UInt32(try reads.number(upTo: UInt64(UInt32.max)))
        parts.append(best.contribution(reads))
        guard reads > 1 else { return .init(reads: reads, last: best.first, captured: best.first) }
        let last = try last.laterTime(than: best.first)
        return .init(reads: reads, last: last, captured: try captured(after: best.first, last))
    }

    @inline(__always)
    private mutating func captured(after first: Timestamp, _ last: Timestamp) throws(FrameFault) -> Timestamp
    {
        let code = try captured.number(upTo: ColumnReader.spanMax)
        if code == CapturedForm.atFirst { return first }
        if code == CapturedForm.atLast { return last }
        let time = Timestamp(milliseconds: first.milliseconds + Int64(code) - 1)
        guard time <= .latest else { throw .numberTooLarge }
        return time
    }

    @inline(__always)
    private mutating func readJoint(
        _ best: BestReader.Best,
        _ count: Int,
        _ parts: inout OutputSpan<Contribution>
    ) throws(FrameFault) -> BestReader.Sum {
        guard count <= cameras.count(at: best.site) else { throw .unknownCamera }
        let lead = Int(try partLead.number(upTo: UInt64(count - 1)))
        var own = best.contribution(try partReads.reads())
        if lead != 0 { own.first = try partFirst.laterTime(than: best.first) }
        var reads = UInt64(own.reads)
        var lastFirst = own.first
        // The best read's contribution goes where the order of cameras has it; the others stand in that order.
        var isPlaced = false
        var rankMin: UInt32 = 0
        for number in 1..<count {
            let place = try partCamera.number()
            guard let camera = cameras.camera(at: place, of: best.site) else { throw .unknownCamera }
            let rank = cameras.facts[Int(camera)].rank
            guard rank >= rankMin, rank != best.rank else { throw .unknownCamera }
            rankMin = rank + 1
            if !isPlaced, best.rank < rank {
                parts.append(own)
                isPlaced = true
            }
            let confidence = try partConfidence.confidence()
            let partReads = try partReads.reads()
            let first = number == lead ? best.first : try partFirst.laterTime(than: best.first)
            reads += UInt64(partReads)
            lastFirst = max(lastFirst, first)
            parts.append(
                Contribution(camera: camera, reads: partReads, first: first, confidence: confidence)
            )
        }
        if !isPlaced { parts.append(own) }
        guard reads <= UInt64(UInt32.max) else { throw .numberTooLarge }
        let last = reads > UInt64(count) ? try last.laterTime(than: lastFirst) : lastFirst
        return BestReader.Sum(
            reads: UInt32(reads),
            last: last,
            captured: own.reads > 1 ? try captured(after: own.first, last) : own.first
        )
    }

    private mutating func readUnusual(_ best: BestReader.Best, _ parts: inout OutputSpan<Contribution>)
        throws(FrameFault) -> BestReader.Sum
    {
        let sum = BestReader.Sum(
            reads: UInt32(try unusual.number(upTo: UInt64(UInt32.max))),
            last: try unusual.time(after: best.first),
            captured: try unusual.time(after: best.first)
        )
        for _ in 0..<(try unusual.number(upTo: UInt64(cameras.count))) {
            let place = try unusual.number()
            guard let camera = cameras.camera(at: place, of: best.site) else { throw .unknownCamera }
            let reads = UInt32(try unusual.number(upTo: UInt64(UInt32.max)))
            let first = try unusual.time(after: best.first)
            let confidence = try unusual.confidence()
            parts.append(Contribution(camera: camera, reads: reads, first: first, confidence: confidence))
        }
        return sum
    }
}
