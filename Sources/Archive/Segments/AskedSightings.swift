import ANPRModel

/// What a search asks of segments, for all that look for it.
///
/// Shared, as a mark is looked for in some hundred files, and to copy a query for each takes longer than to find it there.
final class AskedSightings: Sendable {
    /// Without one it is all.
    let query: SightingQuery?
    let keys: KeyRing
    /// By a segment's contents the sections that are looked at; without it they are all.
    private let only: [String: Set<Int>]?
    let reach: SightingReach
    /// What is wanted where it does not matter which cameras there are.
    let anywhere: WantedSightings
    /// Whether cameras don't matter.
    private let isAnywhere: Bool
    /// Whether times don't matter.
    private let isAnytime: Bool
    /// Whether nothing is asked but a mark, and when.
    private let isOnlyMark: Bool

    /// - Parameter reach: how far versions of one sighting lie apart in the archive that the segments belong to.
    init(_ query: SightingQuery?, _ reach: SightingReach, only: [String: Set<Int>]?, keys: KeyRing) {
        (self.query, self.reach, self.only, self.keys) = (query, reach, only, keys)
        anywhere = query.map { WantedSightings($0, CameraRegister(), reach) } ?? WantedSightings()
        isAnywhere = query?.isAnywhere ?? true
        isAnytime = query?.isAnytime ?? true
        isOnlyMark = query?.isOnlyMark ?? false
    }

    /// Whether marks are looked for.
    var isOfMarks: Bool { anywhere.mark != nil }

    /// Whether what begins and ends between two times may be asked for, whatever else it is.
    func mayMatch(_ first: Timestamp, _ last: Timestamp) -> Bool {
        isAnytime || query?.mayMatch(first, last, reach) ?? true
    }

    /// Whether all that a mark has between two times is asked for.
    func isWholeHistory(_ first: Timestamp, _ last: Timestamp) -> Bool {
        isOnlyMark && (isAnytime || query?.spans(first, last, reach) ?? false)
    }

    /// Whether a section of a segment is looked at.
    func isAsked(_ section: Int, of contents: String) -> Bool {
        only.map { $0[contents]?.contains(section) ?? false } ?? true
    }

    /// What is wanted of the sightings that a reader reads.
    func wanted(of reader: SectionedSegmentReader) -> WantedSightings {
        guard !isAnywhere, let query else { return anywhere }
        return WantedSightings(query, reader.register, reach, day: reader.day)
    }
}
