public import ANPRModel

/// What all feeds brought within a short piece of event time.
///
/// Slices follow one another in order of their end; how much time one covers bounds how exactly it is told when a
/// sighting left.
public struct TrafficSlice: Sendable {
    /// When it ends.
    public var end = Timestamp.distantPast
    /// Each feed's good reads, in their order of arrival.
    public var reads: [[Read]]
    /// How many records each feed brought, good or bad.
    public var received: [Int]
    /// How many of them were refused.
    public var rejected: [Int]
    /// Whether a feed ended with this slice.
    public var hasEnded: [Bool]

    /// An empty slice.
    public init(feeds: Int) {
        reads = [[Read]](repeating: [], count: feeds)
        received = [Int](repeating: 0, count: feeds)
        rejected = [Int](repeating: 0, count: feeds)
        hasEnded = [Bool](repeating: false, count: feeds)
    }

    /// Empties it and keeps its room.
    public mutating func removeAll() {
        for feed in reads.indices {
            reads[feed].removeAll(keepingCapacity: true)
            received[feed] = 0
            rejected[feed] = 0
            hasEnded[feed] = false
        }
    }
}
