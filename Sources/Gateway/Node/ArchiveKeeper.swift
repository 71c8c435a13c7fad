import ANPRModel
import Archive
import Foundation
import Synchronization

/// The one owner of a running node's archive: files what has gone to the log, merges, and purges.
///
/// It works on a thread of its own, over a connection of its own to the catalogue: what the node takes in does not wait for it.
actor ArchiveKeeper {
    private let configuration: NodeConfiguration
    private let catalogue: Catalogue
    private let archiver: Archiver
    private let queue = NodeQueue("archive")
    private let looked = DaysLookedThrough()
    /// Whether anything may have been filed that is still to be merged, or in the log.
    private var isMergeDue = true
    private(set) var isLogDue = false

    /// So many sightings are worth a segment.
    static let filedAtLeast: UInt64 = 100_000

    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe queue.asUnownedSerialExecutor() }

    init(_ configuration: NodeConfiguration) throws {
        self.configuration = configuration
        let data = configuration.data
        catalogue = try Catalogue("\(data)/catalogue.sqlite")
        archiver = try Archiver("\(data)/archive", log: "\(data)/sightings", catalogue: catalogue)
    }

    /// Files what is in the log, if that is enough or must be.
    ///
    /// - Returns: whether anything was filed.
    func file(before limit: UInt64, isForced: Bool = false) throws -> Bool {
        let archived = try catalogue.snapshot().archivedThrough
        guard limit > archived, isForced || limit - archived >= Self.filedAtLeast else { return false }
        (isMergeDue, isLogDue) = (true, true)
        try cleanly { _ = try archiver.archive(before: limit) }
        return true
    }

    /// Takes note that the log has let go what was filed.
    func logHasLetGo() { isLogDue = false }

    /// Merges what was filed since it was done the last time.
    func merge() throws {
        guard isMergeDue else { return }
        try cleanly { try archiver.merge() }
        isMergeDue = false
    }

    /// Removes what is left of files that could not be written to their end: a full disk would stay full with them.
    ///
    /// Nobody else writes files here.
    private func cleanly(_ work: () throws -> Void) throws {
        do { try work() } catch {
            _ = try? archiver.removeStrays()
            throw error
        }
    }

    /// Whether a policy has to be applied: it never was, or longer ago than `every` milliseconds.
    func isRetentionDue(_ policy: RetentionPolicy, every: Int64, now: Timestamp) throws -> Bool {
        if policy.rules.isEmpty { return false }
        guard let last = try catalogue.lastRetention() else { return true }
        if try catalogue.version(of: policy, at: now).version != last.policy { return true }
        return now.milliseconds - last.at.milliseconds >= every || now < last.at
    }

    /// Deletes what is past its date from segments and, at their owner's, images, and of alerts and audit records.
    ///
    /// - Parameter keys: the node's own, under which those are that it writes.
    func purge(_ pass: RetentionPass, _ images: RetentionImages, keys: KeyRing) -> RetentionPass {
        var pass = pass
        do {
            let retention = try NodeCore.retention(archiver, catalogue, configuration, images, pass, looked)
            try pass.purge(retention, catalogue)
        } catch { pass.attempts.note(error) }
        pass.purgeRecords(configuration, keys, catalogue)
        pass.planRefused(configuration, keys)
        // What a write that failed left behind is past its date with the rest.
        pass.attempts.make { _ = try archiver.removeStrays() }
        return pass
    }

    /// Notes that all of it is done.
    func noteRetention(of policy: RetentionPolicy, now: Timestamp) throws {
        try catalogue.noteRetention(of: policy, at: now)
    }
}

/// Purges a running node's images: looks them through and writes what stays by itself, and has the node end it, which it waits for:
/// for a thread that may wait.
struct NodeImagePurger: ImagePurger {
    let node: NodeService

    var days: [Int32] { ImageStore.days(in: node.imageFolder) }

    func purge(
        _ day: Int32,
        isDry: Bool,
        begin: (_ due: ImageStore.Purge) throws -> Void,
        by rule: @escaping @Sendable (ImageBinding) -> Int?
    ) throws -> ImageStore.Purge {
        guard var sweep = try ImageSweep(day, in: node.imageFolder, keys: node.keys, by: rule) else {
            return ImageStore.Purge()
        }
        if isDry || sweep.purge.isEmpty { return sweep.purge }
        try sweep.write(begin: begin)
        return try end(sweep)
    }

    private func end(_ sweep: ImageSweep) throws -> ImageStore.Purge {
        let done = DispatchSemaphore(value: 0)
        let result = Mutex<Result<ImageStore.Purge, any Error>?>(nil)
        Task { [node] in
            do {
                let purge = try await node.finish(sweep)
                result.withLock { $0 = .success(purge) }
            } catch {
                result.withLock { $0 = .failure(error) }
            }
            done.signal()
        }
        done.wait()
        guard let result = result.withLock({ $0 }) else { return ImageStore.Purge() }
        return try result.get()
    }
}
