package import ANPRModel
package import Archive
package import Deduplication
import Forwarding
import Foundation
import SightingFrames

/// All that a node knows, as a pure function of its journal's entries.
///
/// The same entries give the same sightings in the same order, so what is open, remembered or half done is never saved:
/// it is replayed. Reads are joined first; what links bring, and the node's own sightings with it, one level up; then
/// misreads are found among what leaves.
package struct NodeState {
    /// The node's own deduplication counts as one more sender when it joins those of others.
    package static let ownSender = FeedIndex.max

    /// The cameras of the node and of all that send to it.
    package private(set) var register = CameraRegister()
    /// How far each feed was taken in.
    package private(set) var progress: [FeedIndex: FeedProgress] = [:]
    /// The quarantine file's day and length behind the last entry.
    package private(set) var quarantine: (day: Int32, length: UInt64) = (0, 0)
    private var deduplicator: Deduplicator
    private var joiner: SightingJoiner?
    private var variants: VariantJoiner
    private var streams: [FeedIndex: SenderStream] = [:]
    /// The newest index of each camera, every property told apart; made when it is first needed.
    private var exact: [Camera: CameraIndex] = [:]
    private struct SenderStream {
        var name: String
        var check: StreamCheck
        /// This node's index of each of the stream's cameras.
        var indexes: [CameraIndex]
    }

    /// A node without history.
    ///
    /// - Parameters:
    ///   - rules: what makes reads one sighting.
    ///   - hasSenders: whether it takes sightings of other nodes.
    package init(rules: DeduplicationRules, hasSenders: Bool) {
        deduplicator = Deduplicator(register: CameraRegister(), rules: rules)
        joiner = hasSenders ? SightingJoiner(register: CameraRegister(), rules: rules) : nil
        variants = VariantJoiner(rules.variants, register: CameraRegister(), reconcile: rules.reconcile)
    }

    /// The account of each feed since the state began.
    package var counts: [FeedCounts] { deduplicator.counts }

    /// Reads waiting for their turn, and sightings still open.
    package var waiting: (reads: Int, sightings: Int) {
        let waiting = deduplicator.waiting
        return (waiting.reads, waiting.sightings + variants.count)
    }

    /// Nothing on time that leaves from now on begins earlier.
    package var closedThrough: Timestamp { variants.closedThrough(joinedThrough) }

    /// Nothing on time that leaves deduplication from now on begins earlier.
    private var joinedThrough: Timestamp { joiner?.closedThrough ?? deduplicator.closedThrough }

    /// How far, in milliseconds, what is closed is behind the latest that was taken in; 0 before anything is.
    package var lag: Int64 {
        let behind = latest.milliseconds - closedThrough.milliseconds
        return closedThrough > .earliest && latest > .earliest ? max(0, behind) : 0
    }

    /// Whether all that comes in has ended or fallen silent, so that nothing is held back.
    package var isAtRest: Bool { deduplicator.isAtRest && (joiner?.isAtRest ?? true) }

    /// Sightings that a sender gave twice.
    package var repeats: Int { joiner?.repeats ?? 0 }

    /// Which sighting of a sender's stream must come next.
    package func next(of sender: FeedIndex) -> UInt64 { streams[sender]?.check.next ?? 0 }

    /// The latest time of anything that was taken in, or of what is closed by now: no later than this matters to an
    /// entry taken now.
    package private(set) var latest = Timestamp.distantPast

    /// The cameras that a sender's stream has named.
    package func register(of sender: FeedIndex) -> CameraRegister {
        streams[sender]?.check.register ?? CameraRegister()
    }

    /// Whether a sender's stream is the one that is known.
    package func isKnown(_ sender: FeedIndex, stream: String) -> Bool { streams[sender]?.name == stream }

    /// Checks blocks of a sender before they are journalled; changes nothing.
    ///
    /// - Parameters:
    ///   - bytes: the blocks.
    ///   - sender: whose they are.
    ///   - forces: whom it may speak for.
    ///   - limit: no time may lie after this.
    /// - Returns: the latest time in them.
    package func check(
        _ bytes: [UInt8],
        from sender: FeedIndex,
        forces: Set<String>,
        before limit: Timestamp
    ) throws -> Timestamp {
        var check = streams[sender]?.check ?? StreamCheck()
        return try check.take(bytes, forces: forces, latest: limit).latest
    }

    /// Takes one step of the node's history.
    ///
    /// - Parameter output: what leaves with it is appended.
    package mutating func apply(_ entry: JournalEntry, into output: inout SightingBatch) throws {
        guard variants.mode != .off else { return try join(entry, into: &output) }
        var joined = SightingBatch()
        try join(entry, into: &joined)
        // Where all is at rest nothing is waited for, here either.
        variants.take(joined, closedThrough: isAtRest ? .distantFuture : joinedThrough, into: &output)
    }

    private mutating func join(_ entry: JournalEntry, into output: inout SightingBatch) throws {
        switch entry {
        case .snapshot(let bytes): try restore(bytes)
        case .cameras(let bytes): try grow(bytes)
        case .start(let feeds, let senders): start(feeds, senders, into: &output)
        case .reads(let entry): take(entry, into: &output)
        case .feed(let feed, let state):
            var own = SightingBatch()
            deduplicator.set(feed, SourceState(rawValue: state) ?? .ended, into: &own)
            pass(own, into: &output)
        case .stream(let sender, let name, let first):
            streams[sender] = SenderStream(name: name, check: StreamCheck(next: first), indexes: [])
        case .blocks(let sender, let bytes): try take(bytes, from: sender, into: &output)
        case .sender(let sender, let state):
            joiner?.set(sender, SourceState(rawValue: state) ?? .ended, into: &output)
        }
    }

    private mutating func start(
        _ feeds: [FeedIndex],
        _ senders: [FeedIndex],
        into output: inout SightingBatch
    ) {
        var own = SightingBatch()
        deduplicator.start(live: feeds, into: &own)
        if !own.isEmpty { pass(own, into: &output) }
        let live = senders + (feeds.isEmpty ? [] : [Self.ownSender])
        joiner?.start(live: live, into: &output)
    }

    private mutating func take(_ entry: JournalledReads, into output: inout SightingBatch) {
        progress[entry.feed] = entry.progress
        quarantine = (entry.quarantineDay, entry.quarantineLength)
        deduplicator.note(received: Int(entry.received), rejected: Int(entry.rejected), of: entry.feed)
        latest = entry.reads.reduce(latest) { max($0, $1.captured) }
        guard joiner != nil else {
            deduplicator.take(entry.reads, from: entry.feed, into: &output)
            return
        }
        var own = SightingBatch()
        deduplicator.take(entry.reads, from: entry.feed, into: &own)
        pass(own, into: &output)
    }

    /// Gives the node's own sightings out, or to the joiner where others come too.
    private mutating func pass(_ own: SightingBatch, into output: inout SightingBatch) {
        guard joiner != nil else {
            if output.isEmpty { output = own } else { output.append(contentsOf: own) }
            return
        }
        joiner?.take(own, from: Self.ownSender, into: &output)
        joiner?.note(Self.ownSender, closedThrough: deduplicator.closedThrough, into: &output)
        if deduplicator.isAtRest { joiner?.set(Self.ownSender, .ended, into: &output) }
    }

    private mutating func take(_ bytes: [UInt8], from sender: FeedIndex, into output: inout SightingBatch)
        throws
    {
        guard var stream = streams[sender] else { return }
        let content = try stream.check.take(bytes)
        latest = max(latest, content.latest)
        for step in content.steps {
            switch step {
            case .register(let cameras):
                stream.indexes = addExactly(cameras.cameras)
            case .sightings(var batch):
                batch.renumberCameras(stream.indexes)
                joiner?.take(batch, from: sender, into: &output)
            case .mark(let mark):
                joiner?.note(sender, closedThrough: mark.closedThrough, into: &output)
                if mark.isEnd { joiner?.set(sender, .ended, into: &output) }
            }
        }
        streams[sender] = stream
    }

    /// The node's index of each camera of a sender's register; one never seen just so is added.
    ///
    /// Senders may differ about a camera, or name one twice that has moved: each form is registered once.
    private mutating func addExactly(_ cameras: [Camera]) -> [CameraIndex] {
        if exact.count < register.count {
            for (index, camera) in register.cameras.enumerated() { exact[camera] = CameraIndex(index) }
        }
        var fresh: [Camera] = []
        let indexes = cameras.map { camera in
            if let known = exact[camera] { return known }
            let index = CameraIndex(register.count + fresh.count)
            exact[camera] = index
            fresh.append(camera)
            return index
        }
        if !fresh.isEmpty {
            register.restore(fresh)
            useRegister()
        }
        return indexes
    }

    private mutating func grow(_ bytes: [UInt8]) throws {
        var position = 0
        register.register(try RegisterBlock.decode(try Block.read(bytes, at: &position)))
        useRegister()
    }

    private mutating func useRegister() {
        deduplicator.update(register)
        joiner?.update(register)
        variants.update(register)
    }

    // MARK: - Snapshots

    private struct Snapshot: Codable {
        struct Stream: Codable {
            var sender: FeedIndex
            var name: String
            var next: UInt64
            var register: Data
            var indexes: [CameraIndex]
        }
        struct Feed: Codable {
            var feed: FeedIndex
            var place: [UInt64]
        }
        var register: Data
        var feeds: [Feed]
        var quarantineDay: Int32
        var quarantineLength: UInt64
        var reads: WatermarkSnapshot
        var sightings: WatermarkSnapshot?
        var streams: [Stream]
    }

    /// What must be known to begin with the next entry, for the head of a journal segment.
    package func snapshot() throws -> [UInt8] {
        let streams = try streams.sorted { $0.key < $1.key }.map { sender, stream in
            Snapshot.Stream(
                sender: sender,
                name: stream.name,
                next: stream.check.next,
                register: try Self.data(stream.check.register),
                indexes: stream.indexes
            )
        }
        let snapshot = Snapshot(
            register: try Self.data(register),
            feeds: progress.sorted { $0.key < $1.key }.map { feed, place in
                Snapshot.Feed(feed: feed, place: [place.line, place.offset, place.length, place.hash])
            },
            quarantineDay: quarantine.day,
            quarantineLength: quarantine.length,
            reads: deduplicator.snapshot,
            sightings: joiner?.snapshot,
            streams: streams
        )
        return Array(try JSONEncoder().encode(snapshot))
    }

    /// Takes a snapshot up; one that only repeats what is known changes nothing.
    private mutating func restore(_ bytes: [UInt8]) throws {
        guard register.count == 0, progress.isEmpty, streams.isEmpty else { return }
        let snapshot = try JSONDecoder().decode(Snapshot.self, from: Data(bytes))
        register.restore(try Self.cameras(snapshot.register))
        useRegister()
        for feed in snapshot.feeds where feed.place.count == 4 {
            progress[feed.feed] = FeedProgress(
                line: feed.place[0],
                offset: feed.place[1],
                length: feed.place[2],
                hash: feed.place[3]
            )
        }
        quarantine = (snapshot.quarantineDay, snapshot.quarantineLength)
        deduplicator.restore(snapshot.reads)
        if let sightings = snapshot.sightings { joiner?.restore(sightings) }
        for stream in snapshot.streams {
            let register = CameraRegister(restoring: try Self.cameras(stream.register))
            let check = StreamCheck(register: register, next: stream.next)
            streams[stream.sender] = SenderStream(name: stream.name, check: check, indexes: stream.indexes)
        }
    }

    private static func data(_ register: CameraRegister) throws -> Data {
        var bytes: [UInt8] = []
        try RegisterBlock.encode(register, from: 0).write(to: &bytes)
        return Data(bytes)
    }

    private static func cameras(_ data: Data) throws -> [Camera] {
        var position = 0
        return try RegisterBlock.decode(try Block.read(Array(data), at: &position))
    }
}
