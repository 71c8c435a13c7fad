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

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await self.keep() }
        } catch is CancellationError {}
    }

    private func keep() async throws {
        while !Task.isCancelled {
            do {
                try await file()
                try await retain()
                try await Task.sleep(for: Self.interval)
            } catch let error as CancellationError {
                throw error
            } catch {
                logger.error("the archive waits", metadata: ["why": "\(error)"])
                try await Task.sleep(for: Self.pause)
            }
        }
    }

    private func file(isForced: Bool = false) async throws {
        if try await keeper.file(before: node.log.extent.next, isForced: isForced) { try await node.letGo() }
    }

    private func retain() async throws {
        let (policy, every) = await node.retention
        let now = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        guard try await keeper.isRetentionDue(policy, every: every, now: now) else { return }
        // What is still in the log has no retention of its own.
        try await file(isForced: true)
        let images = RetentionImages(
            NodeImagePurger(node: node, days: await node.daysOfImages),
            search: ArchiveSearch(data: data),
            // Where those stand, too, that are in no file of this node: other nodes' cameras, and those that have left.
            site: NodeCore.site(await node.register)
        )
        let outcomes = try await keeper.purge(policy, images, now: now)
        try await node.purgeRest(outcomes, now: now)
        for outcome in outcomes where outcome.isAny {
            try AuditLog("\(data)/audit").append(AuditRecord(outcome, actor: "anpr", at: now))
        }
        try await keeper.noteRetention(of: policy, now: now)
        logger.notice(
            "retention applied",
            metadata: [
                "contributions": "\(outcomes.reduce(0) { $0 + $1.contributions })",
                "sightings": "\(outcomes.reduce(0) { $0 + $1.sightings })",
                "images": "\(outcomes.reduce(0) { $0 + $1.images })",
                "held": "\(outcomes.reduce(0) { $0 + $1.held })",
            ]
        )
    }
}
