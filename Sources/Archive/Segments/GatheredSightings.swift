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
    /// The latest day, and how many of the sightings there are up to the last one of an earlier day.
    private var day = Int32.min
    private var dayStart = 0

    /// So many sightings wait at most, which takes some 150 MB.
    static let countMax = 1 << 20
    /// So many are worth a segment.
    static let segmentWorth = 1 << 18
    /// When a day has so many, hardly any of the day before come any more.
    private static let nextDayWorth = 1 << 15

    var isEmpty: Bool { batch.isEmpty }

    /// Begins at a number of the log.
    mutating func begin(_ first: UInt64) { through = first }

    /// Adds the sightings that follow in the log.
    mutating func append(_ more: SightingBatch) {
        if batch.isEmpty { batch.reserve(Self.segmentWorth, contributions: 2 * Self.segmentWorth) }
        for (place, sighting) in more.sightings.enumerated() {
            let own = sighting.first.day
            if own > day {
                day = own
                dayStart = batch.count + place
            } else if own < day {
                dayStart = batch.count + place + 1
            }
        }
        batch.append(contentsOf: more)
        through += UInt64(more.count)
    }

    /// Whether some are to be written.
    var isDue: Bool { isDayOver || batch.count >= Self.countMax }

    private var isDayOver: Bool {
        dayStart >= Self.segmentWorth && batch.count - dayStart >= Self.nextDayWorth
    }

    /// Takes those out that are due: up to the last one of a day that is over, or all.
    mutating func takeDue() -> Due {
        guard isDayOver else { return takeAll() }
        var rest = SightingBatch()
        rest.append(dayStart..<batch.count, of: batch)
        batch.removeAll(from: dayStart)
        defer { (batch, dayStart) = (rest, 0) }
        return Due(batch: batch, through: through - UInt64(rest.count))
    }

    /// Takes all out.
    mutating func takeAll() -> Due {
        defer { self = GatheredSightings() }
        return Due(batch: batch, through: through)
    }
}
