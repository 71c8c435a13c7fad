import ANPRModel

/// How many reads came, and how fast, in event time.
struct TrafficPace {
    private(set) var reads = 0
    /// The most reads that came in one second.
    private(set) var busiestSecond = 0
    private(set) var busiestAt: Timestamp?
    private(set) var first: Timestamp?
    private(set) var last: Timestamp?
    private var second = Int64.min
    private var inSecond = 0

    /// Notes reads that came by a moment, never before one given earlier.
    mutating func add(_ count: Int, at moment: Timestamp) {
        // What came by the end of a second came within it.
        let now = (moment.milliseconds - 1) / 1000
        if now != second {
            second = now
            inSecond = 0
        }
        inSecond += count
        reads += count
        if first == nil { first = moment }
        last = moment
        if inSecond > busiestSecond {
            busiestSecond = inSecond
            busiestAt = Timestamp(milliseconds: now * 1000)
        }
    }

    /// The time from the first read to the last, in seconds, at least one.
    var seconds: Double {
        guard let first, let last else { return 1 }
        return max(1, Double(last.milliseconds - first.milliseconds) / 1000)
    }
}
