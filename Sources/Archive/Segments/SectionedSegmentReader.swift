import ANPRModel
import Compression
import SightingFrames
import Synchronization

/// Reads a segment of sections: what is where at once, pages as they are asked for.
final class SectionedSegmentReader: Sendable {
    /// Some runs of a section: their numbers, ascending, and the values of their marks' keys.
    typealias Runs = [(number: Int, key: UInt64)]

    let head: SectionedHead
    /// What the catalogue calls its contents.
    let contents: String
    /// What register and codebook are made into; for others that have the same ones.
    let prototype: SegmentPrototype
    private let file: DataFile
    private let keys: KeyRing
    /// By section what closes it and where its pages stand; as they are asked for.
    private let opened: Mutex<[Opened?]>

    private final class Opened: Sendable {
        let seal: PieceSeal
        let table: PageIndex
        let start: Int

        init(seal: PieceSeal, table: PageIndex, start: Int) {
            (self.seal, self.table, self.start) = (seal, table, start)
        }
    }

    /// The cameras that its sightings name.
    var register: CameraRegister { prototype.register }

    /// Opens a segment.
    ///
    /// - Parameter prototypes: of others that are open.
    init(_ file: DataFile, _ keys: KeyRing, like prototypes: SegmentPrototypes = SegmentPrototypes()) throws {
        self.file = file
        self.keys = keys
        let (bytes, start, magic) = try FileEnd.head(file, SectionedHead.magics)
        guard let head = SectionedHead(bytes, magic), head.end == start else {
            throw StorageError(.damaged, "\(file.path): the index at byte \(start) does not fit the file")
        }
        self.head = head
        contents = SegmentFiles.text(head.id)
        opened = Mutex([Opened?](repeating: nil, count: head.sections.count))
        prototype = try prototypes.prototype(of: file, head.registerLength, head.codebookLength)
    }

    /// The file without some of its sections, under another name.
    func write(_ path: String, without dropped: Set<Int>) throws -> (length: Int, head: SectionedHead) {
        try SectionedSegment.write(path, without: dropped, of: file, head)
    }

    // MARK: - Reading

    /// So many bytes are read at once where pieces follow one another.
    private static let readLength = 1 << 18

    /// Whether anything of a section may be wanted.
    func isWanted(_ section: Int, _ wanted: WantedSightings) -> Bool {
        guard head.sections.indices.contains(section), !head.sections[section].isDropped else { return false }
        let own = head.sections[section]
        return wanted.isWanted(of: own.forces, register, day: head.day).contains(true)
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
        guard !runs.isEmpty, head.sections.indices.contains(section), !head.sections[section].isDropped else {
            return
        }
        let own = try open(section)
        let pages = byPage(runs)
        guard pages.last.map({ $0.page < own.table.count }) ?? false else {
            throw StorageError(
                .damaged,
                "\(file.path): section \(section) has no such run as its index names"
            )
        }
        var next = 0
        try forEachPage(pages.map(\.page), own) { page, bytes, start, unpacker in
            let own = runs[pages[next].runs]
            next += 1
            try read(page, bytes, at: start, own, section, wanted, &unpacker, into: &batch)
        }
    }

    /// The numbers of the runs with sightings that are wanted, by where and when, and the keys between which their marks lie.
    func scan(_ section: Int, _ wanted: WantedSightings) throws -> Scan {
        var all = Scan()
        guard isWanted(section, wanted) else { return all }
        let own = try open(section)
        try forEachPage(Array(0..<own.table.count), own) { page, bytes, start, unpacker in
            let found = try scan(page, bytes, at: start, section, wanted, &unpacker)
            guard !found.isEmpty else { return }
            all.runs += found
            let last = page + 1 < own.table.count ? own.table.firsts[page + 1] : MarkKey(value: .max)
            all.keys.append(own.table.firsts[page]...last)
        }
        return all
    }

    /// Runs of a section, ascending, and between which keys their marks lie.
    struct Scan {
        var runs: [Int] = []
        var keys: [ClosedRange<MarkKey>] = []
    }

    private func open(_ section: Int) throws -> Opened {
        if let known = opened.withLock({ $0[section] }) { return known }
        let own = head.sections[section]
        let start = head.start(of: section)
        let seal = try keys.seal(own.keys, file: head.id, part: section)
        let place = start + own.pagesLength
        let closed = try file.read(own.tableLength, at: place)
        guard let bytes = seal.open(closed[...], SectionedSegment.tableNumber),
            let table = try? PageIndex(bytes, partCount: 0), table.marksLength == own.pagesLength,
            table.count == (own.runs + head.pageRuns - 1) / head.pageRuns
        else {
            throw StorageError(.damaged, "\(file.path): the table at byte \(place) is not as it was written")
        }
        let made = Opened(seal: seal, table: table, start: start)
        opened.withLock { $0[section] = made }
        return made
    }

    /// The pages that runs stand on, each with where those are among the runs.
    private func byPage(_ runs: Runs) -> [(page: Int, runs: Range<Int>)] {
        var pages: [(page: Int, runs: Range<Int>)] = []
        for (place, run) in runs.enumerated() {
            let page = run.number / head.pageRuns
            if pages.last?.page == page {
                pages[pages.count - 1].runs = pages[pages.count - 1].runs.lowerBound..<place + 1
            } else {
                pages.append((page, place..<place + 1))
            }
        }
        return pages
    }

    /// Goes through pages, which ascend, with the bytes of each and where its piece stands in the file.
    private func forEachPage(
        _ pages: [Int],
        _ own: Opened,
        _ body: (_ page: Int, _ bytes: [UInt8], _ start: Int, _ unpacker: inout PageUnpacker) throws -> Void
    ) throws {
        try prototype.unpackers.use { unpacker in
            try forEachPage(pages, own) { try body($0, $1, $2, &unpacker) }
        }
    }

    private func forEachPage(
        _ pages: [Int],
        _ own: Opened,
        _ body: (_ page: Int, _ bytes: [UInt8], _ start: Int) throws -> Void
    ) throws {
        var next = 0
        while next < pages.count {
            let pieces = stretch(pages[next...], own.table)
            let begin = place(of: pieces.lowerBound, own.table).lowerBound
            let end = place(of: pieces.upperBound - 1, own.table).upperBound
            let closed = try file.read(end - begin, at: own.start + begin)
            for piece in pieces {
                let place = place(of: piece, own.table)
                guard place.upperBound - begin <= closed.count,
                    let opened = own.seal.open(
                        closed[place.lowerBound - begin..<place.upperBound - begin],
                        piece
                    )
                else {
                    throw StorageError(
                        .damaged,
                        "\(file.path): the pages at byte \(own.start + place.lowerBound) are not as they were written"
                    )
                }
                while next < pages.count, pages[next] / head.piecePages == piece {
                    let page = own.table.marks(of: pages[next])
                    // The table says of a piece's last page where the piece ends, closed as it is.
                    let length = min(page.upperBound - place.lowerBound, opened.count)
                    let start = min(page.lowerBound - place.lowerBound, length)
                    try body(pages[next], Array(opened[start..<length]), own.start + place.lowerBound)
                    next += 1
                }
            }
        }
    }

    /// The pieces that the first of some pages stand in: those that follow one another and are not too long together.
    private func stretch(_ pages: ArraySlice<Int>, _ table: PageIndex) -> Range<Int> {
        let first = pages[pages.startIndex] / head.piecePages
        let begin = place(of: first, table).lowerBound
        var end = first + 1
        for page in pages.dropFirst() where page / head.piecePages >= end {
            guard page / head.piecePages == end,
                place(of: end, table).upperBound - begin <= Self.readLength
            else { break }
            end += 1
        }
        return first..<end
    }

    /// Where a piece stands, from where the section's pages begin.
    private func place(of piece: Int, _ table: PageIndex) -> Range<Int> {
        let last = min((piece + 1) * head.piecePages, table.count) - 1
        return table.marks(of: piece * head.piecePages).lowerBound..<table.marks(of: last).upperBound
    }

    private func runCount(_ page: Int, _ section: Int) -> Int {
        min(head.pageRuns, head.sections[section].runs - page * head.pageRuns)
    }

    private func scan(
        _ page: Int,
        _ bytes: [UInt8],
        at start: Int,
        _ section: Int,
        _ wanted: WantedSightings,
        _ unpacker: inout PageUnpacker
    ) throws -> [Int] {
        var found: [Int] = []
        var none = SightingBatch()
        do {
            try unpacker.rows(
                bytes,
                marks: runCount(page, section),
                day: head.day,
                where: { moments in
                    found = wanted.runs(in: moments).map { $0 + page * head.pageRuns }
                    return false
                },
                vrms: { [] },
                into: &none
            )
        } catch { throw StorageError(.damaged, "\(file.path): the page at byte \(start): \(error)") }
        return found
    }

    private func read(
        _ page: Int,
        _ bytes: [UInt8],
        at start: Int,
        _ runs: ArraySlice<(number: Int, key: UInt64)>,
        _ section: Int,
        _ wanted: WantedSightings,
        _ unpacker: inout PageUnpacker,
        into batch: inout SightingBatch
    ) throws {
        let count = runCount(page, section)
        guard count > 0 else {
            throw StorageError(.damaged, "\(file.path): section \(section) has no runs on page \(page)")
        }
        let first = page * head.pageRuns
        var isAsked = [Bool](repeating: false, count: count)
        // Who asks for some runs does not know the marks of the others, which are passed over.
        guard let any = runs.first.flatMap({ MarkKey(value: $0.key).vrm }) else { return }
        var vrms = [VRM](repeating: any, count: count)
        for run in runs where run.number - first < count {
            isAsked[run.number - first] = true
            if let vrm = MarkKey(value: run.key).vrm { vrms[run.number - first] = vrm }
        }
        var counts: [Int] = []
        var all = SightingBatch()
        do {
            try unpacker.rows(
                bytes,
                marks: count,
                day: head.day,
                where: { moments in
                    counts = moments.counts
                    return wanted.containsAny(moments, isAsked)
                },
                vrms: { vrms },
                into: &all
            )
        } catch { throw StorageError(.damaged, "\(file.path): the page at byte \(start): \(error)") }
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
