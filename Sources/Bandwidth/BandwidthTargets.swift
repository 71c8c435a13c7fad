/// What a line is held to; what is not named is not looked at, but for the wait.
public struct BandwidthTargets: Sendable, Equatable {
    /// The longest wait where none is named, in seconds: beyond it the traffic is more than the line carries.
    public static let waitMaxDefault = 60.0

    /// The most bytes a sighting, all that the line carried counted.
    public var bytesPerSightingMax: Double?
    /// The most bytes a good read.
    public var bytesPerReadMax: Double?
    /// The most bits in the busiest second.
    public var busiestSecondMax: Double?
    /// The least share of the line that its busiest minute leaves.
    public var headroomMin: Double?
    /// The longest that a sighting waits for the line, in seconds.
    public var waitMax: Double?
    /// The longest catching up after an hour's outage takes, in seconds.
    public var catchUpMax: Double?
    /// The least share of bytes that joining across forces saves.
    public var savedMin: Double?
    /// The fewest steady reads a day that the line can carry.
    public var readsPerDayMin: Double?
    /// The fewest reads a second that are replayed: of this machine, not of the line.
    public var replaySpeedMin: Double?

    /// No targets but the wait.
    public init() {}

    /// What a figure counts.
    public enum Unit: String, Sendable, Codable {
        case bytes
        case bitsPerSecond
        case share
        case seconds
        case readsPerDay
        case readsPerSecond
    }

    /// One target held against what was measured.
    public struct Verdict: Sendable, Equatable, Codable {
        /// The target's key in its file.
        public var target: String
        /// Whether it is met.
        public var isMet: Bool
        /// What was measured; absent where there is no end to it.
        public var measured: Double?
        /// What was asked for.
        public var limit: Double
        /// What both count.
        public var unit: Unit
    }

    /// Holds a report against the targets.
    ///
    /// - Parameters:
    ///   - report: what a replay found.
    ///   - replaySpeed: good reads a second that the replay itself took in.
    /// - Returns: a verdict for each target that is named, the wait always.
    public func verdicts(on report: BandwidthReport, replaySpeed: Double) -> [Verdict] {
        let capacity = Double(report.capacity.readsPerDay)
        return [
            most("waitMax", report.wait.longestSeconds, waitMax ?? Self.waitMaxDefault, .seconds),
            most("bytesPerSightingMax", report.bytesPerSighting, bytesPerSightingMax, .bytes),
            most("bytesPerReadMax", report.bytesPerRead, bytesPerReadMax, .bytes),
            most("busiestSecondMax", report.use.busiestSecond, busiestSecondMax, .bitsPerSecond),
            least("headroomMin", report.use.headroomMinute, headroomMin, .share),
            most("catchUpMax", report.catchUp.seconds, catchUpMax, .seconds),
            least("savedMin", report.alone.saved, savedMin, .share),
            least("readsPerDayMin", capacity, readsPerDayMin, .readsPerDay),
            least("replaySpeedMin", replaySpeed, replaySpeedMin, .readsPerSecond),
        ].compactMap(\.self)
    }

    private func most(_ target: String, _ measured: Double?, _ limit: Double?, _ unit: Unit) -> Verdict? {
        limit.map { limit in
            let isMet = measured.map { $0 <= limit } ?? false
            return Verdict(target: target, isMet: isMet, measured: measured, limit: limit, unit: unit)
        }
    }

    private func least(_ target: String, _ measured: Double, _ limit: Double?, _ unit: Unit) -> Verdict? {
        limit.map {
            Verdict(target: target, isMet: measured >= $0, measured: measured, limit: $0, unit: unit)
        }
    }
}
