import ANPRModel
import Access
import Archive
import Forwarding
import Foundation
import Logging

/// How far the patches of a node were pushed, for its links.
package struct PatchCursor: Sendable {
    /// The first sighting whose patch the next node may not have.
    package var first: @Sendable () async throws -> UInt64
    /// Notes that the next node has the patches of all sightings before one.
    package var note: @Sendable (UInt64) async throws -> Void

    /// A cursor.
    package init(
        first: @escaping @Sendable () async throws -> UInt64,
        note: @escaping @Sendable (UInt64) async throws -> Void
    ) {
        self.first = first
        self.note = note
    }
}

/// The images of a node, for one link: finds what the next node asks for and what is to be pushed.
///
/// Looks through files beside the link, so that no text waits for a disk.
actor ImageShelf {
    /// What becomes of a request.
    enum Answer {
        case image(LinkImage)
        /// Why there is none, as the next node is told.
        case missing(String)
    }

    private let data: String
    private let log: SightingLog
    private let logFolder: String
    private let keys: KeyRing?
    private let to: String
    private let cursor: PatchCursor?
    private let audit: AuditLog
    private let logger: Logger
    private let queue = NodeQueue()
    private var outbox: PatchOutbox?
    /// Reads what is pushed, from files that are mostly the same.
    private var pushed: ImageSearch?
    private var noted: UInt64 = 0
    /// Counts connections: what one that is over still asks for is not answered.
    private var connection = 0
    private var trouble: String?

    /// After so many sightings, or when the next node has all that were sent, it is noted how far patches were pushed.
    private static let noteEvery: UInt64 = 64
    private static let noteSeldom: UInt64 = 4096

    /// Runs beside the threads that all tasks share.
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe queue.asUnownedSerialExecutor() }

    /// A shelf.
    ///
    /// - Parameters:
    ///   - data: the data folder.
    ///   - keys: of it.
    ///   - to: the next node's address, for the audit log.
    ///   - cursor: how far patches were pushed; without it none are.
    init(
        data: String,
        log: SightingLog,
        logFolder: String,
        keys: KeyRing?,
        to: String,
        cursor: PatchCursor?,
        logger: Logger
    ) {
        self.data = data
        self.log = log
        self.logFolder = logFolder
        self.keys = keys
        self.to = to
        self.cursor = cursor
        self.logger = logger
        audit = AuditLog("\(data)/audit")
    }

    /// Whether patches go unasked.
    nonisolated var pushes: Bool { cursor != nil }

    // MARK: - Asked for

    /// The image that was asked for; who asked and what is given out is on record before this returns.
    ///
    /// - Parameter lengthMax: the longest that the next node takes, in bytes.
    func answer(_ want: ImageWant, lengthMax: Int) -> Answer {
        do {
            guard want.reason.split(separator: " ").joined().count >= 3 else {
                try audit.append(record(want, nil, .refused))
                return .missing("no reason was given")
            }
            let search = ImageSearch(data: data, keys: keys)
            let found = try find(want, search)
            guard let found, found.length <= lengthMax else {
                try audit.append(record(want, nil, .allowed))
                return .missing(
                    found.map { "it has \($0.length) bytes, more than are kept there" }
                        ?? "there is no such image"
                )
            }
            let jpeg = try search.jpeg(of: found)
            try audit.append(record(want, found, .allowed))
            return .image(LinkImage(ticket: .asked(want.number), binding: found.binding, jpeg: jpeg))
        } catch {
            logger.error("an image is not given out", metadata: ["to": "\(to)", "why": "\(error)"])
            return .missing("it could not be read, or not be put on record")
        }
    }

    /// The image of the best read there is: the most confident, of equals the first.
    private func find(_ want: ImageWant, _ search: ImageSearch) throws -> ImageSearch.Found? {
        var query = ImageQuery()
        query.marks = [want.vrm]
        query.from = want.from
        query.to = want.to
        query.camera = want.camera
        query.force = want.force
        query.kind = want.kind
        return try search.run(query).max { left, right in
            let (a, b) = (left.binding, right.binding)
            return a.confidence != b.confidence ? a.confidence < b.confidence : a.captured > b.captured
        }
    }

    private func record(_ want: ImageWant, _ found: ImageSearch.Found?, _ outcome: AuditRecord.Outcome)
        -> AuditRecord
    {
        var request = [
            "image": "request", "number": "\(want.number)", "to": to, "for": want.person,
            "force": want.force, "camera": want.camera, "kind": want.kind.name,
            "from": TimestampWriter.text(want.from), "until": TimestampWriter.text(want.to),
        ]
        request["images"] = found?.binding.hash.text
        let now = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        return AuditRecord(
            at: TimestampWriter.text(now),
            actor: "node \(want.node)",
            action: .disclose,
            reason: want.reason,
            request: request,
            count: found == nil ? 0 : 1,
            outcome: outcome
        )
    }

    // MARK: - Pushed

    /// A connection is there.
    ///
    /// - Returns: its number, for what it asks for.
    func begin() async throws -> Int {
        connection += 1
        let own = connection
        guard let cursor else { return own }
        let first = try await cursor.first()
        guard own == connection else { return own }
        noted = first
        let index = ImageIndex(data: data, keys: keys, kind: .plate)
        outbox = PatchOutbox(logFolder, keys: keys, index, from: first)
        pushed = ImageSearch(data: data, keys: keys)
        return own
    }

    /// The next patch to be pushed over a connection.
    ///
    /// - Parameters:
    ///   - delivered: sightings before this one are at the next node.
    ///   - lengthMax: the longest that it takes, in bytes.
    func patch(before delivered: UInt64, lengthMax: Int, on connection: Int) async -> LinkImage? {
        guard connection == self.connection else { return nil }
        do {
            while let patch = try outbox?.next(before: delivered, first: log.first, lengthMax: lengthMax) {
                // What retention has taken in the meantime is passed over.
                guard let jpeg = try? pushed?.jpeg(of: patch.found) else {
                    outbox?.dropped(patch.number)
                    continue
                }
                trouble = nil
                return LinkImage(ticket: .pushed(patch.number), binding: patch.found.binding, jpeg: jpeg)
            }
            // Where reads come without patches it is noted now and then that there were none.
            try await noteProgress(every: Self.noteSeldom)
        } catch {
            if trouble == nil {
                logger.warning("patches wait", metadata: ["to": "\(to)", "why": "\(error)"])
            }
            trouble = "\(error)"
        }
        return nil
    }

    /// The next node has a patch.
    ///
    /// - Returns: whether it was one that was sent.
    func taken(_ number: UInt64, on connection: Int) async throws -> Bool {
        guard connection == self.connection, let wasSent = outbox?.taken(number) else { return false }
        try await noteProgress(every: outbox?.isWaiting == true ? Self.noteEvery : 1)
        return wasSent
    }

    /// Whether the next node has all patches of sightings before a number, as far as there are any.
    func isSettled(before delivered: UInt64) async throws -> Bool {
        // A run that ends does not wait for patches that can't be read: they go when a later one can.
        guard let outbox, trouble == nil else { return true }
        guard outbox.isSettled(before: delivered) else { return false }
        try await noteProgress(every: 1)
        return true
    }

    private func noteProgress(every count: UInt64) async throws {
        guard let reached = outbox?.cursor, let cursor, reached >= noted + count else { return }
        noted = reached
        try await cursor.note(reached)
    }
}
