import ANPRModel
import SightingFrames

/// One search of the segments that one index leads to: where what is asked for stands, and what it is.
struct IndexSearch {
    let files: SegmentFiles
    let index: MarkIndexReader
    let group: SegmentGroups.Indexed
    let asked: AskedSightings

    /// Runs that are to be read of one segment.
    private struct Wanted {
        /// Its number in the index.
        let file: Int
        let segment: Catalogue.Segment
        var sections: [(section: Int, runs: SectionedSegmentReader.Runs)] = []
    }

    /// The sightings, of each segment under its own register.
    func read() throws -> RecentHistories.Found {
        let hits =
            if asked.isOfMarks {
                try index.find(asked.anywhere)
            } else if asked.query != nil {
                try scan()
            } else {
                try all()
            }
        return try runs(hits).compactMap { wanted in
            // Who looks for all marks looks at all that a segment says of itself.
            let told = asked.isOfMarks ? index.head.files[wanted.file] : nil
            let reader = try files.segment(wanted.segment, asked.keys, as: told)
            let sightings = asked.wanted(of: reader)
            var batch = SightingBatch()
            for (section, runs) in wanted.sections.sorted(by: { $0.section < $1.section }) {
                guard try asked.query == nil || reader.isWanted(section, sightings) else { continue }
                try reader.read(section, runs, sightings, into: &batch)
            }
            return batch.isEmpty ? nil : (batch, reader.register)
        }
    }

    /// A segment that an index leads to, if it is asked for.
    private func segment(_ file: Int) -> Catalogue.Segment? {
        group.segments[index.contents[file]].flatMap { asked.mayMatch($0.first, $0.last) ? $0 : nil }
    }

    /// Where what is asked for stands in each segment.
    private func runs(_ found: [MarkIndexReader.Hit]) -> [Wanted] {
        var all: [Wanted] = []
        var (part, number, place): (Int, Int, Int?) = (-1, -1, nil)
        for hit in found.sorted(by: { ($0.part, $0.number) < ($1.part, $1.number) }) {
            if hit.part != part {
                (part, number) = (hit.part, -1)
                place = begin(index.head.parts[part], in: &all)
            }
            // A run is found by several marks where they were merged into one sighting.
            guard let place, hit.number != number else { continue }
            number = hit.number
            all[place].sections[all[place].sections.count - 1].runs.append((hit.number, hit.key))
        }
        return all
    }

    /// Begins a section among what is to be read.
    ///
    /// - Returns: where its segment stands there; `nil` if it is not asked for.
    private func begin(_ part: MarkIndexHead.Part, in all: inout [Wanted]) -> Int? {
        guard asked.isAsked(part.section, of: index.contents[part.file]) else { return nil }
        var place = all.firstIndex { $0.file == part.file }
        if place == nil, let segment = segment(part.file) {
            place = all.count
            all.append(Wanted(file: part.file, segment: segment))
        }
        if let place { all[place].sections.append((part.section, [])) }
        return place
    }

    /// All that an index leads to and that is asked for.
    private func all() throws -> [MarkIndexReader.Hit] {
        var next = [Int](repeating: 0, count: index.head.parts.count)
        let numbers = index.head.parts.enumerated().map { number, part in
            let contents = index.contents[part.file]
            return group.segments[contents] != nil && asked.isAsked(part.section, of: contents) ? number : nil
        }
        return try index.runs(numbers).map { run in
            defer { next[Int(run.part)] += 1 }
            return MarkIndexReader.Hit(part: Int(run.part), number: next[Int(run.part)], key: run.key)
        }
    }

    /// Looks for what is asked for by time and place, and for its marks then.
    private func scan() throws -> [MarkIndexReader.Hit] {
        let parts = index.head.parts
        var numbers = [[Int]](repeating: [], count: parts.count)
        var ranges: [ClosedRange<MarkKey>] = []
        for file in index.contents.indices {
            guard let segment = segment(file) else { continue }
            let reader = try files.segment(segment, asked.keys)
            let wanted = asked.wanted(of: reader)
            for (number, part) in parts.enumerated() where part.file == file {
                let found = try reader.scan(part.section, wanted)
                numbers[number] = found.runs
                ranges += found.keys
            }
        }
        return ranges.isEmpty ? [] : try index.marks(of: numbers, in: ranges)
    }
}
