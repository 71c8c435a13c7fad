package import ANPRModel
import Archive
package import Deduplication
import FeedDecoding
import Foundation

/// What a node is about to take in from quarantine, noted before it is journalled.
///
/// Journal and catalogue are two files. After a crash between them the journal tells whether the records came in: the
/// entry is there, with these reads, or it is not.
struct ReplayIntent: Codable {
    /// The entry that takes them in.
    var entry: UInt64
    /// What the entry's reads add up to.
    var fingerprint: UInt64
    /// The records.
    var records: [String]

    /// The name of the catalogue's setting.
    static let key = "replaying"

    init(entry: UInt64, reads: [Read], records: [String]) {
        self.entry = entry
        self.records = records
        fingerprint = Self.fingerprint(reads)
    }

    /// Reads what `text` wrote; `nil` for none.
    init?(text: String) {
        guard let intent = try? JSONDecoder().decode(ReplayIntent.self, from: Data(text.utf8)) else {
            return nil
        }
        self = intent
    }

    var text: String {
        (try? JSONEncoder().encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// Whether an entry is the one that was meant.
    func isMet(by number: UInt64, _ entry: JournalEntry) -> Bool {
        guard number == self.entry, case .reads(let taken) = entry else { return false }
        return Self.fingerprint(taken.reads) == fingerprint
    }

    private static func fingerprint(_ reads: [Read]) -> UInt64 {
        reads.reduce(0xCBF2_9CE4_8422_2325) { hash, read in
            let words = [
                read.vrm.packed, UInt64(bitPattern: read.captured.milliseconds), UInt64(read.camera),
            ]
            return words.reduce(hash) { ($0 ^ $1) &* 0x0000_0100_0000_01B3 }
        }
    }
}

/// Quarantined records that are taken in after all.
extension NodeCore {
    /// What a replay begins with: all that is safe.
    package func replayGround(now: Timestamp) throws -> QuarantineReplay.Ground {
        QuarantineReplay.Ground(
            configuration: configuration,
            cameras: cameras,
            now: now,
            replayed: try catalogue.replayed(),
            place: state.quarantine,
            keys: keys
        )
    }

    /// Takes records in that are reads now; they are safe, worked off and noted when this returns.
    ///
    /// Whenever the node is killed, they are taken in once: either nothing of the portion is there, or all of it and
    /// the note with it, at the latest when the folder is opened again.
    ///
    /// - Parameters:
    ///   - portion: the reads and their records.
    ///   - feed: the feed's number.
    ///   - state: what the feed is when they are in, if it is not to be waited for.
    package func replay(
        _ portion: QuarantineReplay.Portion,
        from feed: FeedIndex,
        then state: SourceState?,
        now: Timestamp
    ) throws {
        try commit(isForced: false)
        if let (intent, wasTaken) = unsettled { try settle(intent, wasTaken: wasTaken) }
        let intent = ReplayIntent(
            entry: journal.next,
            reads: portion.batch.reads,
            records: portion.records
        )
        try catalogue.setMeta(ReplayIntent.key, intent.text)
        unsettled = (intent, false)
        let progress = self.state.progress[feed] ?? FeedProgress(line: 0, offset: 0, length: 0, hash: 0)
        try take(portion.batch, from: feed, named: portion.feed, progress: progress, now: now)
        if let state { set(feed: feed, state.rawValue) }
        try sync()
        unsettled = (intent, true)
        try settle(intent, wasTaken: true)
        try workOff(isForced: false)
    }

    /// Notes the records of an intent if they came in, and that nothing is intended any more.
    func settle(_ intent: ReplayIntent, wasTaken: Bool) throws {
        if wasTaken { try catalogue.noteReplayed(intent.records) }
        try catalogue.setMeta(ReplayIntent.key, "")
        unsettled = nil
    }

    /// Replays records with the node to oneself; when this returns, what was taken is safe and worked off.
    package func replay(_ selection: QuarantineReplay.Selection, now: Timestamp) throws
        -> QuarantineReplay.Report
    {
        var replay = try QuarantineReplay(selection, on: try replayGround(now: now))
        let feeds = try replay.feedNames.map { try source("feed", $0) }
        try start(feeds: feeds, senders: [])
        while let portions = try replay.next() {
            for portion in portions {
                try self.replay(portion, from: try source("feed", portion.feed), then: nil, now: now)
            }
        }
        for feed in feeds { set(feed: feed, SourceState.ended.rawValue) }
        try commit(isForced: true)
        return replay.report
    }
}
