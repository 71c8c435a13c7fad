import ANPRModel
import Compression
import SightingFrames

/// Reads a segment of pages, as they were written before there were sections: what is where at once, pages as they are asked for.
struct PagedSegmentReader: Sendable {
    static let magic: [UInt8] = Array("ANPRSEG3".utf8)

    let register: CameraRegister
    private let head: SegmentHead
    private let file: DataFile

    /// For others that have the same register and codebook.
    let prototype: SegmentPrototype

    /// Opens a file that ends as a paged segment does.
    ///
    /// - Parameter prototypes: of others that are open.
    init(_ file: DataFile, like prototypes: SegmentPrototypes = SegmentPrototypes()) throws {
        self.file = file
        let (bytes, start, _, _) = try FileEnd.head(file, [Self.magic])
        guard let head = SegmentHead(bytes), head.alternatesStart + head.alternatesLength == start else {
            throw StorageError(.damaged, "\(file.path): the index at byte \(start) does not fit the file")
        }
        self.head = head
        prototype = try prototypes.prototype(of: file, head.registerLength, head.codebookLength)
        register = prototype.register
    }

    /// A piece of the file without its checksum, which must hold.
    private static func piece(_ file: DataFile, _ range: Range<Int>) throws -> [UInt8] {
        let bytes = try file.read(range.count, at: range.lowerBound)
        return try piece(0..<range.count, of: bytes, file, at: range.lowerBound)
    }

    /// The same, of what was read of the file before.
    ///
    /// - Parameter start: where the bytes stand in the file.
    private static func piece(
        _ range: Range<Int>,
        of bytes: [UInt8],
        _ file: DataFile,
        at start: Int
    ) throws -> [UInt8] {
        let behind = range.lowerBound + checksumLength
        guard behind <= range.upperBound, range.upperBound <= bytes.count,
            Checksum.crc32(bytes, behind..<range.upperBound) == LittleEndian.read(bytes, at: range.lowerBound)
                as UInt32
        else {
            throw StorageError(
                .damaged,
                "\(file.path): the piece at byte \(start + range.lowerBound) has another checksum"
            )
        }
        return Array(bytes[behind..<range.upperBound])
    }

    private static let checksumLength = 4
    /// So many bytes of marks are read at once where pages follow one another.
    private static let runLength = 1 << 18

    /// Appends the sightings that are wanted, and of pages with marks that were merged all that may have them.
    ///
    /// - Parameter share: of those pages that must be looked at.
    func read(
        _ wanted: WantedSightings,
        _ share: FormerSegmentReader.Share,
        into batch: inout SightingBatch
    ) throws {
        let forces = wanted.isWanted(of: head.forces, register, day: head.day)
        guard forces.contains(true) else { return }
        let alternates = try pagesOfAlternates(wanted)
        let pages = self.pages(wanted, alternates).filter { page in
            forces.indices.contains { forces[$0] && !head.pages.rows(of: page, part: $0).isEmpty }
        }
        for run in runs(pages[share.range(of: pages.count)]) {
            let begin = head.pages.marks(of: run.lowerBound).lowerBound
            let length = head.pages.marks(of: run.upperBound - 1).upperBound - begin
            let bytes = try file.read(length, at: head.marksStart + begin)
            for page in run {
                let range = head.pages.marks(of: page)
                let own = range.lowerBound - begin..<range.upperBound - begin
                let marks = try Self.piece(own, of: bytes, file, at: head.marksStart + begin)
                let isAnyMark = alternates.contains(page)
                try prototype.unpackers.use {
                    try read(page, marks, wanted, forces, isAnyMark: isAnyMark, &$0, into: &batch)
                }
            }
        }
    }

    /// The pages that can have what is wanted, ascending.
    private func pages(_ wanted: WantedSightings, _ alternates: Set<Int>) -> [Int] {
        if alternates.isEmpty, wanted.keys.count == 1 { return Array(head.pages.pages(wanted.keys[0])) }
        var isLookedAt = [Bool](repeating: false, count: head.pages.count)
        for page in alternates { isLookedAt[page] = true }
        for range in wanted.keys { for page in head.pages.pages(range) { isLookedAt[page] = true } }
        return isLookedAt.indices.filter { isLookedAt[$0] }
    }

    /// Ascending pages as those that follow one another and are not too long.
    private func runs(_ pages: ArraySlice<Int>) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for page in pages {
            if let last = runs.last, last.upperBound == page,
                head.pages.marks(of: page).upperBound - head.pages.marks(of: last.lowerBound).lowerBound
                    <= Self.runLength
            {
                runs[runs.count - 1] = last.lowerBound..<page + 1
            } else {
                runs.append(page..<page + 1)
            }
        }
        return runs
    }

    /// The pages with sightings into which marks were merged that are wanted.
    private func pagesOfAlternates(_ wanted: WantedSightings) throws -> Set<Int> {
        guard wanted.mark != nil, head.alternatesLength > 0 else { return [] }
        let start = head.alternatesStart
        let bytes = try Self.piece(file, start..<start + head.alternatesLength)
        let places = SegmentAlternates.places(bytes) { packed in
            VRM(packed: packed).map { wanted.mark?.matches($0) ?? false } ?? false
        }
        guard places.allSatisfy({ $0 < head.pages.count }) else {
            throw StorageError(.damaged, "\(file.path): the alternates at byte \(start) name a page too many")
        }
        return places
    }

    private func read(
        _ page: Int,
        _ bytes: [UInt8],
        _ wanted: WantedSightings,
        _ forces: [Bool],
        isAnyMark: Bool,
        _ unpacker: inout PageUnpacker,
        into batch: inout SightingBatch
    ) throws {
        let start = head.marksStart + head.pages.marks(of: page).lowerBound
        let first = head.pages.firsts[page]
        let marks: MarkPage
        var places: [Int]?
        do {
            if wanted.mark != nil, !isAnyMark {
                places = wanted.places(in: try PageUnpacker.keys(bytes, first: first))
                if places == [] { return }
            }
            marks = try unpacker.page(bytes, first: first)
        } catch { throw StorageError(.damaged, "\(file.path): the marks at byte \(start): \(error)") }
        let all = marks.allParts
        guard all.last ?? 0 < head.forces.count else {
            throw StorageError(
                .damaged,
                "\(file.path): the marks at byte \(start): of a force that is not named"
            )
        }
        let parts = places.map { Set($0.flatMap(marks.parts(of:))).sorted() } ?? all
        for (part, start, bytes) in try pieces(of: page, parts.filter { forces[$0] }) {
            let own = marks.places(in: part)
            let isWanted = places.map { wanted in own.map { wanted.contains($0) } }
            var all = SightingBatch()
            do {
                try unpacker.rows(
                    bytes,
                    marks: own.count,
                    day: head.day,
                    where: { wanted.containsAny($0, isWanted) },
                    vrms: { own.compactMap { marks.keys[$0].vrm } },
                    into: &all
                )
            } catch {
                throw StorageError(.damaged, "\(file.path): the sightings at byte \(start): \(error)")
            }
            take(wanted, of: all, isAnyMark, into: &batch)
        }
    }

    /// The pieces of sightings that parts have of a page, each with where it begins; read at once.
    private func pieces(of page: Int, _ parts: [Int]) throws -> [(part: Int, start: Int, bytes: [UInt8])] {
        guard let first = parts.first, let last = parts.last else { return [] }
        let begin = head.pages.rows(of: page, part: first).lowerBound
        let end = head.pages.rows(of: page, part: last).upperBound
        let bytes = try file.read(end - begin, at: head.rowsStart + begin)
        return try parts.map { part in
            let range = head.pages.rows(of: page, part: part)
            let own = range.lowerBound - begin..<range.upperBound - begin
            let piece = try Self.piece(own, of: bytes, file, at: head.rowsStart + begin)
            return (part, head.rowsStart + range.lowerBound, piece)
        }
    }

    /// Appends those of a part that are wanted.
    private func take(
        _ wanted: WantedSightings,
        of all: SightingBatch,
        _ isAnyMark: Bool,
        into batch: inout SightingBatch
    ) {
        guard !wanted.areAll else { return batch.append(contentsOf: all) }
        for (row, one) in all.sightings.enumerated()
        where wanted.contains(one.vrm, one.first, one.camera, isAnyMark: isAnyMark) {
            batch.append(row, of: all)
        }
    }
}
