import ANPRModel

/// What a purge makes of a day.
struct DayPurge {
    /// All segments of the day.
    var day: [Catalogue.Segment]
    /// By a segment's contents the sections that go, or are written anew; `nil` for all of all segments.
    var gone: [String: Set<Int>]?
    /// What is written anew of them.
    var kept = ResolvedSightings()
    /// The records that the purge leaves.
    var records: [SignedPurge]
    /// The version of the holds that it goes by, if it goes by any.
    var holds: Int64?
    /// Whether sightings that go may be named by others that stay.
    var mayBeNamed = false

    init(day: [Catalogue.Segment], records: [SignedPurge], holds: Int64?) {
        (self.day, self.records, self.holds) = (day, records, holds)
    }
}

extension Archiver {
    /// What is where in segments that are made of sections.
    func heads(of segments: [Catalogue.Segment]) throws -> [(contents: String, head: SectionedHead)] {
        try segments.map { segment in
            (segment.contents, try files.segment(segment, keys).head())
        }
    }

    /// Makes a purge: rewrites what it must, and destroys the keys of all that went or was written anew.
    ///
    /// - Returns: whether it was done; not if there is another version of the holds by now, or another segment of the day.
    @discardableResult
    func commit(_ purge: DayPurge) throws -> Bool {
        let indexed = purge.day.filter { !$0.marks.isEmpty }
        // What goes whole goes without being read: it may be damaged.
        let heads = purge.gone == nil ? [] : try heads(of: indexed)
        let gone = purge.gone ?? [:]
        let day = purge.day.first?.day
        let doomed = try self.doomed(heads, gone, purge.day.first?.day, isWhole: purge.gone == nil)
        // What is kept of it goes under new keys, so that the old ones can be destroyed.
        keys.renew(doomed)
        var change = try write(purge.kept.batch, purge.kept.register)
        change.removed = purge.gone == nil ? purge.day : indexed.filter { gone[$0.contents] != nil }
        change.purges = purge.records
        change.holds = purge.holds
        change.doomed = doomed
        if purge.mayBeNamed { change.dayNamed = day }
        change.day = day.map { ($0, Set(purge.day.map(\.id))) }
        let left = Dictionary(
            uniqueKeysWithValues: heads.map { ($0.contents, Self.left($0.head, gone[$0.contents])) }
        )
        try replaceIndexes(of: change.removed, gone, left, &change)
        for segment in indexed {
            guard let dropped = gone[segment.contents] else { continue }
            guard left[segment.contents] ?? 0 > 0 else { continue }
            let name = try freshName(segment.day) + ".segment"
            let (length, new) = try files.segment(segment, keys)
                .write("\(folder)/\(name)", without: dropped)
            guard let marks = change.replaced[segment.marks] else {
                throw StorageError(
                    .system,
                    "\(segment.marks): replaced by another meanwhile; it is tried again"
                )
            }
            var copy = Catalogue.Segment(new, name, bytes: length, marks: marks)
            copy.counts?.reach = segment.counts?.reach ?? -1
            change.added.append(copy)
            change.used.formUnion(new.sections.filter { !$0.isDropped }.flatMap(\.keys))
        }
        if let day { try DataFolder.sync("\(folder)/\(Self.dayName(day))") }
        return try commit(change)
    }

    /// All keys of a day, of the forces whose sections go, that close nothing which is left.
    private func doomed(
        _ heads: [(contents: String, head: SectionedHead)],
        _ gone: [String: Set<Int>],
        _ day: Int32?,
        isWhole: Bool
    ) throws -> [DataKeyName] {
        var kept: Set<DataKeyName> = []
        var forces: Set<String> = []
        for (contents, head) in heads {
            for (number, section) in head.sections.enumerated() where !section.isDropped {
                if gone[contents]?.contains(number) == true {
                    forces.formUnion(section.forces)
                } else {
                    kept.formUnion(section.keys)
                }
            }
        }
        // Also those that nothing names any more, as they are left by what was written anew: copies may have what they closed.
        return try keys.names().filter {
            // A file of that day is none of the day's sightings.
            !$0.isOfFile && $0.day == day && (isWhole || forces.contains($0.force)) && !kept.contains($0)
        }
    }

    /// How many sections are left of a segment.
    private static func left(_ head: SectionedHead, _ gone: Set<Int>?) -> Int {
        head.sections.indices.count { !head.sections[$0].isDropped && gone?.contains($0) != true }
    }

    /// Has others take the place of the indexes that name marks of what goes.
    func replaceIndexes(
        of removed: [Catalogue.Segment],
        _ gone: [String: Set<Int>],
        _ sectionsLeft: [String: Int],
        _ change: inout Catalogue.Change
    ) throws {
        let all = try catalogue.snapshot().segments
        let contents = Set(removed.map(\.contents))
        for name in Set(removed.map(\.marks)).sorted() where !name.isEmpty {
            let left = all.filter { segment in
                guard segment.marks == name else { return false }
                return !contents.contains(segment.contents) || sectionsLeft[segment.contents] ?? 0 > 0
            }
            guard !left.isEmpty else { continue }
            let index = try merged([name], of: left, without: gone)
            change.indexes.append(index)
            change.replaced[name] = index.name
            change.used.formUnion(try keys(of: left, without: gone))
        }
    }
}
