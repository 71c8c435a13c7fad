import ANPRModel
import Deduplication

/// All that a replay has gathered, from which its report follows.
struct Replayed {
    let settings: LinkReplay.Settings
    let counts: FeedCounts
    let tally: SightingTally
    let pace: TrafficPace
    let line: ReplayedLine
    let bytesPerFullSighting: Double
    let own: (bytes: LineBytes, sightings: Int, forces: Int)
    let plain: PlainLines

    /// The longest wait by which a line still counts as carrying its traffic, beside the longest delay, in nanoseconds.
    static let congestion: Int64 = 60_000_000_000

    var bytesPerSecond: Int { settings.bitsPerSecond / 8 }
    var goodReads: Int { FeedCounts.signed(counts.accepted) + FeedCounts.signed(counts.redelivered) }
    var total: Int { line.bytes.total }
    var bytesPerRead: Double { ratio(total, goodReads) }
    var busiestMinute: MinuteUse? { line.use.minutes.max { $0.bytes < $1.bytes } }

    /// The busiest minute's bytes: of a line that holds its traffic up, what would have gone.
    var busiestMinuteWanted: Double {
        let isHeldUp = line.waits.longest > settings.delayMax * 1_000_000 + Self.congestion
        let carried = Double(busiestMinute?.bytes ?? 0)
        guard isHeldUp else { return carried }
        return max(carried, Double(line.use.minutes.map(\.left).max() ?? 0) * bytesPerFullSighting)
    }

    /// How many sightings left in each whole minute, without those in which the first could not have left yet.
    var leftByMinute: [Int] {
        let start = (Tail(settings.rules, after: .distantPast).wait + 59_999) / 60_000
        let uses = line.use.minutes.filter { $0.left > 0 && $0.minute >= start }
        guard let first = uses.first?.minute, let last = uses.last?.minute, last > first else { return [] }
        // The last minute is not whole. Of traffic over years the end counts.
        let from = max(first, last - Int64(366 * 1440))
        var left = [Int](repeating: 0, count: Int(last - from))
        for use in uses where use.minute >= from && use.minute < last {
            left[Int(use.minute - from)] = use.left
        }
        return left
    }

    /// How long the line was in use, in seconds: as long as the traffic, or longer where it held that up.
    var lineSeconds: Double {
        let wait = Double(Tail(settings.rules, after: .distantPast).wait) / 1000
        return max(pace.seconds, line.end - wait)
    }

    var readsPerDay: Int? {
        if let known = settings.readsPerDay { return known }
        return pace.seconds >= 20 * 3600 ? Int(Double(goodReads) / pace.seconds * 86_400) : nil
    }

    func ratio(_ part: Int, _ whole: Int) -> Double { whole == 0 ? 0 : Double(part) / Double(whole) }

    func text(_ time: Timestamp?) -> String? { time.map { TimestampWriter.text($0) } }

    /// A time of the line in milliseconds from its base.
    func text(lineTime milliseconds: Int64) -> String? {
        text(line.base.map { Timestamp(milliseconds: $0.milliseconds + milliseconds) })
    }
}

/// A figure with as many decimals as mean anything.
func rounded(_ value: Double, _ decimals: Int) -> Double {
    var factor = 1.0
    for _ in 0..<decimals { factor *= 10 }
    return (value * factor).rounded() / factor
}

extension BandwidthReport {
    init(_ replayed: Replayed) {
        let (line, tally, counts) = (replayed.line, replayed.tally, replayed.counts)
        self.line = Line(
            bitsPerSecond: replayed.settings.bitsPerSecond,
            isEncrypted: replayed.settings.isEncrypted,
            delayMaxSeconds: Double(replayed.settings.delayMax) / 1000
        )
        traffic = Self.traffic(replayed)
        reads = Reads(
            received: FeedCounts.signed(counts.received),
            accepted: FeedCounts.signed(counts.accepted),
            rejected: FeedCounts.signed(counts.rejected),
            redelivered: FeedCounts.signed(counts.redelivered),
            late: FeedCounts.signed(counts.late)
        )
        duplicates = Duplicates(
            redelivered: reads.redelivered,
            sameCamera: tally.sameCamera,
            sameSite: tally.sameSite,
            acrossForces: tally.acrossForces,
            // What was accepted and stood in no sighting when that was first given out.
            late: reads.accepted - tally.reads
        )
        sightings = tally.sightings
        amendments = tally.amendments
        frames = line.frames
        bytes = line.bytes
        bytesTotal = replayed.total
        // One for each message, the one with the cameras too.
        bytesReturned =
            line.frames == 0
            ? 0 : (line.frames + 1) * ReplayedLine.cost(LinePacker.acknowledgementLength, line.settings)
        let frameBytes = bytes.sightings + bytes.amendments
        bytesPerSighting = rounded(replayed.ratio(replayed.total, tally.sightings), 2)
        frameBytesPerSighting = rounded(replayed.ratio(frameBytes, tally.sightings + tally.amendments), 2)
        fullBytesPerSighting = rounded(replayed.bytesPerFullSighting, 2)
        bytesPerRead = rounded(replayed.bytesPerRead, 2)
        use = Self.use(replayed)
        wait = Wait(
            meanSeconds: rounded(line.waits.mean / 1e9, 3),
            mostSeconds: rounded(Double(line.waits.most) / 1e9, 3),
            longestSeconds: rounded(Double(line.waits.longest) / 1e9, 3)
        )
        let after = CatchUp(replayed)
        catchUp = after
        capacity = Self.capacity(replayed)
        alone = Alone(
            forces: replayed.own.forces,
            sightings: replayed.own.sightings,
            bytes: replayed.own.bytes.total,
            saved: rounded(1 - replayed.ratio(replayed.total, replayed.own.bytes.total), 4)
        )
        comparisons = Self.comparisons(replayed)
    }

    private static func traffic(_ replayed: Replayed) -> Traffic {
        let pace = replayed.pace
        return Traffic(
            from: replayed.text(pace.first),
            to: replayed.text(pace.last),
            seconds: rounded(pace.seconds, 1),
            readsPerSecond: rounded(Double(pace.reads) / pace.seconds, 1),
            busiestSecondReads: pace.busiestSecond,
            busiestSecondAt: replayed.text(pace.busiestAt),
            readsPerDay: replayed.readsPerDay
        )
    }

    private static func use(_ replayed: Replayed) -> Use {
        let rate = Double(replayed.settings.bitsPerSecond)
        let use = replayed.line.use
        let second = Double(use.busiestSecond * 8)
        let minute = Double((replayed.busiestMinute?.bytes ?? 0) * 8) / 60
        return Use(
            mean: rounded(Double(replayed.total * 8) / replayed.lineSeconds, 0),
            busiestSecond: second,
            busiestSecondAt: replayed.text(lineTime: use.busiestSecondEnd / 1_000_000),
            busiestMinute: rounded(minute, 0),
            busiestMinuteAt: replayed.busiestMinute.flatMap { replayed.text(lineTime: $0.minute * 60_000) },
            headroomSecond: rounded(1 - second / rate, 4),
            headroomMinute: rounded(1 - minute / rate, 4)
        )
    }

    private static func capacity(_ replayed: Replayed) -> Capacity {
        let rate = Double(replayed.bytesPerSecond)
        let perRead = replayed.bytesPerRead
        let steady = perRead > 0 ? rate / perRead : 0
        let sent = replayed.tally.sightings + replayed.tally.amendments
        let perReadFull = replayed.bytesPerFullSighting * replayed.ratio(sent, replayed.goodReads)
        let growth =
            replayed.busiestMinuteWanted > 0 ? rate * 60 / replayed.busiestMinuteWanted : 0
        return Capacity(
            readsPerSecond: rounded(steady, 1),
            readsPerDay: Int(steady * 86_400),
            readsPerDayFull: perReadFull > 0 ? Int(rate / perReadFull * 86_400) : 0,
            growth: rounded(growth, 2),
            readsPerDayShaped: replayed.readsPerDay.map { Int(Double($0) * growth) }
        )
    }

    private static func comparisons(_ replayed: Replayed) -> [Comparison] {
        let plain = replayed.plain
        let forms = [
            ("ndjson", plain.reads, plain.plain), ("gzip", plain.reads, plain.packed),
            ("gzipFile", plain.fileReads, plain.file), ("bof2Compact", plain.reads, plain.compact),
        ]
        return forms.map { form, reads, bytes in
            let perRead = replayed.ratio(bytes, reads)
            let times = replayed.bytesPerRead > 0 ? perRead / replayed.bytesPerRead : 0
            return Comparison(
                form: form,
                reads: reads,
                bytes: bytes,
                bytesPerRead: rounded(perRead, 2),
                times: rounded(times, 2)
            )
        }
    }
}

extension BandwidthReport.CatchUp {
    fileprivate init(_ replayed: Replayed) {
        let reckoned = CatchUp(
            replayed.leftByMinute,
            leftPerMinute: Double(replayed.tally.sightings + replayed.tally.amendments) * 60
                / replayed.pace.seconds,
            bytesPerSighting: replayed.bytesPerFullSighting,
            bytesPerSecond: replayed.bytesPerSecond
        )
        self.init(
            outageSeconds: 3600,
            sightings: reckoned.sightings,
            bytes: reckoned.bytes,
            seconds: reckoned.seconds.map { rounded($0, 0) }
        )
    }
}
