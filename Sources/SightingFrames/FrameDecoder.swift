public import ANPRModel
import Compression

/// Unpacks frames; nothing in one is believed before it is checked.
public struct FrameDecoder: Sendable {
    private let register: CameraRegister
    private let cameras: SiteCameras

    /// A decoder of the register that the stream has named so far.
    public init(register: CameraRegister) {
        self.register = register
        cameras = SiteCameras(register)
    }

    /// Unpacks a frame and appends its sightings.
    ///
    /// - Throws: a fault; `batch` may then have some of the sightings.
    public func decode(_ block: Block, into batch: inout SightingBatch) throws(FrameFault) {
        guard block.kind == .frame, block.count <= FrameEncoder.countMax else { throw .notAFrame }
        var columns = try columns(of: block)
        var rows: [Sighting] = []
        rows.reserveCapacity(Int(block.count))
        try readTimesAndMarks(Int(block.count), &columns, &rows)
        try readCounts(&columns, &rows)
        try readExceptions(&columns, &rows)
        let hasVariants = columns.count == FrameColumn.allCases.count
        let variants =
            hasVariants ? try VariantColumn.read(rows, &columns[FrameColumn.variants.rawValue]) : []
        try readParts(rows, variants, &columns, into: &batch)
        for column in columns where !column.isAtEnd { throw .columnTooLong }
    }

    private func columns(of block: Block) throws(FrameFault) -> [ColumnReader] {
        let bytes: [UInt8]
        do throws(CompressionError) {
            bytes = try Inflater.unpack(block.payload[...], length: Int(block.unpackedLength))
        } catch { throw .badPacking }
        var head = ColumnReader(bytes, 0..<bytes.count)
        var lengths: [Int] = []
        var headLength = 0
        for _ in 0..<FrameColumn.count(flags: block.flags) {
            let length = try head.number(upTo: UInt64(bytes.count))
            lengths.append(Int(length))
            headLength += length < 0x80 ? 1 : length < 0x4000 ? 2 : length < 0x20_0000 ? 3 : 4
        }
        guard lengths.reduce(headLength, +) == bytes.count else { throw .badPacking }
        var start = headLength
        var columns: [ColumnReader] = []
        for length in lengths {
            columns.append(ColumnReader(bytes, start..<start + length))
            start += length
        }
        return columns
    }

    private func readTimesAndMarks(
        _ count: Int,
        _ columns: inout [ColumnReader],
        _ rows: inout [Sighting]
    ) throws(FrameFault) {
        var time: Int64 = 0
        for _ in 0..<count {
            let (sum, overflow) = time.addingReportingOverflow(
                try columns[FrameColumn.first.rawValue].signed()
            )
            time = sum
            let first = Timestamp(milliseconds: time)
            guard !overflow, first >= .earliest, first <= .latest else { throw .numberTooLarge }
            let vrm = try mark(&columns)
            rows.append(
                Sighting(
                    vrm: vrm,
                    first: first,
                    last: first,
                    captured: first,
                    opened: first,
                    camera: 0,
                    reads: 1
                )
            )
        }
    }

    private func mark(_ columns: inout [ColumnReader]) throws(FrameFault) -> VRM {
        let letter1 = try columns[FrameColumn.letter1.rawValue].byte()
        guard letter1 > 0 else {
            guard let vrm = VRM(packed: try columns[FrameColumn.otherMarks.rawValue].number()) else {
                throw .badMark
            }
            return vrm
        }
        let parts = CurrentShape.Parts(
            letter1: letter1,
            letter2: try columns[FrameColumn.letter2.rawValue].byte(),
            age: try columns[FrameColumn.age.rawValue].byte(),
            letter3: try columns[FrameColumn.letter3.rawValue].byte(),
            letter4: try columns[FrameColumn.letter4.rawValue].byte(),
            letter5: try columns[FrameColumn.letter5.rawValue].byte()
        )
        guard let vrm = CurrentShape.join(parts) else { throw .badMark }
        return vrm
    }

    private func readCounts(_ columns: inout [ColumnReader], _ rows: inout [Sighting]) throws(FrameFault) {
        for row in rows.indices {
            let low = try columns[FrameColumn.cameraLow.rawValue].byte()
            let high = try columns[FrameColumn.cameraHigh.rawValue].number(upTo: UInt64(UInt32.max >> 8))
            let camera = UInt32(high) << 8 | UInt32(low)
            guard Int(camera) < register.count else { throw .unknownCamera }
            rows[row].camera = camera
            rows[row].confidence = try confidence(&columns[FrameColumn.confidence.rawValue])
            rows[row].reads = UInt32(try columns[FrameColumn.reads.rawValue].number(upTo: UInt64(UInt32.max)))
            rows[row].direction = register.cameras[Int(camera)].direction?.rawValue ?? 0
            rows[row].lane = register.cameras[Int(camera)].lane.map { Int8($0) } ?? -1
            guard rows[row].reads != 1 else { continue }
            let first = rows[row].first
            rows[row].last = try columns[FrameColumn.last.rawValue].time(after: first)
            rows[row].captured = try columns[FrameColumn.captured.rawValue].time(after: first)
        }
    }

    private func confidence(_ column: inout ColumnReader) throws(FrameFault) -> Int8 {
        let byte = try column.byte()
        guard byte <= 101 else { throw .numberTooLarge }
        return Int8(byte) - 1
    }

    private func readExceptions(_ columns: inout [ColumnReader], _ rows: inout [Sighting]) throws(FrameFault)
    {
        var row = -1
        while !columns[FrameColumn.bearings.rawValue].isAtEnd {
            try columns[FrameColumn.bearings.rawValue].next(&row, rows.count)
            let direction = try columns[FrameColumn.bearings.rawValue].byte()
            let lane = try columns[FrameColumn.bearings.rawValue].byte()
            guard direction <= Direction.towards.rawValue, lane <= 64 else { throw .numberTooLarge }
            rows[row].direction = direction
            rows[row].lane = Int8(lane) - 1
        }
        row = -1
        while !columns[FrameColumn.speeds.rawValue].isAtEnd {
            try columns[FrameColumn.speeds.rawValue].next(&row, rows.count)
            rows[row].speed = UInt16(
                try columns[FrameColumn.speeds.rawValue].number(upTo: UInt64(UInt16.max))
            )
        }
        row = -1
        while !columns[FrameColumn.identities.rawValue].isAtEnd {
            try columns[FrameColumn.identities.rawValue].next(&row, rows.count)
            rows[row].opened = try columns[FrameColumn.identities.rawValue].time(after: rows[row].first)
            let packed = try columns[FrameColumn.identities.rawValue].number(
                upTo: UInt64(UInt16.max) << 1 | 1
            )
            rows[row].revision = UInt16(packed >> 1)
            rows[row].isLate = packed & 1 == 1
        }
    }

    private func readParts(
        _ rows: [Sighting],
        _ variants: [SightingVariant],
        _ columns: inout [ColumnReader],
        into batch: inout SightingBatch
    ) throws(FrameFault) {
        var nextVariant = 0
        for (row, sighting) in rows.enumerated() {
            batch.append(sighting)
            while nextVariant < variants.count, variants[nextVariant].sighting == row {
                let other = variants[nextVariant]
                batch.append(other.vrm, opened: other.opened, isMerged: other.isMerged)
                nextVariant += 1
            }
            let count = try columns[FrameColumn.partCount.rawValue].number(upTo: UInt64(register.count))
            guard count > 0 else {
                batch.append(
                    Contribution(
                        camera: sighting.camera,
                        reads: sighting.reads,
                        first: sighting.first,
                        confidence: sighting.confidence
                    )
                )
                continue
            }
            let site = cameras.bySite[Int(register.siteOfCamera[Int(sighting.camera)])]
            for _ in 0..<count {
                let place = try columns[FrameColumn.partCamera.rawValue].number()
                guard place < UInt64(site.count) else { throw .unknownCamera }
                let reads = try columns[FrameColumn.partReads.rawValue].number(upTo: UInt64(UInt32.max))
                let first = try columns[FrameColumn.partFirst.rawValue].time(after: sighting.first)
                let confidence = try confidence(&columns[FrameColumn.partConfidence.rawValue])
                batch.append(
                    Contribution(
                        camera: site[Int(place)],
                        reads: UInt32(reads),
                        first: first,
                        confidence: confidence
                    )
                )
            }
        }
    }
}
