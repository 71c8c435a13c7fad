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
    ///   - left: how many sightings left, minute by minute; of less than an hour, the traffic is taken as steady.
    ///   - leftPerMinute: how many did on average, for that.
    ///   - bytesPerSighting: what a sighting takes of the line.
    ///   - bytesPerSecond: the line's rate.
    init(_ left: [Int], leftPerMinute: Double, bytesPerSighting: Double, bytesPerSecond: Int) {
        let left =
            left.count < 60 ? [leftPerMinute] : left.suffix(Self.minutesMax).map { Double($0) }
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
        guard left.count >= 60 else { return (left[0] * 60, 0) }
        var sum = left[0..<60].reduce(0, +)
        var best = (sightings: sum, end: 60)
        for end in stride(from: 61, through: left.count, by: 1) {
            sum += left[end - 1] - left[end - 61]
            if sum > best.sightings { best = (sum, end) }
        }
        return best
    }
}
