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

    private let register: CameraRegister
    private let cameras: SiteCameras
    private let order: Order
    private var packer = HuffmanPacker()

    /// The most sightings in one frame.
    public static let countMax = 65_536

    /// An encoder of one register.
    public init(register: CameraRegister, order: Order = .time) {
        self.register = register
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
        precondition(range.count <= FrameEncoder.countMax)
        let variants = VariantColumn.write(batch, range)
        let flags = order.rawValue | FrameColumn.layoutFlag | (variants == nil ? 0 : FrameColumn.variantsFlag)
        var columns = [ColumnWriter](repeating: ColumnWriter(), count: FrameColumn.allCases.count)
        writeTimesAndMarks(batch, range, &columns)
        writeBest(batch, range, &columns)
        var parts = PartsWriter(register, cameras)
        for index in range { parts.put(batch, index) }
        parts.finish(into: &columns)
        writeExceptions(batch, range, &columns)
        if let variants { columns[FrameColumn.variants.rawValue] = variants }
        var head = ColumnWriter()
        let stored = FrameColumn.stored(flags: flags).map { columns[$0.rawValue].bytes }
        for column in stored { head.put(UInt64(column.count)) }
        let sections = [head.bytes] + stored
        var payload: [UInt8] = []
        packer.pack(sections, into: &payload)
        return Block(
            kind: .frame,
            flags: flags,
            count: UInt32(range.count),
            sequence: sequence,
            unpackedLength: UInt32(sections.reduce(0) { $0 + $1.count }),
            payload: payload
        )
    }

    private func writeTimesAndMarks(
        _ batch: SightingBatch,
        _ range: Range<Int>,
        _ columns: inout [ColumnWriter]
    ) {
        var first = ColumnWriter()
        var letters = InlineArray<6, ColumnWriter>(repeating: ColumnWriter())
        var others = ColumnWriter()
        var previous: Int64 = 0
        for index in range {
            let sighting = batch.sightings[index]
            first.put(signed: sighting.first.milliseconds - previous)
            previous = sighting.first.milliseconds
            guard let parts = CurrentShape.split(sighting.vrm) else {
                letters[0].put(UInt8(0))
                others.put(sighting.vrm.packed)
                continue
            }
            letters[0].put(parts.letter1)
            letters[1].put(parts.letter2)
            letters[2].put(parts.age)
            letters[3].put(parts.letter3)
            letters[4].put(parts.letter4)
            letters[5].put(parts.letter5)
        }
        columns[FrameColumn.first.rawValue] = first
        for place in 0..<6 { columns[FrameColumn.letter1.rawValue + place] = letters[place] }
        columns[FrameColumn.otherMarks.rawValue] = others
    }

    private func writeBest(_ batch: SightingBatch, _ range: Range<Int>, _ columns: inout [ColumnWriter]) {
        var low = ColumnWriter()
        var high = ColumnWriter()
        var confidence = ColumnWriter()
        for index in range {
            let sighting = batch.sightings[index]
            low.put(UInt8(truncatingIfNeeded: sighting.camera))
            high.put(UInt64(sighting.camera >> 8))
            confidence.put(UInt8(sighting.confidence + 1))
        }
        columns[FrameColumn.cameraLow.rawValue] = low
        columns[FrameColumn.cameraHigh.rawValue] = high
        columns[FrameColumn.confidence.rawValue] = confidence
    }

    private func writeExceptions(_ batch: SightingBatch, _ range: Range<Int>, _ columns: inout [ColumnWriter])
    {
        var bearings = ExceptionWriter()
        var speeds = ExceptionWriter()
        var identities = ExceptionWriter()
        for index in range {
            let row = index - range.lowerBound
            let sighting = batch.sightings[index]
            let camera = register.cameras[Int(sighting.camera)]
            let lane = camera.lane.map { Int8($0) } ?? -1
            if sighting.direction != camera.direction?.rawValue ?? 0 || sighting.lane != lane {
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
        columns[FrameColumn.bearings.rawValue] = bearings.column
        columns[FrameColumn.speeds.rawValue] = speeds.column
        columns[FrameColumn.identities.rawValue] = identities.column
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
