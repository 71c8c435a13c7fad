public import ANPRModel
import Compression

/// Unpacks frames; nothing in one is believed before it is checked.
///
/// - Complexity: O(sightings), some hundred nanoseconds each.
public struct FrameDecoder: Sendable {
    private let cameras: SiteCameras

    /// A decoder of the register that the stream has named so far.
    public init(register: CameraRegister) { cameras = SiteCameras(register) }

    /// Unpacks a frame and appends its sightings.
    ///
    /// - Throws: a fault; `batch` is then as it was.
    public func decode(_ block: Block, into batch: inout SightingBatch) throws(FrameFault) {
        guard block.kind == .frame, block.count <= FrameEncoder.countMax else { throw .notAFrame }
        guard block.unpackedLength <= Block.payloadMax else { throw .badPacking }
        let bytes: [UInt8]
        do throws(CompressionError) {
            bytes = try Inflater.unpack(block.payload[...], length: Int(block.unpackedLength))
        } catch { throw .badPacking }
        let columns = try ColumnBytes(unpacked: bytes, flags: block.flags)
        try columns.read { readers throws(FrameFault) in
            let marks = try MarkReader.marks(Int(block.count), &readers)
            try decode(&readers, marks, flags: block.flags, .told(after: 0), into: &batch)
        }
    }

    /// Appends the sightings of columns whose marks are known; on a fault `batch` is as it was.
    ///
    /// - Parameters:
    ///   - columns: those of marks have been read.
    ///   - marks: one for each sighting.
    ///   - flags: as a block of them has.
    ///   - times: what is known of the first reads' times.
    func decode(
        _ columns: inout ColumnReaders,
        _ marks: [VRM],
        flags: UInt16,
        _ times: FirstTimes,
        into batch: inout SightingBatch
    ) throws(FrameFault) {
        var variants: [SightingVariant] = []
        let first = batch.count
        if flags & FrameColumn.layoutFlag == 0 {
            var reader = FirstLayout(columns, cameras)
            try batch.append(
                sightingsMax: marks.count,
                contributionsMax: reader.contributionsMax(marks.count)
            ) {
                rows,
                parts throws(FrameFault) in
                try reader.read(marks, &rows, &parts)
                reader.giveBack(&columns)
                variants = try Self.readExceptions(&columns, &rows)
            }
        } else {
            var reader = RowReader(columns, times, cameras)
            try batch.append(sightingsMax: marks.count, contributionsMax: reader.contributionsMax) {
                rows,
                parts throws(FrameFault) in
                try reader.read(marks, &rows, &parts)
                reader.giveBack(&columns)
                variants = try Self.readExceptions(&columns, &rows)
            }
        }
        batch.append(variants, from: first)
    }

    /// Reads what is out of the ordinary, completing the rows; nothing may then be left of any column.
    ///
    /// - Returns: the other marks.
    private static func readExceptions(
        _ columns: inout ColumnReaders,
        _ rows: inout OutputSpan<Sighting>
    ) throws(FrameFault) -> [SightingVariant] {
        try readBearings(&columns[.bearings], &rows)
        try readSpeeds(&columns[.speeds], &rows)
        try readIdentities(&columns[.identities], &rows)
        let variants = try VariantColumn.read(rows.span, &columns[.variants])
        guard columns.areAtEnd else { throw .columnTooLong }
        return variants
    }

    private static func readBearings(_ column: inout ColumnReader, _ rows: inout OutputSpan<Sighting>)
        throws(FrameFault)
    {
        var row = -1
        while !column.isAtEnd {
            try column.next(&row, rows.count)
            let direction = try column.byte()
            let lane = try column.byte()
            guard direction <= Direction.towards.rawValue, lane <= 64 else { throw .numberTooLarge }
            rows[row].direction = direction
            rows[row].lane = Int8(lane) - 1
        }
    }

    private static func readSpeeds(_ column: inout ColumnReader, _ rows: inout OutputSpan<Sighting>)
        throws(FrameFault)
    {
        var row = -1
        while !column.isAtEnd {
            try column.next(&row, rows.count)
            rows[row].speed = UInt16(try column.number(upTo: UInt64(UInt16.max)))
        }
    }

    private static func readIdentities(_ column: inout ColumnReader, _ rows: inout OutputSpan<Sighting>)
        throws(FrameFault)
    {
        var row = -1
        while !column.isAtEnd {
            try column.next(&row, rows.count)
            rows[row].opened = try column.time(after: rows[row].first)
            let packed = try column.number(upTo: UInt64(UInt16.max) << 1 | 1)
            rows[row].revision = UInt16(packed >> 1)
            rows[row].isLate = packed & 1 == 1
        }
    }
}
