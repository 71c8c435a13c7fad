package import ANPRModel
package import Archive
import Deduplication
import SightingFrames

/// Keeping house: the archive, what the next node has, retention.
extension NodeCore {
    /// An archiver for a thread of its own, over a connection of its own.
    package nonisolated static func archiver(data: String) throws -> Archiver {
        let catalogue = try Catalogue("\(data)/catalogue.sqlite")
        return try Archiver("\(data)/archive", log: "\(data)/sightings", catalogue: catalogue)
    }

    /// Moves what is in the log to the archive and lets go what all its readers have passed.
    package func tidy() throws {
        _ = try archiver.archive(before: log.extent.next)
        try archiver.merge()
        try log.drop(before: try passed())
        let rules = configuration.deduplication
        let margin = rules.reconcile + rules.lateness + 3_600_000
        _ = try journal.drop(before: Timestamp(milliseconds: state.closedThrough.milliseconds - margin))
    }

    /// The sighting before which the archive and all readers of the log have everything.
    private func passed() throws -> UInt64 {
        let cursors = try configuration.logReaders.map { try catalogue.cursor($0) }
        return min(try catalogue.snapshot().archivedThrough, cursors.min() ?? .max)
    }

    /// How many sightings are in the log and not yet in the archive.
    package func unarchived() throws -> UInt64 {
        log.extent.next - (try catalogue.snapshot().archivedThrough)
    }

    /// Notes what the next node has.
    package func delivered(to forward: String, before sequence: UInt64) throws {
        try catalogue.setCursor("forward:\(forward)", sequence)
    }

    /// Where those who look out for vehicles of interest go on: at the log's end, when they never looked.
    package func alertCursor() throws -> UInt64 {
        let name = NodeConfiguration.alertReader
        if let known = try catalogue.cursors().first(where: { $0.name == name })?.sequence {
            return max(known, log.first)
        }
        try catalogue.setCursor(name, log.extent.next)
        return log.extent.next
    }

    /// Notes that all sightings before one were held against the lists.
    package func alerted(before sequence: UInt64) throws {
        try catalogue.setCursor(NodeConfiguration.alertReader, sequence)
    }

    /// What retention would delete at a moment.
    package func retentionPlan(now: Timestamp) throws -> [RetentionOutcome] {
        _ = try archiver.archive(before: log.extent.next)
        return try retention.plan(now: now)
    }

    /// Deletes what is past its date: images, and from segments, the log, the journal and quarantine.
    ///
    /// What a forwarder has still to send stays in the log until it is sent.
    package func applyRetention(now: Timestamp) throws -> [RetentionOutcome] {
        _ = try archiver.archive(before: log.extent.next)
        let outcomes = try retention.apply(now: now)
        if let cutoff = configuration.retention.cutoff(of: .quarantine, now: now) {
            _ = try quarantine.drop(before: cutoff)
        }
        if let interest = configuration.interest,
            let cutoff = configuration.retention.cutoff(of: .hit, now: now)
        {
            _ = try AlertLog.drop(before: cutoff, in: interest.folder)
        }
        if outcomes.contains(where: { $0.contributions > 0 }) {
            try log.closePart(register: state.register, encoder: encoder)
            try log.drop(before: try passed())
        }
        if let cutoff = configuration.retention.latestCutoff(now: now), journal.hasReads(before: cutoff) {
            // A new segment, begun by an entry that says nothing, lets the old ones go whole.
            journal.closeSegment()
            var nothing: [UInt8] = []
            try RegisterBlock.encode(state.register, from: state.register.count).write(to: &nothing)
            add(.cameras(nothing))
            try commit(isForced: true)
            _ = try journal.drop(before: cutoff)
        }
        return outcomes
    }

    private var retention: Retention {
        Retention(
            archiver: archiver,
            catalogue: catalogue,
            policy: configuration.retention,
            images: images
        )
    }
}
