import Compression
import SightingFrames

/// Which marks have sightings in some segments, and where: so that a mark's history is looked for in one place for many days.
///
/// `StorageFormats.md` draws the bytes. It is closed under the keys of all its parts together: where one of them is destroyed, it
/// opens no more, and another one without that part must have taken its place.
enum MarkIndex {
    /// So many marks are looked through to find one.
    private static let marksMax = 512
    /// A page ends sooner if it has so many runs.
    private static let runsMax = 16_384
    private static let alternatesMax = 512
    /// A codebook is made of every so-many-th page.
    private static let samplePages = 64

    /// Writes an index and makes it durable under its name.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - head: the files and parts that it leads to.
    ///   - names: the keys of all those.
    ///   - runs: in the order of mark and part.
    ///   - alternates: in the order of mark, part and run.
    ///   - codebooks: one of them is used again if it serves nearly as well as one of these runs' own.
    /// - Returns: how long the file is, and the codebook that was used.
    static func write(
        _ path: String,
        _ head: MarkIndexHead,
        under names: Set<DataKeyName>,
        _ runs: [MarkRun],
        _ alternates: [AlternateMark],
        keys: KeyRing,
        codebooks known: [Codebook] = []
    ) throws -> (length: Int, codebook: Codebook) {
        guard head.parts.count <= IndexPage.partsMax else {
            throw StorageError(.mismatch, "\(path): \(head.parts.count) sections are too many for one index")
        }
        let cover = MarkIndexCover(names)
        let seal = try keys.seal(cover.keys, file: cover.id, part: 0)
        let cuts = cuts(runs)
        let starts = starts(runs, cuts, head.parts.count)
        let codebook = Codebook.best(of: known, for: counts(runs, cuts, head.parts.count))
        let pageCount = cuts.count - 1
        let pages = try Parallel.map(Parallel.ranges(pageCount)) { range in
            var packer = EntropyPacker(codebook)
            return try range.map { number in
                let page = page(runs[cuts[number]..<cuts[number + 1]], starts: starts[number])
                let bytes = page.encoded(expected: head.expected(number, of: pageCount), &packer)
                return Page(first: MarkKey(value: page.keys[0]), closed: try seal.close(bytes, number))
            }
        }.flatMap(\.self)
        return (try write(path, head, cover, seal, codebook, pages, alternates), codebook)
    }

    /// Writes an index of some of the parts of another, and makes it durable under its name.
    ///
    /// Page by page: what is left keeps its place among its own, so that nothing has to be sorted or counted anew. Pages become
    /// shorter by that, and stay so.
    ///
    /// - Parameters:
    ///   - numbers: by part of the other the number that it has in `head`; `nil` where it is left out.
    /// - Returns: how long the file is; `nil`, and none was written, where nothing is left of some page.
    static func write(
        _ path: String,
        _ head: MarkIndexHead,
        under names: Set<DataKeyName>,
        _ numbers: [Int?],
        of other: MarkIndexReader,
        _ alternates: [AlternateMark],
        keys: KeyRing
    ) throws -> Int? {
        let cover = MarkIndexCover(names)
        let seal = try keys.seal(cover.keys, file: cover.id, part: 0)
        let pageCount = other.head.pages.count
        let pages = try Parallel.map(Parallel.ranges(pageCount)) { range -> [Page]? in
            var packer = EntropyPacker(other.codebook)
            var pages: [Page] = []
            try other.forEachPage(of: numbers, head.parts.count, range) { number, page in
                guard let first = page.keys.first else { return }
                let bytes = page.encoded(expected: head.expected(number, of: pageCount), &packer)
                pages.append(Page(first: MarkKey(value: first), closed: try seal.close(bytes, number)))
            }
            return pages.count == range.count ? pages : nil
        }
        let left = pages.compactMap(\.self)
        guard left.count == pages.count else { return nil }
        return try write(path, head, cover, seal, other.codebook, left.flatMap(\.self), alternates)
    }

    /// A page as it goes to the file.
    private struct Page: Sendable {
        var first: MarkKey
        var closed: [UInt8]
    }

    private static func write(
        _ path: String,
        _ head: MarkIndexHead,
        _ cover: MarkIndexCover,
        _ seal: PieceSeal,
        _ codebook: Codebook,
        _ pages: [Page],
        _ alternates: [AlternateMark]
    ) throws -> Int {
        var (head, cover) = (head, cover)
        let file = SegmentAppender(try DataFile(path + ".tmp", .replace))
        let packedBy = SegmentAppender.checked(codebook.encoded)
        head.codebookDigest = SegmentPrototypes.digest(packedBy)
        cover.codebookLength = try file.append(packedBy)
        for page in pages {
            head.pages.append(first: page.first, marks: try file.append(page.closed), rows: [])
        }
        for start in stride(from: 0, to: alternates.count, by: alternatesMax) {
            let own = alternates[start..<min(start + alternatesMax, alternates.count)]
            let number = MarkIndexCover.firstAlternates + start / alternatesMax
            let length = try file.append(try seal.close(encoded(own), number))
            head.alternates.append(first: MarkKey(value: alternates[start].key), marks: length, rows: [])
        }
        cover.headLength = try file.append(
            try seal.close(head.encoded(cover.keys), MarkIndexCover.headNumber)
        )
        let length = try file.finish(cover.encoded, MarkIndexCover.magic)
        try DataFolder.rename(path + ".tmp", to: path)
        return length
    }

    private static func page(_ runs: ArraySlice<MarkRun>, starts: [Int]) -> IndexPage {
        var page = IndexPage(starts: starts)
        for run in runs { page.append(run.key, part: Int(run.part)) }
        return page
    }

    /// Where pages begin, and where the last one ends.
    private static func cuts(_ runs: [MarkRun]) -> [Int] {
        if runs.isEmpty { return [0] }
        var cuts = [0]
        var marks = 0
        for place in runs.indices {
            let isNew = place == 0 || runs[place - 1].key != runs[place].key
            if isNew && marks == marksMax || place - (cuts.last ?? 0) == runsMax {
                cuts.append(place)
                marks = 0
            }
            if isNew || marks == 0 { marks += 1 }
        }
        return cuts + [runs.count]
    }

    /// By page and part how many runs stand before it.
    private static func starts(_ runs: [MarkRun], _ cuts: [Int], _ partCount: Int) -> [[Int]] {
        var counts = [Int](repeating: 0, count: partCount)
        return zip(cuts, cuts.dropFirst()).map { start, end in
            let before = counts
            for place in start..<end { counts[Int(runs[place].part)] += 1 }
            return before
        }
    }

    /// What some of the pages are made of.
    private static func counts(_ runs: [MarkRun], _ cuts: [Int], _ partCount: Int) -> ByteCounts {
        var counts = ByteCounts(kinds: IndexPage.kinds)
        let step = max(1, (cuts.count - 1) / samplePages)
        let starts = [Int](repeating: 0, count: partCount)
        for number in stride(from: 0, to: cuts.count - 1, by: step) {
            page(runs[cuts[number]..<cuts[number + 1]], starts: starts).count(in: &counts)
        }
        return counts
    }

    /// Some alternates: for each how far its key is from that of the one before, part and run, and the key of the sighting's own mark.
    private static func encoded(_ alternates: ArraySlice<AlternateMark>) -> [UInt8] {
        var bytes: [UInt8] = []
        var previous: UInt64 = 0
        for one in alternates {
            for number in [one.key - previous, UInt64(one.part), UInt64(one.run), one.own] {
                VaryingLength.append(number, to: &bytes)
            }
            previous = one.key
        }
        return bytes
    }

    /// As written by `encoded`; `nil` for anything else.
    static func alternates(_ bytes: [UInt8], partCount: Int) -> [AlternateMark]? {
        var alternates: [AlternateMark] = []
        var (position, key): (Int, UInt64) = (0, 0)
        while position < bytes.count {
            guard let gap = VaryingLength.read(bytes, at: &position),
                let part = VaryingLength.read(bytes, at: &position), part < partCount,
                let run = VaryingLength.read(bytes, at: &position), run <= UInt32.max,
                let own = VaryingLength.read(bytes, at: &position)
            else { return nil }
            key &+= gap
            alternates.append(AlternateMark(key: key, part: Int(part), run: Int(run), own: own))
        }
        return alternates
    }
}
