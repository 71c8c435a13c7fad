import ANPRModel
import Compression
import Foundation
import SightingFrames
import Simulation
import TestSupport
import Testing

/// What was written once stays readable, and whatever a sighting is like its frame gives it back.
struct LayoutTests {
    private static func fixture(_ name: String) throws -> [UInt8] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        return Array(try Data(contentsOf: folder.appending(path: "Fixtures/\(name)")))
    }

    private static func text(_ name: String) throws -> String {
        let inflater = try Inflater(.gzip)
        inflater.feed(try fixture(name))
        var text: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = try unsafe piece.withUnsafeMutableBytes { try unsafe inflater.read(into: $0) }
            if count == 0 { return String(decoding: text, as: UTF8.self) }
            text += piece[0..<count]
        }
    }

    @Test(
        "a log of every layout that was ever written reads as it did then",
        arguments: ["version1", "version2"]
    )
    func fixtures(name: String) throws {
        let bytes = try Self.fixture("\(name).sightings")
        var register = CameraRegister()
        var found = SightingBatch()
        var position = 0
        while position < bytes.count {
            let block = try Block.read(bytes, at: &position)
            switch block.kind {
            case .register: register.restore(try RegisterBlock.decode(block))
            case .frame: try FrameDecoder(register: register).decode(block, into: &found)
            case .mark: _ = try StreamMark(block)
            }
        }
        var writer = SightingNDJSON(register: register)
        var out = ByteWriter()
        for row in 0..<found.count { writer.append(row, of: found, to: &out) }
        let lines = String(decoding: out.take(), as: UTF8.self).split(separator: "\n")
        let expected = try Self.text("\(name).ndjson.gz").split(separator: "\n")
        #expect(difference(lines, expected) == nil)
        #expect(
            expected.contains { $0.contains("variants") } && expected.contains { $0.contains("revision") }
        )
    }

    /// Sightings as the rule makes them, and with anything about them changed.
    private static func sightings(_ random: inout SeededRandom, _ register: CameraRegister) throws
        -> SightingBatch
    {
        let mark = try #require(VRM("AB27CDE"))
        var batch = SightingBatch()
        for row in 0..<400 {
            let first = Int64(1_790_000_000_000 + row * 50 + random.below(40))
            let site = random.below(2)
            let all = register.cameras.indices.filter { Int(register.siteOfCamera[$0]) == site }
            let seen = all.filter { _ in random.chance(perMille: 500) }
            var parts = (seen.isEmpty ? [all[0]] : seen).map { camera in
                Contribution(
                    camera: CameraIndex(camera),
                    reads: UInt32(1 + random.below(random.one(of: [1, 3, 300]))),
                    first: Timestamp(milliseconds: first + Int64(random.below(9000))),
                    confidence: Int8(random.below(102)) - 1
                )
            }
            parts.sort { register.cameraOrder[Int($0.camera)] < register.cameraOrder[Int($1.camera)] }
            parts[random.below(parts.count)].first = Timestamp(milliseconds: first)
            let best = random.one(of: parts)
            let lastFirst = parts.map(\.first).max() ?? best.first
            let reads = parts.reduce(0) { $0 + $1.reads }
            var sighting = Sighting(
                vrm: mark,
                first: Timestamp(milliseconds: first),
                last: lastFirst,
                captured: best.first,
                opened: Timestamp(milliseconds: first),
                camera: best.camera,
                reads: reads
            )
            if reads > UInt32(parts.count) {
                sighting.last = Timestamp(milliseconds: lastFirst.milliseconds + Int64(random.below(3)) * 700)
            }
            if best.reads > 1 {
                let span = sighting.last.milliseconds - best.first.milliseconds
                let after = random.one(of: [0, span, Int64(random.below(Int(span) + 1))])
                sighting.captured = Timestamp(milliseconds: best.first.milliseconds + after)
            }
            sighting.confidence = best.confidence
            if random.chance(perMille: 300) { change(&sighting, &parts, &random) }
            batch.append(sighting)
            for part in parts { batch.append(part) }
        }
        return batch
    }

    private static func change(
        _ sighting: inout Sighting,
        _ parts: inout [Contribution],
        _ random: inout SeededRandom
    ) {
        let moment = Timestamp(milliseconds: sighting.first.milliseconds + Int64(random.within(-5000...5000)))
        switch random.below(8) {
        case 0: sighting.last = moment
        case 1: sighting.captured = moment
        case 2: sighting.reads = UInt32(random.below(5))
        case 3: sighting.confidence = 7
        case 4: parts[0].first = moment
        case 5: parts[0].reads = UInt32(random.below(2))
        case 6: parts.reverse()
        default: parts[parts.count - 1].confidence = -1
        }
    }

    @Test("whatever its contributions are, a sighting survives", arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func contributions(seed: UInt64) throws {
        let register = SmallRegister.make(sites: 2, forces: ["45", "43"], camerasEach: 3)
        var random = SeededRandom(seed: seed)
        let batch = try Self.sightings(&random, register)
        for size in [1, 50, batch.count] {
            var decoded = SightingBatch()
            var start = 0
            while start < batch.count {
                let end = min(start + size, batch.count)
                let block = FrameEncoder(register: register).encode(
                    batch,
                    start..<end,
                    sequence: UInt64(start)
                )
                try FrameDecoder(register: register).decode(block, into: &decoded)
                start = end
            }
            #expect(difference(decoded.sightings, batch.sightings) == nil, "seed \(seed)")
            #expect(difference(decoded.contributions, batch.contributions) == nil, "seed \(seed)")
        }
    }
}
