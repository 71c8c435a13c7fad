import ANPRModel
import Archive
import Foundation
import Simulation
import TestSupport
import Testing

/// Who travels with whom, and who was at several places.
struct ConvoyTests {
    private static let register = CameraRegister(
        (0..<8).map { Camera(force: "43", name: "c\($0)", site: "S\($0)") }
    )

    /// A sighting, its time in seconds.
    private struct Seen {
        var vrm: VRM
        var site: Int
        var second: Double
    }

    /// Sightings that can be searched.
    private struct World {
        var seen: [Seen] = []

        mutating func add(_ vrm: VRM, _ site: Int, _ second: Double) {
            seen.append(Seen(vrm: vrm, site: site, second: second))
        }

        func search(_ query: SightingQuery) -> ResolvedSightings {
            var found = ResolvedSightings()
            found.register = ConvoyTests.register
            for one in seen.sorted(by: { $0.second > $1.second }) {
                let time = Timestamp(milliseconds: Int64(one.second * 1000))
                guard query.mark?.matches(one.vrm) ?? true,
                    query.sites.isEmpty || query.sites.contains("S\(one.site)"),
                    query.around?.contains("S\(one.site)", time, time) ?? true,
                    time >= query.from ?? .distantPast, time <= query.to ?? .distantFuture
                else { continue }
                found.batch.append(
                    Sighting(
                        vrm: one.vrm,
                        first: time,
                        last: time,
                        captured: time,
                        opened: time,
                        camera: CameraIndex(one.site),
                        reads: 1
                    )
                )
                found.batch.append(
                    Contribution(camera: CameraIndex(one.site), reads: 1, first: time, confidence: 90)
                )
            }
            return found
        }

        func convoy(_ vrm: VRM, _ rules: Convoy.Rules = Convoy.Rules()) -> Convoy {
            var query = SightingQuery()
            query.mark = MarkPattern(vrm.text)
            return Convoy(with: search(query), rules) { search($0) }
        }
    }

    private static func vrm(_ number: Int) -> VRM {
        let letters = Array("ABCDEFGHJK")
        let tail = [number / 100 % 10, number / 10 % 10, number % 10].map { String(letters[$0]) }.joined()
        return VRM("AB\(27 + number / 1000)\(tail)") ?? VRM(trusted: 0)
    }

    private static let day = 86_400.0
    private static let (car, follower, bus) = (vrm(0), vrm(1), vrm(2))

    @Test(
        "who follows on several journeys stands before a bus that is always there and a platoon that was there once"
    )
    func ranks() throws {
        var world = World()
        for journey in 0..<6 {
            let start = Double(10 + 3 * journey) * Self.day + 30_000 + Double(journey) * 400
            for site in 0..<5 {
                let time = start + Double(site) * 300
                world.add(Self.car, site, time)
                if journey < 4 { world.add(Self.follower, site, time + 20) }
                if journey == 0 {
                    for other in 0..<20 { world.add(Self.vrm(100 + other), site, time + 2 * Double(other)) }
                }
            }
        }
        for day in 0..<30 {
            for minute in stride(from: 0.0, to: 1440, by: 2) {
                world.add(Self.bus, 0, Double(day) * Self.day + minute * 60)
            }
        }
        let convoy = world.convoy(Self.car)
        #expect(convoy.passages == 30 && convoy.journeys == 6 && convoy.neighbours == 22)
        #expect(convoy.neighboursByJourneys == [20, 0, 0, 1, 0, 1])
        #expect(convoy.companions.map(\.vrm) == [Self.follower, Self.bus])
        let (follower, bus) = (convoy.companions[0], convoy.companions[1])
        #expect(follower.passages == 20 && follower.journeys == 4 && follower.own == 20)
        #expect(follower.expected < 0.1 && follower.surprise > 5)
        // Every two minutes, of which two around each passage count.
        #expect(bus.journeys == 6 && bus.expected > 3 && bus.surprise < 1)
        #expect(follower.first == Timestamp(milliseconds: Int64((10 * Self.day + 30_000) * 1000)))

        #expect(!follower.looksAlike && !bus.looksAlike)
        let misread = try #require(VRM("A827AAA"))
        for site in 0..<5 {
            world.add(misread, site, 10 * Self.day + 30_000 + Double(site) * 300)
            world.add(misread, site, 13 * Self.day + 30_400 + Double(site) * 300)
        }
        let alike = try #require(world.convoy(Self.car).companions.first { $0.vrm == misread })
        #expect(alike.looksAlike && alike.journeys == 2)
        world.seen.removeLast(10)

        var rules = Convoy.Rules()
        rules.journeysMin = 1
        #expect(world.convoy(Self.car, rules).companions.count == 22)
        rules.passagesMin = 6
        #expect(world.convoy(Self.car, rules).companions.map(\.vrm) == [Self.follower, Self.bus])
        rules.window = 19_999
        #expect(!world.convoy(Self.car, rules).companions.map(\.vrm).contains(Self.follower))
    }

    @Test("of very many those with the most passages are looked at, and the others counted")
    func tooMany() {
        var world = World()
        for journey in 0..<2 {
            for site in 0..<4 {
                let time = Double(10 + journey) * Self.day + Double(site) * 300
                world.add(Self.car, site, time)
                for other in 0..<250 where site < 3 || other % 2 == 0 {
                    world.add(Self.vrm(100 + other), site, time + 10)
                }
            }
        }
        let convoy = world.convoy(Self.car)
        #expect(convoy.neighbours == 250)
        #expect(convoy.companions.count == Convoy.candidatesMax && convoy.leftOut == 50)
        #expect(convoy.companions.count { $0.passages == 8 } == 125)
    }

    @Test(
        "what is together is what a comparison of all with all finds",
        arguments: 1...20 as ClosedRange<UInt64>
    )
    func allWithAll(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var world = World()
        for _ in 0..<600 {
            let second = Double(random.within(0...3)) * Self.day + Double(random.within(0...7200))
            world.add(Self.vrm(random.within(0...25)), random.within(0...3), second)
        }
        var rules = Convoy.Rules()
        rules.window = Int64(random.within(1...120)) * 1000
        let convoy = world.convoy(Self.car, rules)
        let own = world.seen.filter { $0.vrm == Self.car }.sorted { $0.second < $1.second }
        var journey = 0
        var journeys: [Int] = []
        for (place, passage) in own.enumerated() {
            if place > 0, passage.second - own[place - 1].second > 1800 { journey += 1 }
            journeys.append(journey)
        }
        var expected: [VRM: (Int, Int)] = [:]
        for other in Set(world.seen.map(\.vrm)) where other != Self.car {
            let pairs = own.indices.flatMap { place in
                world.seen.indices.filter {
                    world.seen[$0].vrm == other && world.seen[$0].site == own[place].site
                        && abs(world.seen[$0].second - own[place].second) * 1000 <= Double(rules.window)
                }.map { (place, $0) }
            }
            let passages = min(Set(pairs.map(\.0)).count, Set(pairs.map(\.1)).count)
            let count = Set(pairs.map { journeys[$0.0] }).count
            if passages >= 3, count >= 2 { expected[other] = (passages, count) }
        }
        #expect(convoy.journeys == (journeys.last ?? -1) + 1)
        #expect(Set(convoy.companions.map(\.vrm)) == Set(expected.keys))
        for one in convoy.companions {
            #expect(expected[one.vrm]?.0 == one.passages && expected[one.vrm]?.1 == one.journeys)
            #expect(abs(one.surprise - Self.surprise(one.journeys, one.expected)) < 1e-6, "\(one)")
        }
        let order = convoy.companions.map(\.surprise)
        #expect(order == order.sorted(by: >))
    }

    /// By the other tail, added up.
    private static func surprise(_ count: Int, _ mean: Double) -> Double {
        var below = 0.0
        var term = exp(-mean)
        for number in 0..<count {
            below += term
            term *= mean / Double(number + 1)
        }
        // Too near 1 to be told from it: then the first term left decides.
        guard below < 1 - 1e-6 else {
            var (sum, next) = (0.0, term)
            for number in count..<count + 60 {
                sum += next
                next *= mean / Double(number + 1)
            }
            return -log10(sum)
        }
        return -log10(1 - below)
    }

    @Test("common to places is who was at as many as asked for", arguments: 1...10 as ClosedRange<UInt64>)
    func common(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var world = World()
        for _ in 0..<300 {
            world.add(Self.vrm(random.within(0...40)), random.within(0...7), Double(random.within(0...3600)))
        }
        let places = (0..<3).map { site in
            var query = SightingQuery()
            query.sites = ["S\(site)"]
            query.from = Timestamp(milliseconds: Int64(random.within(0...1000)) * 1000)
            query.to = Timestamp(milliseconds: Int64(random.within(1500...3600)) * 1000)
            return query
        }
        for least in 2...3 {
            let common = CommonVehicles(at: places, placesMin: least) { world.search($0) }
            var expected: [VRM: Set<Int>] = [:]
            for (number, place) in places.enumerated() {
                for one in world.search(place).batch.sightings {
                    expected[one.vrm, default: []].insert(number)
                }
            }
            expected = expected.filter { $0.value.count >= least }
            #expect(
                common.vehicles.map(\.vrm)
                    == expected.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }.map(\.key)
            )
            for one in common.vehicles { #expect(expected[one.vrm] == one.places) }
        }
    }
}
