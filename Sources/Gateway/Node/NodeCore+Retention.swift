package import ANPRModel
package import Access
package import Archive
import SightingFrames

/// Retention: what is past its date goes, wherever it lies.
extension NodeCore {
    /// Deletes what is past its date: images, and from segments, the log, the journal, alerts, quarantine and audit log.
    ///
    /// What a forwarder has still to send stays in the log until it is sent.
    ///
    /// - Returns: what went, and the first trouble there was; all that can go is gone.
    package func applyRetention(now: Timestamp) -> RetentionPass {
        var pass = RetentionPass(configuration.retention, now: now)
        // Without a rule all is kept, and no policy is on record.
        if configuration.retention.rules.isEmpty { return pass }
        pass.attempts.make { _ = try archiver.archive(before: log.extent.next) }
        do {
            let retention = try Self.retention(
                archiver,
                catalogue,
                configuration,
                retentionImages,
                pass
            )
            try pass.purge(retention, catalogue)
        } catch { pass.attempts.note(error) }
        pass.purgeRecords(configuration, keys, catalogue)
        pass.planRefused(configuration, keys)
        purgeRest(&pass)
        if pass.attempts.isGood {
            pass.attempts.make { try catalogue.noteRetention(of: pass.policy, at: now) }
        }
        return pass
    }

    /// The retention of a data folder.
    nonisolated static func retention(
        _ archiver: Archiver,
        _ catalogue: Catalogue,
        _ configuration: NodeConfiguration,
        _ images: RetentionImages,
        _ pass: RetentionPass,
        _ looked: DaysLookedThrough = DaysLookedThrough()
    ) throws -> Retention {
        Retention(
            archiver: archiver,
            catalogue: catalogue,
            policy: pass.policy,
            images: images,
            recorder: try PurgeRecorder(configuration, catalogue, pass),
            looked: looked
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

    /// Deletes what is past its date of what only the node itself can: refused records, and the parts of log and journal.
    package func purgeRest(_ pass: inout RetentionPass) {
        pass.purgeRefused(configuration, quarantine, catalogue)
        var attempts = pass.attempts
        if pass.isAnyGone {
            attempts.make {
                try log.closePart(register: state.register, encoder: encoder)
                try letGoOfLog()
            }
        }
        if let cutoff = pass.policy.latestCutoff(now: pass.now),
            pass.isAnyGone || journal.hasReads(before: cutoff)
        {
            attempts.make {
                try parkJournal()
                try letGoOfJournal(before: cutoff)
                try letGo()
            }
        }
        pass.attempts = attempts
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
}

extension PurgeRecorder {
    /// The recorder of a node.
    init(_ configuration: NodeConfiguration, _ catalogue: Catalogue, _ pass: RetentionPass) throws {
        let key = try SigningKey.purges(of: configuration.data)
        self.init(
            node: configuration.node,
            policy: try catalogue.version(of: pass.policy, at: pass.now).version,
            sign: key.sign
        )
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

    /// Notes that retention begins.
    ///
    /// - Returns: whether the one before was broken off, so that what went then may lie elsewhere still.
    package func beginRetention() throws(StorageError) -> Bool {
        let wasBrokenOff = try meta("retentionBegun") == "yes"
        if !wasBrokenOff { try setMeta("retentionBegun", "yes") }
        return wasBrokenOff
    }

    /// Notes that a policy was applied.
    package func noteRetention(of policy: RetentionPolicy, at now: Timestamp) throws(StorageError) {
        let version = try version(of: policy, at: now).version
        try setMeta("retention", "\(now.milliseconds) \(version)")
        try setMeta("retentionBegun", "no")
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
                "records": String(outcome.records),
                "held": String(outcome.held),
            ],
            count: outcome.contributions
        )
    }
}
