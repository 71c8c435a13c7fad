/// Segments, by what names their marks.
struct SegmentGroups: Sendable {
    /// Segments whose marks are named by one index.
    struct Indexed: Sendable {
        /// The index, below the archive's folder.
        var name: String
        /// By their contents.
        var segments: [String: Catalogue.Segment]
        /// What tells these files from all others.
        var identity: String
    }

    /// In the order of their indexes' names, which begin with days.
    let indexed: [Indexed]
    /// Those that name their marks themselves.
    let former: [Catalogue.Segment]

    /// Groups segments.
    init(_ segments: [Catalogue.Segment]) {
        former = segments.filter(\.marks.isEmpty)
        let groups = Dictionary(grouping: segments.filter { !$0.marks.isEmpty }, by: \.marks)
        indexed = groups.sorted { $0.key < $1.key }.map { name, segments in
            Indexed(
                name: name,
                segments: Dictionary(uniqueKeysWithValues: segments.map { ($0.contents, $0) }),
                identity: ([name] + segments.map { "\($0.name) \($0.contents)" }.sorted()).joined(
                    separator: ";"
                )
            )
        }
    }
}
