import ANPRModel
import Access
import Archive
import Foundation
import Logging
import ServiceLifecycle

/// What a node does with its archive by the clock: files what has gathered, and deletes what is past its date.
///
/// Trouble with it is told and tried again: what comes in goes on, and the log keeps what is not filed.
struct Filing: Service {
    let node: NodeService
    let keeper: ArchiveKeeper
    let data: String
    let logger: Logger

    private static let interval = Duration.milliseconds(500)
    /// How long after trouble it is tried again.
    private static let pause = Duration.seconds(60)
    /// The same of retention, which begins by filing whatever there is.
    private static let retentionPause = Duration.seconds(600)

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await self.keep() }
        } catch is CancellationError {}
    }

    private func keep() async throws {
        var (filing, retention) = (ContinuousClock.now, ContinuousClock.now)
        while !Task.isCancelled {
            // One of them is no reason for the other to wait.
            if filing <= .now, await !isDone("filing", { try await file() }) { filing = .now + Self.pause }
            if retention <= .now, await !isDone("retention", retain) {
                retention = .now + Self.retentionPause
            }
            try await Task.sleep(for: Self.interval)
        }
    }

    /// Does something, and logs what its trouble is.
    private func isDone(_ what: String, _ work: () async throws -> Void) async -> Bool {
        do {
            try await work()
        } catch is CancellationError {
            return true
        } catch {
            logger.error("the archive waits", metadata: ["with": "\(what)", "why": "\(error)"])
            return false
        }
        return true
    }

    private func file(isForced: Bool = false) async throws {
        _ = try await keeper.file(before: node.log.extent.next, isForced: isForced)
        // What can't be merged is no reason to keep what is filed elsewhere, too.
        if await keeper.isLogDue {
            try await node.letGo()
            await keeper.logHasLetGo()
        }
        if !isForced { try await keeper.merge() }
    }

    private func retain() async throws {
        let (policy, every) = await node.retention
        let now = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        guard try await keeper.isRetentionDue(policy, every: every, now: now) else { return }
        var pass = RetentionPass(policy, now: now)
        // What is still in the log has no retention of its own.
        do { try await file(isForced: true) } catch { pass.attempts.note(error) }
        let images = RetentionImages(
            NodeImagePurger(node: node),
            search: ArchiveSearch(data: data),
            // Where those stand, too, that are in no file of this node: other nodes' cameras, and those that have left.
            site: NodeCore.site(await node.register)
        )
        pass = await keeper.purge(pass, images, keys: node.keys)
        pass = await node.purgeRest(pass)
        let outcomes = pass.outcomes
        pass.attempts.make {
            for outcome in outcomes where outcome.isAny {
                try AuditLog("\(data)/audit").append(AuditRecord(outcome, actor: "anpr", at: now))
            }
        }
        try pass.attempts.finish()
        try await keeper.noteRetention(of: policy, now: now)
        logger.notice(
            "retention applied",
            metadata: [
                "contributions": "\(outcomes.reduce(0) { $0 + $1.contributions })",
                "sightings": "\(outcomes.reduce(0) { $0 + $1.sightings })",
                "images": "\(outcomes.reduce(0) { $0 + $1.images })",
                "records": "\(outcomes.reduce(0) { $0 + $1.records })",
                "held": "\(outcomes.reduce(0) { $0 + $1.held })",
            ]
        )
    }
}
