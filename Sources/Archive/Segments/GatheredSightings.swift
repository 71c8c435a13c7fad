import ANPRModel

/// Sightings that went to the log and wait for their segments: until a day is over, as far as there is room.
///
/// A day that is written at once need not be read again to be merged.
struct GatheredSightings {
    /// Sightings whose time has come, and the log's number behind them.
    struct Due {
        var batch: SightingBatch
        var through: UInt64
    }

    private var batch = SightingBatch()
    private var through: UInt64 = 0
    /// The latest day, how many sightings it has, and how many there are up to the last one of an earlier day.
    private var day = Int32.min
    private var dayCount = 0
    private var dayStart = 0

    /// So many sightings wait at most, which takes some 150 MB.
    static let countMax = 1 << 20
    /// So many are worth a segment.
    static let segmentWorth = 1 << 18
    /// When a day has one for so many of those before, hardly any of the day before come any more, and few of its own go with them.
    private static let nextDayShare = 32

    var isEmpty: Bool { batch.isEmpty }

    /// Begins at a number of the log.
    mutating func begin(_ first: UInt64) { through = first }

    /// Adds the sightings that follow in the log.
    mutating func append(_ more: SightingBatch) {
        if batch.isEmpty { batch.reserve(Self.segmentWorth, contributions: 2 * Self.segmentWorth) }
        batch.append(contentsOf: more)
        through += UInt64(more.count)
        count(from: batch.count - more.count)
    }

    /// Counts the days of those that stand from one on.
    private mutating func count(from start: Int) {
        for place in start..<batch.count {
            let own = batch.sightings[place].first.day
            if own > day { (day, dayCount, dayStart) = (own, 0, place) }
            if own < day { dayStart = place + 1 } else { dayCount += 1 }
        }
    }

    /// Whether some are to be written.
    var isDue: Bool { isDayOver || batch.count >= Self.countMax }

    private var isDayOver: Bool {
        batch.count - dayCount >= Self.segmentWorth && dayCount >= dayStart / Self.nextDayShare
    }

    /// Takes those out that are due: up to the last one of a day that is over, or all.
    mutating func takeDue() -> Due {
        guard isDayOver else { return takeAll() }
        var rest = SightingBatch()
        rest.append(dayStart..<batch.count, of: batch)
        batch.removeAll(from: dayStart)
        let due = Due(batch: batch, through: through - UInt64(rest.count))
        (batch, dayCount, dayStart) = (rest, 0, 0)
        count(from: 0)
        return due
    }

    /// Takes all out.
    mutating func takeAll() -> Due {
        defer { self = GatheredSightings() }
        return Due(batch: batch, through: through)
    }
}
