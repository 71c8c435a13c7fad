public import ANPRModel
import Compression

/// Unpacks what a `LinkFrameEncoder` packed, frame by frame in order, into frames that stand alone.
///
/// Nothing is believed before it is checked: counts and lengths are bounded, and a frame that was changed, cut, left out or
/// sent twice is refused with the place where it shows. After a fault the connection is over: the decoder must not be used again.
public struct LinkFrameDecoder {
    private var unpacker = LearningUnpacker(kinds: LinkColumns.kinds)
    private var history = MarkHistory()
    private var expected = ExpectedLengths()
    private var previous: Int64 = 0
    private var checksum: UInt32 = 0
    private var packer = HuffmanPacker()
    private var position = 0

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
    /// - Returns: the very block that a `FrameEncoder` would have made of the same sightings.
    public mutating func block(_ frame: [UInt8], sequence: UInt64) throws(Fault) -> Block {
        try columns(frame).block(sequence: sequence, &packer)
    }

    /// Unpacks a frame's sightings.
    ///
    /// - Parameter decoder: of the register that the frame was packed with.
    public mutating func decode(
        _ frame: [UInt8],
        by decoder: FrameDecoder,
        into batch: inout SightingBatch
    ) throws(Fault) {
        let columns = try columns(frame)
        do throws(FrameFault) {
            try decoder.decode(columns, into: &batch)
        } catch { throw Fault(offset: frame.count, reason: "\(error)") }
    }

    /// Takes in what `LinkFrameEncoder.cover` was given, so that the next frame's checksum is right.
    ///
    /// - Returns: the checksum so far.
    @discardableResult
    public mutating func cover(_ bytes: [UInt8]) -> UInt32 {
        checksum = Checksum.crc32(bytes, 0..<bytes.count, continuing: checksum)
        return checksum
    }

    private mutating func columns(_ frame: [UInt8]) throws(Fault) -> FrameColumns {
        position = 0
        guard frame.count > 8 else { throw Fault(offset: frame.count, reason: "a frame that breaks off") }
        let told: UInt32 = LittleEndian.read(frame, at: 0)
        checksum = Checksum.crc32(frame, 4..<frame.count, continuing: checksum)
        guard told == checksum else {
            throw Fault(offset: 0, reason: "a frame that was changed, or does not follow the one before")
        }
        do {
            try unpacker.begin(frame, at: 4)
            var columns = try head()
            try read(&columns)
            try unpacker.finish()
            expected.learn(columns)
            try restore(&columns)
            return columns
        } catch {
            throw Fault(offset: unpacker.position, reason: "\(error)")
        }
    }

    /// Count, flags, and as yet empty columns as long as they were told to be.
    private mutating func head() throws -> FrameColumns {
        var head = try reader(of: unpacker.numbers(2, kind: LinkColumns.head, lengthMax: 20))
        let count = Int(try head.number(upTo: UInt64(FrameEncoder.countMax)))
        let flags = UInt16(try head.number(upTo: UInt64(UInt16.max)))
        guard count > 0, flags & FrameColumn.layoutFlag != 0 else { throw FrameFault.notAFrame }
        var columns = FrameColumns(count: count, flags: flags)
        var left = LinkColumns.lengthMax
        for column in FrameColumn.stored(flags: flags) where LinkColumns.extent(column) == .told {
            let bytes = try unpacker.numbers(1, kind: LinkColumns.lengthKind(column), lengthMax: 10)
            var length = reader(of: bytes)
            let (sum, overflow) = try length.signed()
                .addingReportingOverflow(Int64(expected[column, count]))
            guard !overflow, sum >= 0, sum <= left else { throw FrameFault.numberTooLarge }
            left -= Int(sum)
            columns[column] = [UInt8](repeating: 0, count: Int(sum))
        }
        return columns
    }

    private mutating func read(_ columns: inout FrameColumns) throws {
        var letters = 0
        var others = 0
        var distances: [Int] = []
        for column in FrameColumn.stored(flags: columns.flags) {
            let kind = LinkColumns.kind(column)
            let isOfNumbers = LinkColumns.holdsNumbers(column)
            switch LinkColumns.extent(column) {
            case .rows where isOfNumbers:
                columns[column] = try unpacker.numbers(
                    columns.count,
                    kind: kind,
                    lengthMax: 10 * columns.count
                )
            case .rows: columns[column] = try unpacker.bytes(columns.count, kind: kind)
            case .letters: columns[column] = try unpacker.bytes(letters, kind: kind)
            case .others:
                columns[column] = try unpacker.numbers(others, kind: kind, lengthMax: 10 * others)
            case .told where isOfNumbers:
                columns[column] = try unpacker.numbers(length: columns[column].count, kind: kind)
            case .told: columns[column] = try unpacker.bytes(columns[column].count, kind: kind)
            }
            guard column == .letter1 else { continue }
            others = columns[column].count { $0 == MarkColumns.otherShape }
            let remembered = columns[column].count { $0 == MarkColumns.remembered }
            letters = columns.count - others - remembered
            distances = try readDistances(remembered)
        }
        try recall(distances, &columns)
    }

    private mutating func readDistances(_ count: Int) throws -> [Int] {
        try unpacker.bytes(count, kind: LinkColumns.distance).map { code in
            guard let count = MarkDistance.bitCount(code) else { throw FrameFault.badMark }
            let low = try unpacker.bits(min(count, 12))
            let high = try unpacker.bits(count - min(count, 12))
            return MarkDistance.distance(code, high << 12 | low)
        }
    }

    /// Puts the marks that went over before back into the columns of marks, and remembers all.
    private mutating func recall(_ distances: [Int], _ columns: inout FrameColumns) throws(FrameFault) {
        var marks = MarkColumns()
        var readers = MarkReaders(columns)
        var recalled = 0
        for _ in 0..<columns.count {
            let vrm: VRM
            if let told = try readers.next() {
                vrm = told
            } else {
                guard let before = history.mark(back: distances[recalled]) else { throw .badMark }
                vrm = before
                recalled += 1
            }
            history.append(vrm)
            marks.put(vrm)
        }
        marks.finish(into: &columns)
    }

    /// Tells the first time by itself, not as after the frame before.
    private mutating func restore(_ columns: inout FrameColumns) throws(FrameFault) {
        let bytes = columns[.first]
        var times = ColumnReader(bytes, 0..<bytes.count)
        var firstLength = 0
        var time = previous
        for row in 0..<columns.count {
            let (sum, overflow) = time.addingReportingOverflow(try times.signed())
            guard !overflow else { throw .numberTooLarge }
            time = sum
            guard row == 0 else { continue }
            firstLength = bytes.count - times.left
            var first = ColumnWriter()
            first.put(signed: time)
            columns[.first] = first.bytes + bytes[firstLength...]
        }
        previous = time
    }

    private func reader(of bytes: [UInt8]) -> ColumnReader { ColumnReader(bytes, 0..<bytes.count) }
}
