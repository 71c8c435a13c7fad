package import ANPRModel
package import Archive
package import FeedDecoding
import Foundation

/// Takes quarantined records in after all, once what was wrong is mended: a camera registered, a zone named.
///
/// Each record is decoded anew under the feed's rules of today; one that is still refused stays as it is. What is taken
/// is noted with it, so that it is taken once: by a second replay, and by one that was cut off and is run again.
package struct QuarantineReplay: Sendable {
    /// Which records.
    package struct Selection: Codable, Sendable, Equatable {
        /// Only of this feed.
        package var feed: String?
        /// Only those refused for this.
        package var reason: String?
        /// The header row for records of CSV feeds, without its line end.
        package var header: String

        /// A selection.
        package init(feed: String? = nil, reason: String? = nil, header: String = "") {
            self.feed = feed
            self.reason = reason
            self.header = header
        }

        /// What an auditor is told of it.
        package var request: [String: String] { ["feed": feed, "why": reason].compactMapValues(\.self) }

        func takes(_ record: Quarantine.Record) -> Bool {
            (feed == nil || record.feed == feed) && (reason == nil || record.reason == reason)
        }
    }

    /// What a replay did.
    package struct Report: Codable, Sendable, Equatable {
        /// Records looked at.
        package var tried = 0
        /// Records that are reads now, and were taken in.
        package var taken = 0
        /// Records that can't be replayed: parts of an over-long one, or of a feed that the node no longer has.
        package var impossible = 0

        /// Nothing done yet.
        package init() {}
    }

    /// What a replay begins with.
    package struct Ground: Sendable {
        /// The feeds and their rules, and the data folder.
        package var configuration: NodeConfiguration
        /// The node's register.
        package var cameras: CameraRegister
        /// The clock against which future times are refused.
        package var now: Timestamp
        /// The records that were taken in before, by their ids.
        package var replayed: Set<String>
        /// Where the records end that the journal knows of.
        package var place: (day: Int32, length: UInt64)
        /// The keys that open them.
        package var keys: KeyRing
    }

    /// Records of one feed that are reads now, to be taken in as one.
    package struct Portion: Sendable {
        /// The feed.
        package var feed: String
        /// The reads.
        package var batch = DecodedBatch()
        /// The records, by their ids.
        package var records: [String] = []
    }

    /// Why a replay was not begun.
    package struct HeaderMissing: Error, CustomStringConvertible {
        /// What is needed.
        package var description: String
    }

    private let folder: String
    private let selection: Selection
    private let feeds: [String: NodeConfiguration.Feed]
    private let cameras: CameraRegister
    private let latest: Timestamp
    private let replayed: Set<String>
    private var reader: QuarantineReader
    /// What was done so far.
    package private(set) var report = Report()

    /// So many bytes of quarantine files are worked at a time.
    private static let pieceLength = 1 << 18

    /// A replay of a data folder's quarantine.
    ///
    /// - Throws: `HeaderMissing` when there are records of a CSV feed and no header.
    package init(_ selection: Selection, on ground: Ground) throws {
        self.selection = selection
        cameras = ground.cameras
        replayed = ground.replayed
        folder = "\(ground.configuration.data)/quarantine"
        feeds = ground.configuration.feeds.reduce(into: [:]) { $0[$1.name] = $1 }
        latest = Timestamp(milliseconds: ground.now.milliseconds + ground.configuration.futureSkew)
        reader = QuarantineReader(folder, keys: ground.keys, before: ground.place)
        if selection.header.isEmpty { try demandNoHeader(on: ground) }
    }

    /// The feeds that records can be of.
    package var feedNames: [String] {
        feeds.keys.filter { selection.feed == nil || selection.feed == $0 }.sorted()
    }

    /// Decodes the next records; what is in the portions counts as taken.
    ///
    /// - Returns: a portion for each feed with records that are reads now; `nil` at the end.
    package mutating func next() throws -> [Portion]? {
        let entries = try reader.read(Self.pieceLength)
        guard !entries.isEmpty else { return nil }
        var portions: [String: Portion] = [:]
        var decoders: [String: FeedDecoder] = [:]
        for entry in entries where selection.takes(entry.record) && !replayed.contains(entry.id) {
            let record = entry.record
            guard let feed = feeds[record.feed], Self.isWhole(record) else {
                report.impossible += 1
                continue
            }
            report.tried += 1
            let fresh = decoders[feed.name] ?? decoder(of: feed)
            decoders[feed.name] = fresh
            var decoder = fresh
            var one = DecodedBatch()
            decoder.decode(whole: Array(record.raw), header: Array(selection.header.utf8), into: &one)
            guard one.rejected == 0, !one.reads.isEmpty else { continue }
            report.taken += 1
            portions[feed.name, default: Portion(feed: feed.name)].batch.append(one)
            portions[feed.name]?.records.append(entry.id)
        }
        return portions.values.sorted { $0.feed < $1.feed }
    }

    private func decoder(of feed: NodeConfiguration.Feed) -> FeedDecoder {
        FeedDecoder(format: Self.format(of: feed), register: cameras, rules: feed.rules(latest: latest))
    }

    private static func format(of feed: NodeConfiguration.Feed) -> FeedFormat {
        feed.format ?? feed.path.flatMap { FeedFileName($0).format } ?? .ndjson
    }

    private static func isWhole(_ record: Quarantine.Record) -> Bool {
        record.continued != true && record.reason != ReadRefusal.recordTooLong.name
    }

    /// Refuses to begin what would stop at a record of CSV.
    private func demandNoHeader(on ground: Ground) throws {
        let tables = feedNames.filter { name in feeds[name].map { Self.format(of: $0) == .csv } ?? false }
        guard !tables.isEmpty else { return }
        var reader = QuarantineReader(folder, keys: ground.keys, before: ground.place)
        while true {
            let entries = try reader.read(Self.pieceLength)
            guard !entries.isEmpty else { return }
            for entry in entries
            where selection.takes(entry.record) && tables.contains(entry.record.feed)
                && Self.isWhole(entry.record) && !replayed.contains(entry.id)
            {
                throw HeaderMissing(
                    description: "feed \(entry.record.feed) is CSV: its records need their --header"
                )
            }
        }
    }
}
