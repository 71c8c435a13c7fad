package import ANPRModel
package import Archive
package import Deduplication
import Foundation
package import Interest

/// Looks out for vehicles of interest: matches what comes and what closes, and keeps the alert log; synchronous, one owner.
///
/// A read is matched when it is safe, and reported unless its sighting may have been. A sighting is matched when it is in
/// the log, and reported if none of its reads was: so each is reported exactly once, whatever order its reads came in,
/// and whatever a crash swallowed between a read and its alert is made up for.
package final class AlertDesk {
    private let node: String
    private var rules: DeduplicationRules
    private let log: AlertLog
    private let keys: KeyRing
    private let encoder = JSONEncoder()
    private var index: InterestIndex
    private var book = AlertBook()
    /// The latest capture that was matched.
    private var latest = Timestamp.distantPast
    /// Those of other nodes that were taken.
    private var others = RecentNames()
    /// Raised and not yet in the log.
    private var pending: [Alert] = []
    /// How many alerts were raised since the start, by list.
    package private(set) var raised: [String: Int] = [:]

    /// With so many alerts waiting for a log that can't be written, reads are not matched any more; their sightings are,
    /// later.
    private static let pendingMax = 65_536
    /// So many of the log's last files tell what was reported before: more than reads are held against.
    private static let filesBefore = 3

    /// Opens the alert log of a node and loads its lists.
    ///
    /// - Parameter keys: of the node's data folder.
    package init(
        _ configuration: NodeConfiguration,
        _ interest: NodeConfiguration.Interest,
        keys: KeyRing
    ) throws {
        self.keys = keys
        node = configuration.node
        rules = configuration.deduplication
        log = try AlertLog(interest.folder, keys: keys)
        index = InterestIndex(try interest.load())
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var reader = AlertLogReader(interest.folder, keys: keys, lastFiles: Self.filesBefore)
        while true {
            let lines = try reader.read()
            if lines.isEmpty { break }
            for line in lines { try recall(line) }
        }
    }

    private func recall(_ line: AlertLogReader.Line) throws {
        let alert = try JSONDecoder().decode(Alert.self, from: Data(line.text))
        if !isOwn(alert) { others.insert(alert.id) }
        note(alert)
    }

    private func isOwn(_ alert: Alert) -> Bool { alert.id == "\(node)-\(alert.sequence)" }

    private func note(_ alert: Alert) {
        guard let key = alert.key, let moment = alert.moment else { return }
        book.note(key, at: moment)
        latest = max(latest, moment)
    }

    /// Takes other lists and windows; what comes and closes from now on is held against them.
    package func use(_ lists: [InterestList], _ rules: DeduplicationRules) {
        index = InterestIndex(lists)
        self.rules = rules
    }

    /// How many entries the lists have.
    package var entryCount: Int { index.count }

    /// The number of the next alert in the log; all before it are on stable storage.
    package var published: UInt64 { log.next }

    /// Whether alerts wait for the log.
    package var hasPending: Bool { !pending.isEmpty }

    /// Whether nothing more should be matched until alerts have gone to the log.
    package var isFull: Bool { pending.count >= Self.pendingMax }

    /// Matches reads that are safe.
    package func arrived(_ reads: [Read], _ register: CameraRegister, now: Timestamp) {
        guard !isFull else { return }
        for read in reads {
            let hits = index.hits(read.vrm, at: read.captured)
            guard !hits.isEmpty else { continue }
            let camera = register.cameras[Int(read.camera)]
            let window = (rules.sites[camera.site] ?? rules.window).window
            for hit in hits where book.raise(key(hit, read.vrm, camera), read: read.captured, window: window)
            {
                add(Alert(hit, of: index, read: read, by: camera, raised: now))
            }
            latest = max(latest, read.captured)
        }
    }

    /// Matches sightings that are in the log.
    package func closed(_ batch: SightingBatch, _ register: CameraRegister, now: Timestamp) {
        for sighting in batch.sightings {
            let hits = index.hits(sighting.vrm, at: sighting.captured)
            guard !hits.isEmpty else { continue }
            let camera = register.cameras[Int(sighting.camera)]
            let span = sighting.first...sighting.last
            for hit in hits where book.raise(key(hit, sighting.vrm, camera), sighting: span) {
                add(
                    Alert(hit, of: index, sighting: sighting, by: camera, raised: now, origin: .sighting)
                )
            }
            latest = max(latest, sighting.last)
        }
    }

    private func key(_ hit: InterestIndex.Hit, _ vrm: VRM, _ camera: Camera) -> AlertBook.Key {
        AlertBook.Key(
            list: index.lists[hit.list].name,
            entry: index.entry(hit),
            vrm: vrm,
            site: camera.site
        )
    }

    private func add(_ alert: Alert) {
        pending.append(alert)
        raised[alert.list, default: 0] += 1
    }

    /// Takes an alert that another node raised; one that it has is passed over.
    ///
    /// It counts as reported here, too.
    package func take(_ alert: Alert) {
        guard others.insert(alert.id) else { return }
        note(alert)
        pending.append(alert)
        raised[alert.list, default: 0] += 1
    }

    /// Puts what was raised into the log; it may be told when this returns.
    ///
    /// - Throws: `StorageError`; the alerts then wait for the next time.
    package func flush(now: Timestamp) throws {
        if latest > .earliest {
            let horizon = rules.reconcile + rules.lateness + rules.windowMax
            book.forget(before: Timestamp(milliseconds: latest.milliseconds - horizon))
        }
        guard !pending.isEmpty else { return }
        try log.append(day: now.day) { first in
            try pending.enumerated().map { place, alert in
                var alert = alert
                alert.sequence = first + UInt64(place)
                if alert.id.isEmpty { alert.id = "\(node)-\(alert.sequence)" }
                return Array(try encoder.encode(alert))
            }
        }
        pending.removeAll()
    }

    /// Matches what a log has from a sighting on, up to its end, for a run that ends.
    ///
    /// - Returns: the sighting before which all is matched.
    package func catchUp(_ folder: String, from first: UInt64, before end: UInt64, now: Timestamp) throws
        -> UInt64
    {
        var reader = SightingLogReader(folder, keys: keys, from: first)
        while reader.next < end, let run = try reader.read(before: end) {
            closed(run.batch, reader.register, now: now)
            if isFull { try flush(now: now) }
        }
        try flush(now: now)
        return reader.next
    }
}

/// The names met last, at least as many as `countMax`, at most twice that.
struct RecentNames {
    private var recent: Set<String> = []
    private var before: Set<String> = []

    /// So many are surely remembered.
    static let countMax = 65_536

    /// Remembers a name.
    ///
    /// - Returns: whether it is new.
    @discardableResult
    mutating func insert(_ name: String) -> Bool {
        guard !before.contains(name), recent.insert(name).inserted else { return false }
        if recent.count >= Self.countMax {
            before = recent
            recent = []
        }
        return true
    }
}
