import ANPRModel
import Deduplication
import Simulation
import SightingFrames
import TestSupport
import Testing

/// Frames give back exactly what went in, and believe nothing that is not right.
struct FrameTests {
    private static func sightings(seed: UInt64, count: Int) throws -> (SightingBatch, CameraRegister) {
        let simulated = SimulatedFeeds(SimulationProfile.all[2], reads: count, seed: seed, garbagePerMille: 0)
        let register = CameraRegister(simulated.cameras)
        let decoded = DecodedFeeds(simulated, register)
        var run = EngineRun(register, DeduplicationRules(lateness: 5000), feeds: decoded.reads.count)
        var random = SeededRandom(seed: seed)
        run.work(off: decoded.reads, batchMax: 100, &random)
        return (run.output, register)
    }

    @Test("frames give back what went in, in both orders and all sizes", arguments: [1, 2, 3] as [UInt64])
    func roundTrip(seed: UInt64) throws {
        let (batch, register) = try Self.sightings(seed: seed, count: 4000)
        for order in [FrameEncoder.Order.time, .mark] {
            let encoder = FrameEncoder(register: register, order: order)
            for size in [1, 7, 100, 1000, batch.count] {
                var decoded = SightingBatch()
                var start = 0
                while start < batch.count {
                    let end = min(start + size, batch.count)
                    var bytes: [UInt8] = []
                    encoder.encode(batch, start..<end, sequence: UInt64(start)).write(to: &bytes)
                    var position = 0
                    let block = try Block.read(bytes, at: &position)
                    #expect(position == bytes.count)
                    #expect(block.sequence == UInt64(start))
                    try FrameDecoder(register: register).decode(block, into: &decoded)
                    start = end
                }
                let expected = PlainSighting.list(batch, in: register)
                #expect(
                    difference(PlainSighting.list(decoded, in: register), expected) == nil,
                    "seed \(seed), size \(size)"
                )
            }
        }
    }

    @Test("amendments, late sightings and marks of every shape survive")
    func unusual() throws {
        let register = CameraRegister([Camera(force: "43", name: "a", site: "S", direction: .north, lane: 3)])
        var batch = SightingBatch()
        for (index, mark) in ["A", "AB27CDE", "Q999ZZZ", "ZZ99ZZZ", "123456789012", "AA00AAA", "I1"]
            .enumerated()
        {
            var read = Read(
                vrm: try #require(VRM(mark)),
                captured: Timestamp(milliseconds: Int64(index) * -5000),
                camera: 0
            )
            read.speed = UInt16(index)
            read.lane = Int8(index) - 1
            read.direction = UInt8(index)
            var sighting = Sighting(opening: read)
            sighting.opened = Timestamp(milliseconds: 77)
            sighting.revision = UInt16(index * 9000)
            sighting.isLate = index.isMultiple(of: 2)
            batch.append(sighting)
            batch.append(
                Contribution(camera: 0, reads: 5, first: Timestamp(milliseconds: 12), confidence: 100)
            )
        }
        let encoder = FrameEncoder(register: register)
        var decoded = SightingBatch()
        try FrameDecoder(register: register).decode(
            encoder.encode(batch, 0..<batch.count, sequence: 0),
            into: &decoded
        )
        #expect(decoded.contributions == batch.contributions)
        #expect(PlainSighting.list(decoded, in: register) == PlainSighting.list(batch, in: register))
    }

    @Test("a flipped bit anywhere in a block is refused")
    func flippedBits() throws {
        let (batch, register) = try Self.sightings(seed: 9, count: 300)
        var bytes: [UInt8] = []
        FrameEncoder(register: register).encode(batch, 0..<min(50, batch.count), sequence: 3).write(
            to: &bytes
        )
        for place in bytes.indices {
            for bit in [0, 3, 7] {
                var injured = bytes
                injured[place] ^= 1 << UInt8(bit)
                var position = 0
                #expect(throws: (any Error).self, "byte \(place), bit \(bit)") {
                    try Block.read(injured, at: &position)
                }
            }
        }
        for length in bytes.indices {
            var position = 0
            #expect(throws: Block.Fault.self) { try Block.read(Array(bytes[..<length]), at: &position) }
        }
    }

    @Test(
        "a frame whose checksum is right and whose content is not is refused, never believed",
        arguments: 1...40
    )
    func hostile(seed: Int) throws {
        let (batch, register) = try Self.sightings(seed: 9, count: 300)
        let decoder = FrameDecoder(register: register)
        let good = FrameEncoder(register: register).encode(batch, 0..<min(80, batch.count), sequence: 0)
        var random = SeededRandom(seed: UInt64(seed))
        var refused = 0
        for _ in 0..<50 {
            var bad = good
            switch random.below(4) {
            case 0: bad.count = UInt32(random.below(100_000))
            case 1: bad.unpackedLength = UInt32(random.below(1 << 20))
            case 2: bad.payload[random.below(bad.payload.count)] ^= UInt8(1 + random.below(255))
            default: bad.payload.removeLast(1 + random.below(bad.payload.count - 1))
            }
            guard bad != good else { continue }
            var decoded = SightingBatch()
            // Either it is refused, or what was changed made no difference to what can be believed.
            do throws(FrameFault) {
                try decoder.decode(bad, into: &decoded)
                #expect(decoded.count == Int(bad.count))
                #expect(decoded.sightings.allSatisfy { Int($0.camera) < register.count })
            } catch { refused += 1 }
        }
        #expect(refused > 25)
    }

    @Test("a frame of cameras that the stream has not named is refused")
    func unknownCameras() throws {
        let (batch, register) = try Self.sightings(seed: 4, count: 300)
        let block = FrameEncoder(register: register).encode(batch, 0..<20, sequence: 0)
        var decoded = SightingBatch()
        #expect(throws: FrameFault.unknownCamera) {
            try FrameDecoder(register: CameraRegister(Array(register.cameras.prefix(1)))).decode(
                block,
                into: &decoded
            )
        }
    }

    @Test("a register block gives back its cameras")
    func register() throws {
        let (_, register) = try Self.sightings(seed: 4, count: 300)
        let block = try RegisterBlock.encode(register, from: 5)
        #expect(try RegisterBlock.decode(block) == Array(register.cameras[5...]))
        #expect(block.sequence == 5)
    }

    @Test("ten thousand sightings take no more than eleven bytes each")
    func size() throws {
        let (batch, register) = try Self.sightings(seed: 21, count: 40_000)
        let range = 0..<min(10_000, batch.count)
        let block = FrameEncoder(register: register).encode(batch, range, sequence: 0)
        #expect(block.length < range.count * 11, "\(block.length) bytes for \(range.count)")
    }

    /// Sightings with other marks: beside them in the frame, far from them, unknown, merged.
    private static func misread(seed: UInt64) throws -> (SightingBatch, CameraRegister) {
        let (plain, register) = try sightings(seed: seed, count: 2000)
        var random = SeededRandom(seed: seed)
        var others = [[SightingVariant]](repeating: [], count: plain.count)
        for row in 0..<plain.count where random.chance(perMille: 100) {
            let partner =
                random.chance(perMille: 600) ? row + 1 + random.below(20) : random.below(plain.count)
            guard partner < plain.count, partner != row else { continue }
            for (one, other) in [(row, partner), (partner, row)] {
                let sighting = plain.sightings[other]
                others[one].append(
                    .init(sighting: one, vrm: sighting.vrm, opened: sighting.opened, isMerged: false)
                )
                // Now and then only one of two names the other.
                if random.chance(perMille: 100) { break }
            }
            guard random.chance(perMille: 300) else { continue }
            let opened = Timestamp(milliseconds: plain.sightings[row].first.milliseconds - 700)
            others[row].append(
                .init(
                    sighting: row,
                    vrm: try #require(VRM("ZZ\(row % 100)Z")),
                    opened: opened,
                    isMerged: true
                )
            )
        }
        var batch = SightingBatch()
        for row in 0..<plain.count {
            batch.append(row, of: plain)
            var last: SightingVariant?
            for other in others[row].sorted(by: { ($0.vrm, $0.opened) < ($1.vrm, $1.opened) }) {
                if other != last { batch.append(other.vrm, opened: other.opened, isMerged: other.isMerged) }
                last = other
            }
        }
        return (batch, register)
    }

    @Test(
        "the other marks of a vehicle survive, in both orders and all sizes",
        arguments: [1, 2, 3] as [UInt64]
    )
    func variants(seed: UInt64) throws {
        let (batch, register) = try Self.misread(seed: seed)
        #expect(batch.variants.count > 150)
        for size in [1, 7, 100, batch.count] {
            var decoded = SightingBatch()
            var start = 0
            let encoder = FrameEncoder(register: register, order: size == 7 ? .mark : .time)
            while start < batch.count {
                let end = min(start + size, batch.count)
                let block = encoder.encode(batch, start..<end, sequence: UInt64(start))
                try FrameDecoder(register: register).decode(block, into: &decoded)
                start = end
            }
            #expect(decoded.sightings == batch.sightings)
            #expect(difference(decoded.variants, batch.variants) == nil, "seed \(seed), size \(size)")
        }
    }

    @Test("other marks that are not right are refused, never believed", arguments: 1...20)
    func hostileVariants(seed: Int) throws {
        let (batch, register) = try Self.misread(seed: 9)
        let decoder = FrameDecoder(register: register)
        let good = FrameEncoder(register: register).encode(batch, 0..<200, sequence: 0)
        var random = SeededRandom(seed: UInt64(seed))
        for _ in 0..<100 {
            var bad = good
            bad.payload[random.below(bad.payload.count)] ^= UInt8(1 + random.below(255))
            var decoded = SightingBatch()
            do throws(FrameFault) {
                try decoder.decode(bad, into: &decoded)
                #expect(decoded.variants.allSatisfy { (0..<decoded.count).contains($0.sighting) })
                #expect(decoded.variants.count <= 64 * decoded.count)
            } catch { continue }
        }
        var old = good
        old.flags = 0
        var decoded = SightingBatch()
        #expect(throws: FrameFault.self) { try decoder.decode(old, into: &decoded) }
    }
}
