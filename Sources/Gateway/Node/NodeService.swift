package import ANPRModel
package import Archive
package import Deduplication
package import FeedDecoding
import Foundation

/// The one owner of a running node's state; everything live goes through it, one thing at a time.
package actor NodeService {
    let core: NodeCore
    private let queue = NodeQueue()
    private let clock = ContinuousClock()
    private var heard: [FeedIndex: ContinuousClock.Instant] = [:]
    private var feeds: [String: FeedIndex] = [:]
    private var feedsHeard: [FeedIndex: ContinuousClock.Instant] = [:]
    private var names: [String: FeedIndex] = [:]
    private var forces: [FeedIndex: Set<String>] = [:]
    /// Those whose reads the next sync makes safe.
    private var waiting: [CheckedContinuation<Void, any Error>] = []
    private var isSyncPlanned = false
    /// The trouble that keeps reads from being taken now, until something is written again.
    private var shortage: StorageError?
    private var gauges = NodeGauges()

    /// The sighting log, for the forwarder.
    package nonisolated let log: SightingLog
    /// The log's folder.
    package nonisolated let logFolder: String
    /// What opens and closes all that the node keeps of people.
    package nonisolated let keys: KeyRing
    /// The folder with the images.
    nonisolated let imageFolder: String
    /// Names the log among all of the node's name.
    package nonisolated let stream: String

    /// Runs beside the threads that all tasks share.
    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe queue.asUnownedSerialExecutor()
    }

    /// Why a sender was turned away.
    package struct Refused: Error, CustomStringConvertible {
        /// The reason, as the sender is told.
        package var description: String
    }

    /// So many sightings may wait for a log that can't be written before reads are refused.
    private static let unloggedMax = 262_144

    /// Opens a node and begins a run that waits for all configured gateways and live feeds.
    package init(_ configuration: NodeConfiguration) throws {
        core = try NodeCore(configuration)
        log = core.log
        logFolder = core.logFolder
        keys = core.keys
        imageFolder = core.images.folder
        stream = core.stream
        let now = clock.now
        for gateway in configuration.receive?.gateways ?? [] {
            let sender = try core.source("sender", gateway.node)
            names[gateway.node] = sender
            forces[sender] = gateway.forces
            heard[sender] = now
        }
        for feed in configuration.feeds where feed.source.isLive {
            let index = try core.source("feed", feed.name)
            feeds[feed.name] = index
            feedsHeard[index] = now
            gauges.begin(index, arrivesAtOnce: feed.source.arrivesAtOnce)
        }
        try core.register(try configuration.cameras.map(NodeConfiguration.register) ?? [])
        try core.start(feeds: Array(feedsHeard.keys), senders: Array(heard.keys))
        try core.commit(isForced: true)
    }

    /// What opening the data folder found.
    package var recovery: NodeCore.Recovery { core.recovery }

    /// What was given out since the node was opened.
    package var given: SightingTally { core.given }

    /// The node's register, in which only the cameras of its file are found.
    package var cameras: CameraRegister { core.cameras }

    /// The node's register, with all cameras that ever sent anything.
    package var register: CameraRegister { core.state.register }

    /// How the node stands.
    package var status: NodeStatus {
        var status = NodeStatus(node: core.configuration.node)
        let now = clock.now
        for (name, feed) in feeds.sorted(by: { $0.key < $1.key }) {
            var one = NodeStatus.Feed(name: name)
            if Int(feed) < core.state.counts.count { one.counts = core.state.counts[Int(feed)] }
            one.gauges = gauges.feeds[feed] ?? NodeGauges.Feed()
            one.clocks = offsets(of: one.gauges)
            one.silence = feedsHeard[feed].map { (now - $0) / .seconds(1) }
            status.feeds.append(one)
        }
        status.tally = core.given
        status.lag = core.state.lag
        status.waiting = core.state.waiting
        status.unlogged = core.unlogged
        status.logged = log.extent.next
        status.syncs = gauges.syncs
        status.trouble = shortage?.description
        return status
    }

    // MARK: - Feeds

    /// The number of a feed.
    package func feed(_ name: String) throws -> FeedIndex { try core.source("feed", name) }

    /// How far a feed was taken in.
    package func progress(of feed: FeedIndex) -> FeedProgress? { core.state.progress[feed] }

    /// Takes in what was decoded of a feed; all of it is on stable storage when this returns.
    ///
    /// Calls that wait at the same time share one sync.
    ///
    /// - Throws: `StorageError` when nothing of the batch was taken; of code `full` when it may be tried again later.
    package func accept(
        _ batch: DecodedBatch,
        from feed: FeedIndex,
        named name: String,
        progress: FeedProgress = FeedProgress(line: 0, offset: 0, length: 0, hash: 0)
    ) async throws {
        if let shortage, core.unlogged >= Self.unloggedMax { throw shortage }
        let received = Self.now
        try core.take(batch, from: feed, named: name, progress: progress, now: received)
        // One that sends heartbeats alone must not hold the others back.
        if !batch.reads.isEmpty { feedsHeard[feed] = clock.now }
        planSync()
        try await withCheckedThrowingContinuation { waiting.append($0) }
        gauges.note(batch, of: feed, received: received)
    }

    /// What a replay of quarantined records begins with: all that is safe now.
    package func replayGround() throws -> QuarantineReplay.Ground {
        settle()
        return try core.replayGround(now: Self.now)
    }

    /// Takes quarantined records in that are reads now; they are safe, and noted as taken, when this returns.
    ///
    /// - Throws: `StorageError` when nothing of the portion was taken.
    package func accept(_ portion: QuarantineReplay.Portion) throws {
        if let shortage, core.unlogged >= Self.unloggedMax { throw shortage }
        settle()
        let feed = try core.source("feed", portion.feed)
        let received = Self.now
        // A feed that isn't waited for doesn't become one that is by what it brought long ago.
        let state = feedsHeard[feed] == nil ? (feeds[portion.feed] == nil ? SourceState.ended : .idle) : nil
        try core.replay(portion, from: feed, then: state, now: received)
        gauges.note(portion.batch, of: feed, received: received)
    }

    /// Notes that a feed has ended, so that it holds the others back no more.
    package func ended(_ name: String) throws {
        guard let feed = feeds.removeValue(forKey: name) else { return }
        settle()
        feedsHeard[feed] = nil
        core.set(feed: feed, SourceState.ended.rawValue)
        try core.commit(isForced: true)
    }

    /// Takes up a feed that joins; the node waits for it as for the others.
    package func add(feed: NodeConfiguration.Feed) throws {
        guard feeds[feed.name] == nil else { return }
        let index = try core.source("feed", feed.name)
        feeds[feed.name] = index
        gauges.begin(index, arrivesAtOnce: feed.source.arrivesAtOnce)
        feedsHeard[index] = clock.now
    }

    /// Takes over the cameras and gateways of a configuration that was read again.
    package func update(_ configuration: NodeConfiguration) throws {
        settle()
        try core.register(try configuration.cameras.map(NodeConfiguration.register) ?? [])
        if try core.update(configuration) {
            try core.start(feeds: Array(feedsHeard.keys), senders: Array(heard.keys))
        }
        for gateway in configuration.receive?.gateways ?? [] {
            let sender = try core.source("sender", gateway.node)
            names[gateway.node] = sender
            forces[sender] = gateway.forces
        }
        let kept = Set((configuration.receive?.gateways ?? []).map(\.node))
        for (name, sender) in names where !kept.contains(name) {
            names[name] = nil
            heard[sender] = nil
            core.set(sender: sender, SourceState.ended.rawValue)
        }
        try core.commit(isForced: true)
    }

    /// Has the next sync run behind everything that waits for the node now.
    private func planSync() {
        guard !isSyncPlanned else { return }
        isSyncPlanned = true
        Task { self.settle() }
    }

    /// Makes safe what waits, and answers those who wait for it; comes before anything else that is committed.
    func settle() {
        isSyncPlanned = false
        guard !waiting.isEmpty else { return }
        let served = waiting
        waiting.removeAll()
        let start = clock.now
        do {
            try core.sync()
            gauges.synced(in: clock.now - start)
            shortage = nil
        } catch {
            shortage = error as? StorageError
            for one in served { one.resume(throwing: error) }
            return
        }
        // Safe is safe: nobody waits for what is made of it.
        for one in served { one.resume() }
        do {
            try core.workOff(isForced: false)
        } catch {
            shortage = error as? StorageError
        }
    }

    // MARK: - Senders

    /// Admits a sender.
    ///
    /// - Returns: its number here, the sighting that must come next, and the cameras that its stream has named.
    package func admit(_ node: String, stream: String, first: UInt64) throws -> (
        sender: FeedIndex, next: UInt64, register: CameraRegister
    ) {
        guard let sender = names[node] else {
            throw Refused(description: "node \(node) is not among the gateways here")
        }
        heard[sender] = clock.now
        settle()
        let next = try core.admit(sender, stream: stream, first: first)
        return (sender, next, core.state.register(of: sender))
    }

    /// Takes in blocks; they are safe and worked off when this returns.
    ///
    /// - Returns: the sighting that must come next.
    package func store(_ blocks: [UInt8], from sender: FeedIndex, stream: String) throws -> UInt64 {
        heard[sender] = clock.now
        settle()
        return try core.take(
            blocks,
            from: sender,
            stream: stream,
            forces: forces[sender] ?? [],
            now: Self.now
        )
    }

    /// The forces that a sender may speak for.
    package func forces(of sender: FeedIndex) -> Set<String> { forces[sender] ?? [] }

    private static var now: Timestamp {
        Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
    }

    // MARK: - By the clock

    /// Lets those be waited for no more that were silent for too long, and gives out what waits.
    ///
    /// - Throws: what makes the node unfit to go on; want of room does not.
    package func sweep() throws {
        settle()
        let now = clock.now
        let feedsAfter = Duration.milliseconds(core.configuration.idleAfter)
        let sendersAfter = Duration.milliseconds(core.configuration.receive?.idleAfter ?? 30_000)
        let senders = heard.filter { now - $0.value > sendersAfter }.keys
        let feeds = feedsHeard.filter { now - $0.value > feedsAfter }.keys
        for sender in senders { core.set(sender: sender, SourceState.idle.rawValue) }
        for feed in feeds { core.set(feed: feed, SourceState.idle.rawValue) }
        do {
            try core.commit(isForced: true)
        } catch let error as StorageError where error.code == .full {
            shortage = error
            return
        }
        shortage = nil
        for sender in senders { heard[sender] = nil }
        for feed in feeds { feedsHeard[feed] = nil }
    }

    /// What keeps reads from being taken now, if anything.
    package var trouble: String? { shortage?.description }

    /// Works off what was taken in and moves all into the archive; for the end of a run.
    package func finish() throws {
        settle()
        try core.commit(isForced: true)
        try core.tidy()
    }
}
