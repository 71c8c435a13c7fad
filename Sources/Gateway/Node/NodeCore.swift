package import ANPRModel
package import Archive
package import Deduplication
package import FeedDecoding
import Foundation
import SightingFrames

/// A node on disk: journal, state, sighting log, archive, quarantine; synchronous, one owner.
///
/// What comes in is journalled and synced before anything is made of it, and acknowledged only after. After a crash the
/// journal is replayed: entries that the log already covers give nothing, the rest give what they would have given.
package final class NodeCore {
    /// What the node was told.
    package private(set) var configuration: NodeConfiguration
    /// The sighting log: what the forwarder reads.
    package let log: SightingLog
    /// The log's folder.
    package let logFolder: String
    /// What opens and closes all that the node keeps of people.
    package let keys: KeyRing
    /// Names this node's sighting log among all others of its name.
    package let stream: String
    /// What opening found.
    package private(set) var recovery = Recovery()
    /// All that the node knows.
    package private(set) var state: NodeState

    private let lock: DataLock
    let catalogue: Catalogue
    let journal: Journal
    let quarantine: Quarantine
    let images: ImageStore
    let archiver: Archiver
    var encoder: FrameEncoder
    private var encoderCount = 0
    /// Entries journalled and not yet worked off.
    private var waiting: [JournalEntry] = []
    /// How many of those are safe.
    private var safeCount = 0
    /// The cameras of the register's file.
    private var registered: [Camera] = []
    /// Sightings given out and not yet in the log.
    private var output = SightingBatch()
    private var tally = SightingTally()
    private var wasAtRest = false
    private var observer: ((LoggedRun) -> Void)?
    private var quarantineDay: Int32 = 0
    /// What was intended with quarantined records and could not be noted as done or not done.
    var unsettled: (intent: ReplayIntent, wasTaken: Bool)?
    /// What went wrong while something was written: from then on nothing is taken, and a restart finds out what is there.
    private var failure: (any Error)?

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
        try KeyRing.demand(configuration.masterKey, opens: data, catalogue)
        try KeyRing.set(configuration.masterKey, isOn: configuration.isEncrypted, in: catalogue)
        logFolder = "\(data)/sightings"
        keys = try KeyRing(data: data, catalogue)
        journal = try Journal("\(data)/journal", keys: keys)
        log = try SightingLog(logFolder, keys: keys)
        quarantine = try Quarantine("\(data)/quarantine", keys: keys)
        images = try ImageStore("\(data)/images", keys: keys)
        archiver = try Archiver("\(data)/archive", log: logFolder, catalogue: catalogue, keys: keys)
        encoder = FrameEncoder(register: CameraRegister())
        let rules = HistoryRules(configuration)
        let before = try catalogue.meta("rules").flatMap(HistoryRules.init(text:)) ?? rules
        state = NodeState(rules: before.deduplication, hasSenders: before.hasSenders)
        try recover()
        if before != rules { try change(to: rules) }
        try catalogue.setMeta("rules", rules.text)
    }

    /// Takes up other rules: all that is open leaves under the old ones, which the log then covers, and the journal is
    /// replayed under the new, for what late reads are held against.
    private func change(to rules: HistoryRules) throws {
        add(.start(feeds: [], senders: []))
        try commit(isForced: true)
        state = NodeState(rules: rules.deduplication, hasSenders: rules.hasSenders)
        recovery = Recovery()
        encoderCount = -1
        let again = try Journal("\(configuration.data)/journal", keys: keys)
        _ = try again.replay { _, entry in
            var given = SightingBatch()
            try state.apply(entry, into: &given)
            return .distantPast
        }
        updateEncoder()
    }

    private func recover() throws {
        recovery.strays = try archiver.removeStrays()
        let covered = log.extent.mark.journalEntry
        unsettled = try catalogue.meta(ReplayIntent.key).flatMap(ReplayIntent.init(text:)).map { ($0, false) }
        defer { quarantineDay = state.quarantine.day }
        recovery.tornBytes = try journal.replay { number, entry in
            var given = SightingBatch()
            try state.apply(entry, into: &given)
            if number >= covered { output.append(contentsOf: given) }
            recovery.entries += 1
            if unsettled?.intent.isMet(by: number, entry) == true { unsettled?.wasTaken = true }
            return max(state.latest, state.closedThrough)
        }
        guard journal.next >= covered else {
            throw StorageError(
                .damaged,
                "\(configuration.data)/journal: ends at entry \(journal.next), but \(covered) were worked off: it was cut"
            )
        }
        try demandAll(covered)
        try quarantine.recover(day: state.quarantine.day, length: state.quarantine.length)
        if let (intent, wasTaken) = unsettled { try settle(intent, wasTaken: wasTaken) }
        // A file of the log has one register, which this run may change.
        updateEncoder()
        if recovery.entries > 0 { try log.closePart(register: state.register, encoder: encoder) }
    }

    // MARK: - In

    /// The number of a feed or sender of this node.
    package func source(_ kind: String, _ name: String) throws -> FeedIndex {
        try catalogue.source(kind, name)
    }

    /// The node's register, in which only the cameras registered last are found.
    package var cameras: CameraRegister { state.register.finding(only: registered) }

    /// Registers cameras; those that are new or changed are journalled.
    package func register(_ cameras: [Camera]) throws {
        registered = cameras
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
        try images.append(batch.pictures, register: state.register)
        // Never an earlier day's file than the journal has seen, whatever the clock says.
        try quarantine.append(records, day: max(now.day, quarantineDay))
        quarantineDay = max(now.day, quarantineDay)
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
            ),
            latest: Self.latest(of: batch.reads)
        )
    }

    private static func latest(of reads: [Read]) -> Timestamp {
        reads.reduce(.distantPast) { max($0, $1.captured) }
    }

    /// Notes that a feed fell silent or ended.
    package func set(feed: FeedIndex, _ state: UInt8) { add(.feed(feed, state: state)) }

    /// Notes that a sender fell silent or ended.
    package func set(sender: FeedIndex, _ state: UInt8) { add(.sender(sender, state: state)) }

    /// Admits a sender's stream.
    ///
    /// - Returns: the sighting that must come next.
    ///
    /// - Parameters:
    ///   - sender: who sends.
    ///   - stream: names its sighting log.
    ///   - first: the first sighting that it still has: where a stream that is new here begins.
    package func admit(_ sender: FeedIndex, stream: String, first: UInt64) throws -> UInt64 {
        if !state.isKnown(sender, stream: stream) {
            add(.stream(sender: sender, name: stream, first: first))
            try commit(isForced: false)
        }
        let next = state.next(of: sender)
        guard first <= next else {
            throw StorageError(
                .mismatch,
                "sightings \(next) to \(first) were never sent here and are gone there"
            )
        }
        return next
    }

    /// Takes in blocks of a sender, synced and worked off when this returns.
    ///
    /// - Returns: the sighting that must come next.
    package func take(
        _ blocks: [UInt8],
        from sender: FeedIndex,
        stream: String,
        forces: Set<String>,
        now: Timestamp
    ) throws -> UInt64 {
        guard state.isKnown(sender, stream: stream) else {
            throw StorageError(.mismatch, "this sender has begun another stream on another connection")
        }
        let limit = Timestamp(milliseconds: now.milliseconds + Self.clockTolerance)
        let latest = try state.check(blocks, from: sender, forces: forces, before: limit)
        add(.blocks(sender: sender, bytes: blocks), latest: latest)
        try commit(isForced: true)
        return state.next(of: sender)
    }

    /// So far may a sender's clock be ahead before its sightings are refused: one day.
    static let clockTolerance: Int64 = 86_400_000

    func add(_ entry: JournalEntry, latest: Timestamp = .distantPast) {
        journal.append(entry, latest: max(latest, state.latest, state.closedThrough))
        waiting.append(entry)
    }

    /// Has a function called with all that goes to the log from now on.
    package func observe(_ observer: ((LoggedRun) -> Void)?) { self.observer = observer }

    /// Takes over what may change while a node runs: whom it takes in, what it keeps how long, what makes a sighting.
    ///
    /// Under other rules all that is open leaves at once, as the old ones have it, and a run must be started anew.
    ///
    /// - Returns: whether the rules are others than before.
    package func update(_ configuration: NodeConfiguration) throws -> Bool {
        let before = HistoryRules(self.configuration)
        self.configuration = configuration
        let rules = HistoryRules(configuration)
        guard rules != before else { return false }
        try change(to: rules)
        try catalogue.setMeta("rules", rules.text)
        return true
    }

    /// How many bytes wait for `commit`.
    package var uncommittedBytes: Int { journal.unsyncedCount }

    // MARK: - Out

    /// Makes everything taken in safe, then works it off.
    ///
    /// - Parameter isForced: whether what leaves goes to the log now, however little it is.
    ///
    /// - Throws: what went wrong. For want of room what was taken in is taken back, and the node goes on when there is room
    ///   again; after anything else it takes nothing more, because what is on disk must first be found out.
    package func commit(isForced: Bool) throws {
        try sync()
        try workOff(isForced: isForced)
    }

    /// Returns when everything taken in is on stable storage; `workOff` then makes something of it.
    package func sync() throws {
        if let failure { throw failure }
        guard journal.unsyncedCount > 0 else { return }
        do {
            try quarantine.sync()
            try images.sync()
            try journal.sync(snapshot: journal.needsSnapshot ? try state.snapshot() : [])
            safeCount = waiting.count
        } catch let error as StorageError where error.code == .full {
            try takeBack()
            throw error
        } catch {
            failure = error
            throw error
        }
    }

    /// Forgets what was taken in and could not be made safe.
    private func takeBack() throws {
        waiting.removeLast(waiting.count - safeCount)
        do {
            try journal.discardUnsynced()
            try quarantine.cut(to: state.quarantine)
            try images.discardUnsynced()
        } catch {
            failure = error
            throw error
        }
    }

    /// Makes sightings of what is safe and gives them to the log.
    ///
    /// - Parameter isForced: whether they go to the log now, however few they are.
    /// - Throws: for want of room nothing is lost: the sightings wait for the next time.
    package func workOff(isForced: Bool) throws {
        if let failure { throw failure }
        do {
            for entry in waiting[..<safeCount] { try state.apply(entry, into: &output) }
            waiting.removeFirst(safeCount)
            safeCount = 0
            try flushIfDue(isForced: isForced)
        } catch let error as StorageError where error.code == .full {
            throw error
        } catch {
            failure = error
            throw error
        }
    }

    private func flushIfDue(isForced: Bool) throws {
        let isAtRest = state.isAtRest
        guard
            output.count >= Self.logBatch
                || (isForced && (!output.isEmpty || isAtRest != wasAtRest || hasNews))
        else { return }
        try flush(isDurable: isForced)
        wasAtRest = isAtRest
    }

    /// How many sightings wait for the log.
    package var unlogged: Int { output.count }

    /// Whether the log's last mark says less than could be said.
    private var hasNews: Bool { log.extent.mark.journalEntry < journal.next }

    private func flush(isDurable: Bool) throws {
        updateEncoder()
        output.putAmendmentsLast()
        tally.add(output, register: state.register)
        let mark = StreamMark(
            journalEntry: journal.next,
            closedThrough: state.closedThrough,
            isEnd: state.isAtRest
        )
        let first = log.extent.next
        try log.append(output, mark: mark, register: state.register, encoder: encoder, isDurable: isDurable)
        observer?(LoggedRun(batch: output, first: first, register: state.register))
        output.removeAll()
    }

    private func updateEncoder() {
        guard state.register.count != encoderCount else { return }
        encoder = FrameEncoder(register: state.register)
        encoderCount = state.register.count
    }

    /// What was given out since the node was opened.
    package var given: SightingTally { tally }
}
