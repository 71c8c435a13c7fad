import ANPRModel
import SightingFrames
import Simulation
import TestSupport
import Testing

/// Frames that build on each other give back exactly what went in, at both of the ends that they can be given to.
@Suite("Frames of a link")
struct LinkFrameTests {
    private static let register = SmallRegister.make(sites: 3, forces: ["45", "43"], camerasEach: 3)

    @Test(
        "whatever sightings are, in frames of any sizes they come out the same, and as the same blocks",
        arguments: 1...10
    )
    func roundTrip(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let batch = OddSightings.batch(&random, Self.register, count: 3000)
        #expect(batch.variants.count > 100)
        var encoder = LinkFrameEncoder(register: Self.register)
        var (toSightings, toBlocks) = (LinkFrameDecoder(), LinkFrameDecoder())
        let alone = FrameEncoder(register: Self.register)
        let decoder = FrameDecoder(register: Self.register)
        var found = SightingBatch()
        var start = 0
        while start < batch.count {
            let size = random.one(of: [1, 2, 10, random.within(1...99), random.within(100...1500)])
            let range = start..<min(start + size, batch.count)
            let frame = encoder.encode(batch, range)
            try toSightings.decode(frame, by: decoder, into: &found)
            let block = try toBlocks.block(frame, sequence: UInt64(start))
            try #require(
                block == alone.encode(batch, range, sequence: UInt64(start)),
                "seed \(seed), \(range)"
            )
            start = range.upperBound
        }
        #expect(difference(found.sightings, batch.sightings) == nil, "seed \(seed)")
        #expect(difference(found.contributions, batch.contributions) == nil, "seed \(seed)")
        #expect(difference(found.variants, batch.variants) == nil, "seed \(seed)")
    }

    @Test("an end may take blocks of some frames and sightings of others")
    func mixed() throws {
        var random = SeededRandom(seed: 5)
        let batch = OddSightings.batch(&random, Self.register, count: 2000)
        var encoder = LinkFrameEncoder(register: Self.register)
        var link = LinkFrameDecoder()
        let decoder = FrameDecoder(register: Self.register)
        var found = SightingBatch()
        for start in stride(from: 0, to: batch.count, by: 50) {
            let frame = encoder.encode(batch, start..<start + 50)
            if random.chance(perMille: 500) {
                try decoder.decode(try link.block(frame, sequence: UInt64(start)), into: &found)
            } else {
                try link.decode(frame, by: decoder, into: &found)
            }
        }
        #expect(found.sightings == batch.sightings && found.contributions == batch.contributions)
    }

    @Test("what is sent between frames is covered by the checksum of the next")
    func covered() throws {
        var random = SeededRandom(seed: 8)
        let batch = OddSightings.batch(&random, Self.register, count: 60)
        let decoder = FrameDecoder(register: Self.register)
        var encoder = LinkFrameEncoder(register: Self.register)
        var link = LinkFrameDecoder()
        var found = SightingBatch()
        for start in stride(from: 0, to: batch.count, by: 20) {
            let between = (0..<9).map { _ in UInt8(random.below(256)) }
            let checksum = encoder.cover(between)
            let frame = encoder.encode(batch, start..<start + 20)
            var injured = link
            injured.cover(between.dropLast() + [between[8] ^ 1])
            #expect(throws: LinkFrameDecoder.Fault.self) {
                try injured.decode(frame, by: decoder, into: &found)
            }
            #expect(link.cover(between) == checksum)
            try link.decode(frame, by: decoder, into: &found)
        }
        #expect(found.sightings == batch.sightings)
    }

    @Test("a connection goes on when cameras are added to the register")
    func grownRegister() throws {
        var random = SeededRandom(seed: 6)
        var encoder = LinkFrameEncoder(register: Self.register)
        var (toSightings, toBlocks) = (LinkFrameDecoder(), LinkFrameDecoder())
        var register = Self.register
        for round in 0..<6 {
            let batch = OddSightings.batch(&random, register, count: 200)
            let frame = encoder.encode(batch, 0..<batch.count)
            var found = SightingBatch()
            try toSightings.decode(frame, by: FrameDecoder(register: register), into: &found)
            #expect(difference(found.sightings, batch.sightings) == nil, "round \(round)")
            let block = try toBlocks.block(frame, sequence: 9)
            #expect(block == FrameEncoder(register: register).encode(batch, 0..<batch.count, sequence: 9))
            register.register([
                Camera(
                    force: "43",
                    name: "NEW-\(round)",
                    site: "SITE-\(round % 4)",
                    direction: .away,
                    lane: 2
                )
            ])
            encoder.use(register)
        }
    }

    /// The marks of a long run: all different but for some that stand again after so many others.
    private static func mark(_ number: Int) -> VRM {
        let offsets = [1, 2, 15, 16, 17, 1000, 131_072, 1_048_575, 1_048_576, 1_048_577, 1_100_000]
        var number = number
        for (place, offset) in offsets.enumerated() where number == 1_100_000 + place * 3 { number -= offset }
        return VRM(String(10_000_000 + number)) ?? VRM(trusted: 0)
    }

    @Test("marks come back from any distance, and from beyond what is remembered")
    func longMemory() throws {
        var encoder = LinkFrameEncoder(register: Self.register)
        var link = LinkFrameDecoder()
        let decoder = FrameDecoder(register: Self.register)
        var (batch, found) = (SightingBatch(), SightingBatch())
        var number = 0
        while number < 1_200_000 {
            batch.removeAll()
            for _ in 0..<60_000 {
                let read = Read(
                    vrm: Self.mark(number),
                    captured: Timestamp(milliseconds: Int64(number)),
                    camera: 0
                )
                batch.append(Sighting(opening: read))
                batch.append(Contribution(camera: 0, reads: 1, first: read.captured, confidence: -1))
                number += 1
            }
            found.removeAll()
            let frame = encoder.encode(batch, 0..<batch.count)
            try link.decode(frame, by: decoder, into: &found)
            try #require(found.sightings == batch.sightings && found.contributions == batch.contributions)
        }
    }

    @Test("a mark that went over before is told in two bytes or so, in frames of ten as of thousands")
    func size() {
        var random = SeededRandom(seed: 3)
        let marks = (0..<500).map { _ in VRM(RandomReads.mark(&random)) ?? VRM(trusted: 0) }
        for size in [10, 1000] {
            var encoder = LinkFrameEncoder(register: Self.register)
            var (first, later) = (0, 0)
            for round in 0..<8 {
                var batch = SightingBatch()
                for (row, mark) in marks.enumerated() {
                    let time = Timestamp(milliseconds: Int64(round * 500 + row))
                    batch.append(Sighting(opening: Read(vrm: mark, captured: time, camera: 0)))
                    batch.append(Contribution(camera: 0, reads: 1, first: time, confidence: -1))
                }
                var start = 0
                while start < batch.count {
                    let end = min(start + size, batch.count)
                    let frame = encoder.encode(batch, start..<end)
                    if round == 0 { first += frame.count } else { later += frame.count }
                    start = end
                }
            }
            // What frames cost by themselves is no more than 20 bytes each.
            let own = 20 * max(1, marks.count / size)
            #expect(later / 7 <= 2 * marks.count + own, "\(later / 7) bytes in frames of \(size)")
            #expect(first > later / 7)
        }
    }
}
