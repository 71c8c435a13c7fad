import ANPRModel
import Deduplication
import Simulation
import Testing

@Suite("Open sightings")
struct OpenSightingsTests {
    private static let rule = DeduplicationRules.Window(window: 1_000_000)

    private static func empty() -> OpenSightings {
        OpenSightings(order: [0, 1], windows: [rule, rule, rule])
    }

    /// Of 46,656 marks one, and a read of it.
    private static func read(_ number: Int, at time: Int64, by camera: CameraIndex = 0) -> Read {
        let tail = String(46_656 + number, radix: 36).suffix(3).uppercased()
        let mark = VRM("AB27" + String(repeating: "0", count: 3 - tail.count) + tail) ?? VRM(trusted: 0)
        return Read(vrm: mark, captured: Timestamp(milliseconds: time), camera: camera)
    }

    @Test("A hundred thousand live keys are all found again, and leave in the order they came")
    func growth() {
        var open = Self.empty()
        let keys = (0..<100_000).map { (number: $0 % 46_656, site: SiteIndex($0 / 46_656)) }
        var refused = 0
        for (time, key) in keys.enumerated()
        where !open.walk(Self.read(key.number, at: Int64(time)), site: key.site) {
            refused += 1
        }
        #expect(refused == 0)
        #expect(open.count == keys.count)
        var copies = 0
        for (time, key) in keys.enumerated() {
            let read = Self.read(key.number, at: Int64(200_000 + time), by: 1)
            if !open.walk(read, site: key.site) { refused += 1 }
            if !open.walk(read, site: key.site) { copies += 1 }
        }
        #expect(refused == 0)
        #expect(copies == keys.count)
        #expect(open.count == keys.count)
        var nodes: [Int64] = []
        for (time, key) in keys.enumerated() {
            let record = open.takeOldest()
            #expect(record?.sighting.first.milliseconds == Int64(time))
            #expect(record?.sighting.vrm == Self.read(key.number, at: 0).vrm)
            #expect(record?.site == key.site)
            if let record { open.forEachNode(of: record) { nodes.append($0.captured.milliseconds) } }
        }
        #expect(nodes == keys.indices.flatMap { [Int64(200_000 + $0), Int64($0)] })
        #expect(open.count == 0)
        let none = open.takeOldest()
        #expect(none?.site == nil)
    }

    @Test(
        "Keys that come and go for long do not make the table forget the living",
        arguments: [1, 2, 3] as [UInt64]
    )
    func churn(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var open = Self.empty()
        // The obvious model: the reads of each open sighting, by key, in order of opening.
        var model: [(key: Int, reads: [Int64])] = []
        var place: [Int: Int] = [:]
        var gone = 0
        for time in 0..<60_000 as Range<Int64> {
            let key = random.below(3000)
            let isNew = open.walk(Self.read(key, at: time), site: 0)
            #expect(isNew, "seed \(seed)")
            if let known = place[key] {
                model[known].reads.append(time)
            } else {
                place[key] = model.count
                model.append((key, [time]))
            }
            while model.count - gone > 1200 || (random.chance(perMille: 300) && gone < model.count) {
                let oldest = model[gone]
                gone += 1
                place[oldest.key] = nil
                var reads: [Int64] = []
                if let record = open.takeOldest() {
                    open.forEachNode(of: record) { reads.append($0.captured.milliseconds) }
                    #expect(record.sighting.vrm == Self.read(oldest.key, at: 0).vrm, "seed \(seed)")
                }
                #expect(reads.reversed() == oldest.reads, "seed \(seed)")
            }
            #expect(open.count == model.count - gone, "seed \(seed)")
        }
    }

    @Test("The open sightings of a key come newest first")
    func references() throws {
        var open = OpenSightings(order: [0], windows: [DeduplicationRules.Window(window: 10)])
        for time in [0, 5, 20, 40] as [Int64] {
            let isNew = open.walk(Self.read(7, at: time), site: 0)
            #expect(isNew)
        }
        let mark = Self.read(7, at: 0).vrm
        let first = open.references(mark, 0).compactMap { open.sighting($0)?.first.milliseconds }
        #expect(first == [40, 20, 0])
        let oldest = open.takeOldest()
        #expect(oldest?.sighting.first.milliseconds == 0)
        #expect(open.references(mark, 0).compactMap { open.sighting($0)?.first.milliseconds } == [40, 20])
        #expect(open.references(mark, 1).isEmpty)
        #expect(open.references(Self.read(8, at: 0).vrm, 0).isEmpty)
    }
}
