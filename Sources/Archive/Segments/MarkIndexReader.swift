import Compression
import SightingFrames

/// Reads an index of marks: its head at once, pages as they are asked for.
final class MarkIndexReader: Sendable {
    /// A run of a part, and the value of the key of its mark.
    struct Hit: Sendable {
        var part: Int
        var number: Int
        var key: UInt64
    }

    let head: MarkIndexHead
    /// What the catalogue calls the contents of the files that it leads to.
    let contents: [String]
    /// What its pages are packed by.
    var codebook: Codebook { prototype.codebook }
    private let prototype: IndexPrototype
    private let file: DataFile
    private let seal: PieceSeal
    private let pagesStart: Int

    /// Most heads and what leads to them are no longer together.
    private static let near = 1 << 15
    /// So many bytes are read at once where pages follow one another.
    private static let readLength = 1 << 18

    /// Opens an index.
    ///
    /// - Parameter prototypes: of others that are open, which may have the same codebook.
    init(_ file: DataFile, _ keys: KeyRing, like prototypes: SegmentPrototypes = SegmentPrototypes()) throws {
        self.file = file
        let damaged = { (place: Int) in
            StorageError(.damaged, "\(file.path): what stands at byte \(place) is not as it was written")
        }
        let (bytes, start, magic, before) = try FileEnd.head(file, MarkIndexCover.magics, near: Self.near)
        guard let cover = MarkIndexCover(bytes), cover.codebookLength > 4, cover.headLength <= start else {
            throw damaged(start)
        }
        seal = try keys.seal(cover.keys, file: cover.id, part: 0)
        let place = start - cover.headLength
        let closed =
            before.count < cover.headLength
            ? try file.read(cover.headLength, at: place)[...] : before.suffix(cover.headLength)
        guard let opened = seal.open(closed, MarkIndexCover.headNumber),
            let head = MarkIndexHead(opened, magic, cover.keys),
            cover.codebookLength + head.pages.marksLength + head.alternates.marksLength == place
        else { throw damaged(place) }
        self.head = head
        contents = head.files.map { SegmentFiles.text($0.id) }
        pagesStart = cover.codebookLength
        let digest = head.codebookDigest.isEmpty ? nil : head.codebookDigest
        guard let known = try prototypes.prototype(of: file, cover.codebookLength, digest: digest) else {
            throw damaged(0)
        }
        prototype = known
    }

    // MARK: - Searching

    /// The runs of marks that are wanted, and of sightings into which such marks were merged.
    func find(_ wanted: WantedSightings) throws -> [Hit] {
        var hits: [Hit] = []
        try forEachPage(pages(of: wanted.keys)) { page, bytes, unpacker in
            let first = head.pages.firsts[page]
            let near = head.expected(page)
            let marks = try IndexPage.marks(bytes, first: first, expected: near)
            let keys = marks.keys
            let places = wanted.places(in: keys)
            if places == [] { return }
            if let places, places.count == 1 {
                let runs = try IndexPage.runs(of: places[0], marks, bytes, &unpacker)
                for run in runs {
                    hits.append(Hit(part: run.part, number: run.number, key: keys[places[0]]))
                }
                return
            }
            let whole = try IndexPage(marks, bytes, &unpacker)
            var isPlace = [Bool](repeating: places == nil, count: keys.count)
            for place in places ?? [] { isPlace[place] = true }
            whole.forEachRun { place, part, number in
                guard isPlace[place] else { return }
                hits.append(Hit(part: part, number: number, key: keys[place]))
            }
        }
        return hits + (try alternates(wanted))
    }

    /// The marks of runs.
    ///
    /// - Parameters:
    ///   - numbers: by part the runs that are meant, ascending.
    ///   - ranges: between which keys their marks lie.
    func marks(of numbers: [[Int]], in ranges: [ClosedRange<MarkKey>]) throws -> [Hit] {
        var hits: [Hit] = []
        var waiting: (page: Int, bytes: [UInt8], starts: [Int])?
        let asked = numbers.indices.filter { !numbers[$0].isEmpty }
        let totals = head.parts.map(\.runs)
        func finish(_ next: [Int]?, _ unpacker: inout EntropyUnpacker) throws {
            guard let (page, bytes, starts) = waiting else { return }
            waiting = nil
            // Where the next page is not looked at, it is not known how far this one goes.
            let ends = next ?? totals
            let isAny = asked.contains { part in
                let own = numbers[part]
                let place = own.indices.first(from: { own[$0] >= starts[part] })
                return place < own.count && own[place] < ends[part]
            }
            guard isAny else { return }
            let first = head.pages.firsts[page]
            let whole = try IndexPage(
                bytes,
                first: first,
                expected: head.expected(page),
                &unpacker
            )
            var next = numbers.map { $0.startIndex }
            for part in asked {
                next[part] = numbers[part].indices.first(from: { numbers[part][$0] >= starts[part] })
            }
            whole.forEachRun { place, part, number in
                guard next[part] < numbers[part].count, numbers[part][next[part]] == number else { return }
                next[part] += 1
                hits.append(Hit(part: part, number: number, key: whole.keys[place]))
            }
        }
        try forEachPage(pages(of: ranges)) { page, bytes, unpacker in
            let starts = try IndexPage.starts(bytes, expected: head.expected(page))
            try finish(waiting?.page == page - 1 ? starts : nil, &unpacker)
            waiting = (page, bytes, starts)
        }
        try prototype.unpackers.use { try finish(nil, &$0) }
        return hits
    }

    /// All runs of parts, in the order of mark and part.
    ///
    /// - Parameter numbers: by part the number that it has for whoever asks; `nil` where it is left out.
    /// - Complexity: O(runs), on all processors.
    func runs(_ numbers: [Int?]) throws -> [MarkRun] {
        let pieces = try Parallel.map(Parallel.ranges(head.pages.count)) { pages in
            try self.runs(numbers, on: pages)
        }
        var runs: [MarkRun] = []
        runs.reserveCapacity(pieces.reduce(0) { $0 + $1.count })
        for piece in pieces { runs += piece }
        return runs
    }

    private func runs(_ numbers: [Int?], on pages: Range<Int>) throws -> [MarkRun] {
        var runs: [MarkRun] = []
        try forEachPage(Array(pages)) { page, bytes, unpacker in
            let first = head.pages.firsts[page]
            let whole = try IndexPage(
                bytes,
                first: first,
                expected: head.expected(page),
                &unpacker
            )
            whole.forEachRun { place, part, _ in
                guard let number = numbers[part] else { return }
                runs.append(MarkRun(key: whole.keys[place], part: UInt32(number)))
            }
        }
        return runs
    }

    /// Goes through pages with what they have of some parts, renumbered; one that has nothing of them is left out.
    ///
    /// - Parameters:
    ///   - numbers: as for `runs`.
    ///   - partCount: how many parts there are with those numbers.
    ///   - body: is given the page's number and the page.
    func forEachPage(
        of numbers: [Int?],
        _ partCount: Int,
        _ pages: Range<Int>,
        _ body: (_ number: Int, _ page: IndexPage) throws -> Void
    ) throws {
        try forEachPage(Array(pages)) { number, bytes, unpacker in
            let first = head.pages.firsts[number]
            let expected = head.expected(number)
            let whole = try IndexPage(bytes, first: first, expected: expected, &unpacker)
            let page = whole.part(numbers, count: partCount)
            if page.count > 0 { try body(number, page) }
        }
    }

    /// All alternates of parts, in the order of mark, part and run.
    ///
    /// - Parameter numbers: as for `runs`.
    func alternates(_ numbers: [Int?]) throws -> [AlternateMark] {
        try (0..<head.alternates.count).flatMap { page in
            try alternates(on: page).compactMap { one in
                numbers[one.part].map { AlternateMark(key: one.key, part: $0, run: one.run, own: one.own) }
            }
        }
    }

    // MARK: - Pages

    /// The runs of sightings into which marks were merged that are wanted.
    private func alternates(_ wanted: WantedSightings) throws -> [Hit] {
        guard wanted.mark != nil, head.alternates.count > 0 else { return [] }
        var pages: Set<Int> = []
        for range in wanted.keys { pages.formUnion(head.alternates.pages(range)) }
        return try pages.sorted().flatMap { page in
            try alternates(on: page).filter { wanted.contains($0.key) }
                .map { Hit(part: $0.part, number: $0.run, key: $0.own) }
        }
    }

    private func alternates(on page: Int) throws -> [AlternateMark] {
        let range = head.alternates.marks(of: page)
        let start = pagesStart + head.pages.marksLength + range.lowerBound
        let closed = try file.read(range.count, at: start)
        guard let bytes = seal.open(closed[...], MarkIndexCover.firstAlternates + page),
            let alternates = MarkIndex.alternates(bytes, partCount: head.parts.count)
        else {
            throw StorageError(
                .damaged,
                "\(file.path): the alternates at byte \(start) are not as they were written"
            )
        }
        return alternates
    }

    /// Goes through pages, which ascend.
    private func forEachPage(
        _ pages: [Int],
        _ body: (_ page: Int, _ bytes: [UInt8], _ unpacker: inout EntropyUnpacker) throws -> Void
    ) throws {
        for stretch in stretches(pages) {
            let begin = head.pages.marks(of: stretch.lowerBound).lowerBound
            let length = head.pages.marks(of: stretch.upperBound - 1).upperBound - begin
            let closed = try file.read(length, at: pagesStart + begin)
            for page in stretch {
                let range = head.pages.marks(of: page)
                let start = pagesStart + range.lowerBound
                guard range.upperBound - begin <= closed.count,
                    let bytes = seal.open(closed[range.lowerBound - begin..<range.upperBound - begin], page)
                else {
                    throw StorageError(
                        .damaged,
                        "\(file.path): the page at byte \(start) is not as it was written"
                    )
                }
                do { try prototype.unpackers.use { try body(page, bytes, &$0) } } catch let fault
                    as FrameFault
                {
                    throw StorageError(.damaged, "\(file.path): the page at byte \(start): \(fault)")
                }
            }
        }
    }

    /// The pages that can have marks of ranges, ascending.
    private func pages(of ranges: [ClosedRange<MarkKey>]) -> [Int] {
        if ranges.count == 1 { return Array(head.pages.pages(ranges[0])) }
        var isLookedAt = [Bool](repeating: false, count: head.pages.count)
        for range in ranges { for page in head.pages.pages(range) { isLookedAt[page] = true } }
        return isLookedAt.indices.filter { isLookedAt[$0] }
    }

    /// Ascending pages as those that follow one another and are not too long.
    private func stretches(_ pages: [Int]) -> [Range<Int>] {
        var stretches: [Range<Int>] = []
        for page in pages {
            if let last = stretches.last, last.upperBound == page,
                head.pages.marks(of: page).upperBound - head.pages.marks(of: last.lowerBound).lowerBound
                    <= Self.readLength
            {
                stretches[stretches.count - 1] = last.lowerBound..<page + 1
            } else {
                stretches.append(page..<page + 1)
            }
        }
        return stretches
    }
}
