package import ANPRModel
package import Archive
import Deduplication
import Foundation

/// The one owner of a running node's state; everything live goes through it, one thing at a time.
package actor NodeService {
    private let core: NodeCore
    private let clock = ContinuousClock()
    private var heard: [FeedIndex: ContinuousClock.Instant] = [:]
    private var names: [String: FeedIndex] = [:]
    private var forces: [FeedIndex: Set<String>] = [:]

    /// The sighting log, for the forwarder.
    package nonisolated let log: SightingLog
    /// The log's folder.
    package nonisolated let logFolder: String
    /// Names the log among all of the node's name.
    package nonisolated let stream: String

    /// Why a sender was turned away.
    package struct Refused: Error, CustomStringConvertible {
        /// The reason, as the sender is told.
        package var description: String
    }

    /// Opens a node and begins a run that waits for all configured gateways.
    package init(_ configuration: NodeConfiguration) throws {
        core = try NodeCore(configuration)
        log = core.log
        logFolder = core.logFolder
        stream = core.stream
        let now = clock.now
        for gateway in configuration.receive?.gateways ?? [] {
            let sender = try core.source("sender", gateway.node)
            names[gateway.node] = sender
            forces[sender] = gateway.forces
            heard[sender] = now
        }
        try core.start(feeds: [], senders: Array(heard.keys))
        try core.commit(isForced: true)
    }

    /// What opening the data folder found.
    package var recovery: NodeCore.Recovery { core.recovery }

    /// What was given out since the node was opened.
    package var given: SightingTally { core.given }

    /// Admits a sender.
    ///
    /// - Returns: its number here and the sighting that must come next.
    package func admit(_ node: String, stream: String, first: UInt64) throws -> (
        sender: FeedIndex, next: UInt64
    ) {
        guard let sender = names[node] else {
            throw Refused(description: "node \(node) is not among the gateways here")
        }
        heard[sender] = clock.now
        return (sender, try core.admit(sender, stream: stream, first: first))
    }

    /// Takes in blocks; they are safe and worked off when this returns.
    ///
    /// - Returns: the sighting that must come next.
    package func store(_ blocks: [UInt8], from sender: FeedIndex, stream: String) throws -> UInt64 {
        heard[sender] = clock.now
        let now = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        return try core.take(blocks, from: sender, stream: stream, forces: forces[sender] ?? [], now: now)
    }

    /// Lets those be waited for no more that were silent for too long.
    package func sweep(idleAfter: Duration) throws {
        let now = clock.now
        for (sender, last) in heard where now - last > idleAfter {
            heard[sender] = nil
            core.set(sender: sender, SourceState.idle.rawValue)
        }
        try core.commit(isForced: true)
    }

    /// Moves the log into the archive when enough has gathered, or in any case.
    package func tidy(forwards: [String], isForced: Bool) throws {
        guard try isForced || core.unarchived() >= 100_000 else { return }
        try core.tidy(forwards: forwards)
    }

    /// Notes what the next node has.
    package func delivered(to forward: String, before sequence: UInt64) throws {
        try core.delivered(to: forward, before: sequence)
    }
}
