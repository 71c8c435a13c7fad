import SightingFrames

/// Indexes of marks: one for each segment at first, then one for some days, so that a history is looked for in few places.
extension Archiver {
    /// An index has another take its place when all but the largest have more than one in so many of that one's sightings.
    private static let lateShare = 16
    /// Days with more indexes than this have them merged in any case.
    private static let indexesMax = 16
    /// Indexes of no more sightings are merged, which takes half a gigabyte.
    private static let rowsMax = 1 << 24

    /// Writes the index of one segment.
    func write(
        index name: String,
        of head: SectionedHead,
        _ layout: SegmentLayout?,
        _ sections: SegmentSections
    ) throws -> Catalogue.Index {
        var own = MarkIndexHead()
        own.files = [MarkIndexHead.File(id: head.id, day: head.day, layout: layout)]
        own.parts = head.sections.enumerated().map { MarkIndexHead.Part(file: 0, section: $0, runs: $1.runs) }
        let length = try write(
            index: "\(folder)/\(name).marks",
            own,
            under: Set(head.sections.flatMap(\.keys)),
            sections.runs,
            sections.alternates
        )
        return Catalogue.Index(name: "\(name).marks", bytes: length)
    }

    /// Writes an index.
    ///
    /// - Returns: how long the file is.
    func write(
        index path: String,
        _ head: MarkIndexHead,
        under names: Set<DataKeyName>,
        _ runs: [MarkRun],
        _ alternates: [AlternateMark]
    ) throws -> Int {
        let (length, used) = try MarkIndex.write(
            path,
            head,
            under: names,
            runs,
            alternates,
            keys: keys,
            codebooks: indexCodebooks
        )
        Self.remember(used, in: &indexCodebooks)
        return length
    }

    /// Merges the indexes of days that belong together and end before a day.
    func mergeIndexes(before open: Int32) throws {
        let segments = try catalogue.snapshot().segments.filter { !$0.marks.isEmpty }
        // Division that rounds down, so that no span is longer than the others.
        let span = { [indexDays] (segment: Catalogue.Segment) in
            segment.day - (segment.day % indexDays + indexDays) % indexDays
        }
        // An index that was made when spans were others, and leads into several, stays as it is.
        let crossing = Dictionary(grouping: segments, by: \.marks).filter { Set($1.map(span)).count > 1 }
        let spans = Dictionary(grouping: segments.filter { crossing[$0.marks] == nil }, by: span)
        var attempts = Attempts()
        for (first, together) in spans.sorted(by: { $0.key < $1.key }) where first + indexDays <= open {
            attempts.make { try mergeIndexes(of: together) }
        }
        try attempts.finish()
    }

    /// Merges the indexes of segments that belong together, if those are many or the small ones not that small.
    private func mergeIndexes(of together: [Catalogue.Segment]) throws {
        let all = Dictionary(grouping: together, by: \.marks).mapValues { $0.reduce(0) { $0 + $1.rows } }
        var sum = 0
        let rows = all.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.prefix { index in
            sum += index.value
            return sum <= Self.rowsMax
        }
        let largest = rows.last?.value ?? 0
        let others = rows.reduce(0) { $0 + $1.value } - largest
        guard rows.count > 1, rows.count > Self.indexesMax || others > largest / Self.lateShare else {
            return
        }
        var change = Catalogue.Change()
        let names = Set(rows.map(\.key))
        let led = together.filter { names.contains($0.marks) }
        let index = try merged(names, of: led)
        change.indexes = [index]
        change.used = try self.keys(of: led)
        for name in names { change.replaced[name] = index.name }
        try commit(change)
    }

    /// Writes an index of some segments, of those that they have.
    ///
    /// - Parameters:
    ///   - names: the indexes that name their marks.
    ///   - segments: what the new one is to lead to; at least one.
    ///   - without: by a segment's contents the sections that are left out.
    func merged(
        _ names: Set<String>,
        of segments: [Catalogue.Segment],
        without dropped: [String: Set<Int>] = [:]
    ) throws -> Catalogue.Index {
        let wanted = Set(segments.map(\.contents))
        let under = try keys(of: segments, without: dropped)
        let name = try freshName(segments.map(\.day).min() ?? 0)
        let path = "\(folder)/\(name).marks"
        var length = names.count == 1 ? try part(names, wanted, dropped, under, path) : nil
        if length == nil {
            var head = MarkIndexHead()
            var runs: [[MarkRun]] = []
            var alternates: [AlternateMark] = []
            for name in names.sorted() {
                let index = try files.index(name, keys)
                let numbers = Self.adopt(index.head, wanted, dropped, into: &head)
                runs.append(try index.runs(numbers))
                alternates += try index.alternates(numbers)
            }
            try check(head, under)
            alternates.sort { ($0.key, $0.part, $0.run) < ($1.key, $1.part, $1.run) }
            length = try write(index: path, head, under: under, Self.merge(runs), alternates)
        }
        try DataFolder.sync("\(folder)/\(name.prefix { $0 != "/" })")
        return Catalogue.Index(name: "\(name).marks", bytes: length ?? 0)
    }

    /// Writes what an index has of some segments, page by page.
    ///
    /// - Returns: how long the file is; `nil`, and none was written, where that can't be done.
    private func part(
        _ names: Set<String>,
        _ wanted: Set<String>,
        _ dropped: [String: Set<Int>],
        _ under: Set<DataKeyName>,
        _ path: String
    ) throws -> Int? {
        guard let name = names.first else { return nil }
        let index = try files.index(name, keys)
        var head = MarkIndexHead()
        let numbers = Self.adopt(index.head, wanted, dropped, into: &head)
        try check(head, under)
        let alternates = try index.alternates(numbers)
        return try MarkIndex.write(path, head, under: under, numbers, of: index, alternates, keys: keys)
    }

    /// Refuses an index that would be closed under fewer keys than the sections that it leads to: a segment's own head, which says
    /// which those are, is open to who can write to the disk, and what an index says of it is not.
    private func check(_ head: MarkIndexHead, _ under: Set<DataKeyName>) throws {
        for file in head.files {
            let keys = file.layout?.sections.values.flatMap(\.keys) ?? []
            guard under.isSuperset(of: keys) else {
                throw StorageError(
                    .damaged,
                    "\(folder): the segment of \(Self.dayName(file.day)) with contents \(SegmentFiles.text(file.id)) "
                        + "names other keys than its index"
                )
            }
        }
    }

    /// The keys under which the sections of segments are closed.
    func keys(of segments: [Catalogue.Segment], without dropped: [String: Set<Int>] = [:]) throws -> Set<
        DataKeyName
    > {
        var names: Set<DataKeyName> = []
        for segment in segments where !segment.marks.isEmpty {
            let sections = try files.segment(segment, keys).head().sections
            for (number, section) in sections.enumerated()
            where !section.isDropped && dropped[segment.contents]?.contains(number) != true {
                names.formUnion(section.keys)
            }
        }
        return names
    }

    /// Adds the parts of an index to another's.
    ///
    /// - Returns: by part its number there; `nil` for those that are left out.
    private static func adopt(
        _ own: MarkIndexHead,
        _ wanted: Set<String>,
        _ dropped: [String: Set<Int>],
        into head: inout MarkIndexHead
    ) -> [Int?] {
        var files: [Int: Int] = [:]
        return own.parts.map { part in
            let file = own.files[part.file]
            let contents = SegmentFiles.text(file.id)
            guard wanted.contains(contents), dropped[contents]?.contains(part.section) != true else {
                return nil
            }
            if files[part.file] == nil {
                files[part.file] = head.files.count
                head.files.append(file)
                // What is dropped of a segment is so by who has this index take the other's place.
                if let gone = dropped[contents], let layout = file.layout {
                    head.files[head.files.count - 1].layout = layout.without(gone)
                }
            }
            head.parts.append(
                MarkIndexHead.Part(file: files[part.file] ?? 0, section: part.section, runs: part.runs)
            )
            return head.parts.count - 1
        }
    }

    /// Lists in the order of mark and part as one.
    private static func merge(_ lists: [[MarkRun]]) -> [MarkRun] {
        var lists = lists
        while lists.count > 1 {
            lists = stride(from: 0, to: lists.count, by: 2).map { place in
                place + 1 < lists.count ? merge(lists[place], lists[place + 1]) : lists[place]
            }
        }
        return lists.first ?? []
    }

    private static func merge(_ left: [MarkRun], _ right: [MarkRun]) -> [MarkRun] {
        [MarkRun](capacity: left.count + right.count) { merged in
            var (one, other) = (0, 0)
            while one < left.count, other < right.count {
                let (first, second) = (left[one], right[other])
                if (first.key, first.part) <= (second.key, second.part) {
                    merged.append(first)
                    one += 1
                } else {
                    merged.append(second)
                    other += 1
                }
            }
            for run in left[one...] { merged.append(run) }
            for run in right[other...] { merged.append(run) }
        }
    }
}
