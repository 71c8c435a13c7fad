public import ANPRModel

/// Which alerts were raised lately, so that each is raised once for an entry, a mark, a site and a sighting.
///
/// A read is reported when it arrives, before anyone can know where its sighting will begin and end: so one that lies
/// within a window of a read reported before waits until its sighting has closed. If no read of the sighting was reported
/// by then, the sighting is. Two reads that are reported lie more than a window apart, so they are of two sightings.
public struct AlertBook: Sendable {
    /// What an alert is about, but for the sighting.
    public struct Key: Hashable, Sendable {
        /// The list and what tells its entry apart from others of the list.
        var list: String
        var entry: VRM
        var source: String
        var vrm: VRM
        var site: String

        /// The key of an entry and a mark seen at a site.
        public init(list: String, entry: InterestEntry, vrm: VRM, site: String) {
            self.init(list: list, entry: entry.vrm, source: entry.text(.source), vrm: vrm, site: site)
        }

        /// The key of an alert that was raised before.
        public init(list: String, entry: VRM, source: String, vrm: VRM, site: String) {
            self.list = list
            self.entry = entry
            self.source = source
            self.vrm = vrm
            self.site = site
        }
    }

    private var raised: [Key: [Timestamp]] = [:]
    private var sweptBefore = Timestamp.distantPast

    /// An empty book.
    public init() {}

    /// How many keys are known.
    public var count: Int { raised.count }

    /// Notes an alert that was raised before.
    public mutating func note(_ key: Key, at captured: Timestamp) {
        raised[key, default: []].append(captured)
    }

    /// Notes a read, unless one within a window of it was reported.
    ///
    /// - Returns: whether it is to be reported.
    public mutating func raise(_ key: Key, read captured: Timestamp, window: Int64) -> Bool {
        let isNear = { (other: Timestamp) in
            abs(other.milliseconds - captured.milliseconds) <= window
        }
        if let times = raised[key], times.contains(where: isNear) { return false }
        note(key, at: captured)
        return true
    }

    /// Notes a sighting that has closed, unless a read of it was reported.
    ///
    /// - Returns: whether it is to be reported.
    public mutating func raise(_ key: Key, sighting: ClosedRange<Timestamp>) -> Bool {
        if let times = raised[key], times.contains(where: sighting.contains) { return false }
        note(key, at: sighting.lowerBound)
        return true
    }

    /// Forgets what was raised for reads before a moment; cheap to call often.
    public mutating func forget(before moment: Timestamp) {
        // Once an hour of event time, for the whole book is gone through.
        guard moment.milliseconds - sweptBefore.milliseconds > 3_600_000 else { return }
        sweptBefore = moment
        for (key, times) in raised {
            let kept = times.filter { $0 >= moment }
            if kept.count < times.count { raised[key] = kept.isEmpty ? nil : kept }
        }
    }
}
