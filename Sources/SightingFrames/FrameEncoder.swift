public import ANPRModel
import Compression

/// Packs sightings into frames.
///
/// - Complexity: O(sightings), some hundred nanoseconds each.
public final class FrameEncoder {
    /// How the sightings of a frame are ordered; noted in the frame.
    public enum Order: UInt16, Sendable {
        /// By time, as they leave a node.
        case time = 0
        /// By mark, as they rest in an archive.
        case mark = 1
    }

    private let cameras: SiteCameras
    private let order: Order
    private var packer = HuffmanPacker()

    /// The most sightings in one frame.
    public static let countMax = 65_536

    /// An encoder of one register.
    public init(register: CameraRegister, order: Order = .time) {
        self.order = order
        cameras = SiteCameras(register)
    }

    /// Packs a run of sightings as one frame.
    ///
    /// - Parameters:
    ///   - batch: the sightings.
    ///   - range: which of them, at most `countMax`.
    ///   - sequence: the number of the first of them in its stream.
    public func encode(
        _ batch: SightingBatch,
        _ range: Range<Int>,
        sequence: UInt64
    ) -> Block {
        columns(batch, range).block(sequence: sequence, &packer)
    }

    /// The columns of a run of sightings.
    func columns(_ batch: SightingBatch, _ range: Range<Int>) -> FrameColumns {
        var marks = MarkColumns(room: range.count)
        for index in range { marks.put(batch.sightings[index].vrm) }
        return columns(batch, range, marks: marks, after: 0)
    }

    /// The columns of a run of sightings, with the marks written already and the first time told as after another.
    ///
    /// - Parameter tellsAllVariants: whether other marks are told in full even where their sightings stand in the same run.
    func columns(
        _ batch: SightingBatch,
        _ range: Range<Int>,
        marks: consuming MarkColumns,
        after previous: Int64,
        tellsAllVariants: Bool = false
    ) -> FrameColumns {
        precondition(range.count <= FrameEncoder.countMax)
        let variants = VariantColumn.write(batch, range, tellsAll: tellsAllVariants)
        var columns = FrameColumns(
            count: range.count,
            flags: order.rawValue | FrameColumn.layoutFlag
                | (variants == nil ? 0 : FrameColumn.variantsFlag)
        )
        marks.finish(into: &columns)
        writeTimes(batch, range, after: previous, &columns)
        writeBest(batch, range, &columns)
        var parts = PartsWriter(cameras)
        for index in range { parts.put(batch, index) }
        parts.finish(into: &columns)
        writeExceptions(batch, range, &columns)
        if let variants { columns[.variants] = variants.bytes }
        return columns
    }

    private func writeTimes(
        _ batch: SightingBatch,
        _ range: Range<Int>,
        after previous: Int64,
        _ columns: inout FrameColumns
    ) {
        var first = ColumnWriter()
        var previous = previous
        for index in range {
            let time = batch.sightings[index].first.milliseconds
            first.put(signed: time - previous)
            previous = time
        }
        columns[.first] = first.bytes
    }

    private func writeBest(_ batch: SightingBatch, _ range: Range<Int>, _ columns: inout FrameColumns) {
        var high = ColumnWriter()
        for index in range { high.put(UInt64(batch.sightings[index].camera >> 8)) }
        columns[.cameraLow] = [UInt8](capacity: range.count) { low in
            for index in range { low.append(UInt8(truncatingIfNeeded: batch.sightings[index].camera)) }
        }
        columns[.cameraHigh] = high.bytes
        columns[.confidence] = [UInt8](capacity: range.count) { confidence in
            for index in range { confidence.append(UInt8(batch.sightings[index].confidence + 1)) }
        }
    }

    private func writeExceptions(_ batch: SightingBatch, _ range: Range<Int>, _ columns: inout FrameColumns) {
        var bearings = ExceptionWriter()
        var speeds = ExceptionWriter()
        var identities = ExceptionWriter()
        for index in range {
            let row = index - range.lowerBound
            let sighting = batch.sightings[index]
            let camera = cameras.facts[Int(sighting.camera)]
            if sighting.direction != camera.direction || sighting.lane != camera.lane {
                bearings.next(row)
                bearings.column.put(sighting.direction)
                bearings.column.put(UInt8(sighting.lane + 1))
            }
            if sighting.speed > 0 {
                speeds.next(row)
                speeds.column.put(UInt64(sighting.speed))
            }
            if sighting.opened != sighting.first || sighting.revision > 0 || sighting.isLate {
                identities.next(row)
                identities.column.put(signed: sighting.opened.milliseconds - sighting.first.milliseconds)
                identities.column.put(UInt64(sighting.revision) << 1 | (sighting.isLate ? 1 : 0))
            }
        }
        columns[.bearings] = bearings.column.bytes
        columns[.speeds] = speeds.column.bytes
        columns[.identities] = identities.column.bytes
    }
}

/// A column of the rows that are out of the ordinary.
struct ExceptionWriter {
    var column = ColumnWriter()
    private var previous = -1

    /// Starts the exception of a row: how far it is from the one before.
    mutating func next(_ row: Int) {
        column.put(UInt64(row - previous))
        previous = row
    }
}
