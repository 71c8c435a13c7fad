import ANPRModel
import Interest
import Simulation
import Testing

/// Each sighting is reported once, whatever order its reads come in.
@Suite
struct AlertBookTests {
    private static func key(_ site: String) throws -> AlertBook.Key {
        let vrm = try #require(VRM("AB27CDE"))
        return AlertBook.Key(list: "l", entry: vrm, source: "", vrm: vrm, site: site)
    }

    private static func time(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: milliseconds) }

    @Test(
        "exactly once a sighting, by a read or by its closing, for any order of arrival",
        arguments: 1...60 as ClosedRange<UInt64>
    )
    func once(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let window: Int64 = 10_000
        let times = (0..<random.within(1...40)).map { _ in Int64(random.below(120_000)) }.sorted()
        // Sightings as the rule makes them: anchored at their first read.
        var sightings: [[Int64]] = []
        for time in times {
            if let first = sightings.last?.first, time - first <= window {
                sightings[sightings.count - 1].append(time)
            } else {
                sightings.append([time])
            }
        }
        var book = AlertBook()
        var reports = [Int](repeating: 0, count: sightings.count)
        let key = try Self.key("S1")
        // Some twice, as feeds send again.
        for time in (times + times.prefix(5)).shuffled(using: &random) {
            guard book.raise(key, read: Self.time(time), window: window) else { continue }
            let place = try #require(sightings.firstIndex { $0[0] <= time && time <= $0[$0.count - 1] })
            reports[place] += 1
        }
        #expect(reports.contains(1))
        for (place, sighting) in sightings.enumerated() {
            let span = Self.time(sighting[0])...Self.time(sighting[sighting.count - 1])
            if book.raise(key, sighting: span) { reports[place] += 1 }
            let isRaisedAgain = book.raise(key, sighting: span)
            #expect(!isRaisedAgain, "given out again, amended")
        }
        #expect(reports.allSatisfy { $0 == 1 })
    }

    @Test("entries, marks and sites don't silence one another; what is forgotten is raised again")
    func keys() throws {
        var book = AlertBook()
        let one = try Self.key("S1")
        let other = try Self.key("S2")
        let raised = [
            book.raise(one, read: Self.time(0), window: 10),
            book.raise(other, read: Self.time(0), window: 10),
            book.raise(other, read: Self.time(10), window: 10),
        ]
        #expect(raised == [true, true, false])
        #expect(book.count == 2)
        book.forget(before: Self.time(5))
        #expect(book.count == 0)
        let isRaisedAgain = book.raise(other, read: Self.time(10), window: 10)
        #expect(isRaisedAgain)
    }
}
