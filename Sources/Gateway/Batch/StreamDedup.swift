package import ANPRModel
package import Deduplication
import FeedDecoding

/// The pure stream tool: finite feeds in, sightings out, no state kept.
package struct StreamDedup {
    /// What a run did.
    package struct Summary: Sendable {
        /// The account of all feeds together.
        package var counts = FeedCounts()
        /// Sightings handed out, amendments not counted.
        package var sightings = 0
        /// Records refused, by reason.
        package var reasons: [ReadRefusal: Int] = [:]
        /// Where and why the first feed that did so broke off; what could be read of it is in the account.
        package var failure: FeedFile.Failure?
    }

    private let register: CameraRegister
    private var files: [FeedFile]
    private var deduplicator: Deduplicator
    private var joiner: VariantJoiner
    private var writer: SightingNDJSON
    private var given = SightingBatch()
    private var summary = Summary()

    /// Prepares a run.
    package init(
        register: CameraRegister,
        rules: DeduplicationRules,
        files: [FeedFile]
    ) {
        self.register = register
        self.files = files
        deduplicator = Deduplicator(register: register, rules: rules)
        joiner = VariantJoiner(rules.variants, register: register, reconcile: rules.reconcile)
        writer = SightingNDJSON(register: register)
    }

    /// Works off all feeds.
    ///
    /// - Parameters:
    ///   - progress: called after each chunk with the account so far.
    ///   - output: takes NDJSON in pieces of some 100 KB.
    /// - Returns: what was done.
    /// - Throws: what `output` throws.
    package mutating func run(
        progress: (Summary) -> Void = { _ in },
        output: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> Summary {
        var text = ByteWriter(capacity: 1 << 18)
        let summary = try run(progress: progress) { writer, batch in
            for index in 0..<batch.count {
                writer.append(index, of: batch, to: &text)
                if text.count > 100_000 { try unsafe text.drain(output) }
            }
        }
        if text.count > 0 { try unsafe text.drain(output) }
        return summary
    }

    /// Works off all feeds.
    ///
    /// - Parameters:
    ///   - progress: called after each chunk with the account so far.
    ///   - sightings: takes sightings as they leave.
    /// - Returns: what was done.
    /// - Throws: what `sightings` throws.
    package mutating func run(
        progress: (Summary) -> Void = { _ in },
        sightings: (inout SightingNDJSON, SightingBatch) throws -> Void
    ) throws -> Summary {
        var rotation = FeedRotation(files)
        var batch = DecodedBatch()
        var closed = SightingBatch()
        deduplicator.start(live: files.indices.map { FeedIndex($0) }, into: &closed)
        while true {
            let chunk: FeedRotation.Chunk
            do throws(FeedRotation.Failure) {
                guard let next = try rotation.next(into: &batch) else { break }
                chunk = next
            } catch {
                // The others go on without the feed that broke off.
                summary.failure = summary.failure ?? error.failure
                deduplicator.set(FeedIndex(error.feed), .ended, into: &closed)
                continue
            }
            let feed = FeedIndex(chunk.feed)
            deduplicator.note(received: batch.received, rejected: batch.rejected, of: feed)
            for refusal in batch.refusals where !refusal.isContinuation {
                summary.reasons[refusal.reason, default: 0] += 1
            }
            deduplicator.take(batch.reads, from: feed, into: &closed)
            if chunk.isLast { deduplicator.set(feed, .ended, into: &closed) }
            try give(&closed, through: deduplicator.closedThrough, sightings)
            summary.counts = deduplicator.counts.reduce(into: FeedCounts()) { $0 += $1 }
            progress(summary)
        }
        // What a feed that broke off last let go, and what was held for what could have come.
        try give(&closed, through: .distantFuture, sightings)
        summary.counts = deduplicator.counts.reduce(into: FeedCounts()) { $0 += $1 }
        return summary
    }

    /// Hands on what has closed, or what that lets go of the sightings held for their variants.
    private mutating func give(
        _ closed: inout SightingBatch,
        through closedThrough: Timestamp,
        _ sightings: (inout SightingNDJSON, SightingBatch) throws -> Void
    ) throws {
        defer { closed.removeAll() }
        if joiner.mode != .off {
            given.removeAll()
            joiner.take(closed, closedThrough: closedThrough, into: &given)
            swap(&given, &closed)
        }
        for sighting in closed.sightings where sighting.revision == 0 { summary.sightings += 1 }
        try sightings(&writer, closed)
    }
}
