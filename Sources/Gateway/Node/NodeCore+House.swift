import ANPRModel
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
        var attempts = Attempts()
        attempts.make { _ = try archiver.archive(before: log.extent.next) }
        attempts.make { try archiver.merge() }
        attempts.make { try letGo() }
        try attempts.finish()
    }

    /// Lets go what the archive and all other readers of the log have, and what is too old to be held against anything.
    package func letGo() throws {
        try letGoOfLog()
        let rules = configuration.deduplication
        let margin = rules.reconcile + rules.lateness + 3_600_000
        try letGoOfJournal(before: Timestamp(milliseconds: state.closedThrough.milliseconds - margin))
    }

    /// Lets go the journal's parts that end before a moment, as far as all that comes of them is on stable storage.
    func letGoOfJournal(before time: Timestamp) throws {
        try log.sync()
        _ = try journal.drop(before: time, keepingFrom: log.extent.mark.journalEntry)
    }

    /// Lets go the log's parts that all its readers have passed.
    func letGoOfLog() throws { try log.drop(before: try passed()) }

    /// The sighting before which the archive and all readers of the log have everything.
    private func passed() throws -> UInt64 {
        let cursors = try configuration.logReaders.map { try catalogue.cursor($0) }
        return min(try catalogue.snapshot().archivedThrough, cursors.min() ?? .max)
    }

    /// Says that log and journal together have not all that they had: sightings to come would have the numbers of others.
    ///
    /// What the log lost in a crash of the machine, though the archive has it, the journal has given again by now.
    func demandAll(_ covered: UInt64) throws {
        guard journal.first <= covered else {
            throw StorageError(
                .mismatch,
                "\(configuration.data): the journal begins at entry \(journal.first), but \(covered) were worked off"
            )
        }
        let archived = try catalogue.snapshot().archivedThrough
        let reached = log.extent.next + UInt64(unlogged)
        guard reached >= archived else {
            throw StorageError(
                .mismatch,
                "\(configuration.data): \(archived) sightings were archived, but the log has only \(reached)"
            )
        }
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
}
