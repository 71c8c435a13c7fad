import ANPRModel
import Compression
import SightingFrames
import Synchronization

/// Reads a segment of sections: pages as they are asked for, and what is where once it is.
///
/// Several searches may read with the same one at the same time.
final class SectionedSegmentReader: Sendable {
    /// Some runs of a section: their numbers, ascending, and the values of their marks' keys.
    typealias Runs = [(number: Int, key: UInt64)]

    /// What the catalogue calls its contents.
    let contents: String
    /// The day of all its sightings, counted from 1970-01-01.
    let day: Int32
    /// What register and codebook are made into; for others that have the same ones.
    let prototype: SegmentPrototype
    private let id: [UInt8]
    private let file: DataFile
    private let keys: KeyRing
    /// Where its sections stand, of one that was opened as its index tells it.
    private let layout: SegmentLayout?
    private let known: Mutex<Known>

    /// What was looked at so far.
    private struct Known {
        var head: SectionedHead?
        /// By section what stands where: as the index tells it, and as the segment says.
        var told: [Int: SectionPieces] = [:]
        var sections: [Int: Section] = [:]
    }

    /// A section, with the first mark of each page.
    private final class Section: Sendable {
        let pieces: SectionPieces
        let table: PageIndex

        init(_ pieces: SectionPieces, _ table: PageIndex) { (self.pieces, self.table) = (pieces, table) }
    }

    /// The cameras that its sightings name.
    var register: CameraRegister { prototype.register }

    /// Opens a segment.
    ///
    /// - Parameter prototypes: of others that are open.
    init(_ file: DataFile, _ keys: KeyRing, like prototypes: SegmentPrototypes = SegmentPrototypes()) throws {
        let head = try Self.head(of: file)
        (self.file, self.keys, layout) = (file, keys, nil)
        (id, day) = (head.id, head.day)
        contents = SegmentFiles.text(head.id)
        prototype = try prototypes.prototype(of: file, head.registerLength, head.codebookLength)
        known = Mutex(Known(head: head))
    }

    /// Opens a segment as the index that names its marks tells it.
    ///
    /// Nothing is read of it but what others that are open do not have, too. That it is the one that the index means shows when a piece
    /// opens: nothing else is closed under that segment's identity.
    init(
        _ file: DataFile,
        _ keys: KeyRing,
        like prototypes: SegmentPrototypes,
        as index: MarkIndexHead.File,
        _ layout: SegmentLayout
    ) throws {
        guard layout.end <= (try file.length()) else {
            throw StorageError(.damaged, "\(file.path): shorter than its index tells")
        }
        (self.file, self.keys, self.layout) = (file, keys, layout)
        (id, day) = (index.id, index.day)
        contents = SegmentFiles.text(index.id)
        prototype = try prototypes.prototype(
            of: file,
            layout.registerLength,
            layout.codebookLength,
            digest: layout.digest
        )
        known = Mutex(Known())
    }

    /// What is where in it.
    func head() throws -> SectionedHead {
        if let head = known.withLock({ $0.head }) { return head }
        let head = try Self.head(of: file)
        guard head.id == id else {
            throw StorageError(.mismatch, "\(file.path): not the segment that its index leads to")
        }
        known.withLock { $0.head = head }
        return head
    }

    private static func head(of file: DataFile) throws -> SectionedHead {
        let (bytes, start, magic, _) = try FileEnd.head(file, SectionedHead.magics)
        guard let head = SectionedHead(bytes, magic), head.end == start else {
            throw StorageError(.damaged, "\(file.path): the index at byte \(start) does not fit the file")
        }
        return head
    }

    /// The file without some of its sections, under another name.
    func write(_ path: String, without dropped: Set<Int>) throws -> (length: Int, head: SectionedHead) {
        try SectionedSegment.write(path, without: dropped, of: file, try head())
    }

    // MARK: - Reading

    /// The forces that contributed to a section; `nil` if it is not there.
    private func forces(of section: Int) throws -> [String]? {
        if let layout { return layout.sections[section]?.keys.map(\.force) }
        let head = try head()
        guard head.sections.indices.contains(section), !head.sections[section].isDropped else { return nil }
        return head.sections[section].forces
    }

    /// Whether anything of a section may be wanted.
    func isWanted(_ section: Int, _ wanted: WantedSightings) throws -> Bool {
        if let layout, wanted.isAnywhere { return layout.sections[section] != nil }
        guard let forces = try forces(of: section) else { return false }
        return wanted.isWanted(of: forces, register, day: day).contains(true)
    }

    /// Appends the sightings of runs that are wanted.
    ///
    /// - Parameter wanted: whose mark does not count: who names runs has looked at that.
    func read(
        _ section: Int,
        _ runs: Runs,
        _ wanted: WantedSightings,
        into batch: inout SightingBatch
    ) throws {
        guard !runs.isEmpty, let pieces = try pieces(of: section) else { return }
        let pages = byPage(runs, pieces.pageRuns)
        guard pages.last.map({ $0.page < pieces.count }) ?? false else {
            throw StorageError(
                .damaged,
                "\(file.path): section \(section) has no such run as its index names"
            )
        }
        var next = 0
        try prototype.unpackers.use { unpacker in
            try pieces.forEach(pages.map(\.page), of: file) { page in
                let own = runs[pages[next].runs]
                next += 1
                try read(page, first: page.number * pieces.pageRuns, own, wanted, &unpacker, into: &batch)
            }
        }
    }

    /// The numbers of the runs with sightings that are wanted, by where and when, and the keys between which their marks lie.
    func scan(_ section: Int, _ wanted: WantedSightings) throws -> Scan {
        var all = Scan()
        guard try isWanted(section, wanted), let own = try self.section(section) else { return all }
        try prototype.unpackers.use { unpacker in
            try own.pieces.forEach(Array(0..<own.table.count), of: file) { page in
                let found = try scan(page, wanted, &unpacker)
                guard !found.isEmpty else { return }
                let first = page.number * own.pieces.pageRuns
                all.runs += found.map { $0 + first }
                let next = page.number + 1
                let last = next < own.table.count ? own.table.firsts[next] : MarkKey(value: .max)
                all.keys.append(own.table.firsts[page.number]...last)
            }
        }
        return all
    }

    /// Runs of a section, ascending, and between which keys their marks lie.
    struct Scan {
        var runs: [Int] = []
        var keys: [ClosedRange<MarkKey>] = []
    }

    /// Where a section's pages are, as the index tells it if it does; `nil` if the section is not there.
    private func pieces(of section: Int) throws -> SectionPieces? {
        guard let layout else { return try self.section(section)?.pieces }
        if let known = known.withLock({ $0.told[section] }) { return known }
        guard let own = layout.sections[section] else { return nil }
        guard let ends = own.ends(pageRuns: layout.pageRuns, piecePages: layout.piecePages) else {
            throw StorageError(.damaged, "\(file.path): section \(section) is not as its index tells it")
        }
        let made = SectionPieces(
            runs: own.runs,
            pageRuns: layout.pageRuns,
            piecePages: layout.piecePages,
            seal: try keys.seal(own.keys, file: id, part: section),
            start: own.start,
            ends: ends
        )
        known.withLock { $0.told[section] = made }
        return made
    }

    /// What the segment says of a section; `nil` if it is not there.
    private func section(_ section: Int) throws -> Section? {
        if let known = known.withLock({ $0.sections[section] }) { return known }
        let head = try head()
        guard head.sections.indices.contains(section), !head.sections[section].isDropped else { return nil }
        let own = head.sections[section]
        let start = head.start(of: section)
        let seal = try keys.seal(own.keys, file: id, part: section)
        let place = start + own.pagesLength
        let closed = try file.read(own.tableLength, at: place)
        guard let bytes = seal.open(closed[...], SectionedSegment.tableNumber),
            let table = try? PageIndex(bytes, partCount: 0), table.marksLength == own.pagesLength,
            table.count == (own.runs + head.pageRuns - 1) / head.pageRuns
        else {
            throw StorageError(.damaged, "\(file.path): the table at byte \(place) is not as it was written")
        }
        let pieces = SectionPieces(
            runs: own.runs,
            pageRuns: head.pageRuns,
            piecePages: head.piecePages,
            seal: seal,
            start: start,
            ends: table.ends(of: head.piecePages),
            table: head.version == .toldPieces ? nil : table
        )
        let made = Section(pieces, table)
        known.withLock { $0.sections[section] = made }
        return made
    }

    /// The pages that runs stand on, each with where those are among the runs.
    private func byPage(_ runs: Runs, _ pageRuns: Int) -> [(page: Int, runs: Range<Int>)] {
        var pages: [(page: Int, runs: Range<Int>)] = []
        for (place, run) in runs.enumerated() {
            let page = run.number / pageRuns
            if pages.last?.page == page {
                pages[pages.count - 1].runs = pages[pages.count - 1].runs.lowerBound..<place + 1
            } else {
                pages.append((page, place..<place + 1))
            }
        }
        return pages
    }

    /// The runs of a page with sightings that are wanted.
    private func scan(
        _ page: SectionPieces.Page,
        _ wanted: WantedSightings,
        _ unpacker: inout PageUnpacker
    ) throws -> [Int] {
        var found: [Int] = []
        var none = SightingBatch()
        do {
            try unpacker.rows(
                page.bytes,
                marks: page.runs,
                day: day,
                where: { moments in
                    found = wanted.runs(in: moments)
                    return false
                },
                vrms: { [] },
                into: &none
            )
        } catch { throw damaged(page, error) }
        return found
    }

    private func damaged(_ page: SectionPieces.Page, _ error: any Error) -> StorageError {
        StorageError(.damaged, "\(file.path): the page at byte \(page.start): \(error)")
    }

    /// Appends what is wanted of runs of a page.
    ///
    /// - Parameter first: the number of the page's first run.
    private func read(
        _ page: SectionPieces.Page,
        first: Int,
        _ runs: ArraySlice<(number: Int, key: UInt64)>,
        _ wanted: WantedSightings,
        _ unpacker: inout PageUnpacker,
        into batch: inout SightingBatch
    ) throws {
        var isAsked = [Bool](repeating: false, count: page.runs)
        // Who asks for some runs does not know the marks of the others, which are passed over.
        guard let any = runs.first.flatMap({ MarkKey(value: $0.key).vrm }) else { return }
        var vrms = [VRM](repeating: any, count: page.runs)
        for run in runs where run.number - first < page.runs {
            isAsked[run.number - first] = true
            if let vrm = MarkKey(value: run.key).vrm { vrms[run.number - first] = vrm }
        }
        var counts: [Int] = []
        var all = SightingBatch()
        do {
            try unpacker.rows(
                page.bytes,
                marks: page.runs,
                day: day,
                where: { moments in
                    counts = moments.counts
                    return wanted.containsAny(moments, isAsked)
                },
                vrms: { vrms },
                into: &all
            )
        } catch { throw damaged(page, error) }
        guard !all.isEmpty else { return }
        if wanted.areAll, !isAsked.contains(false) { return batch.append(contentsOf: all) }
        var row = 0
        for (run, count) in counts.enumerated() {
            defer { row += count }
            guard isAsked[run] else { continue }
            for own in row..<row + count {
                let sighting = all.sightings[own]
                guard wanted.contains(sighting.vrm, sighting.first, sighting.camera, isAnyMark: true) else {
                    continue
                }
                batch.append(own, of: all)
            }
        }
    }
}
