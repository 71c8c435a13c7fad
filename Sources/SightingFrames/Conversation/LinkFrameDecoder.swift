public import ANPRModel
import Compression

/// Unpacks what a `LinkFrameEncoder` packed, frame by frame in order, into frames that stand alone.
///
/// Nothing is believed before it is checked: counts and lengths are bounded, and a frame that was changed, cut, left out or
/// sent twice is refused with the place where it shows. After a fault the connection is over: the decoder must not be used again.
///
/// - Complexity: 1 MB, 8 bytes for each of the last million sightings, and the columns of the largest frame so far, at most 16 MiB.
public struct LinkFrameDecoder {
    private var unpacker = EntropyUnpacker(kinds: LinkColumns.kinds)
    private var history = MarkHistory()
    private var expected = ExpectedCounts()
    private var previous: Int64 = 0
    private var checksum: UInt32 = 0
    private var packer = HuffmanPacker()
    private var columns = ColumnBytes()

    /// A decoder at the begin of a connection.
    public init() {}

    /// Why a frame was refused.
    public struct Fault: Error, Equatable, CustomStringConvertible {
        /// How far it was read, in bytes.
        public var offset: Int
        /// What is wrong there.
        public var reason: String

        /// Both in words.
        public var description: String { "at byte \(offset): \(reason)" }
    }

    /// Unpacks a frame into a block that stands alone.
    ///
    /// - Parameter sequence: the number of its first sighting in the stream.
    /// - Returns: the very block that a `FrameEncoder` would have made of the same sightings. What the columns say of them is
    ///   checked by a `FrameDecoder`, as of any block.
    public mutating func block(_ frame: [UInt8], sequence: UInt64) throws(Fault) -> Block {
        let head = try unpack(frame)
        do throws(FrameFault) {
            var alone = FrameColumns(count: head.count, flags: head.flags)
            for column in FrameColumn.stored(flags: head.flags) {
                alone[column] = Array(columns.bytes[columns[column]])
            }
            let marks = try columns.read { readers throws(FrameFault) in
                try history.marks(head.count, head.distances, &readers)
            }
            var columns = MarkColumns(room: head.count)
            for vrm in marks { columns.put(vrm) }
            columns.finish(into: &alone)
            try tellTimeAlone(&alone)
            return alone.block(sequence: sequence, &packer)
        } catch { throw Fault(offset: frame.count, reason: "\(error)") }
    }

    /// Unpacks a frame's sightings and appends them; on a fault `batch` is as it was.
    ///
    /// - Parameter decoder: of the register that the frame was packed with.
    /// - Complexity: O(sightings), a hundred and some nanoseconds each; no allocation but of their number.
    public mutating func decode(
        _ frame: [UInt8],
        by decoder: FrameDecoder,
        into batch: inout SightingBatch
    ) throws(Fault) {
        let head = try unpack(frame)
        do throws(FrameFault) {
            try columns.read { readers throws(FrameFault) in
                let marks = try history.marks(head.count, head.distances, &readers)
                try decoder.decode(&readers, marks, flags: head.flags, .told(after: previous), into: &batch)
            }
        } catch { throw Fault(offset: frame.count, reason: "\(error)") }
        if let last = batch.sightings.last { previous = last.first.milliseconds }
    }

    /// Takes in what `LinkFrameEncoder.cover` was given, so that the next frame's checksum is right.
    ///
    /// - Returns: the checksum so far.
    @discardableResult
    public mutating func cover(_ bytes: [UInt8]) -> UInt32 {
        checksum = Checksum.crc32(bytes, 0..<bytes.count, continuing: checksum)
        return checksum
    }

    /// What a frame says before its columns, and between them.
    private struct Head {
        var count: Int
        var flags: UInt16
        /// By column: how many numbers it was told to have.
        var told = ByColumn<Int>(repeating: 0)
        /// To each mark that went over before, in order.
        var distances: [UInt32] = []
    }

    /// Unpacks a frame into `columns`.
    private mutating func unpack(_ frame: [UInt8]) throws(Fault) -> Head {
        guard frame.count > 8 else { throw Fault(offset: frame.count, reason: "a frame that breaks off") }
        let told: UInt32 = LittleEndian.read(frame, at: 0)
        checksum = Checksum.crc32(frame, 4..<frame.count, continuing: checksum)
        guard told == checksum else {
            throw Fault(offset: 0, reason: "a frame that was changed, or does not follow the one before")
        }
        do {
            try unpacker.begin(frame, at: 4)
            var head = try readHead()
            try readColumns(&head)
            try unpacker.finish()
            expected.learn(head.told, head.count)
            return head
        } catch {
            throw Fault(offset: unpacker.position, reason: "\(error)")
        }
    }

    private mutating func readHead() throws -> Head {
        var bytes: [UInt8] = []
        try unpacker.numbers(2, kind: LinkColumns.head, lengthMax: 20, into: &bytes)
        var head = try ColumnReader.read(bytes) { reader throws(FrameFault) in
            Head(
                count: Int(try reader.number(upTo: UInt64(FrameEncoder.countMax))),
                flags: UInt16(try reader.number(upTo: UInt64(UInt16.max)))
            )
        }
        guard head.count > 0, FrameColumn.areWritten(flags: head.flags) else { throw FrameFault.notAFrame }
        let columns = CodedColumns.told(flags: head.flags)
        bytes.removeAll()
        try unpacker.numbers(
            columns.count,
            kind: LinkColumns.told,
            lengthMax: 10 * columns.count,
            into: &bytes
        )
        try ColumnReader.read(bytes) { reader throws(FrameFault) in
            for column in columns {
                let (sum, overflow) = try reader.signed()
                    .addingReportingOverflow(Int64(expected[column, head.count]))
                guard !overflow, sum >= 0, sum <= CodedColumns.lengthMax else { throw .numberTooLarge }
                head.told[column.rawValue] = Int(sum)
            }
        }
        return head
    }

    private mutating func readColumns(_ head: inout Head) throws {
        columns.removeAll()
        var counts = ColumnCounts(rows: head.count)
        for column in CodedColumns.order(flags: head.flags) {
            let count = counts.count(of: column, told: head.told)
            try columns.read(column, count, from: &unpacker)
            if column == .letter1 {
                counts.countMarks(columns.bytes[columns[column]])
                var codes: [UInt8] = []
                try Magnitude.read(
                    counts.remembered,
                    kind: LinkColumns.distance,
                    from: &unpacker,
                    &codes,
                    into: &head.distances
                )
            }
            try counts.take(column, columns)
        }
    }

    /// Tells the first time by itself, not as after the frame before.
    private mutating func tellTimeAlone(_ columns: inout FrameColumns) throws(FrameFault) {
        let bytes = columns[.first]
        let (first, length, last) = try ColumnReader.read(bytes) { times throws(FrameFault) in
            var time = previous
            var first: (Int64, Int)?
            while !times.isAtEnd {
                let (sum, overflow) = time.addingReportingOverflow(try times.signed())
                guard !overflow else { throw .numberTooLarge }
                time = sum
                if first == nil { first = (time, bytes.count - times.left) }
            }
            return (first?.0 ?? time, first?.1 ?? 0, time)
        }
        previous = last
        var alone = ColumnWriter()
        alone.put(signed: first)
        columns[.first] = alone.bytes + bytes[length...]
    }
}
