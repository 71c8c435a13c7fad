import ANPRModel

/// Sightings on their way out: gathered in order of opening, handed out by (opened, vrm, site).
///
/// That is (first, vrm, site) but where a late read made a sighting begin earlier than it was opened; its place must
/// not hang on which others close in the same step.
struct ClosingBatch: Sendable {
    private var batch = SightingBatch()
    private var marks: [ClosedSightings.Mark] = []
    private var markEnds: [Int] = []
    private var opened: [Timestamp] = []
    private var contributions = ContributionList()

    /// Adds a sighting that has closed.
    @inline(__always)
    mutating func gather(_ record: OpenSightings.Record, from open: OpenSightings, order: [UInt32]) {
        contributions.removeAll()
        self.opened.append(record.sighting.opened)
        let opened = record.sighting.opened.milliseconds
        var sighting = record.sighting
        // Before it is given out a sighting's identity follows its first read, late or not.
        sighting.opened = sighting.first
        let shift = opened - sighting.opened.milliseconds
        open.forEachNode(of: record) { node in
            let part = Contribution(
                camera: node.camera,
                reads: 1,
                first: node.captured,
                confidence: node.confidence
            )
            contributions.unite(part, order: order)
            let offset = Int32(clamping: node.captured.milliseconds - opened + shift)
            marks.append(ClosedSightings.Mark(camera: node.camera, offset: offset))
        }
        markEnds.append(marks.count)
        batch.append(sighting)
        for part in contributions.parts { batch.append(part) }
    }

    /// Hands out what was gathered, remembers it for late reads, and starts over.
    mutating func finish(
        siteOfCamera: [SiteIndex],
        siteOrder: [UInt32],
        into output: inout SightingBatch,
        remembering closed: inout ClosedSightings
    ) {
        guard !batch.isEmpty else { return }
        closed.append(contentsOf: batch, siteOfCamera: siteOfCamera, marks: marks, markEnds: markEnds)
        if let order = sortedOrder(siteOfCamera, siteOrder) {
            for index in order { output.append(index, of: batch) }
        } else {
            output.append(contentsOf: batch)
        }
        batch.removeAll()
        marks.removeAll(keepingCapacity: true)
        markEnds.removeAll(keepingCapacity: true)
        opened.removeAll(keepingCapacity: true)
    }

    /// The order in which to hand out; `nil` for the order in which they were gathered.
    private func sortedOrder(_ siteOfCamera: [SiteIndex], _ siteOrder: [UInt32]) -> [Int]? {
        let sightings = batch.sightings
        let precedes: (Int, Int) -> Bool = { left, right in
            let a = sightings[left]
            let b = sightings[right]
            if opened[left] != opened[right] { return opened[left] < opened[right] }
            if a.vrm != b.vrm { return a.vrm < b.vrm }
            return siteOrder[Int(siteOfCamera[Int(a.camera)])] < siteOrder[Int(siteOfCamera[Int(b.camera)])]
        }
        guard (1..<batch.count).contains(where: { precedes($0, $0 - 1) }) else { return nil }
        return (0..<batch.count).sorted(by: precedes)
    }
}
