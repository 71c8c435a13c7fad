package import ANPRModel
import Archive
package import Deduplication
import FeedDecoding
import Foundation

/// The whole pipeline over finite feeds: two threads, one that reads and decodes, one that owns the node.
package struct Ingest {
    /// What a run did with one feed.
    package struct FeedReport: Sendable {
        /// The feed.
        package var name: String
        /// The account of this run.
        package var counts = FeedCounts()
        /// Bytes read, after decompression.
        package var bytes = 0
        /// Bytes passed over because an earlier run took them.
        package var skipped = 0
        /// Whether the configuration names it.
        package var isConfigured = true
        /// Where and why it broke off.
        package var failure: String?
    }

    /// What a run did.
    package struct Report: Sendable {
        /// Each feed.
        package var feeds: [FeedReport] = []
        /// Reads by force.
        package var readsByForce: [String: Int] = [:]
        /// What left.
        package var tally = SightingTally()
        /// Fields unknown, fields dropped.
        package var unknownFields = 0
        package var droppedFields = 0
        /// Images that came with reads, kept or not.
        package var images = 0
        /// Images kept, and those that were to be and could not.
        package var imagesKept = 0
        package var imagesDropped = 0
        /// Records refused, by reason.
        package var reasons: [ReadRefusal: Int] = [:]
        /// How far, in milliseconds of event time, what has left is behind what has come.
        package var lag: Int64 = 0

        /// All feeds together.
        package var counts: FeedCounts { feeds.reduce(into: FeedCounts()) { $0 += $1.counts } }
    }

    /// A decoded chunk on its way to the node.
    private struct Chunk: Sendable {
        var feed: Int
        var batch: DecodedBatch
        var progress: FeedProgress
        var isLast: Bool
        var byteCount: Int
        var failure: String?
    }

    /// So much is gathered before it is synced: a sync of some milliseconds for some ten milliseconds of work.
    package static let syncBytesDefault = 1 << 20

    private let node: NodeCore
    private let feeds: FeedSet
    private let now: Timestamp
    private let syncBytes: Int
    private var report = Report()

    /// A run over feeds.
    ///
    /// - Parameters:
    ///   - node: the node that takes them.
    ///   - feeds: what to read.
    ///   - now: the time of receipt, and the clock against which future times are refused.
    ///   - syncBytes: how many journal bytes are gathered before they are synced.
    package init(node: NodeCore, feeds: FeedSet, now: Timestamp, syncBytes: Int = Ingest.syncBytesDefault) {
        self.syncBytes = syncBytes
        self.node = node
        self.feeds = feeds
        self.now = now
    }

    /// Works all feeds off; when this returns everything is safe, in the log and in the archive.
    ///
    /// - Parameter progress: called now and then with what was done so far.
    /// - Throws: `FeedFile.Failure` when a feed can't be opened; a feed that breaks off later is in the report.
    package mutating func run(progress: (Report) -> Void = { _ in }) throws -> Report {
        let files = try feeds.open(now: now)
        report.feeds = zip(feeds.entries, files).map { entry, file in
            var feed = FeedReport(name: entry.name)
            feed.skipped = Int(file.position.offset)
            feed.isConfigured = entry.isConfigured
            return feed
        }
        let start = node.given
        let before = node.state.counts
        try node.start(feeds: feeds.entries.map(\.index), senders: [])
        let archiver = BackgroundArchiver(data: node.configuration.data)
        node.observe(archiver.take)
        let outcome = Result {
            try work(Self.decode(files), progress)
            try node.commit(isForced: true)
        }
        node.observe(nil)
        try archiver.finish()
        try outcome.get()
        count(before)
        report.tally = node.given.since(start)
        return report
    }

    private mutating func work(
        _ chunks: Handoff<Chunk>,
        _ progress: (Report) -> Void
    ) throws {
        let before = node.state.counts
        while let chunk = chunks.take() {
            let entry = feeds.entries[chunk.feed]
            try node.take(
                chunk.batch,
                from: entry.index,
                named: entry.name,
                progress: chunk.progress,
                now: now
            )
            if chunk.isLast { node.set(feed: entry.index, SourceState.ended.rawValue) }
            note(chunk)
            if node.uncommittedBytes >= syncBytes {
                try node.commit(isForced: false)
                count(before)
                report.tally = node.given
                report.lag = node.state.lag
                progress(report)
            }
        }
    }

    private mutating func note(_ chunk: Chunk) {
        report.feeds[chunk.feed].bytes += chunk.byteCount
        if let failure = chunk.failure { report.feeds[chunk.feed].failure = failure }
        report.unknownFields += chunk.batch.unknownFields
        report.droppedFields += chunk.batch.droppedFields
        report.images += chunk.batch.images
        report.imagesKept += chunk.batch.pictures.count
        report.imagesDropped += chunk.batch.imagesDropped
        for refusal in chunk.batch.refusals where !refusal.isContinuation {
            report.reasons[refusal.reason, default: 0] += 1
        }
        let register = node.state.register
        var byForce = [Int](repeating: 0, count: register.forces.count)
        for read in chunk.batch.reads { byForce[Int(register.forceOfCamera[Int(read.camera)])] += 1 }
        for (force, count) in byForce.enumerated() where count > 0 {
            report.readsByForce[register.forces[force], default: 0] += count
        }
    }

    /// Takes the node's account of this run's feeds, less what was there before.
    private mutating func count(_ before: [FeedCounts]) {
        let counts = node.state.counts
        for (place, entry) in feeds.entries.enumerated() where Int(entry.index) < counts.count {
            let old = Int(entry.index) < before.count ? before[Int(entry.index)] : FeedCounts()
            report.feeds[place].counts = counts[Int(entry.index)].less(old)
        }
    }

    /// Starts the thread that reads and decodes.
    private static func decode(_ files: [FeedFile]) -> Handoff<Chunk> {
        let chunks = Handoff<Chunk>(capacity: 64)
        // The files are this thread's alone from here on.
        nonisolated(unsafe) let owned = files
        Thread.detachNewThread {
            var rotation = FeedRotation(unsafe owned)
            var batch = DecodedBatch()
            while true {
                do throws(FeedRotation.Failure) {
                    guard let chunk = try rotation.next(into: &batch) else { break }
                    let file = unsafe owned[chunk.feed]
                    chunks.put(Self.chunk(chunk.feed, batch, file, chunk.isLast, chunk.byteCount, nil))
                } catch {
                    let file = unsafe owned[error.feed]
                    chunks.put(Self.chunk(error.feed, batch, file, true, 0, error.failure.description))
                }
            }
            chunks.close()
        }
        return chunks
    }

    private static func chunk(
        _ feed: Int,
        _ batch: DecodedBatch,
        _ file: FeedFile,
        _ isLast: Bool,
        _ byteCount: Int,
        _ failure: String?
    ) -> Chunk {
        let content = file.content
        let position = file.position
        let progress = FeedProgress(
            line: position.line,
            offset: position.offset,
            length: content.length,
            hash: content.hash
        )
        return Chunk(
            feed: feed,
            batch: batch,
            progress: progress,
            isLast: isLast,
            byteCount: byteCount,
            failure: failure
        )
    }
}
