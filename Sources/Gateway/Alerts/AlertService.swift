import ANPRModel
import Access
import Archive
import Foundation
import Interest
import Logging
import ServiceLifecycle

/// The one owner of a running node's alerts: matches what feeds bring and what closes, and tells those who follow.
actor AlertService: Service {
    private let desk: AlertDesk
    private let node: NodeService
    private let audit: AuditLog
    private let logger: Logger
    private let queue = NodeQueue()
    private var reader: SightingLogReader
    private var cameras: CameraRegister
    private var followers: [UInt64: AsyncStream<Void>.Continuation] = [:]
    private var followersMade: UInt64 = 0
    private var isFlushPlanned = false
    private var isNoteDue = false
    private var trouble: String?

    /// The folder of the alert log.
    nonisolated let folder: String
    /// What opens it.
    nonisolated let keys: KeyRing

    /// How long alerts of what has closed wait at most.
    private static let interval = Duration.milliseconds(250)
    /// Followers hear of each so many rounds, alerts or not, so that they notice a connection that is gone.
    private static let roundsPerBeat = 60

    /// Runs beside the threads that all tasks share.
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe queue.asUnownedSerialExecutor() }

    init(
        _ configuration: NodeConfiguration,
        _ interest: NodeConfiguration.Interest,
        node: NodeService,
        logger: Logger
    ) async throws {
        desk = try AlertDesk(configuration, interest, keys: node.keys)
        folder = interest.folder
        keys = node.keys
        self.node = node
        self.logger = logger
        audit = AuditLog("\(configuration.data)/audit")
        cameras = await node.cameras
        reader = SightingLogReader(
            node.logFolder,
            keys: node.keys,
            from: try await node.alertCursor()
        )
        logger.info(
            "vehicles of interest",
            metadata: ["lists": "\(interest.lists.count)", "entries": "\(desk.entryCount)"]
        )
    }

    /// Takes over lists and rules that were read again, and the cameras that the node knows now.
    func update(_ configuration: NodeConfiguration) async throws {
        desk.use(try configuration.interest?.load() ?? [], configuration.deduplication)
        cameras = await node.cameras
    }

    /// The number of the next alert; all before it may be told.
    var published: UInt64 { desk.published }

    /// How many alerts were raised since the start, by list.
    var raised: [String: Int] { desk.raised }

    /// What keeps alerts from the log, if anything.
    var why: String? { trouble }

    // MARK: - In

    /// Matches reads that are safe; their alerts are told soon after.
    func arrived(_ reads: [Read]) {
        desk.arrived(reads, cameras, now: Self.now)
        guard desk.hasPending, !isFlushPlanned else { return }
        isFlushPlanned = true
        // Behind those that wait already, so that all share one sync.
        Task { self.flush() }
    }

    /// Why an alert of another node was not taken.
    struct Refused: Error, CustomStringConvertible {
        let description: String
    }

    /// Takes an alert of another node; it is on stable storage when this returns, and told to those who follow.
    ///
    /// - Parameters:
    ///   - text: the JSON object; one that was taken before is passed over.
    ///   - forces: those that the other node may speak for.
    func take(_ text: [UInt8], forces: Set<String>) throws {
        guard let alert = try? JSONDecoder().decode(Alert.self, from: Data(text)), !alert.id.isEmpty else {
            throw Refused(description: "it is no alert")
        }
        guard forces.contains(alert.force) else {
            throw Refused(
                description: "it is of force \(alert.force), for which this sender may not speak"
            )
        }
        desk.take(alert)
        flush()
        if desk.hasPending { throw Refused(description: trouble ?? "the alert log is not written") }
    }

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await self.attend() }
        } catch is CancellationError {}
        for follower in followers.values { follower.finish() }
    }

    private func attend() async throws {
        var round = 0
        while !Task.isCancelled {
            try await catchUp()
            round += 1
            if round % Self.roundsPerBeat == 0 { for follower in followers.values { follower.yield() } }
            try await Task.sleep(for: Self.interval)
        }
    }

    /// Matches what has closed, up to the log's end.
    func catchUp() async throws {
        let end = node.log.extent.next
        let before = reader.next
        do {
            while reader.next < end, !desk.isFull, let run = try reader.read(before: end) {
                desk.closed(run.batch, reader.register, now: Self.now)
            }
        } catch {
            logger.error("sightings are not held against the lists", metadata: ["why": "\(error)"])
            throw error
        }
        flush()
        // Only what is in the alert log is done with.
        if reader.next > before || isNoteDue, !desk.hasPending { await note() }
    }

    /// Notes how far sightings were matched; where there is no room for that now, later.
    private func note() async {
        do {
            try await node.alerted(before: reader.next)
            isNoteDue = false
        } catch {
            if !isNoteDue { logger.error("alerts are not noted as raised", metadata: ["why": "\(error)"]) }
            isNoteDue = true
        }
    }

    private func flush() {
        isFlushPlanned = false
        let before = desk.published
        do {
            try desk.flush(now: Self.now)
            if trouble != nil { logger.notice("alerts are logged again") }
            trouble = nil
        } catch {
            if trouble == nil { logger.error("alerts wait", metadata: ["why": "\(error)"]) }
            trouble = "\(error)"
        }
        if desk.published > before { for follower in followers.values { follower.yield() } }
    }

    // MARK: - Out

    /// Rings whenever there are alerts to be read, and now and then without.
    func follow() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Void.self,
            bufferingPolicy: .bufferingNewest(1)
        )
        followersMade += 1
        let id = followersMade
        followers[id] = continuation
        continuation.onTermination = { _ in Task { await self.forget(id) } }
        // What is there already.
        continuation.yield()
        return stream
    }

    private func forget(_ id: UInt64) { followers[id] = nil }

    /// Puts on record that somebody follows, or may not.
    func record(_ record: AuditRecord) throws { try audit.append(record) }

    private static var now: Timestamp {
        Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
    }
}
