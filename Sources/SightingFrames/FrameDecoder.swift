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
    /// - Throws: a fault; `batch` is then as it was.
    public func decode(_ block: Block, into batch: inout SightingBatch) throws(FrameFault) {
        guard block.kind == .frame, block.count <= FrameEncoder.countMax else { throw .notAFrame }
        var columns = try columns(of: block)
        try decode(Int(block.count), block.flags, &columns, into: &batch)
    }

    /// Appends the sightings of columns; on a fault `batch` is as it was.
    func decode(_ columns: FrameColumns, into batch: inout SightingBatch) throws(FrameFault) {
        var readers = columns.bytes.map { ColumnReader($0, 0..<$0.count) }
        try decode(columns.count, columns.flags, &readers, into: &batch)
    }

    private func decode(
        _ count: Int,
        _ flags: UInt16,
        _ columns: inout [ColumnReader],
        into batch: inout SightingBatch
    ) throws(FrameFault) {
        var rows: [Sighting] = []
        rows.reserveCapacity(count)
        try readTimesAndMarks(count, &columns, &rows)
        try readBest(&columns, &rows)
        let parts: SightingParts
        if flags & FrameColumn.layoutFlag == 0 {
            try FirstLayout.readCounts(&columns, &rows)
            parts = try FirstLayout(register: register, cameras: cameras).readParts(rows, &columns)
        } else {
            parts = try PartsReader(register: register, cameras: cameras).read(&rows, &columns)
        }
        try readExceptions(&columns, &rows)
        let variants = try VariantColumn.read(rows, &columns[FrameColumn.variants.rawValue])
        for column in columns where !column.isAtEnd { throw .columnTooLong }
        append(rows, parts, variants, to: &batch)
    }

    private func append(
        _ rows: [Sighting],
        _ parts: SightingParts,
        _ variants: [SightingVariant],
        to batch: inout SightingBatch
    ) {
        var nextPart = 0
        var nextVariant = 0
        for (row, sighting) in rows.enumerated() {
            batch.append(sighting)
            let end = Int(parts.ends[row])
            while nextPart < end {
                batch.append(parts.parts[nextPart])
                nextPart += 1
            }
            while nextVariant < variants.count, variants[nextVariant].sighting == row {
                let other = variants[nextVariant]
                batch.append(other.vrm, opened: other.opened, isMerged: other.isMerged)
                nextVariant += 1
            }
        }
    }

    /// The columns by their number; those that the frame does not have are empty.
    private func columns(of block: Block) throws(FrameFault) -> [ColumnReader] {
        let bytes: [UInt8]
        do throws(CompressionError) {
            bytes = try Inflater.unpack(block.payload[...], length: Int(block.unpackedLength))
        } catch { throw .badPacking }
        let stored = FrameColumn.stored(flags: block.flags)
        var head = ColumnReader(bytes, 0..<bytes.count)
        var lengths: [Int] = []
        var headLength = 0
        for _ in stored {
            let length = try head.number(upTo: UInt64(bytes.count))
            lengths.append(Int(length))
            headLength += length < 0x80 ? 1 : length < 0x4000 ? 2 : length < 0x20_0000 ? 3 : 4
        }
        guard lengths.reduce(headLength, +) == bytes.count else { throw .badPacking }
        var start = headLength
        var columns = [ColumnReader](repeating: ColumnReader([], 0..<0), count: FrameColumn.allCases.count)
        for (column, length) in zip(stored, lengths) {
            columns[column.rawValue] = ColumnReader(bytes, start..<start + length)
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
        var times = columns[FrameColumn.first.rawValue]
        var marks = MarkReaders(columns)
        for _ in 0..<count {
            let (sum, overflow) = time.addingReportingOverflow(try times.signed())
            time = sum
            let first = Timestamp(milliseconds: time)
            guard !overflow, first >= .earliest, first <= .latest else { throw .numberTooLarge }
            guard let vrm = try marks.next() else { throw .badMark }
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
        columns[FrameColumn.first.rawValue] = times
        marks.giveBack(&columns)
    }

    private func readBest(_ columns: inout [ColumnReader], _ rows: inout [Sighting]) throws(FrameFault) {
        for row in rows.indices {
            let low = try columns[FrameColumn.cameraLow.rawValue].byte()
            let high = try columns[FrameColumn.cameraHigh.rawValue].number(upTo: UInt64(UInt32.max >> 8))
            let camera = UInt32(high) << 8 | UInt32(low)
            guard Int(camera) < register.count else { throw .unknownCamera }
            rows[row].camera = camera
            rows[row].confidence = try columns[FrameColumn.confidence.rawValue].confidence()
            rows[row].direction = register.cameras[Int(camera)].direction?.rawValue ?? 0
            rows[row].lane = register.cameras[Int(camera)].lane.map { Int8($0) } ?? -1
        }
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
}

/// The columns of marks being read.
struct MarkReaders {
    private var letters: InlineArray<6, ColumnReader>
    private var others: ColumnReader

    /// Of a frame's columns.
    init(_ columns: FrameColumns) {
        self.init(columns.bytes.map { ColumnReader($0, 0..<$0.count) })
    }

    init(_ columns: [ColumnReader]) {
        letters = InlineArray { columns[FrameColumn.letter1.rawValue + $0] }
        others = columns[FrameColumn.otherMarks.rawValue]
    }

    /// The next mark; `nil` for one that stands elsewhere.
    @inline(__always)
    mutating func next() throws(FrameFault) -> VRM? {
        let letter1 = try letters[0].byte()
        if letter1 == MarkColumns.remembered { return nil }
        guard letter1 != MarkColumns.otherShape else {
            guard let vrm = VRM(packed: try others.number()) else { throw .badMark }
            return vrm
        }
        let parts = CurrentShape.Parts(
            letter1: letter1,
            letter2: try letters[1].byte(),
            age: try letters[2].byte(),
            letter3: try letters[3].byte(),
            letter4: try letters[4].byte(),
            letter5: try letters[5].byte()
        )
        guard let vrm = CurrentShape.join(parts) else { throw .badMark }
        return vrm
    }

    /// Puts the columns back, read as far as they are.
    func giveBack(_ columns: inout [ColumnReader]) {
        for place in 0..<6 { columns[FrameColumn.letter1.rawValue + place] = letters[place] }
        columns[FrameColumn.otherMarks.rawValue] = others
    }
}
