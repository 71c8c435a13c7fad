import ANPRModel
import Compression
import SightingFrames

/// Reads a segment of frames, as they were written until `PagedSegment`: its register and index at once, frames as they are asked for.
///
/// Its sightings stand in frames of 1,024, in the order of packed mark, first and camera. `StorageFormats.md` draws the bytes.
struct FrameSegmentReader: Sendable {
    let register: CameraRegister
    private let entries: [IndexEntry]
    private let alternates: (start: Int, count: Int, checksum: UInt32)
    private let file: DataFile
    private let decoder: FrameDecoder

    static let magic: [UInt8] = Array("ANPRSEG1".utf8)
    /// A file with marks that were merged into sightings says so, and has eight bytes more at its end.
    static let magicWithAlternates: [UInt8] = Array("ANPRSEG2".utf8)
    private static let footerLength = 24

    /// What the index says of one frame.
    private struct IndexEntry: Sendable {
        static let length = 40
        var offset: Int
        var firstMark: UInt64
        var lastMark: UInt64
        var earliest: Timestamp
        var latest: Timestamp
    }

    /// Opens a file that ends as a segment of frames does.
    init(_ file: DataFile, hasAlternates: Bool) throws {
        self.file = file
        let length = try file.length()
        let damaged = { (what: String) in StorageError(.damaged, "\(file.path): \(what)") }
        let footerLength = Self.footerLength + (hasAlternates ? 8 : 0)
        let footer = try file.read(footerLength, at: length - footerLength)
        let start = Int(clamping: LittleEndian.read(footer, at: 0) as UInt64)
        let count = Int(LittleEndian.read(footer, at: 8) as UInt32)
        let indexLength = count * IndexEntry.length
        guard start >= 0, start <= length, start + indexLength + footerLength == length else {
            throw damaged("the index does not fit the file")
        }
        let index = try file.read(indexLength, at: start)
        guard Checksum.crc32(index) == LittleEndian.read(footer, at: 12) as UInt32 else {
            throw damaged("the index at byte \(start) has another checksum")
        }
        entries = (0..<count).map { Self.entry(index, at: $0 * IndexEntry.length) }
        let alternateCount = hasAlternates ? Int(LittleEndian.read(footer, at: 16) as UInt32) : 0
        let alternatesStart = start - alternateCount * SegmentAlternates.length
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

    private static func entry(_ index: [UInt8], at place: Int) -> IndexEntry {
        IndexEntry(
            offset: Int(clamping: LittleEndian.read(index, at: place) as UInt64),
            firstMark: LittleEndian.read(index, at: place + 8),
            lastMark: LittleEndian.read(index, at: place + 16),
            earliest: Timestamp(milliseconds: LittleEndian.read(index, at: place + 24)),
            latest: Timestamp(milliseconds: LittleEndian.read(index, at: place + 32))
        )
    }

    /// Appends the sightings of all frames that can have any that is wanted, and others with them.
    func read(_ query: SightingQuery?, into batch: inout SightingBatch) throws {
        let mark = query?.mark
        let alternates = try framesOfAlternates(mark)
        for (index, entry) in entries.enumerated() where isInTime(entry, query) {
            if let range = mark?.range,
                entry.firstMark > range.upperBound || entry.lastMark < range.lowerBound,
                !alternates.contains(index)
            {
                continue
            }
            try read(index, into: &batch)
        }
    }

    private func isInTime(_ entry: IndexEntry, _ query: SightingQuery?) -> Bool {
        query?.mayMatch(entry.earliest, entry.latest, .unknown) ?? true
    }

    /// The frames with sightings into which marks were merged that are wanted.
    private func framesOfAlternates(_ mark: MarkPattern?) throws -> Set<Int> {
        guard let mark, alternates.count > 0 else { return [] }
        let bytes = try file.read(alternates.count * SegmentAlternates.length, at: alternates.start)
        guard Checksum.crc32(bytes) == alternates.checksum else {
            throw StorageError(
                .damaged,
                "\(file.path): the alternates at byte \(alternates.start) have another checksum"
            )
        }
        return SegmentAlternates.places(bytes) { mark.range.contains($0) }
    }

    /// Unpacks one frame.
    private func read(_ index: Int, into batch: inout SightingBatch) throws {
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
