import ANPRModel
import SightingFrames

/// How the sightings of a segment are divided: into pages by mark, and in each page by the force whose camera has the best read.
struct SegmentPages {
    /// One page: its marks, and where the sightings of each of its parts stand in the batch.
    struct Page {
        var marks = MarkPage()
        var rows: [(part: Int, range: Range<Int>)] = []
    }

    /// So many marks are looked through to find one.
    static let marksMax = 128
    /// A page ends sooner if it has so many sightings: of a mark that stands everywhere, as misreads do.
    static let rowsMax = 16_384

    /// The forces, by part.
    let forces: [String]
    /// All sightings, in the order of page, part, mark, first and camera.
    let batch: SightingBatch
    /// The pages in their order; a mark with very many sightings may stand in several.
    private(set) var pages: [Page] = []

    /// Divides sightings.
    ///
    /// - Parameter rows: which ones, in the order of their reads or nearly.
    init(_ all: SightingBatch, _ rows: [UInt32], _ register: CameraRegister) {
        var isUsed = [Bool](repeating: false, count: register.count)
        for row in rows { isUsed[Int(all.sightings[Int(row)].camera)] = true }
        forces = Set(isUsed.indices.filter { isUsed[$0] }.map { register.cameras[$0].force }).sorted()
        let partOfForce = Dictionary(uniqueKeysWithValues: forces.enumerated().map { ($1, $0) })
        let keys = MarkOrder.sort(rows, of: all, register.cameras.map { partOfForce[$0.force] ?? 0 })
        var placed = [Int](repeating: 0, count: keys.count)
        var start = 0
        for end in Self.ends(keys) {
            var page = Page()
            page.rows = Self.ranges(of: keys[start..<end], partCount: forces.count)
            var next = [Int](repeating: 0, count: forces.count)
            for (part, range) in page.rows { next[part] = range.lowerBound }
            for key in keys[start..<end] {
                placed[next[Int(key.part)]] = Int(key.row)
                next[Int(key.part)] += 1
            }
            page.marks = Self.marks(keys[start..<end])
            pages.append(page)
            start = end
        }
        batch = all.reordered(placed)
    }

    /// For each part that has any of a page's rows where they go.
    private static func ranges(of keys: ArraySlice<MarkOrder.Key>, partCount: Int)
        -> [(part: Int, range: Range<Int>)]
    {
        var counts = [Int](repeating: 0, count: partCount)
        for key in keys { counts[Int(key.part)] += 1 }
        var ranges: [(part: Int, range: Range<Int>)] = []
        var start = keys.startIndex
        for (part, count) in counts.enumerated() where count > 0 {
            ranges.append((part, start..<start + count))
            start += count
        }
        return ranges
    }

    /// The marks that were merged into sightings.
    var alternates: [UInt8] {
        if batch.variants.isEmpty { return [] }
        let ends = pages.map { $0.rows.last?.range.upperBound ?? 0 }
        return SegmentAlternates.bytes(of: batch) { row in ends.firstIndex { row < $0 } ?? 0 }
    }

    /// Where the pages end.
    private static func ends(_ keys: [MarkOrder.Key]) -> [Int] {
        var ends: [Int] = []
        var (marks, start) = (0, 0)
        for place in keys.indices {
            let isNew = place == start || keys[place].mark != keys[place - 1].mark
            if isNew && marks == marksMax || place - start == rowsMax {
                ends.append(place)
                (marks, start) = (0, place)
            }
            marks += isNew || place == start ? 1 : 0
        }
        if start < keys.count { ends.append(keys.count) }
        return ends
    }

    private static func marks(_ keys: ArraySlice<MarkOrder.Key>) -> MarkPage {
        var page = MarkPage()
        var own: [Int] = []
        for place in keys.indices {
            let part = Int(keys[place].part)
            if !own.contains(part) { own.append(part) }
            guard place + 1 == keys.endIndex || keys[place + 1].mark != keys[place].mark else { continue }
            if own.count > 1 { own.sort() }
            page.append(MarkKey(value: keys[place].mark), parts: own)
            own.removeAll(keepingCapacity: true)
        }
        return page
    }
}
