import Compression
import SightingFrames

/// Reads the records of an image file in order; pictures are passed over, not read.
///
/// - Complexity: a look of a few kilobytes for each picture, whatever its size.
struct ImageFileReader {
    enum Record {
        case content(ImageHash)
        case binding(ImageBinding)
        /// Everything before this place was on stable storage when the mark was written.
        case mark(Int)
    }

    /// A record and where it stands.
    struct Place {
        var record: Record
        var start: Int
        var head: ImageRecords.Head

        var end: Int { start + ImageRecords.headLength + head.bodyLength }
        /// How long the picture is, of a content.
        var pictureLength: Int { head.bodyLength - ImageRecords.hashLength }
    }

    private let file: SealedFile
    private let length: Int
    private var window: [UInt8] = []
    private var windowStart = 0
    /// Where the next record starts.
    private(set) var position: Int

    private static let windowLength = 4096

    /// A reader at the first record, or at one further on.
    ///
    /// - Parameters:
    ///   - length: of the file that counts.
    ///   - start: where a record starts.
    init(_ file: SealedFile, length: Int, from start: Int = ImageRecords.magic.count) {
        self.file = file
        self.length = length
        position = start
    }

    /// The next record that is wholly there.
    ///
    /// - Returns: `nil` at the end, or where none can be read; `position` is then before the file's end.
    mutating func next() throws(StorageError) -> Place? {
        let start = position
        guard let bytes = try bytes(at: start, ImageRecords.headLength),
            let head = ImageRecords.head(bytes, at: 0)
        else { return nil }
        let body = start + ImageRecords.headLength
        guard length - body >= head.bodyLength else { return nil }
        let record: Record
        switch head.kind {
        case .content:
            guard head.bodyLength >= ImageRecords.hashLength,
                let hash = try self.bytes(at: body, ImageRecords.hashLength)
            else { return nil }
            record = .content(ImageHash(bytes: hash))
        case .binding:
            guard let bytes = try self.bytes(at: body, head.bodyLength),
                Checksum.crc32(bytes) == head.checksum, let binding = ImageRecords.binding(bytes)
            else { return nil }
            record = .binding(binding)
        case .mark:
            guard head.bodyLength == 8, let bytes = try self.bytes(at: body, 8),
                Checksum.crc32(bytes) == head.checksum
            else { return nil }
            record = .mark(Int(LittleEndian.read(bytes, at: 0) as UInt64))
        }
        position = body + head.bodyLength
        return Place(record: record, start: start, head: head)
    }

    /// Says that no more can be read, though the file is longer and that is not what a crash leaves, or a writer between two writes.
    ///
    /// To be called where `next` has returned `nil` by all who must have every record.
    ///
    /// - Throws: `StorageError` of code `damaged` with file and byte.
    func demandUndamaged() throws(StorageError) {
        guard try ImageTail(file: file, place: position, end: length).isTorn() else {
            throw StorageError(.damaged, "\(file.path): damaged at byte \(position)")
        }
        try file.demandUndamaged()
    }

    private mutating func bytes(at start: Int, _ count: Int) throws(StorageError) -> [UInt8]? {
        guard start + count <= length else { return nil }
        if start < windowStart || start + count > windowStart + window.count {
            let most = min(max(count, Self.windowLength), length - start)
            window = try file.read(count, upTo: most, at: start)
            windowStart = start
        }
        let from = start - windowStart
        guard from + count <= window.count else { return nil }
        return Array(window[from..<from + count])
    }
}
