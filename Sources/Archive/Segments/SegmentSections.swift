import ANPRModel
import SightingFrames

/// How the sightings of a segment are divided: into sections by the forces that contributed to them, in each in runs of one mark.
///
/// Nothing is moved for that: a section says which rows of the batch it has, in which order.
struct SegmentSections {
    /// The sightings that the same forces contributed to.
    struct Section {
        /// The forces, by code.
        var forces: [String]
        /// Its rows in the batch, in the order of mark, first and camera.
        var rows: [UInt32] = []
        /// Where its runs end in those, and the keys of their marks.
        var ends: [UInt32] = []
        var keys: [UInt64] = []

        /// The rows of a run, by their places in `rows`.
        func run(_ number: Int) -> Range<Int> {
            (number == 0 ? 0 : Int(ends[number - 1]))..<Int(ends[number])
        }
    }

    /// So many runs are packed together: to read one of them is to read them all, and a page has some twenty bytes of its own.
    static let pageRuns = 32
    /// So many pages are closed together: to open a piece takes its time however short it is.
    static let piecePages = 16
    /// A run ends sooner if it has so many sightings: of a mark that stands everywhere, as misreads do.
    static let runMax = 1024
    /// Fewer rows are not worth dividing among processors.
    private static let bucketWorth = 4096

    /// Where the sightings are.
    let batch: SightingBatch
    /// The sections, in the order of their forces.
    private(set) var sections: [Section]
    /// All runs, in the order of mark and section.
    private(set) var runs: [MarkRun] = []

    /// Divides sightings.
    ///
    /// - Parameter rows: which ones, in the order of their reads or nearly.
    /// - Complexity: O(rows), on all processors: each has a range of the marks.
    init(_ all: SightingBatch, _ rows: [UInt32], _ register: CameraRegister) throws {
        batch = all
        let pieces = try Parallel.map(Parallel.ranges(rows.count)) { KeyedRows(all, rows[$0], register) }
        let (sets, numbers) = KeyedRows.together(pieces)
        let forces = Set(register.cameras.map(\.force)).sorted()
        sections = sets.map { Section(forces: $0.map { forces[$0] }) }
        let buckets = Self.buckets(pieces, numbers, count: rows.count)
        for bucket in try Parallel.map(buckets, { Bucket($0, all.sightings, sets.count) }) {
            for (section, own) in bucket.sections.enumerated() {
                let start = UInt32(sections[section].rows.count)
                sections[section].rows += own.rows
                sections[section].ends += own.ends.map { $0 + start }
                sections[section].keys += own.keys
            }
            runs += bucket.runs
        }
    }

    /// Rows with the same or neighbouring marks together, and none of one mark apart.
    private static func buckets(_ pieces: [KeyedRows], _ numbers: [[UInt32]], count: Int) -> [[MarkOrder.Key]]
    {
        let bucketCount = min(Parallel.width, max(1, count / bucketWorth))
        let step = max(1, count / (64 * bucketCount))
        var sample: [UInt64] = []
        for piece in pieces {
            for place in stride(from: 0, to: piece.keys.count, by: step) {
                sample.append(piece.keys[place].mark)
            }
        }
        sample.sort()
        let bounds = (1..<bucketCount).map { sample[$0 * sample.count / bucketCount] }
        var buckets = [[MarkOrder.Key]](repeating: [], count: bucketCount)
        for place in buckets.indices { buckets[place].reserveCapacity(count / bucketCount * 5 / 4) }
        for (piece, numbers) in zip(pieces, numbers) {
            for var key in piece.keys {
                key.part = numbers[Int(key.part)]
                var bucket = 0
                while bucket < bounds.count, key.mark >= bounds[bucket] { bucket += 1 }
                buckets[bucket].append(key)
            }
        }
        return buckets
    }

    /// The marks that were merged into sightings, each with where the sighting stands.
    var alternates: [AlternateMark] {
        let others = Dictionary(grouping: batch.variants.filter(\.isMerged)) { UInt32($0.sighting) }
        if others.isEmpty { return [] }
        var found: [AlternateMark] = []
        for (part, section) in sections.enumerated() {
            for run in section.ends.indices {
                for place in section.run(run) {
                    for other in others[section.rows[place]] ?? [] {
                        let key = MarkKey(other.vrm).value
                        found.append(AlternateMark(key: key, part: part, run: run, own: section.keys[run]))
                    }
                }
            }
        }
        return found.sorted { ($0.key, $0.part, $0.run) < ($1.key, $1.part, $1.run) }
    }
}

/// One run of a mark: which mark, and in which part of an index.
struct MarkRun: Equatable, Sendable {
    var key: UInt64
    var part: UInt32
}

/// A mark that was merged into a sighting, and where that stands.
struct AlternateMark: Equatable, Sendable {
    /// The value of the mark's key.
    var key: UInt64
    /// The part of an index, and the run in it, that has the sighting.
    var part: Int
    var run: Int
    /// The value of the key of the sighting's own mark.
    var own: UInt64
}

/// The runs of some marks, by section.
private struct Bucket: Sendable {
    struct Section: Sendable {
        var rows: [UInt32] = []
        var ends: [UInt32] = []
        var keys: [UInt64] = []
    }

    var sections: [Section]
    var runs: [MarkRun] = []

    init(_ unordered: [MarkOrder.Key], _ sightings: [Sighting], _ sectionCount: Int) {
        sections = [Section](repeating: Section(), count: sectionCount)
        let keys = MarkOrder.sorted(unordered, sightings)
        runs.reserveCapacity(keys.count)
        var own = 0
        for (place, key) in keys.enumerated() {
            if add(key) { runs.append(MarkRun(key: key.mark, part: key.part)) }
            guard place + 1 == keys.count || keys[place + 1].mark != key.mark else { continue }
            if runs.count - own > 1 { runs[own...].sort { $0.part < $1.part } }
            own = runs.count
        }
    }

    /// Adds a row.
    ///
    /// - Returns: whether a run begins with it.
    private mutating func add(_ key: MarkOrder.Key) -> Bool {
        let part = Int(key.part)
        let end = UInt32(sections[part].rows.count + 1)
        sections[part].rows.append(key.row)
        let count = sections[part].ends.count
        if count > 0, sections[part].keys[count - 1] == key.mark {
            let start = count > 1 ? sections[part].ends[count - 2] : 0
            if end - start <= UInt32(SegmentSections.runMax) {
                sections[part].ends[count - 1] = end
                return false
            }
        }
        sections[part].ends.append(end)
        sections[part].keys.append(key.mark)
        return true
    }
}

/// Rows with the keys of their marks and the sets of forces that contributed to them, numbered as they come.
private struct KeyedRows: Sendable {
    private(set) var keys: [MarkOrder.Key] = []
    /// The sets, as places in the order of all forces of the register.
    private var sets: [[Int]] = []

    init(_ batch: SightingBatch, _ rows: ArraySlice<UInt32>, _ register: CameraRegister) {
        let forces = Set(register.cameras.map(\.force)).sorted()
        let places = Dictionary(uniqueKeysWithValues: forces.enumerated().map { ($1, $0) })
        let forceOfCamera = register.cameras.map { places[$0.force] ?? 0 }
        var numberOfOne = [Int](repeating: -1, count: forces.count)
        var numbers: [[Int]: Int] = [:]
        keys.reserveCapacity(rows.count)
        for row in rows {
            let sighting = batch.sightings[Int(row)]
            let first = forceOfCamera[Int(sighting.camera)]
            let range = batch.range(Int(row))
            let number: Int
            if range.allSatisfy({ forceOfCamera[Int(batch.contributions[$0].camera)] == first }) {
                if numberOfOne[first] < 0 { numberOfOne[first] = add([first], &numbers) }
                number = numberOfOne[first]
            } else {
                let others = batch.contributions[range].map { forceOfCamera[Int($0.camera)] }
                number = add(Set(others + [first]).sorted(), &numbers)
            }
            keys.append(
                MarkOrder.Key(
                    mark: MarkKey(sighting.vrm).value,
                    first: sighting.first.milliseconds,
                    row: row,
                    part: UInt32(number)
                )
            )
        }
    }

    private mutating func add(_ set: [Int], _ numbers: inout [[Int]: Int]) -> Int {
        if let known = numbers[set] { return known }
        numbers[set] = sets.count
        sets.append(set)
        return sets.count - 1
    }

    /// All sets in their order, and of each of several the number that its own ones have there.
    static func together(_ pieces: [KeyedRows]) -> (sets: [[Int]], numbers: [[UInt32]]) {
        let sets = Set(pieces.flatMap(\.sets)).sorted { $0.lexicographicallyPrecedes($1) }
        let places = Dictionary(uniqueKeysWithValues: sets.enumerated().map { ($1, UInt32($0)) })
        return (sets, pieces.map { piece in piece.sets.map { places[$0] ?? 0 } })
    }
}
