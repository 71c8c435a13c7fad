package import ANPRModel
package import Access
package import Archive
import Foundation
import Interest
import SightingFrames

/// Retention: what is past its date goes, wherever it lies.
extension NodeCore {
    /// What retention would delete at a moment.
    package func retentionPlan(now: Timestamp) throws -> [RetentionOutcome] {
        _ = try archiver.archive(before: log.extent.next)
        return try Self.retention(archiver, catalogue, configuration, retentionImages, now: now).plan(
            now: now
        )
    }

    /// Deletes what is past its date: images, and from segments, the log, the journal, alerts and quarantine.
    ///
    /// What a forwarder has still to send stays in the log until it is sent.
    package func applyRetention(now: Timestamp) throws -> [RetentionOutcome] {
        // Without a rule all is kept, and no policy is on record.
        if configuration.retention.rules.isEmpty { return [] }
        _ = try archiver.archive(before: log.extent.next)
        let retention = try Self.retention(archiver, catalogue, configuration, retentionImages, now: now)
        let outcomes = try retention.apply(now: now)
        try purgeRest(outcomes, now: now)
        try catalogue.noteRetention(of: configuration.retention, at: now)
        return outcomes
    }

    /// The retention of a data folder.
    nonisolated static func retention(
        _ archiver: Archiver,
        _ catalogue: Catalogue,
        _ configuration: NodeConfiguration,
        _ images: RetentionImages,
        now: Timestamp
    ) throws -> Retention {
        let key = try SigningKey.purges(of: configuration.data)
        return Retention(
            archiver: archiver,
            catalogue: catalogue,
            policy: configuration.retention,
            images: images,
            recorder: PurgeRecorder(
                node: configuration.node,
                policy: try catalogue.version(of: configuration.retention, at: now).version,
                sign: key.sign
            )
        )
    }

    private var retentionImages: RetentionImages {
        RetentionImages(
            images,
            search: ArchiveSearch(data: configuration.data),
            site: Self.site(state.register)
        )
    }

    /// Where the camera of an image stands.
    nonisolated static func site(_ register: CameraRegister) -> @Sendable (ImageBinding) -> String? {
        { binding in
            register.find(force: binding.force, name: binding.camera).map { register.siteName(of: $0) }
        }
    }

    /// Deletes what is past its date beside archive and images.
    ///
    /// - Parameter outcomes: what went from those.
    package func purgeRest(_ outcomes: [RetentionOutcome], now: Timestamp) throws {
        if let cutoff = configuration.retention.cutoff(of: .quarantine, now: now) {
            _ = try quarantine.drop(before: cutoff)
        }
        if let interest = configuration.interest,
            let cutoff = configuration.retention.cutoff(of: .hit, now: now)
        {
            let holds = try catalogue.activeHolds()
            _ = try AlertLog.drop(before: cutoff, in: interest.folder, keys: keys) {
                Self.isHeld($0, holds)
            }
        }
        let isAnyGone = outcomes.contains { $0.contributions > 0 }
        if isAnyGone {
            try log.closePart(register: state.register, encoder: encoder)
            try letGoOfLog()
        }
        if let cutoff = configuration.retention.latestCutoff(now: now),
            isAnyGone || journal.hasReads(before: cutoff)
        {
            try parkJournal()
            try letGoOfJournal(before: cutoff)
            try letGo()
        }
    }

    /// Begins a new segment of the journal, by an entry that says nothing: those before it can then go whole.
    ///
    /// At once where all of it is past its date. Where younger reads lie beside those that went, as soon as nothing is
    /// held against these any more: `letGo`.
    private func parkJournal() throws {
        journal.closeSegment()
        var nothing: [UInt8] = []
        try RegisterBlock.encode(state.register, from: state.register.count).write(to: &nothing)
        add(.cameras(nothing))
        try commit(isForced: true)
    }

    private static func isHeld(_ line: [UInt8], _ holds: ActiveHolds) -> Bool {
        // What can't be told from what is held stays.
        guard let alert = try? JSONDecoder().decode(Alert.self, from: Data(line)),
            let vrm = VRM(alert.vrm), let captured = alert.moment
        else { return !holds.holds.isEmpty }
        return holds.contain(vrm, alert.site, captured...captured)
    }
}

extension SigningKey {
    /// The key with which a node signs its purges, and what else it says of itself, made when it is first asked for.
    package static func purges(of data: String) throws -> SigningKey {
        try SigningKey(file: "\(data)/keys/purges.key")
    }
}

extension Catalogue {
    /// When retention was applied last, and by which version of the policy.
    package func lastRetention() throws(StorageError) -> (at: Timestamp, policy: Int)? {
        let parts = try meta("retention")?.split(separator: " ").compactMap { Int64($0) } ?? []
        guard parts.count == 2 else { return nil }
        return (Timestamp(milliseconds: parts[0]), Int(parts[1]))
    }

    /// Notes that a policy was applied.
    package func noteRetention(of policy: RetentionPolicy, at now: Timestamp) throws(StorageError) {
        let version = try version(of: policy, at: now).version
        try setMeta("retention", "\(now.milliseconds) \(version)")
    }
}

extension AuditRecord {
    /// What a rule deleted.
    package init(_ outcome: RetentionOutcome, actor: String, at now: Timestamp) {
        self.init(
            at: TimestampWriter.text(now),
            actor: actor,
            action: .purge,
            reason: outcome.rule,
            request: [
                "before": TimestampWriter.text(outcome.cutoff),
                "sightings": String(outcome.sightings),
                "images": String(outcome.images),
                "held": String(outcome.held),
            ],
            count: outcome.contributions
        )
    }
}
