public import ANPRModel
import Compression

/// Packs sightings into the frames of one connection, each of which builds on all before it.
///
/// The columns are those of a frame at rest, but nothing is told that the other end can know from earlier frames: how often
/// each byte of a column occurs, marks that went over before, the time. So a frame of ten costs little more a sighting than one
/// of ten thousand. `LinkFrameDecoder` at the other end must be given every frame in order; both start anew with
/// each connection. `FrameFormat.md` draws the bytes.
///
/// - Complexity: O(sightings), a few hundred nanoseconds each; 9 MB, and 8 bytes for each of the last million sightings.
public struct LinkFrameEncoder {
    private var frames: FrameEncoder
    private var packer = EntropyPacker(kinds: LinkColumns.kinds)
    private var finder = MarkFinder()
    private var expected = ExpectedCounts()
    private var previous: Int64 = 0
    private var checksum: UInt32 = 0

    /// An encoder at the begin of a connection.
    ///
    /// - Parameter register: the cameras that the other end has been told of.
    public init(register: CameraRegister) {
        frames = FrameEncoder(register: register)
    }

    /// Goes on with another register, of which the other end has been told.
    public mutating func use(_ register: CameraRegister) { frames = FrameEncoder(register: register) }

    /// Packs a run of sightings as one frame.
    ///
    /// - Parameters:
    ///   - batch: the sightings.
    ///   - range: which of them, 1 to `FrameEncoder.countMax`. Their columns may have 16 MiB together, some hundred times the usual.
    /// - Returns: the frame; the next one must be packed only if this one is sent.
    public mutating func encode(_ batch: SightingBatch, _ range: Range<Int>) -> [UInt8] {
        var marks = MarkColumns(room: range.count)
        var distances: [Magnitude] = []
        for index in range {
            let vrm = batch.sightings[index].vrm
            if let distance = finder.append(vrm) {
                distances.append(Magnitude(distance))
                marks.putRemembered()
            } else {
                marks.put(vrm)
            }
        }
        let columns = frames.columns(batch, range, marks: marks, after: previous)
        previous = batch.sightings[range.upperBound - 1].first.milliseconds
        putHead(columns)
        put(columns, distances)
        var frame: [UInt8] = [0, 0, 0, 0]
        packer.finish(into: &frame)
        checksum = Checksum.crc32(frame, 4..<frame.count, continuing: checksum)
        for place in 0..<4 { frame[place] = UInt8(truncatingIfNeeded: checksum >> UInt32(8 * place)) }
        return frame
    }

    /// Has the next frame's checksum hold for bytes that are sent before it, too.
    ///
    /// - Returns: the checksum so far, for bytes behind which no frame comes.
    @discardableResult
    public mutating func cover(_ bytes: [UInt8]) -> UInt32 {
        checksum = Checksum.crc32(bytes, 0..<bytes.count, continuing: checksum)
        return checksum
    }

    private mutating func putHead(_ columns: FrameColumns) {
        var head = ColumnWriter()
        head.put(UInt64(columns.count))
        head.put(UInt64(columns.flags))
        packer.put(numbers: head.bytes, kind: LinkColumns.head)
        var counts = ByColumn<Int>(repeating: 0)
        var told = ColumnWriter()
        for column in CodedColumns.told(flags: columns.flags) {
            let count = columns[column].count { $0 < 0x80 }
            counts[column.rawValue] = count
            told.put(signed: Int64(count - expected[column, columns.count]))
        }
        packer.put(numbers: told.bytes, kind: LinkColumns.told)
        expected.learn(counts, columns.count)
    }

    private mutating func put(_ columns: FrameColumns, _ distances: [Magnitude]) {
        for column in CodedColumns.order(flags: columns.flags) {
            columns.put(column, to: &packer)
            guard column == .letter1 else { continue }
            Magnitude.put(distances, kind: LinkColumns.distance, to: &packer)
        }
    }
}
