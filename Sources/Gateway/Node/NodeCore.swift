package import ANPRModel
package import Archive
import Deduplication
package import FeedDecoding
import Foundation
import SightingFrames

/// A node on disk: journal, state, sighting log, archive, quarantine; synchronous, one owner.
///
/// What comes in is journalled and synced before anything is made of it, and acknowledged only after. After a crash the
/// journal is replayed: entries that the log already covers give nothing, the rest give what they would have given.
package final class NodeCore {
    /// What opening a data folder found.
    package struct Recovery: Sendable, Equatable {
        /// Entries replayed.
        package var entries = 0
        /// Bytes of a torn tail that were cut off the journal.
        package var tornBytes = 0
        /// Segment files that no transaction had named.
        package var strays = 0
    }

    /// What the node was told.
    package let configuration: NodeConfiguration
    /// The sighting log: what the forwarder reads.
    package let log: SightingLog
    /// The log's folder.
    package let logFolder: String
    /// Names this node's sighting log among all others of its name.
    package let stream: String
    /// What opening found.
    package private(set) var recovery = Recovery()
    /// All that the node knows.
    package private(set) var state: NodeState

    private let lock: DataLock
    private let catalogue: Catalogue
    private let journal: Journal
    private let quarantine: Quarantine
    private let archiver: Archiver
    private var encoder: FrameEncoder
    private var encoderCount = 0
    /// Entries journalled and not yet worked off.
    private var waiting: [JournalEntry] = []
    /// Sightings given out and not yet in the log.
    private var output = SightingBatch()
    private var tally = SightingTally()
    private var wasAtRest = false

    /// How many sightings are gathered before they go to the log.
    private static let logBatch = 8192

    /// Opens a data folder, made if it is not there, and takes up its history.
    package init(_ configuration: NodeConfiguration) throws {
        self.configuration = configuration
        let data = configuration.data
        lock = try DataLock(data)
        catalogue = try Catalogue("\(data)/catalogue.sqlite")
        let node = try catalogue.keepMeta("node", configuration.node)
        guard node == configuration.node else {
            throw StorageError(
                .mismatch,
                "\(data): this is the data folder of node \(node), not of \(configuration.node)"
            )
        }
        stream = try catalogue.keepMeta("stream", UUID().uuidString)
        logFolder = "\(data)/sightings"
        journal = try Journal("\(data)/journal")
        log = try SightingLog(logFolder)
        quarantine = try Quarantine("\(data)/quarantine")
        archiver = try Archiver("\(data)/archive", log: logFolder, catalogue: catalogue)
        encoder = try FrameEncoder(register: CameraRegister())
        state = NodeState(
            rules: configuration.deduplication,
            hasFeeds: configuration.cameras != nil,
            hasSenders: configuration.receive != nil
        )
        try recover()
    }

    private func recover() throws {
        recovery.strays = try archiver.removeStrays()
        let covered = log.extent.mark.journalEntry
        recovery.tornBytes = try journal.replay { number, entry in
            var given = SightingBatch()
            try state.apply(entry, into: &given)
            if number >= covered { output.append(contentsOf: given) }
            recovery.entries += 1
        }
        try quarantine.recover(day: state.quarantine.day, length: state.quarantine.length)
        // A file of the log has one register, which this run may change.
        try updateEncoder()
        if recovery.entries > 0 { try log.closePart(register: state.register, encoder: encoder) }
    }

    // MARK: - In

    /// The number of a feed or sender of this node.
    package func source(_ kind: String, _ name: String) throws -> FeedIndex {
        try catalogue.source(kind, name)
    }

    /// Registers cameras; those that are new or changed are journalled.
    package func register(_ cameras: [Camera]) throws {
        var grown = state.register
        grown.register(cameras)
        guard grown.count > state.register.count else { return }
        var bytes: [UInt8] = []
        try RegisterBlock.encode(grown, from: state.register.count).write(to: &bytes)
        add(.cameras(bytes))
        try commit(isForced: false)
    }

    /// Begins a run that waits for these feeds and senders.
    package func start(feeds: [FeedIndex], senders: [FeedIndex]) throws {
        add(.start(feeds: feeds, senders: senders))
        try commit(isForced: false)
    }

    /// Takes in what was decoded of a feed; nothing of it is safe before `commit`.
    package func take(
        _ batch: DecodedBatch,
        from feed: FeedIndex,
        named name: String,
        progress: FeedProgress,
        now: Timestamp
    ) throws {
        let records = batch.refusals.map { refusal in
            Quarantine.Record(
                received: now,
                feed: name,
                line: refusal.line,
                offset: refusal.offset,
                reason: refusal.reason,
                continued: refusal.isContinuation,
                raw: refusal.raw
            )
        }
        try quarantine.append(records, day: now.day)
        add(
            .reads(
                JournalledReads(
                    feed: feed,
                    reads: batch.reads,
                    details: batch.details,
                    received: UInt32(batch.received),
                    rejected: UInt32(batch.rejected),
                    progress: progress,
                    quarantineLength: quarantine.position.length,
                    quarantineDay: quarantine.position.day
                )
            )
        )
    }

    /// Notes that a feed fell silent or ended.
    package func set(feed: FeedIndex, _ state: UInt8) { add(.feed(feed, state: state)) }

    /// Notes that a sender fell silent or ended.
    package func set(sender: FeedIndex, _ state: UInt8) { add(.sender(sender, state: state)) }

    /// Admits a sender's stream.
    ///
    /// - Returns: the sighting that must come next.
    package func admit(_ sender: FeedIndex, stream: String) throws -> UInt64 {
        if !state.isKnown(sender, stream: stream) {
            add(.stream(sender: sender, name: stream))
            try commit(isForced: false)
        }
        return state.next(of: sender, stream: stream)
    }

    /// Takes in blocks of a sender, synced and worked off when this returns.
    ///
    /// - Returns: the sighting that must come next.
    package func take(_ blocks: [UInt8], from sender: FeedIndex, stream: String, forces: Set<String>) throws
        -> UInt64
    {
        try state.check(blocks, from: sender, forces: forces)
        add(.blocks(sender: sender, bytes: blocks))
        try commit(isForced: true)
        return state.next(of: sender, stream: stream)
    }

    private func add(_ entry: JournalEntry) {
        journal.append(entry)
        waiting.append(entry)
    }

    /// How many bytes wait for `commit`.
    package var uncommittedBytes: Int { journal.unsyncedCount }

    // MARK: - Out

    /// Makes everything taken in safe, then works it off.
    ///
    /// - Parameter isForced: whether what leaves goes to the log now, however little it is.
    package func commit(isForced: Bool) throws {
        if journal.unsyncedCount > 0 {
            try journal.sync(snapshot: journal.needsSnapshot ? try state.snapshot() : [])
        }
        for entry in waiting { try state.apply(entry, into: &output) }
        waiting.removeAll(keepingCapacity: true)
        let isAtRest = state.isAtRest
        guard
            output.count >= Self.logBatch
                || (isForced && (!output.isEmpty || isAtRest != wasAtRest || hasNews))
        else {
            return
        }
        try flush(isDurable: isForced)
        wasAtRest = isAtRest
    }

    /// Whether the log's last mark says less than could be said.
    private var hasNews: Bool { log.extent.mark.journalEntry < journal.next }

    private func flush(isDurable: Bool) throws {
        try updateEncoder()
        tally.add(output, register: state.register)
        let mark = StreamMark(
            journalEntry: journal.next,
            closedThrough: state.closedThrough,
            isEnd: state.isAtRest
        )
        try log.append(output, mark: mark, register: state.register, encoder: encoder, isDurable: isDurable)
        output.removeAll()
    }

    private func updateEncoder() throws {
        guard state.register.count != encoderCount else { return }
        encoder = try FrameEncoder(register: state.register)
        encoderCount = state.register.count
    }

    /// What was given out since the node was opened.
    package var given: SightingTally { tally }

    // MARK: - Keeping house

    /// An archiver for a thread of its own, over a connection of its own.
    package nonisolated static func archiver(data: String) throws -> Archiver {
        let catalogue = try Catalogue("\(data)/catalogue.sqlite")
        return try Archiver("\(data)/archive", log: "\(data)/sightings", catalogue: catalogue)
    }

    /// Moves what is in the log to the archive and lets go what no one needs any more.
    ///
    /// - Parameter forwards: the names of the readers that must have passed a sighting before the log lets it go.
    package func tidy(forwards: [String]) throws {
        _ = try archiver.archive(before: log.extent.next)
        try archiver.merge()
        let cursors = try forwards.map { try catalogue.cursor("forward:\($0)") }
        try log.drop(before: min(log.extent.next, cursors.min() ?? .max))
        let rules = configuration.deduplication
        let margin = rules.reconcile + rules.lateness + 3_600_000
        _ = try journal.drop(before: Timestamp(milliseconds: state.closedThrough.milliseconds - margin))
    }

    /// How many sightings are in the log and not yet in the archive.
    package func unarchived() throws -> UInt64 {
        log.extent.next - (try catalogue.snapshot().archivedThrough)
    }

    /// Notes what the next node has.
    package func delivered(to forward: String, before sequence: UInt64) throws {
        try catalogue.setCursor("forward:\(forward)", sequence)
    }

    /// What retention would delete at a moment.
    package func retentionPlan(now: Timestamp) throws -> [RetentionOutcome] {
        _ = try archiver.archive(before: log.extent.next)
        return try retention.plan(now: now)
    }

    /// Deletes what is past its date: from segments, the log, the journal and quarantine.
    ///
    /// The log's last file goes with the rest: what a forwarder has not sent by its date is not sent at all.
    package func applyRetention(now: Timestamp) throws -> [RetentionOutcome] {
        _ = try archiver.archive(before: log.extent.next)
        let outcomes = try retention.apply(now: now)
        if let cutoff = configuration.retention.quarantineCutoff(now: now) {
            _ = try quarantine.drop(before: cutoff)
        }
        if outcomes.contains(where: { $0.contributions > 0 }) {
            try log.closePart(register: state.register, encoder: encoder)
            try log.drop(before: log.extent.next)
        }
        if let cutoff = configuration.retention.latestCutoff(now: now), journal.hasReads(before: cutoff) {
            // A new segment, begun by an entry that says nothing, lets the old ones go whole.
            journal.closeSegment()
            var nothing: [UInt8] = []
            try RegisterBlock.encode(state.register, from: state.register.count).write(to: &nothing)
            add(.cameras(nothing))
            try commit(isForced: true)
            _ = try journal.drop(before: cutoff)
        }
        return outcomes
    }

    private var retention: Retention {
        Retention(archiver: archiver, catalogue: catalogue, policy: configuration.retention)
    }
}
