import ANPRModel

/// Reads what the first layout of frames wrote: logs and segments of before stay readable.
struct FirstLayout {
    let register: CameraRegister
    let cameras: SiteCameras

    /// Reads, and times that are not the first read's.
    static func readCounts(_ columns: inout [ColumnReader], _ rows: inout [Sighting]) throws(FrameFault) {
        for row in rows.indices {
            rows[row].reads = UInt32(try columns[FrameColumn.reads.rawValue].number(upTo: UInt64(UInt32.max)))
            guard rows[row].reads != 1 else { continue }
            let first = rows[row].first
            rows[row].last = try columns[FrameColumn.last.rawValue].time(after: first)
            rows[row].captured = try columns[FrameColumn.captured.rawValue].time(after: first)
        }
    }

    /// The contributions: none written where there is one that says what the sighting says, else each whole.
    func readParts(_ rows: [Sighting], _ columns: inout [ColumnReader]) throws(FrameFault) -> SightingParts {
        var all = SightingParts()
        for sighting in rows {
            let count = try columns[FrameColumn.partCount.rawValue].number(upTo: UInt64(register.count))
            guard count > 0 else {
                all.append(SightingParts.single(of: sighting))
                all.endSighting()
                continue
            }
            let site = cameras.bySite[Int(register.siteOfCamera[Int(sighting.camera)])]
            for _ in 0..<count {
                let place = try columns[FrameColumn.partCamera.rawValue].number()
                guard place < UInt64(site.count) else { throw .unknownCamera }
                let reads = try columns[FrameColumn.partReads.rawValue].number(upTo: UInt64(UInt32.max))
                all.append(
                    Contribution(
                        camera: site[Int(place)],
                        reads: UInt32(reads),
                        first: try columns[FrameColumn.partFirst.rawValue].time(after: sighting.first),
                        confidence: try columns[FrameColumn.partConfidence.rawValue].confidence()
                    )
                )
            }
            all.endSighting()
        }
        return all
    }
}
