/// What a minute of event time saw.
public struct MinuteUse: Sendable, Equatable {
    /// The minute, counted from the line's base.
    public var minute: Int64
    /// Bytes that the line carried.
    public var bytes = 0
    /// The most that it carried in one of its seconds.
    public var busiestSecond = 0
    /// Sightings and amendments that left the deduplicator.
    public var left = 0

    /// A minute's use.
    public init(minute: Int64, bytes: Int = 0, busiestSecond: Int = 0, left: Int = 0) {
        self.minute = minute
        self.bytes = bytes
        self.busiestSecond = busiestSecond
        self.left = left
    }
}

/// How a line was used, minute by minute; minutes in which nothing was are left out.
///
/// - Complexity: O(1) an entry; remembers the entries of one second.
struct LineUse {
    private(set) var minutes: [MinuteUse] = []
    /// The most bytes that went within one second, wherever it begins.
    private(set) var busiestSecond = 0
    /// When that second ended, in nanoseconds from the line's base.
    private(set) var busiestSecondEnd: Int64 = 0

    private var recent: [(at: Int64, cost: Int)] = []
    private var firstRecent = 0
    private var inLastSecond = 0
    private var second = Int64.min
    private var inSecond = 0

    private static let nanoseconds: Int64 = 1_000_000_000

    /// Notes what went over the line; times never go back.
    ///
    /// - Parameter isOpening: whether it went because the line was taken into use: it counts in its minute, but the busiest
    ///   second is the traffic's.
    mutating func carried(_ cost: Int, at now: Int64, isOpening: Bool) {
        if now / Self.nanoseconds != second {
            second = now / Self.nanoseconds
            inSecond = 0
        }
        let place = place(ofMinute: second / 60)
        minutes[place].bytes += cost
        guard !isOpening else { return }
        inSecond += cost
        minutes[place].busiestSecond = max(minutes[place].busiestSecond, inSecond)
        slide(cost, now)
    }

    /// Notes sightings that left the deduplicator.
    mutating func left(_ count: Int, atMillisecond now: Int64) {
        minutes[place(ofMinute: now / 60_000)].left += count
    }

    private mutating func slide(_ cost: Int, _ now: Int64) {
        while firstRecent < recent.count, recent[firstRecent].at <= now - Self.nanoseconds {
            inLastSecond -= recent[firstRecent].cost
            firstRecent += 1
        }
        if firstRecent > 64, firstRecent * 2 > recent.count {
            recent.removeFirst(firstRecent)
            firstRecent = 0
        }
        recent.append((now, cost))
        inLastSecond += cost
        if inLastSecond > busiestSecond {
            busiestSecond = inLastSecond
            busiestSecondEnd = now
        }
    }

    /// Where a minute stands.
    ///
    /// What the line carries is behind what leaves, so it may be an earlier one.
    private mutating func place(ofMinute minute: Int64) -> Int {
        var place = minutes.count
        while place > 0, minutes[place - 1].minute > minute { place -= 1 }
        if place > 0, minutes[place - 1].minute == minute { return place - 1 }
        minutes.insert(MinuteUse(minute: minute), at: place)
        return place
    }
}
