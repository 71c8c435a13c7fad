import ANPRModel
import Compression
import SightingFrames

/// A day's sightings at rest, in pages of up to 128 marks: what is written now.
///
/// `StorageFormats.md` draws the bytes.
///
/// A page tells which marks are seen at all and by which forces; the sightings of each force stand by themselves. So a mark is found,
/// or found missing, by reading some hundred bytes, and a page's sightings are read only where it stands.
enum PagedSegment {
    static let magic: [UInt8] = Array("ANPRSEG3".utf8)
    /// What ends a file.
    static let footerLength = 24
    /// A codebook is made of about so many sightings; a known one is tried on fewer.
    private static let sampleCount = 1 << 15
    private static let trialCount = 1 << 12

    /// Writes a segment and makes it durable under its name.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - batch: has the sightings of the day.
    ///   - rows: which ones those are.
    ///   - codebook: one to use again if it serves nearly as well as one of these sightings' own.
    /// - Returns: how long the file is, and the codebook that was used.
    static func write(
        _ path: String,
        _ batch: SightingBatch,
        rows: [UInt32],
        day: Int32,
        register: CameraRegister,
        codebook known: Codebook? = nil
    ) throws -> (length: Int, codebook: Codebook) {
        let pages = SegmentPages(batch, rows, register)
        let codebook = codebook(of: pages, day, register, known)
        let pieces = try Parallel.map(Parallel.ranges(pages.pages.count)) { range in
            Pieces(pages, range, PagePacker(register: register, day: day, codebook: codebook))
        }
        let temporary = path + ".tmp"
        let file = SegmentAppender(try DataFile(temporary, .replace))
        var head = SegmentHead(day: day, forces: pages.forces)
        var bytes: [UInt8] = []
        try RegisterBlock.encode(register, from: 0).write(to: &bytes)
        head.registerLength = try file.append(bytes)
        head.codebookLength = try file.append(checked: codebook.encoded)
        for piece in pieces {
            _ = try file.append(piece.rows)
            for page in piece.pages {
                head.pages.append(first: page.first, marks: page.marks, rows: page.rows)
            }
        }
        for piece in pieces { _ = try file.append(piece.marks) }
        head.alternatesLength = try file.append(checked: pages.alternates)
        let length = try file.finish(head)
        try DataFolder.rename(temporary, to: path)
        return (length, codebook)
    }

    /// The pieces of some pages in a row.
    private struct Pieces: Sendable {
        var rows: [UInt8] = []
        var marks: [UInt8] = []
        var pages: [(first: MarkKey, marks: Int, rows: [Int])] = []

        init(_ all: SegmentPages, _ range: Range<Int>, _ packer: consuming PagePacker) {
            for page in all.pages[range] {
                var lengths = [Int](repeating: 0, count: all.forces.count)
                for (part, range) in page.rows {
                    let piece = SegmentAppender.checked(packer.pack(all.batch, range))
                    lengths[part] = piece.count
                    rows += piece
                }
                let piece = SegmentAppender.checked(packer.pack(page.marks))
                marks += piece
                pages.append((page.marks.keys[0], piece.count, lengths))
            }
        }
    }

    /// The known codebook, or one of these sightings' own where that would be smaller by more than a fiftieth.
    ///
    /// What it is tried on is too few to make one of, which then looks better than it is, by about one in a hundred.
    private static func codebook(
        of pages: SegmentPages,
        _ day: Int32,
        _ register: CameraRegister,
        _ known: Codebook?
    ) -> Codebook {
        if let known {
            let trial = counts(of: pages, day, register, about: trialCount)
            if known.length(of: trial) <= Codebook(trial).length(of: trial) * 1.02 { return known }
        }
        return Codebook(counts(of: pages, day, register, about: sampleCount))
    }

    /// What about so many sightings are made of.
    private static func counts(
        of pages: SegmentPages,
        _ day: Int32,
        _ register: CameraRegister,
        about count: Int
    ) -> ByteCounts {
        var counter = PageCounter(register: register, day: day)
        // Evenly spread, so that neither the first marks nor the last ones count for all.
        let step = max(1, pages.batch.count / count)
        for place in stride(from: 0, to: pages.pages.count, by: step) {
            let page = pages.pages[place]
            counter.add(page.marks)
            for (_, range) in page.rows { counter.add(pages.batch, range) }
        }
        return counter.counts
    }
}

/// Writes pieces of a segment one after the other.
final class SegmentAppender {
    private let file: DataFile
    private var waiting: [UInt8] = []
    private var length = 0

    init(_ file: DataFile) { self.file = file }

    /// Bytes behind their checksum; nothing of none.
    static func checked(_ bytes: [UInt8]) -> [UInt8] {
        if bytes.isEmpty { return [] }
        var checked: [UInt8] = []
        checked.reserveCapacity(bytes.count + 4)
        LittleEndian.append(Checksum.crc32(bytes), to: &checked)
        return checked + bytes
    }

    /// Appends bytes.
    ///
    /// - Returns: how many there are.
    func append(_ bytes: [UInt8]) throws -> Int {
        waiting += bytes
        if waiting.count >= 1 << 20 { try flush() }
        return bytes.count
    }

    /// Appends bytes behind their checksum.
    ///
    /// - Returns: how many there are with it; 0 of none.
    func append(checked bytes: [UInt8]) throws -> Int { try append(Self.checked(bytes)) }

    /// Appends the head and what ends the file, and makes all durable.
    ///
    /// - Returns: the file's length.
    func finish(_ head: SegmentHead) throws -> Int {
        let start = length + waiting.count
        var bytes = head.encoded
        let count = bytes.count
        let checksum = Checksum.crc32(bytes)
        LittleEndian.append(UInt64(start), to: &bytes)
        LittleEndian.append(UInt32(count), to: &bytes)
        LittleEndian.append(checksum, to: &bytes)
        bytes += PagedSegment.magic
        _ = try append(bytes)
        try flush()
        try file.sync()
        return length
    }

    private func flush() throws {
        try file.write(waiting, at: length)
        length += waiting.count
        waiting.removeAll(keepingCapacity: true)
    }
}
