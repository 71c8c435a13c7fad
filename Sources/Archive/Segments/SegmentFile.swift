import ANPRModel
import Compression
import SightingFrames

/// A day's sightings at rest: frames in order of (mark, first, site), an index of them, the register they need.
///
/// Written once, never changed. `StorageFormats.md` draws the bytes.
enum SegmentFile {
    /// How many sightings stand in one frame: few enough that finding one mark unpacks little.
    static let frameCount = 1024

    /// What ends a file; a file with alternates says so, and has eight bytes more there.
    static let footerLength = 24
    static let magic: [UInt8] = Array("ANPRSEG1".utf8)
    static let magicWithAlternates: [UInt8] = Array("ANPRSEG2".utf8)
    /// A mark that was merged into a sighting, and the frame that has that sighting.
    static let alternateLength = 12

    /// Writes a segment and makes it durable under its name.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - batch: the sightings, already in order.
    /// - Returns: how long the file is.
    static func write(_ path: String, _ batch: SightingBatch, register: CameraRegister) throws -> Int {
        var bytes: [UInt8] = []
        try RegisterBlock.encode(register, from: 0).write(to: &bytes)
        let encoder = FrameEncoder(register: register, order: .mark)
        var index: [UInt8] = []
        let alternates = alternates(of: batch)
        var start = 0
        while start < batch.count {
            let end = min(start + frameCount, batch.count)
            appendIndex(batch, start..<end, offset: bytes.count, to: &index)
            encoder.encode(batch, start..<end, sequence: UInt64(start)).write(to: &bytes)
            start = end
        }
        bytes += alternates
        let indexStart = bytes.count
        bytes += index
        LittleEndian.append(UInt64(indexStart), to: &bytes)
        LittleEndian.append(UInt32(index.count / IndexEntry.length), to: &bytes)
        LittleEndian.append(Checksum.crc32(index), to: &bytes)
        if !alternates.isEmpty {
            LittleEndian.append(UInt32(alternates.count / alternateLength), to: &bytes)
            LittleEndian.append(Checksum.crc32(alternates), to: &bytes)
        }
        bytes += alternates.isEmpty ? magic : magicWithAlternates
        let temporary = path + ".tmp"
        let file = try DataFile(temporary, .replace)
        try file.write(bytes, at: 0)
        try file.sync()
        try DataFolder.rename(temporary, to: path)
        return bytes.count
    }

    /// The marks that were merged into sightings, in their order, each with the frame to look in.
    private static func alternates(of batch: SightingBatch) -> [UInt8] {
        let merged = batch.variants.filter(\.isMerged).sorted { $0.vrm < $1.vrm }
        var bytes: [UInt8] = []
        for other in merged {
            LittleEndian.append(other.vrm.packed, to: &bytes)
            LittleEndian.append(UInt32(other.sighting / frameCount), to: &bytes)
        }
        return bytes
    }

    /// What the index says of one frame.
    struct IndexEntry {
        static let length = 40
        var offset: Int
        var firstMark: UInt64
        var lastMark: UInt64
        var earliest: Timestamp
        var latest: Timestamp
    }

    private static func appendIndex(
        _ batch: SightingBatch,
        _ range: Range<Int>,
        offset: Int,
        to index: inout [UInt8]
    ) {
        var earliest = Timestamp.distantFuture
        var latest = Timestamp.distantPast
        for row in range {
            earliest = min(earliest, batch.sightings[row].first)
            latest = max(latest, batch.sightings[row].last)
        }
        LittleEndian.append(UInt64(offset), to: &index)
        LittleEndian.append(batch.sightings[range.lowerBound].vrm.packed, to: &index)
        LittleEndian.append(batch.sightings[range.upperBound - 1].vrm.packed, to: &index)
        LittleEndian.append(earliest.milliseconds, to: &index)
        LittleEndian.append(latest.milliseconds, to: &index)
    }
}

/// Reads a segment: its register and index at once, frames as they are asked for.
struct SegmentReader {
    let register: CameraRegister
    let entries: [SegmentFile.IndexEntry]
    private let alternates: (start: Int, count: Int, checksum: UInt32)
    private let file: DataFile
    private let decoder: FrameDecoder

    init(_ path: String) throws {
        file = try DataFile(path, .read)
        let length = try file.length()
        let damaged = { (what: String) in StorageError(.damaged, "\(path): \(what)") }
        guard length >= SegmentFile.footerLength + 8 else { throw damaged("too short for a segment") }
        let magic = try file.read(8, at: length - 8)
        let hasAlternates = magic == SegmentFile.magicWithAlternates
        guard hasAlternates || magic == SegmentFile.magic else {
            throw damaged("no segment's end at byte \(length - 8)")
        }
        let footerLength = SegmentFile.footerLength + (hasAlternates ? 8 : 0)
        let footer = try file.read(footerLength, at: length - footerLength)
        let start = Int(clamping: LittleEndian.read(footer, at: 0) as UInt64)
        let count = Int(LittleEndian.read(footer, at: 8) as UInt32)
        let indexLength = count * SegmentFile.IndexEntry.length
        guard start >= 0, start <= length, start + indexLength + footerLength == length else {
            throw damaged("the index does not fit the file")
        }
        let index = try file.read(indexLength, at: start)
        guard Checksum.crc32(index) == LittleEndian.read(footer, at: 12) as UInt32 else {
            throw damaged("the index at byte \(start) has another checksum")
        }
        entries = (0..<count).map { Self.entry(index, at: $0 * SegmentFile.IndexEntry.length) }
        let alternateCount = hasAlternates ? Int(LittleEndian.read(footer, at: 16) as UInt32) : 0
        let alternatesStart = start - alternateCount * SegmentFile.alternateLength
        guard alternatesStart >= 0 else { throw damaged("the alternates do not fit the file") }
        alternates = (
            alternatesStart, alternateCount, hasAlternates ? LittleEndian.read(footer, at: 20) as UInt32 : 0
        )
        let head = try file.read(entries.first?.offset ?? start, at: 0)
        var position = 0
        do {
            register = CameraRegister(try RegisterBlock.decode(try Block.read(head, at: &position)))
        } catch {
            throw damaged("the register at byte 0: \(error)")
        }
        decoder = FrameDecoder(register: register)
    }

    private static func entry(_ index: [UInt8], at place: Int) -> SegmentFile.IndexEntry {
        SegmentFile.IndexEntry(
            offset: Int(clamping: LittleEndian.read(index, at: place) as UInt64),
            firstMark: LittleEndian.read(index, at: place + 8),
            lastMark: LittleEndian.read(index, at: place + 16),
            earliest: Timestamp(milliseconds: LittleEndian.read(index, at: place + 24)),
            latest: Timestamp(milliseconds: LittleEndian.read(index, at: place + 32))
        )
    }

    /// The frames with sightings into which marks of a range were merged.
    func framesOfAlternates(in range: ClosedRange<UInt64>) throws -> Set<Int> {
        guard alternates.count > 0 else { return [] }
        let bytes = try file.read(alternates.count * SegmentFile.alternateLength, at: alternates.start)
        guard Checksum.crc32(bytes) == alternates.checksum else {
            throw StorageError(
                .damaged,
                "\(file.path): the alternates at byte \(alternates.start) have another checksum"
            )
        }
        var frames: Set<Int> = []
        for place in 0..<alternates.count {
            let mark: UInt64 = LittleEndian.read(bytes, at: place * SegmentFile.alternateLength)
            guard range.contains(mark) else { continue }
            frames.insert(
                Int(LittleEndian.read(bytes, at: place * SegmentFile.alternateLength + 8) as UInt32)
            )
        }
        return frames
    }

    /// Unpacks one frame.
    func frame(_ index: Int, into batch: inout SightingBatch) throws {
        let offset = entries[index].offset
        do {
            let head = try file.read(Block.headerLength, at: offset)
            let length = try Block.length(head, at: 0)
            let bytes = try file.read(length, at: offset)
            var position = 0
            try decoder.decode(try Block.read(bytes, at: &position), into: &batch)
        } catch let error as StorageError {
            throw error
        } catch {
            throw StorageError(.damaged, "\(file.path): frame at byte \(offset): \(error)")
        }
    }
}
