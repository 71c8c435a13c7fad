import ANPRModel
import Bandwidth
import Simulation

/// Replays for tests.
enum Replays {
    /// What a replay gave.
    struct Outcome {
        var report: BandwidthReport
        var minutes: [MinuteUse]
        /// All reads, in the order of the slices.
        var reads: [(feed: FeedIndex, reads: [Read])]
        var register: CameraRegister
    }

    /// Replays some simulated minutes of the busiest hour.
    static func simulated(
        seed: UInt64,
        readsPerDay: Int = 300_000,
        minutes: Int64 = 12,
        _ change: (inout LinkReplay.Settings) -> Void = { _ in }
    ) throws -> Outcome {
        var settings = LinkReplay.Settings(bitsPerSecond: 64_000)
        change(&settings)
        let profile = SimulationProfile.all[1]
        var traffic = SimulatedDay(
            profile,
            readsPerDay: readsPerDay,
            seed: seed,
            from: SimulatedDay.busiest,
            duration: minutes * 60_000
        )
        let register = CameraRegister(traffic.cameras)
        var replay = try LinkReplay(settings, register: register, feeds: traffic.feedCount)
        var slice = TrafficSlice(feeds: traffic.feedCount)
        var reads: [(feed: FeedIndex, reads: [Read])] = []
        while let end = traffic.next(into: &slice.reads) {
            slice.end = end
            for feed in slice.reads.indices {
                slice.received[feed] = slice.reads[feed].count
                if !slice.reads[feed].isEmpty { reads.append((FeedIndex(feed), slice.reads[feed])) }
            }
            try replay.take(slice)
        }
        let report = try replay.finish()
        return Outcome(report: report, minutes: replay.minutes, reads: reads, register: register)
    }

    /// Replays reads that one feed brings, each with when it arrives, in milliseconds.
    static func small(
        _ reads: [(at: Int64, read: Read)],
        _ register: CameraRegister,
        _ settings: LinkReplay.Settings = LinkReplay.Settings(bitsPerSecond: 64_000)
    ) throws -> BandwidthReport {
        var replay = try LinkReplay(settings, register: register, feeds: 1)
        for (at, read) in reads {
            var slice = TrafficSlice(feeds: 1)
            slice.end = Timestamp(milliseconds: at)
            slice.reads[0] = [read]
            slice.received[0] = 1
            try replay.take(slice)
        }
        return try replay.finish()
    }
}
