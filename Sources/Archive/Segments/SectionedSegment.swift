import ANPRModel
import Compression
import SightingFrames

/// A day's sightings at rest, in sections by the forces that contributed to them: what is written now.
///
/// `StorageFormats.md` draws the bytes. A section is closed under the keys of all its forces, so that it opens only while each of
/// them is there. It does not name its marks: an index does, which leads to the runs of a mark in many segments.
enum SectionedSegment {
    /// A codebook is made of about so many sightings; a known one is tried on fewer.
    private static let sampleCount = 1 << 15
    private static let trialCount = 1 << 13
    /// The number of a section's table among its pieces.
    static let tableNumber = Int.max

    /// Writes a segment and makes it durable under its name.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - keys: under which sections are closed.
    ///   - codebooks: one of them is used again if it serves nearly as well as one of these sightings' own.
    /// - Returns: how long the file is, what is where in it, and the codebook that was used.
    static func write(
        _ path: String,
        _ sections: SegmentSections,
        day: Int32,
        register: CameraRegister,
        keys: KeyRing,
        codebooks known: [Codebook] = []
    ) throws -> (length: Int, head: SectionedHead, layout: SegmentLayout?, codebook: Codebook) {
        let codebook = codebook(of: sections, day, register, known)
        var head = SectionedHead(id: SectionedHead.freshID(), day: day)
        let stored = sections.batch
        head.sections = try Parallel.map(sections.sections) { headOf($0, stored, register) }
        for section in head.sections.indices {
            head.sections[section].keys = try keys.names(day, head.sections[section].forces)
        }
        let id = head.id
        let seals = try head.sections.indices.map {
            try keys.seal(head.sections[$0].keys, file: id, part: $0)
        }
        let pages = try Parallel.map(Self.shares(sections)) { share in
            try Pages(sections, share, PagePacker(register: register, day: day, codebook: codebook), seals)
        }
        let temporary = path + ".tmp"
        let file = SegmentAppender(try DataFile(temporary, .replace))
        var bytes: [UInt8] = []
        try RegisterBlock.encode(register, from: 0).write(to: &bytes)
        head.registerLength = try file.append(bytes)
        let packedBy = SegmentAppender.checked(codebook.encoded)
        head.codebookLength = try file.append(packedBy)
        var pieces = [[Int]](repeating: [], count: head.sections.count)
        for section in sections.sections.indices {
            var table = PageIndex(partCount: 0)
            for pages in pages where pages.section == section {
                head.sections[section].pagesLength += try file.append(pages.bytes)
                for page in pages.pages { table.append(first: page.first, marks: page.length, rows: []) }
            }
            pieces[section] = table.lengths(of: head.piecePages)
            let closed = try seals[section].close(table.encoded, tableNumber)
            head.sections[section].tableLength = try file.append(closed)
        }
        let length = try file.finish(head.encoded, head.version.magic)
        try DataFolder.rename(temporary, to: path)
        let digest = SegmentPrototypes.digest(bytes + packedBy)
        return (length, head, SegmentLayout(head, digest: digest, pieces: pieces), codebook)
    }

    /// Writes a segment again without some of its sections; what is left stays as it is, to the byte.
    ///
    /// - Returns: how long the new file is, and what is where in it.
    static func write(_ path: String, without dropped: Set<Int>, of old: DataFile, _ head: SectionedHead)
        throws
        -> (length: Int, head: SectionedHead)
    {
        var new = head
        let temporary = path + ".tmp"
        let file = SegmentAppender(try DataFile(temporary, .replace))
        _ = try file.append(try old.read(head.registerLength + head.codebookLength, at: 0))
        for section in head.sections.indices {
            if dropped.contains(section) {
                new.sections[section].pagesLength = 0
                new.sections[section].tableLength = 0
            } else {
                _ = try file.append(try old.read(head.sections[section].length, at: head.start(of: section)))
            }
        }
        let length = try file.finish(new.encoded, new.version.magic)
        try DataFolder.rename(temporary, to: path)
        return (length, new)
    }

    private static func headOf(
        _ section: SegmentSections.Section,
        _ batch: SightingBatch,
        _ register: CameraRegister
    ) -> SectionedHead.Section {
        let places = Dictionary(uniqueKeysWithValues: section.forces.enumerated().map { ($1, $0) })
        let placeOfCamera = register.cameras.map { places[$0.force] ?? 0 }
        var contributions = [Int](repeating: 0, count: section.forces.count)
        var head = SectionedHead.Section(
            forces: section.forces,
            rows: section.rows.count,
            runs: section.ends.count,
            contributions: [],
            amendments: 0,
            links: 0,
            first: .distantFuture,
            last: .distantPast
        )
        for row in section.rows.lazy.map(Int.init) {
            let sighting = batch.sightings[row]
            head.first = min(head.first, sighting.first)
            head.last = max(head.last, sighting.last)
            if sighting.revision > 0 { head.amendments += 1 }
            if !batch.variants.isEmpty { head.links += batch.variants(of: row).count { !$0.isMerged } }
            for part in batch.range(row) {
                contributions[placeOfCamera[Int(batch.contributions[part].camera)]] += 1
            }
        }
        head.contributions = contributions
        return head
    }

    /// Pages of a section that are packed together, as many such as keep all processors at work.
    private static func shares(_ sections: SegmentSections) -> [(section: Int, runs: Range<Int>)] {
        let all = sections.sections.reduce(0) { $0 + $1.ends.count }
        let pieceRuns = SegmentSections.piecePages * SegmentSections.pageRuns
        let step = max(1, all / pieceRuns / Parallel.width) * pieceRuns
        return sections.sections.indices.flatMap { section in
            let count = sections.sections[section].ends.count
            return stride(from: 0, to: count, by: step).map { (section, $0..<min(count, $0 + step)) }
        }
    }

    /// Some pages of a section in a row: whole pieces of them, but at the section's end.
    private struct Pages: Sendable {
        let section: Int
        var bytes: [UInt8] = []
        /// The first mark of each, and how long the piece is that ends with it; 0 of all others.
        var pages: [(first: MarkKey, length: Int)] = []

        init(
            _ all: SegmentSections,
            _ share: (section: Int, runs: Range<Int>),
            _ packer: consuming PagePacker,
            _ seals: [PieceSeal]
        ) throws {
            section = share.section
            let own = all.sections[section]
            let (batch, runs) = own.sightings(share.runs, of: all.batch)
            let pieceRuns = SegmentSections.piecePages * SegmentSections.pageRuns
            for piece in stride(from: share.runs.lowerBound, to: share.runs.upperBound, by: pieceRuns) {
                let end = min(piece + pieceRuns, share.runs.upperBound)
                var packed: [[UInt8]] = []
                for start in stride(from: piece, to: end, by: SegmentSections.pageRuns) {
                    let place = start - share.runs.lowerBound
                    let page = packer.pack(
                        batch,
                        runs[place..<min(runs.count, place + SegmentSections.pageRuns)]
                    )
                    packed.append(page)
                    pages.append((MarkKey(value: own.keys[start]), 0))
                }
                // How long all but the last are, then they themselves.
                var content: [UInt8] = []
                for page in packed.dropLast() { VaryingLength.append(UInt64(page.count), to: &content) }
                for page in packed { content += page }
                let closed = try seals[section].close(content, piece / pieceRuns)
                bytes += closed
                pages[pages.count - 1].length = closed.count
            }
        }
    }

    /// The best known codebook, or one of these sightings' own where that would be smaller by more than a fiftieth.
    ///
    /// What they are tried on is too few to make one of, which then looks better than it is, by about one in a hundred.
    private static func codebook(
        of sections: SegmentSections,
        _ day: Int32,
        _ register: CameraRegister,
        _ known: [Codebook]
    ) -> Codebook {
        if !known.isEmpty {
            let best = Codebook.best(of: known, for: counts(of: sections, day, register, about: trialCount))
            if known.contains(best) { return best }
        }
        return Codebook(counts(of: sections, day, register, about: sampleCount))
    }

    /// What about so many sightings are made of.
    private static func counts(
        of sections: SegmentSections,
        _ day: Int32,
        _ register: CameraRegister,
        about count: Int
    ) -> ByteCounts {
        var counter = PageCounter(register: register, day: day)
        // Evenly spread, so that neither the first marks nor the last ones count for all.
        let step = max(1, sections.batch.count / count) * SegmentSections.pageRuns
        for section in sections.sections {
            for start in stride(from: 0, to: section.ends.count, by: step) {
                let end = min(section.ends.count, start + SegmentSections.pageRuns)
                let (batch, runs) = section.sightings(start..<end, of: sections.batch)
                counter.add(batch, runs[...])
            }
        }
        return counter.counts
    }
}

extension SegmentSections.Section {
    /// The sightings of some runs in their order, and where each run has them.
    fileprivate func sightings(_ runs: Range<Int>, of batch: SightingBatch) -> (SightingBatch, [Range<Int>]) {
        let first = run(runs.lowerBound).lowerBound
        let end = run(runs.upperBound - 1).upperBound
        let own = batch.picked(rows[first..<end])
        return (own, runs.map { run($0).lowerBound - first..<run($0).upperBound - first })
    }
}

/// Writes pieces of a file one after the other.
final class SegmentAppender {
    private let file: DataFile
    private var waiting: [UInt8] = []
    private var length = 0

    init(_ file: DataFile) { self.file = file }

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
    /// - Returns: how many there are with it.
    func append(checked bytes: [UInt8]) throws -> Int { try append(Self.checked(bytes)) }

    /// Bytes behind their checksum.
    static func checked(_ bytes: [UInt8]) -> [UInt8] {
        var checked: [UInt8] = []
        LittleEndian.append(Checksum.crc32(bytes), to: &checked)
        return checked + bytes
    }

    /// Appends a head and what ends the file, and makes all durable.
    ///
    /// - Returns: the file's length.
    func finish(_ head: [UInt8], _ magic: [UInt8]) throws -> Int {
        FileEnd.append(head, magic, at: length + waiting.count, to: &waiting)
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
