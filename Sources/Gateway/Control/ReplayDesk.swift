import ANPRModel
package import Access
import FeedDecoding
import Foundation

/// Replays quarantined records in a running node, one replay at a time.
///
/// Records are decoded beside the node, a little at a time, and go in a portion at a time: feeds wait for none of it longer
/// than for a post.
actor ReplayDesk {
    /// Why a replay was not begun.
    struct Busy: Error, CustomStringConvertible {
        var description: String { "another replay is running" }
    }

    private let node: NodeService
    private let alerts: AlertService?
    private let audit: AuditLog
    private var isBusy = false

    /// A desk of a node.
    init(data: String, node: NodeService, alerts: AlertService?) {
        self.node = node
        self.alerts = alerts
        audit = AuditLog("\(data)/audit")
    }

    /// Replays; what is in the report is safe when this returns.
    ///
    /// - Parameter actor: who asks, for the audit log: on record before it begins and when it ends.
    func replay(_ selection: QuarantineReplay.Selection, actor: String) async throws
        -> QuarantineReplay.Report
    {
        guard !isBusy else { throw Busy() }
        isBusy = true
        defer { isBusy = false }
        try audit.append(.replay(selection, "begins", actor: actor))
        var taken = 0
        var report = QuarantineReplay.Report()
        do {
            var replay = try QuarantineReplay(selection, on: try await node.replayGround())
            while let portions = try replay.next() {
                for portion in portions {
                    try Task.checkCancellation()
                    try await node.accept(portion)
                    await alerts?.arrived(portion.batch.reads)
                    taken += portion.records.count
                }
            }
            report = replay.report
        } catch {
            try audit.append(.replay(selection, "broke off", actor: actor, count: taken))
            throw error
        }
        try audit.append(.replay(selection, "ends", actor: actor, count: taken))
        return report
    }
}

extension AuditRecord {
    /// That quarantined records are taken in after all.
    package static func replay(
        _ selection: QuarantineReplay.Selection,
        _ step: String,
        actor: String,
        count: Int = 0
    ) -> AuditRecord {
        AuditRecord(
            at: TimestampWriter.text(Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))),
            actor: actor,
            action: .ingest,
            reason: "quarantine replay \(step)",
            request: selection.request,
            count: count
        )
    }
}
