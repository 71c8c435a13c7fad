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
    let configuration: NodeConfiguration
    let keys: KeyRing
    let holds: ActiveHolds

    private var policy: RetentionPolicy { configuration.retention }

    /// Counts what is past its date.
    func plan(into outcomes: inout [RetentionOutcome], now: Timestamp) throws {
        if let rule = policy.rule(of: .quarantine) {
            let folder = "\(configuration.data)/quarantine"
            outcomes.add(Quarantine.due(before: outcomes[rule].cutoff, by: rule, in: folder, keys: keys))
        }
        if let alerts = try alerts(isDry: true, now: now) { outcomes.add(alerts) }
        if let rule = policy.rule(of: .audit) {
            let due = try audit.count(before: TimestampWriter.text(outcomes[rule].cutoff))
            outcomes.add(due.count, at: due.oldest.flatMap(Self.moment), by: rule)
        }
    }

    /// Deletes what is past its date.
    ///
    /// - Parameter quarantine: the refused records, as their owner has them.
    func apply(_ quarantine: Quarantine, into pass: inout RetentionPass) {
        var (outcomes, attempts) = (pass.outcomes, pass.attempts)
        attempts.make {
            guard let rule = policy.rule(of: .quarantine) else { return }
            outcomes.add(try quarantine.drop(before: outcomes[rule].cutoff, by: rule))
        }
        attempts.make {
            if let alerts = try alerts(isDry: false, now: pass.now) { outcomes.add(alerts) }
        }
        attempts.make {
            guard let rule = policy.rule(of: .audit) else { return }
            let time = TimestampWriter.text(outcomes[rule].cutoff)
            let due = try audit.count(before: time)
            let own = policy.outcomes(now: pass.now)[rule]
            let record = AuditRecord(own, actor: "anpr", at: pass.now)
            outcomes.add(try audit.drop(before: time, record), at: due.oldest.flatMap(Self.moment), by: rule)
        }
        (pass.outcomes, pass.attempts) = (outcomes, attempts)
    }

    private var audit: AuditLog { AuditLog("\(configuration.data)/audit") }

    private func alerts(isDry: Bool, now: Timestamp) throws -> RecordPurge? {
        guard let interest = configuration.interest, let due = policy.earliestDue(of: .hit, now: now) else {
            return nil
        }
        return try AlertLog.purge(before: due, in: interest.folder, keys: keys, isDry: isDry) {
            rule($0, now: now)
        }
    }

    /// The rule by which an alert goes, if it does.
    private func rule(_ line: [UInt8], now: Timestamp) -> Int? {
        guard let alert = try? JSONDecoder().decode(Alert.self, from: Data(line)),
            let vrm = VRM(alert.vrm), let captured = alert.moment, let raised = Self.moment(alert.raised)
        else {
            // What can't be told from what is held stays; the rest goes with the last of its time.
            return holds.holds.isEmpty ? policy.rule(of: .hit) : nil
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
