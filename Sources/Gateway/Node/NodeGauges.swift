package import ANPRModel
import FeedDecoding

/// What a running node has done since it was started, for those who watch it: numbers alone, never a mark.
package struct NodeGauges: Sendable {
    /// What came of one feed.
    package struct Feed: Sendable {
        /// Reads accepted, those that later fall out as redelivered included.
        package private(set) var accepted = 0
        /// Records refused, by reason.
        package private(set) var refused: [ReadRefusal: Int] = [:]
        /// Fields dropped because they could not be used.
        package private(set) var droppedFields = 0
        /// Fields that the format does not know.
        package private(set) var unknownFields = 0
        /// Images kept, by what they show.
        package private(set) var imagesKept: [ImageKind: Int] = [:]
        /// Images that were to be kept and could not be.
        package private(set) var imagesDropped = 0
        /// Documents or records that are no reads by their kind, such as heartbeats.
        package private(set) var ignored = 0
        /// Batches taken.
        package private(set) var batches = 0
        /// What the times of arrival tell of its cameras' clocks.
        package private(set) var clocks = CameraClocks(arrivesAtOnce: true)

        /// Nothing yet, of a feed that brings reads as they are captured or gathers them first.
        init(arrivesAtOnce: Bool = true) { clocks = CameraClocks(arrivesAtOnce: arrivesAtOnce) }

        mutating func note(_ batch: DecodedBatch, received: Timestamp) {
            clocks.note(batch.reads, received: received)
            batches += 1
            accepted += batch.reads.count
            ignored += batch.ignored
            droppedFields += batch.droppedFields
            unknownFields += batch.unknownFields
            imagesDropped += batch.imagesDropped
            for picture in batch.pictures { imagesKept[picture.kind, default: 0] += 1 }
            for refusal in batch.refusals where !refusal.isContinuation {
                refused[refusal.reason, default: 0] += 1
            }
        }
    }

    /// By the feed's number.
    package private(set) var feeds: [FeedIndex: Feed] = [:]
    /// Syncs of the journal by how long they took.
    package private(set) var syncs = DurationHistogram()

    /// Begins a feed's account.
    mutating func begin(_ feed: FeedIndex, arrivesAtOnce: Bool) {
        if feeds[feed] == nil { feeds[feed] = Feed(arrivesAtOnce: arrivesAtOnce) }
    }

    mutating func note(_ batch: DecodedBatch, of feed: FeedIndex, received: Timestamp) {
        feeds[feed, default: Feed()].note(batch, received: received)
    }

    mutating func synced(in duration: Duration) { syncs.add(duration) }
}

/// How often something took how long, in steps that double.
package struct DurationHistogram: Sendable {
    /// The upper ends of the steps, in milliseconds; what takes longer counts in the last one, which has no end.
    package static let bounds: [Double] = [0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]
    /// By step.
    package private(set) var counts = [Int](repeating: 0, count: bounds.count + 1)
    /// All of them together, in seconds.
    package private(set) var sum = 0.0

    /// Nothing yet.
    package init() {}

    /// How many there were.
    package var count: Int { counts.reduce(0, +) }

    /// Adds one.
    package mutating func add(_ duration: Duration) {
        let seconds = duration / .seconds(1)
        sum += seconds
        let step = Self.bounds.firstIndex { seconds * 1000 <= $0 } ?? Self.bounds.count
        counts[step] += 1
    }
}
