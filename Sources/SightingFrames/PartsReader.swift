import ANPRModel

/// The contributions of the sightings of a frame.
struct SightingParts {
    private(set) var parts: [Contribution] = []
    /// Where each sighting's end.
    private(set) var ends: [UInt32] = []

    mutating func append(_ part: Contribution) { parts.append(part) }

    mutating func endSighting() { ends.append(UInt32(parts.count)) }

    /// The one contribution that says what the sighting says.
    static func single(of sighting: Sighting) -> Contribution {
        Contribution(
            camera: sighting.camera,
            reads: sighting.reads,
            first: sighting.first,
            confidence: sighting.confidence
        )
    }
}

/// Reads what `PartsWriter` wrote: reads, times and contributions of sightings whose camera and first read are known.
struct PartsReader {
    private let register: CameraRegister
    private let cameras: SiteCameras
    private var all = SightingParts()
    /// The contributions of one sighting, the best read's first.
    private var some: [Contribution] = []

    init(register: CameraRegister, cameras: SiteCameras) {
        self.register = register
        self.cameras = cameras
    }

    /// Reads all, completing the rows.
    consuming func read(_ rows: inout [Sighting], _ columns: inout [ColumnReader]) throws(FrameFault)
        -> SightingParts
    {
        for row in rows.indices {
            let form = try columns[FrameColumn.form.rawValue].number(upTo: UInt64(register.count) + 1)
            switch form {
            case PartsForm.single: try readSingle(&rows[row], &columns)
            case PartsForm.unusual: try readUnusual(&rows[row], &columns)
            default: try readJoint(&rows[row], Int(form), &columns)
            }
            all.endSighting()
        }
        return all
    }

    private mutating func readSingle(_ sighting: inout Sighting, _ columns: inout [ColumnReader])
        throws(FrameFault)
    {
        sighting.reads = UInt32(try columns[FrameColumn.reads.rawValue].number(upTo: UInt64(UInt32.max)))
        if sighting.reads > 1 {
            sighting.last = try columns[FrameColumn.last.rawValue].laterTime(than: sighting.first)
            sighting.captured = try captured(after: sighting.first, sighting.last, &columns)
        }
        all.append(SightingParts.single(of: sighting))
    }

    private func captured(
        after first: Timestamp,
        _ last: Timestamp,
        _ columns: inout [ColumnReader]
    ) throws(FrameFault) -> Timestamp {
        let code = try columns[FrameColumn.captured.rawValue].number(upTo: ColumnReader.spanMax)
        if code == CapturedForm.atFirst { return first }
        if code == CapturedForm.atLast { return last }
        let time = Timestamp(milliseconds: first.milliseconds + Int64(code) - 1)
        guard time <= .latest else { throw .numberTooLarge }
        return time
    }

    private mutating func readJoint(
        _ sighting: inout Sighting,
        _ count: Int,
        _ columns: inout [ColumnReader]
    ) throws(FrameFault) {
        let site = cameras.bySite[Int(register.siteOfCamera[Int(sighting.camera)])]
        guard count <= site.count else { throw .unknownCamera }
        let lead = Int(try columns[FrameColumn.partLead.rawValue].number(upTo: UInt64(count - 1)))
        some.removeAll(keepingCapacity: true)
        var reads: UInt64 = 0
        var lastFirst = sighting.first
        for number in 0..<count {
            var part = SightingParts.single(of: sighting)
            if number > 0 {
                let place = try columns[FrameColumn.partCamera.rawValue].number()
                guard place < UInt64(site.count) else { throw .unknownCamera }
                part.camera = site[Int(place)]
                part.confidence = try columns[FrameColumn.partConfidence.rawValue].confidence()
            }
            part.reads =
                UInt32(try columns[FrameColumn.partReads.rawValue].number(upTo: UInt64(UInt32.max - 1))) + 1
            if number != lead {
                part.first = try columns[FrameColumn.partFirst.rawValue].laterTime(than: sighting.first)
            }
            reads += UInt64(part.reads)
            lastFirst = max(lastFirst, part.first)
            some.append(part)
        }
        guard reads <= UInt64(UInt32.max) else { throw .numberTooLarge }
        sighting.reads = UInt32(reads)
        sighting.last = lastFirst
        if reads > UInt64(count) {
            sighting.last = try columns[FrameColumn.last.rawValue].laterTime(than: lastFirst)
        }
        sighting.captured = some[0].first
        if some[0].reads > 1 {
            sighting.captured = try captured(after: some[0].first, sighting.last, &columns)
        }
        try appendInOrder()
    }

    /// The best read's contribution goes where the order of cameras has it; the others stand in that order.
    private mutating func appendInOrder() throws(FrameFault) {
        let best = register.cameraOrder[Int(some[0].camera)]
        var isPlaced = false
        var before: UInt32?
        for part in some.dropFirst() {
            let rank = register.cameraOrder[Int(part.camera)]
            guard rank != best, before.map({ $0 < rank }) ?? true else { throw .unknownCamera }
            before = rank
            if !isPlaced, best < rank {
                all.append(some[0])
                isPlaced = true
            }
            all.append(part)
        }
        if !isPlaced { all.append(some[0]) }
    }

    private mutating func readUnusual(_ sighting: inout Sighting, _ columns: inout [ColumnReader])
        throws(FrameFault)
    {
        var column = columns[FrameColumn.unusual.rawValue]
        let site = cameras.bySite[Int(register.siteOfCamera[Int(sighting.camera)])]
        sighting.reads = UInt32(try column.number(upTo: UInt64(UInt32.max)))
        sighting.last = try column.time(after: sighting.first)
        sighting.captured = try column.time(after: sighting.first)
        for _ in 0..<(try column.number(upTo: UInt64(register.count))) {
            let place = try column.number()
            guard place < UInt64(site.count) else { throw .unknownCamera }
            let reads = UInt32(try column.number(upTo: UInt64(UInt32.max)))
            let first = try column.time(after: sighting.first)
            let confidence = try column.confidence()
            all.append(
                Contribution(camera: site[Int(place)], reads: reads, first: first, confidence: confidence)
            )
        }
        columns[FrameColumn.unusual.rawValue] = column
    }
}
