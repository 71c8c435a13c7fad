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
        let flags = order.rawValue | (variants == nil ? 0 : FrameColumn.variantsFlag)
        var columns = [ColumnWriter](repeating: ColumnWriter(), count: FrameColumn.count(flags: flags))
        writeTimesAndMarks(batch, range, &columns)
        writeCounts(batch, range, &columns)
        writeParts(batch, range, &columns)
        writeExceptions(batch, range, &columns)
        if let variants { columns[FrameColumn.variants.rawValue] = variants }
        var head = ColumnWriter()
        for column in columns { head.put(UInt64(column.bytes.count)) }
        let sections = [head.bytes] + columns.map(\.bytes)
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

    private func writeCounts(_ batch: SightingBatch, _ range: Range<Int>, _ columns: inout [ColumnWriter]) {
        var low = ColumnWriter()
        var high = ColumnWriter()
        var confidence = ColumnWriter()
        var reads = ColumnWriter()
        var last = ColumnWriter()
        var captured = ColumnWriter()
        for index in range {
            let sighting = batch.sightings[index]
            low.put(UInt8(truncatingIfNeeded: sighting.camera))
            high.put(UInt64(sighting.camera >> 8))
            confidence.put(UInt8(sighting.confidence + 1))
            reads.put(UInt64(sighting.reads))
            guard sighting.reads != 1 else { continue }
            last.put(signed: sighting.last.milliseconds - sighting.first.milliseconds)
            captured.put(signed: sighting.captured.milliseconds - sighting.first.milliseconds)
        }
        columns[FrameColumn.cameraLow.rawValue] = low
        columns[FrameColumn.cameraHigh.rawValue] = high
        columns[FrameColumn.confidence.rawValue] = confidence
        columns[FrameColumn.reads.rawValue] = reads
        columns[FrameColumn.last.rawValue] = last
        columns[FrameColumn.captured.rawValue] = captured
    }

    private func writeParts(_ batch: SightingBatch, _ range: Range<Int>, _ columns: inout [ColumnWriter]) {
        var count = ColumnWriter()
        var camera = ColumnWriter()
        var reads = ColumnWriter()
        var first = ColumnWriter()
        var confidence = ColumnWriter()
        for index in range {
            let sighting = batch.sightings[index]
            if Self.isImplied(batch, index) {
                count.put(UInt8(0))
                continue
            }
            let parts = batch.range(index)
            count.put(UInt64(parts.count))
            for place in parts {
                let part = batch.contributions[place]
                camera.put(UInt64(cameras.placeOfCamera[Int(part.camera)]))
                reads.put(UInt64(part.reads))
                first.put(signed: part.first.milliseconds - sighting.first.milliseconds)
                confidence.put(UInt8(part.confidence + 1))
            }
        }
        columns[FrameColumn.partCount.rawValue] = count
        columns[FrameColumn.partCamera.rawValue] = camera
        columns[FrameColumn.partReads.rawValue] = reads
        columns[FrameColumn.partFirst.rawValue] = first
        columns[FrameColumn.partConfidence.rawValue] = confidence
    }

    /// Whether a sighting's contributions follow from the sighting itself.
    private static func isImplied(_ batch: SightingBatch, _ index: Int) -> Bool {
        guard batch.contributionCount(index) == 1 else { return false }
        let sighting = batch.sightings[index]
        let part = batch.contributions[batch.contributionStart(index)]
        return part.camera == sighting.camera && part.reads == sighting.reads && part.first == sighting.first
            && part.confidence == sighting.confidence
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
