import ANPRModel

/// A sighting as one sender gave it: what the next node joins.
struct SenderSighting: Sendable, Timed {
    var sender: FeedIndex
    var sighting: Sighting
    var parts: [Contribution]
    /// What its sender merged into it.
    var alternates: [SightingVariant]

    var time: Timestamp { sighting.first }

    /// Whether a newer version came before this one had its turn.
    var isVoid: Bool { parts.isEmpty }

    /// Whether both are versions of one sighting of one sender.
    func isSame(as other: SenderSighting, _ siteOfCamera: [SiteIndex]) -> Bool {
        sender == other.sender && sighting.vrm == other.sighting.vrm
            && sighting.opened == other.sighting.opened
            && siteOfCamera[Int(sighting.camera)] == siteOfCamera[Int(other.sighting.camera)]
    }
}

/// Sightings of several senders that are one passage.
struct JoinedSighting: Sendable {
    var members: [SenderSighting]
    /// The first captured time it was opened with here; fixed once it was given out.
    var opened: Timestamp
    var revision: UInt16 = 0
    var isLate = false

    init(opening member: SenderSighting) {
        members = [member]
        opened = member.sighting.first
    }

    var first: Timestamp { members.map(\.sighting.first).min() ?? opened }
    var last: Timestamp { members.map(\.sighting.last).max() ?? opened }

    /// The place of another version of the same sender's sighting.
    func place(of member: SenderSighting, _ siteOfCamera: [SiteIndex]) -> Int? {
        members.firstIndex { $0.isSame(as: member, siteOfCamera) }
    }

    /// Adds a member, or replaces the older version of it.
    ///
    /// - Returns: whether anything changed.
    mutating func take(_ member: SenderSighting, _ siteOfCamera: [SiteIndex]) -> Bool {
        guard let place = place(of: member, siteOfCamera) else {
            members.append(member)
            return true
        }
        guard members[place].sighting.revision < member.sighting.revision else { return false }
        members[place] = member
        return true
    }

    /// Senders merge no more into a sighting than a frame can say.
    private var alternatesMax: Int { 32 }

    /// What the senders merged into their sightings; each once, in the order of mark and time.
    var alternates: [SightingVariant] {
        var united: [SightingVariant] = []
        for other in members.flatMap(\.alternates)
        where !united.contains(where: { $0.vrm == other.vrm && $0.opened == other.opened }) {
            united.append(other)
        }
        return Array(united.sorted { ($0.vrm, $0.opened) < ($1.vrm, $1.opened) }.prefix(alternatesMax))
    }

    /// The union: contributions by (force, camera), the better best read, reads summed.
    func united(order: [UInt32]) -> (sighting: Sighting, parts: [Contribution]) {
        var sighting = members[0].sighting
        var parts = ContributionList(members[0].parts)
        for member in members.dropFirst() {
            let other = member.sighting
            sighting.first = min(sighting.first, other.first)
            sighting.last = max(sighting.last, other.last)
            sighting.reads = UInt32(clamping: UInt64(sighting.reads) + UInt64(other.reads))
            if sighting.isBeaten(by: other.confidence, other.captured, other.camera, order) {
                sighting.takeBest(of: other)
            }
            for part in member.parts { parts.unite(part, order: order) }
        }
        sighting.opened = opened
        sighting.revision = revision
        sighting.isLate = isLate
        return (sighting, parts.parts)
    }
}

/// The joined sightings that were given out within the reconcile horizon.
///
/// Kept flat, some 120 bytes a sighting; only what was amended is kept in full.
struct ClosedJoins: Sendable {
    private struct Row: Sendable {
        var opened: Timestamp
        var start: UInt32
        var count: UInt16
        var isLate: Bool
    }

    private struct Chunk: Sendable {
        var rows: [Row] = []
        var members = SightingBatch()
        var senders: [FeedIndex] = []
        var amended: [Int: JoinedSighting] = [:]
    }

    private var keys = ClosedKeys()
    private var chunks: [Chunk] = []

    mutating func append(_ joined: JoinedSighting, site: SiteIndex) {
        let vrm = joined.members[0].sighting.vrm
        let reference = keys.append(vrm, site, first: joined.first, last: joined.last)
        if reference.chunk - keys.firstChunk == chunks.count { chunks.append(Chunk()) }
        let place = chunks.count - 1
        chunks[place].rows.append(
            Row(
                opened: joined.opened,
                start: UInt32(chunks[place].members.count),
                count: UInt16(clamping: joined.members.count),
                isLate: joined.isLate
            )
        )
        for member in joined.members {
            chunks[place].members.append(member.sighting)
            for part in member.parts { chunks[place].members.append(part) }
            for other in member.alternates {
                chunks[place].members.append(other.vrm, opened: other.opened, isMerged: true)
            }
            chunks[place].senders.append(member.sender)
        }
    }

    mutating func find(
        _ vrm: VRM,
        _ site: SiteIndex,
        near time: Timestamp,
        margin: Int64
    ) -> [(reference: ClosedKeys.Reference, joined: JoinedSighting)] {
        keys.find(vrm, site, near: time, margin: margin).map { ($0, joined($0)) }
    }

    mutating func amend(_ reference: ClosedKeys.Reference, _ joined: JoinedSighting) {
        chunks[reference.chunk - keys.firstChunk].amended[reference.row] = joined
        keys.widen(reference, first: joined.first, last: joined.last)
    }

    mutating func forget(before time: Timestamp, countMax: Int) {
        chunks.removeFirst(keys.forget(before: time, countMax: countMax))
    }

    private func joined(_ reference: ClosedKeys.Reference) -> JoinedSighting {
        let chunk = chunks[reference.chunk - keys.firstChunk]
        if let amended = chunk.amended[reference.row] { return amended }
        let row = chunk.rows[reference.row]
        let members = (Int(row.start)..<Int(row.start) + Int(row.count)).map { index in
            SenderSighting(
                sender: chunk.senders[index],
                sighting: chunk.members.sightings[index],
                parts: Array(chunk.members.contributions(of: index)),
                alternates: Array(chunk.members.variants(of: index))
            )
        }
        var joined = JoinedSighting(opening: members[0])
        joined.members = members
        joined.opened = row.opened
        joined.isLate = row.isLate
        return joined
    }
}
