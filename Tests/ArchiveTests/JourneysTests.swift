import ANPRModel
import Archive
import Foundation
import Simulation
import TestSupport
import Testing

/// Journeys: what follows from the sightings of one mark.
struct JourneysTests {
    /// Cameras on a line to the north, a tenth of a degree apart: 11.1 km; the last has no position.
    private static let register = CameraRegister(
        (0..<10).map { (place: Int32) in
            Camera(
                force: "43",
                name: "c\(place)",
                site: "S\(place)",
                latitude: 500_000_000 + place * 1_000_000,
                longitude: -10_000_000
            )
        } + [Camera(force: "43", name: "nowhere", site: "S10")]
    )
    private static let step = 6_371_000 * Double.pi / 1800

    /// Sightings at sites and times in seconds, as a search gives them: the newest first.
    private static func found(_ stops: [(site: Int, second: Double)], other: Set<Int> = [])
        -> ResolvedSightings
    {
        var found = ResolvedSightings()
        found.register = register
        for (place, stop) in stops.enumerated().reversed() {
            let time = Timestamp(milliseconds: Int64(stop.second * 1000))
            if other.contains(place) { found.approximate.insert(found.batch.count) }
            found.batch.append(
                Sighting(
                    vrm: VRM("AB27CDE") ?? VRM(trusted: 0),
                    first: time,
                    last: time,
                    captured: time,
                    opened: time,
                    camera: CameraIndex(stop.site),
                    reads: 1
                )
            )
            found.batch.append(
                Contribution(camera: CameraIndex(stop.site), reads: 1, first: time, confidence: 90)
            )
        }
        return found
    }

    @Test("legs have their distances and speeds; a stop ends a journey; other marks are left out")
    func legs() throws {
        let stops: [(Int, Double)] = [(0, 0), (1, 600), (1, 700), (3, 1500), (3, 9000), (2, 9500)]
        let journeys = Journeys(of: Self.found(stops + [(9, 9600)], other: [6]))
        #expect(journeys.journeys.map(\.rows.count) == [4, 2] && journeys.tooFast.isEmpty)
        let metres = journeys.journeys[0].legs.map { $0.metres ?? -1 }
        for (found, expected) in zip(metres, [Self.step, 0, 2 * Self.step]) {
            #expect(abs(found - expected) < 1)
        }
        #expect(abs((journeys.journeys[0].legs[0].speed ?? 0) - Self.step / 600 * 3.6) < 0.01)
        #expect(journeys.pauses.map(\.took) == [7_500_000])
        #expect(abs(journeys.journeys[0].metres - 3 * Self.step) < 2)
    }

    @Test(
        "too fast is what took less than 85 % of the best time, with room for clocks; unknown places never are"
    )
    func tooFast() {
        // 22.2 km at 130 km/h: 616 s; less 15 %, 524 s; less 5 s for the clocks, 519 s.
        let best = 2 * Self.step / 130 * 3.6
        for (seconds, isTooFast) in [(best * 0.85 - 5.1, true), (best * 0.85 - 4.9, false), (0.5, true)] {
            let journeys = Journeys(of: Self.found([(4, 100), (6, 100 + seconds)]))
            #expect(journeys.tooFast.count == (isTooFast ? 1 : 0), "\(seconds)")
        }
        #expect(Journeys(of: Self.found([(4, 100), (10, 101), (4, 102)])).tooFast.isEmpty)
        var rules = Journeys.Rules()
        rules.bestSpeed = 260
        #expect(Journeys(of: Self.found([(4, 100), (6, 400)])).tooFast.count == 1)
        #expect(Journeys(of: Self.found([(4, 100), (6, 400)]), rules).tooFast.isEmpty)
    }

    @Test(
        "every sighting is in one journey, in order; a second vehicle of the same mark is found",
        arguments: [1, 2, 3] as [UInt64]
    )
    func clones(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        // One drives among the first three sites, slowly; another is seen at the ninth in between.
        var stops: [(site: Int, second: Double)] = []
        var second = 0.0
        for _ in 0..<200 {
            second += Double(random.within(900...4000))
            stops.append((random.below(3), second))
        }
        let twins = Set((0..<5).map { _ in random.within(1...198) })
        let all = stops.enumerated().flatMap { place, stop in
            twins.contains(place) ? [stop, (site: 9, second: stop.second + 60)] : [stop]
        }
        let found = Self.found(all)
        let journeys = Journeys(of: found)
        let rows = journeys.journeys.flatMap(\.rows)
        #expect(rows == (0..<all.count).reversed() && journeys.pauses.count == journeys.journeys.count - 1)
        let arrivals = journeys.tooFast.map { found.batch.sightings[$0.to].captured }
        #expect(arrivals == arrivals.sorted())
        // There, and back again where the next sighting comes too soon.
        let there = journeys.tooFast.filter { found.batch.sightings[$0.to].camera == 9 }
        #expect(there.count == twins.count)
        let others = journeys.tooFast.filter { found.batch.sightings[$0.to].camera != 9 }
        #expect(others.allSatisfy { found.batch.sightings[$0.from].camera == 9 })
    }
}
