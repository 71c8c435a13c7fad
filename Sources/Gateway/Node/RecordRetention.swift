import ANPRModel
import Access
import Archive
import Foundation
import Interest

/// Retention of what is neither sighting nor image: refused records, alerts, and the audit log's own.
///
/// Refused records go by the day of receipt. An alert goes by when it was raised, under the first rule that matches the force
/// and confidence it tells, unless a legal hold is about it. Audit records go only by rules that name them.
struct RecordRetention {
    let policy: RetentionPolicy
    let now: Timestamp
    /// Of the node.
    let data: String
    /// The folder of the alerts, where there are any.
    let alerts: String?
    let keys: KeyRing
    let holds: ActiveHolds

    init(
        _ configuration: NodeConfiguration,
        _ policy: RetentionPolicy,
        _ keys: KeyRing,
        _ holds: ActiveHolds,
        now: Timestamp
    ) {
        (self.policy, self.now, self.keys, self.holds) = (policy, now, keys, holds)
        (data, alerts) = (configuration.data, configuration.interest?.folder)
    }

    /// Counts what is past its date.
    func plan(into outcomes: inout [RetentionOutcome]) throws {
        Self.planRefused(policy, data, keys, into: &outcomes)
        try planOwn(into: &outcomes)
    }

    /// Counts the refused records that are past their date.
    static func planRefused(
        _ policy: RetentionPolicy,
        _ data: String,
        _ keys: KeyRing,
        into outcomes: inout [RetentionOutcome]
    ) {
        guard let rule = policy.rule(of: .quarantine) else { return }
        let folder = "\(data)/quarantine"
        outcomes.add(Quarantine.due(before: outcomes[rule].cutoff, by: rule, in: folder, keys: keys))
    }

    /// Counts the alerts and audit records that are past their date, and as many as can be read where it throws.
    func planOwn(into outcomes: inout [RetentionOutcome]) throws {
        var attempts = Attempts()
        var purge = RecordPurge()
        attempts.make { try purgeAlerts(isDry: true, into: &purge) }
        outcomes.add(purge)
        if let rule = policy.rule(of: .audit) {
            attempts.make {
                let due = try audit.count(before: TimestampWriter.text(outcomes[rule].cutoff))
                outcomes[rule].add(due.count, at: due.oldest.flatMap(Self.moment))
            }
        }
        try attempts.finish()
    }

    /// Deletes alerts and audit records that are past their date; nobody else need wait.
    func purge(into outcomes: inout [RetentionOutcome], _ attempts: inout Attempts) {
        var purge = RecordPurge()
        attempts.make { try purgeAlerts(isDry: false, into: &purge) }
        outcomes.add(purge)
        guard let rule = policy.rule(of: .audit) else { return }
        attempts.make {
            let record = AuditRecord(policy.outcomes(now: now)[rule], actor: "anpr", at: now)
            let gone = try audit.drop(before: TimestampWriter.text(outcomes[rule].cutoff), record)
            outcomes[rule].add(gone.count, at: gone.oldest.flatMap(Self.moment))
        }
    }

    /// Deletes refused records that are past their date, for their owner.
    static func purge(
        _ quarantine: Quarantine,
        _ policy: RetentionPolicy,
        into outcomes: inout [RetentionOutcome],
        _ attempts: inout Attempts
    ) {
        guard let rule = policy.rule(of: .quarantine) else { return }
        var purge = RecordPurge()
        let cutoff = outcomes[rule].cutoff
        attempts.make { try quarantine.drop(before: cutoff, by: rule, into: &purge) }
        outcomes.add(purge)
    }

    private var audit: AuditLog { AuditLog("\(data)/audit") }

    private func purgeAlerts(isDry: Bool, into purge: inout RecordPurge) throws {
        guard let alerts, let due = policy.earliestDue(of: .hit, now: now) else { return }
        try AlertLog.purge(before: due, in: alerts, keys: keys, isDry: isDry, into: &purge, by: rule)
    }

    /// The rule by which an alert goes, if it does.
    private func rule(_ line: [UInt8], _ day: Timestamp) -> Int? {
        guard let alert = try? JSONDecoder().decode(Alert.self, from: Data(line)),
            let vrm = VRM(alert.vrm), let captured = alert.moment, let raised = Self.moment(alert.raised)
        else {
            // What can't be told from what is held stays; the rest goes with the last of its time.
            let isPast = policy.rules.filter { $0.isAbout(.hit) }.allSatisfy {
                day.milliseconds + 86_400_000 <= $0.keep.cutoff(now: now).milliseconds
            }
            return holds.holds.isEmpty && isPast ? policy.rule(of: .hit) : nil
        }
        let confidence = Int8(clamping: alert.confidence ?? -1)
        guard let rule = policy.rule(of: .hit, force: alert.force, confidence: confidence),
            raised < policy.rules[rule].keep.cutoff(now: now)
        else { return nil }
        return holds.contain(vrm, alert.site, captured...captured) ? nil : rule
    }

    private static func moment(_ text: String) -> Timestamp? {
        guard case .moment(let time) = TimestampReader.read(text) else { return nil }
        return time
    }
}
