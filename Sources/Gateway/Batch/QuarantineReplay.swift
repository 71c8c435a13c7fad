package import ANPRModel
package import Archive
import Deduplication
import FeedDecoding
import Foundation

/// Takes quarantined records in after all, once what was wrong is mended: a camera registered, a zone named.
///
/// Each record is decoded anew under the feed's rules of today; one that is still refused stays as it is. What is taken
/// is noted, so that a second replay leaves it alone; if a crash comes between, it counts as redelivered.
package struct QuarantineReplay {
    /// What a replay did.
    package struct Report: Sendable, Equatable {
        /// Records looked at.
        package var tried = 0
        /// Records that are reads now, and were taken in.
        package var taken = 0
        /// Records that can't be replayed: parts of an over-long one, or of a feed that the node no longer has.
        package var impossible = 0
    }

    private let node: NodeCore
    private let header: [UInt8]

    /// A replay into a node.
    ///
    /// - Parameter header: the header row for records of CSV feeds, without its line end.
    package init(_ node: NodeCore, header: String) {
        self.node = node
        self.header = Array(header.utf8)
    }

    /// Replays records; when this returns, what was taken is safe and worked off.
    package func run(_ entries: [Quarantine.Entry], now: Timestamp) throws -> Report {
        var report = Report()
        let feeds = Set(entries.map(\.record.feed)).sorted()
        let known = try node.configuration.feeds.filter { feeds.contains($0.name) }.map { feed in
            (feed: feed, index: try node.source("feed", feed.name))
        }
        try node.start(feeds: known.map(\.index), senders: [])
        var done: [String] = []
        for name in feeds {
            let own = entries.filter { $0.record.feed == name }
            guard let place = known.first(where: { $0.feed.name == name }) else {
                report.impossible += own.count
                continue
            }
            done += try replay(own, of: place.feed, as: place.index, now, &report)
            node.set(feed: place.index, SourceState.ended.rawValue)
        }
        try node.commit(isForced: true)
        try node.noteReplayed(done)
        return report
    }

    /// Why a replay was not begun.
    package struct HeaderMissing: Error, CustomStringConvertible {
        /// What is needed.
        package var description: String
    }

    private func replay(
        _ entries: [Quarantine.Entry],
        of feed: NodeConfiguration.Feed,
        as index: FeedIndex,
        _ now: Timestamp,
        _ report: inout Report
    ) throws -> [String] {
        var batch = DecodedBatch()
        var done: [String] = []
        let latest = Timestamp(milliseconds: now.milliseconds + node.configuration.futureSkew)
        for entry in entries {
            guard entry.record.continued != true, entry.record.reason != ReadRefusal.recordTooLong.name else {
                report.impossible += 1
                continue
            }
            report.tried += 1
            let format = feed.format ?? feed.path.flatMap { FeedFileName($0).format } ?? .ndjson
            guard format != .csv || !header.isEmpty else {
                throw HeaderMissing(description: "feed \(feed.name) is CSV: its records need their --header")
            }
            var decoder = FeedDecoder(
                format: format,
                register: node.cameras,
                rules: feed.rules(latest: latest)
            )
            var one = DecodedBatch()
            decoder.decode(whole: Array(entry.record.raw), header: header, into: &one)
            guard one.rejected == 0, !one.reads.isEmpty else { continue }
            batch.append(one)
            done.append(entry.id)
        }
        report.taken += done.count
        guard !done.isEmpty else { return [] }
        let progress = node.state.progress[index] ?? FeedProgress(line: 0, offset: 0, length: 0, hash: 0)
        try node.take(batch, from: index, named: feed.name, progress: progress, now: now)
        return done
    }
}
