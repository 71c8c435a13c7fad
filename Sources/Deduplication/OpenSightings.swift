package import ANPRModel

/// The sightings that may still grow: walks reads in order of time and joins them by (vrm, site), exactly.
///
/// Open sightings form a ring in order of their first read, so closing takes from the front. A flat table finds the
/// newest sighting of a (vrm, site); an entry whose sighting has closed is stale and used again. The reads inside are
/// kept as nodes of a second ring, linked backwards, for contributions and for finding redelivered copies.
///
/// - Complexity: O(1) expected a read, one probe of the table; no allocation once it has grown to the live keys.
package struct OpenSightings: Sendable {
    /// One read inside an open sighting.
    package struct Node: Sendable {
        package var captured: Timestamp
        package var camera: CameraIndex
        /// The node before it in the same sighting, or `noNode`.
        var previous: UInt32
        var confidence: Int8
    }

    /// An open sighting and the nodes of its reads.
    package struct Record: Sendable {
        package var sighting: Sighting
        package var site: SiteIndex
        var firstNode: UInt32
        var lastNode: UInt32
        /// The reference of an older open sighting of the same (vrm, site), if `hasOlder`.
        var older: UInt32
        var hasOlder: Bool
        /// Whether reads from behind the watermark joined, so that nodes are not in order of time.
        var hasLate = false
    }

    private struct Slot {
        var vrm: UInt64 = 0
        var site: SiteIndex = 0
        var reference: UInt32 = 0
    }

    static let noNode = UInt32.max

    private var order: [UInt32]
    private var windows: [DeduplicationRules.Window]
    private var slots = [Slot](repeating: Slot(), count: 1024)
    private var used = 0
    private var records: [Record?]
    private(set) var head: UInt32 = 0
    private(set) var tail: UInt32 = 0
    private var nodes: [Node]
    private var nodeHead: UInt32 = 0
    private var nodeTail: UInt32 = 0

    /// No open sightings.
    ///
    /// - Parameters:
    ///   - order: each camera's rank by (force, camera).
    ///   - windows: each site's rule.
    package init(order: [UInt32], windows: [DeduplicationRules.Window]) {
        self.order = order
        self.windows = windows
        records = [Record?](repeating: nil, count: 1024)
        let empty = Node(captured: .distantPast, camera: 0, previous: Self.noNode, confidence: -1)
        nodes = [Node](repeating: empty, count: 2048)
    }

    /// Takes over the ranks and rules of a register that has grown.
    mutating func update(order: [UInt32], windows: [DeduplicationRules.Window]) {
        self.order = order
        self.windows = windows
    }

    /// How many sightings are open.
    package var count: Int { Int(tail &- head) }

    /// Joins a read to its open sighting or opens one with it.
    ///
    /// - Returns: `false` for a copy of a read that is there already.
    @inline(__always)
    package mutating func walk(_ read: Read, site: SiteIndex) -> Bool {
        let place = slot(read.vrm, site)
        if slots[place].vrm != 0, isOpen(slots[place].reference) {
            let reference = slots[place].reference
            if let joined = join(read, reference, site) { return joined }
            open(read, site, place, older: reference)
            return true
        }
        open(read, site, place, older: nil)
        return true
    }

    /// Joins a read to the sighting if it lies in its window.
    ///
    /// - Returns: `nil` if it does not; `false` for a copy.
    @inline(__always)
    private mutating func join(_ read: Read, _ reference: UInt32, _ site: SiteIndex) -> Bool? {
        let place = recordPlace(reference)
        // The key is checked again because a stale reference, 2^32 sightings later, could look open.
        guard let sighting = records[place]?.sighting, sighting.vrm == read.vrm, records[place]?.site == site
        else {
            return nil
        }
        let time = read.captured.milliseconds
        let rule = windows[Int(site)]
        guard time - sighting.first.milliseconds <= rule.window, time - sighting.last.milliseconds <= rule.gap
        else {
            return nil
        }
        if hasCopy(of: read, reference) {
            takeCopy(read, reference)
            return false
        }
        add(read, reference)
        return true
    }

    /// Adds a read that is not there yet.
    @inline(__always)
    mutating func add(_ read: Read, _ reference: UInt32) {
        let place = recordPlace(reference)
        let node = appendNode(read, previous: records[place]?.lastNode ?? Self.noNode)
        records[place]?.lastNode = node
        records[place]?.sighting.join(read, order: order)
    }

    mutating func markLate(_ reference: UInt32) {
        records[recordPlace(reference)]?.hasLate = true
    }

    /// Keeps the better of two copies of one read.
    mutating func takeCopy(_ read: Read, _ reference: UInt32) {
        let place = recordPlace(reference)
        _ = records[place]?.sighting.takeCopy(read, order: order)
        var node = records[place]?.lastNode ?? Self.noNode
        while node != Self.noNode {
            let index = Int(node) & (nodes.count - 1)
            if isSame(nodes[index], read) {
                nodes[index].confidence = max(nodes[index].confidence, read.confidence)
            }
            node = nodes[index].previous
        }
    }

    /// Whether the sighting has a read of the same camera at the same time.
    @inline(__always)
    func hasCopy(of read: Read, _ reference: UInt32) -> Bool {
        guard let record = records[recordPlace(reference)] else { return false }
        if !record.hasLate, record.sighting.last < read.captured { return false }
        var node = record.lastNode
        while node != Self.noNode {
            let entry = nodes[Int(node) & (nodes.count - 1)]
            if isSame(entry, read) { return true }
            if !record.hasLate, entry.captured < read.captured { return false }
            node = entry.previous
        }
        return false
    }

    @inline(__always)
    private func isSame(_ node: Node, _ read: Read) -> Bool {
        node.captured == read.captured && order[Int(node.camera)] == order[Int(read.camera)]
    }

    /// The open sightings of a (vrm, site), newest first.
    package func references(_ vrm: VRM, _ site: SiteIndex) -> [UInt32] {
        let slot = slots[slot(vrm, site)]
        guard slot.vrm != 0, isOpen(slot.reference) else { return [] }
        var found: [UInt32] = []
        var reference = slot.reference
        while let record = records[recordPlace(reference)], record.sighting.vrm == vrm, record.site == site {
            found.append(reference)
            guard record.hasOlder, isOpen(record.older) else { break }
            reference = record.older
        }
        return found
    }

    /// The open sighting of a reference.
    package func sighting(_ reference: UInt32) -> Sighting? { records[recordPlace(reference)]?.sighting }

    /// Whether some read of the sighting lies within `gap` of a time.
    func isNear(_ time: Timestamp, gap: Int64, _ reference: UInt32) -> Bool {
        var node = records[recordPlace(reference)]?.lastNode ?? Self.noNode
        while node != Self.noNode {
            let entry = nodes[Int(node) & (nodes.count - 1)]
            if abs(entry.captured.milliseconds - time.milliseconds) <= gap { return true }
            node = entry.previous
        }
        return false
    }

    /// The sighting that was opened first, if any.
    var oldest: Sighting? { head == tail ? nil : records[recordPlace(head)]?.sighting }

    /// Takes the sighting that was opened first out of the table; its nodes stay readable until the next walk.
    package mutating func takeOldest() -> Record? {
        guard head != tail else { return nil }
        let place = recordPlace(head)
        let record = records[place]
        records[place] = nil
        head &+= 1
        nodeHead = head == tail ? nodeTail : records[recordPlace(head)]?.firstNode ?? nodeTail
        return record
    }

    /// Hands out the reads of a record taken out, newest first.
    @inline(__always)
    package func forEachNode(of record: Record, _ body: (Node) -> Void) {
        var node = record.lastNode
        while node != Self.noNode {
            let entry = nodes[Int(node) & (nodes.count - 1)]
            body(entry)
            node = entry.previous
        }
    }

    // MARK: - Table

    @inline(__always)
    private func isOpen(_ reference: UInt32) -> Bool { reference &- head < tail &- head }

    @inline(__always)
    private func recordPlace(_ reference: UInt32) -> Int { Int(reference) & (records.count - 1) }

    /// The slot of the key, or the free one where it belongs.
    @inline(__always)
    private func slot(_ vrm: VRM, _ site: SiteIndex) -> Int {
        let mask = slots.count - 1
        var place = Self.hash(vrm.packed, site) & mask
        while slots[place].vrm != 0, slots[place].vrm != vrm.packed || slots[place].site != site {
            place = (place + 1) & mask
        }
        return place
    }

    @inline(__always)
    private static func hash(_ vrm: UInt64, _ site: SiteIndex) -> Int {
        let mixed = (vrm ^ UInt64(site) << 40) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: mixed >> 32 ^ mixed >> 58)
    }

    private mutating func open(_ read: Read, _ site: SiteIndex, _ place: Int, older: UInt32?) {
        if Int(tail &- head) == records.count { growRecords() }
        let node = appendNode(read, previous: Self.noNode)
        let reference = tail
        tail &+= 1
        records[recordPlace(reference)] = Record(
            sighting: Sighting(opening: read),
            site: site,
            firstNode: node,
            lastNode: node,
            older: older ?? 0,
            hasOlder: older != nil
        )
        if slots[place].vrm == 0 { used += 1 }
        slots[place] = Slot(vrm: read.vrm.packed, site: site, reference: reference)
        if used * 5 > slots.count * 3 { rebuild() }
    }

    /// Drops stale entries, and doubles the table if it was not they that filled it.
    private mutating func rebuild() {
        let old = slots
        let live = old.reduce(0) { $0 + ($1.vrm != 0 && isOpen($1.reference) ? 1 : 0) }
        let size = live * 10 > old.count * 3 ? old.count * 2 : old.count
        slots = [Slot](repeating: Slot(), count: size)
        used = live
        for entry in old where entry.vrm != 0 && isOpen(entry.reference) {
            slots[slot(VRM(trusted: entry.vrm), entry.site)] = entry
        }
    }

    private mutating func growRecords() {
        var larger = [Record?](repeating: nil, count: records.count * 2)
        for offset in 0..<UInt32(count) {
            let reference = head &+ offset
            larger[Int(reference) & (larger.count - 1)] = records[recordPlace(reference)]
        }
        records = larger
    }

    private mutating func appendNode(_ read: Read, previous: UInt32) -> UInt32 {
        if Int(nodeTail &- nodeHead) >= nodes.count - 1 { growNodes() }
        let node = nodeTail
        nodes[Int(node) & (nodes.count - 1)] = Node(
            captured: read.captured,
            camera: read.camera,
            previous: previous,
            confidence: read.confidence
        )
        nodeTail &+= 1
        if nodeTail == Self.noNode { nodeTail = 0 }
        return node
    }

    private mutating func growNodes() {
        let empty = Node(captured: .distantPast, camera: 0, previous: Self.noNode, confidence: -1)
        var larger = [Node](repeating: empty, count: nodes.count * 2)
        for offset in 0..<(nodeTail &- nodeHead) {
            let node = nodeHead &+ offset
            larger[Int(node) & (larger.count - 1)] = nodes[Int(node) & (nodes.count - 1)]
        }
        nodes = larger
    }
}
