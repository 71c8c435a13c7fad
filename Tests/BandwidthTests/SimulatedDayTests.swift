import ANPRModel
import Simulation
import Testing

/// A day's traffic has its shape, and is the same for the same seed.
struct SimulatedDayTests {
    private static func steps(_ day: SimulatedDay) -> [(end: Timestamp, feeds: [[Read]])] {
        var day = day
        var feeds: [[Read]] = []
        var steps: [(end: Timestamp, feeds: [[Read]])] = []
        while let end = day.next(into: &feeds) { steps.append((end, feeds)) }
        return steps
    }

    @Test("the same seed gives the same reads, another one others")
    func seeds() {
        func reads(_ seed: UInt64) -> [Read] {
            let day = SimulatedDay(
                SimulationProfile.all[1],
                readsPerDay: 100_000,
                seed: seed,
                from: 43_200_000,
                duration: 600_000
            )
            return Self.steps(day).flatMap { $0.feeds.flatMap(\.self) }
        }
        #expect(reads(1) == reads(1))
        #expect(reads(1) != reads(2))
    }

    @Test(
        "about as many reads as asked for, in the shape of a day, in order of arrival",
        arguments: [1, 2] as [UInt64]
    )
    func shape(seed: UInt64) {
        let profile = SimulationProfile.all[0]
        let steps = Self.steps(SimulatedDay(profile, readsPerDay: 200_000, seed: seed))
        #expect(steps.count == 864_000)
        var hours = [Int](repeating: 0, count: 24)
        var last = SimulatedDay.midnight
        var isEven = true
        var isOnTime = true
        for (end, feeds) in steps {
            isEven = isEven && end.milliseconds - last.milliseconds == SimulatedDay.step
            last = end
            let hour = Int((end.milliseconds - 1 - SimulatedDay.midnight.milliseconds) / 3_600_000)
            for read in feeds.joined() {
                hours[hour] += 1
                // No camera's clock is off by more than half a second.
                isOnTime = isOnTime && read.captured.milliseconds < end.milliseconds + 1000
            }
        }
        #expect(isEven && isOnTime)
        let all = hours.reduce(0, +)
        #expect((180_000...220_000).contains(all))
        #expect(hours.firstIndex(of: hours.max() ?? 0) == 17)
        #expect((2.5...3.2).contains(Double(hours[17] * 24) / Double(all)))
        #expect(Double(hours[2] * 24) / Double(all) < 0.2)
    }

    @Test("shares of a day")
    func shares() {
        #expect(abs(SimulatedDay.share(from: 0, duration: 86_400_000) - 1) < 1e-9)
        #expect(abs(SimulatedDay.share(from: 61_200_000, duration: 3_600_000) - 0.125) < 1e-9)
        #expect(SimulatedDay.hours.reduce(0, +) == 24_000)
    }
}
