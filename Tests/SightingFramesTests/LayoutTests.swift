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

    @Test("whatever its contributions are, a sighting survives", arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func contributions(seed: UInt64) throws {
        let register = SmallRegister.make(sites: 2, forces: ["45", "43"], camerasEach: 3)
        var random = SeededRandom(seed: seed)
        let batch = OddSightings.batch(&random, register, count: 400)
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
            #expect(difference(decoded.variants, batch.variants) == nil, "seed \(seed)")
        }
    }
}
