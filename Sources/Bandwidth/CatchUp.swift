/// Reckons how long a line takes to catch up after it was down for the busiest hour, with the traffic going on.
///
/// What waits and what comes meanwhile goes in frames as large as a message takes. Behind the last minute of the traffic
/// the first one follows again.
struct CatchUp {
    /// Sightings that left in the busiest hour.
    private(set) var sightings = 0
    /// What they take.
    private(set) var bytes = 0
    /// How long catching up takes, in seconds; `nil` for more than 31 days.
    private(set) var seconds: Double?

    /// The longest time that is gone through, and the longest traffic that is looked at.
    private static let minutesMax = 31 * 1440

    /// Reckons.
    ///
    /// - Parameters:
    ///   - minutes: what left, minute by minute, in order.
    ///   - bytesPerSighting: what a sighting takes of the line.
    ///   - bytesPerSecond: the line's rate.
    init(_ minutes: [MinuteUse], bytesPerSighting: Double, bytesPerSecond: Int) {
        guard let last = minutes.last?.minute, let start = minutes.first?.minute else {
            seconds = 0
            return
        }
        let first = max(start, last - Int64(Self.minutesMax) + 1)
        var left = [Double](repeating: 0, count: Int(last - first) + 1)
        for use in minutes where use.minute >= first { left[Int(use.minute - first)] += Double(use.left) }
        let hour = Self.busiestHour(left)
        sightings = Int(hour.sightings.rounded())
        bytes = Int((hour.sightings * bytesPerSighting).rounded())
        let perMinute = Double(bytesPerSecond * 60)
        var backlog = hour.sightings * bytesPerSighting
        var elapsed = 0
        while backlog > 0, elapsed < Self.minutesMax {
            let spare = perMinute - left[(hour.end + elapsed) % left.count] * bytesPerSighting
            if spare > 0, backlog <= spare {
                seconds = Double(elapsed) * 60 + backlog / spare * 60
                return
            }
            backlog -= spare
            elapsed += 1
        }
        if backlog <= 0 { seconds = Double(elapsed) * 60 }
    }

    /// The sixty minutes in which most left; of less than an hour, as many as at that rate.
    private static func busiestHour(_ left: [Double]) -> (sightings: Double, end: Int) {
        guard left.count > 60 else {
            return (left.reduce(0, +) * 60 / Double(left.count), left.count)
        }
        var sum = left[0..<60].reduce(0, +)
        var best = (sightings: sum, end: 60)
        for end in 61...left.count {
            sum += left[end - 1] - left[end - 61]
            if sum > best.sightings { best = (sum, end) }
        }
        return best
    }
}
