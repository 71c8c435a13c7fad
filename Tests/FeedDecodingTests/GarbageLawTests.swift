import ANPRModel
import FeedDecoding
import Simulation
import TestSupport
import Testing

@Suite("Simulated feeds with garbage")
struct GarbageLawTests {
    @Test(
        "Every record is a read or a refusal, and every refusal is a line of the feed at its place",
        arguments: [1, 2, 3, 77] as [UInt64]
    )
    func accounting(seed: UInt64) {
        for profile in SimulationProfile.all {
            let feeds = SimulatedFeeds(profile, reads: 4000, seed: seed, garbagePerMille: 10)
            let register = CameraRegister(feeds.cameras)
            var received = 0
            var rejected = 0
            for (bytes, member) in zip(feeds.feeds, profile.members) {
                let rules = FeedRules(forces: [member.code])
                let feed = FeedBytes.decode(bytes, member.format, register, rules)
                #expect(feed.received == feed.reads.count + feed.rejected, "seed \(seed), \(member.name)")
                #expect(feed.refusals.count == feed.rejected, "seed \(seed), \(member.name)")
                #expect(feed.droppedFields == 0, "seed \(seed), \(member.name)")
                received += feed.received
                rejected += feed.rejected
                for fault in Self.misplaced(feed.refusals, in: bytes) {
                    Issue.record("seed \(seed), \(member.name): \(fault)")
                }
            }
            #expect(received == feeds.readCount + feeds.garbageCount, "seed \(seed), \(profile.name)")
            #expect(rejected == feeds.garbageCount, "seed \(seed), \(profile.name)")
            #expect(rejected > 0, "seed \(seed), \(profile.name)")
        }
    }

    /// Refusals that are not exactly one line, of the number and at the offset they name.
    private static func misplaced(_ refusals: [RefusedRecord], in bytes: [UInt8]) -> [String] {
        var lineOfOffset: [Int: Int] = [0: 1]
        var line = 1
        for (place, byte) in bytes.enumerated() where byte == 0x0A {
            line += 1
            lineOfOffset[place + 1] = line
        }
        return refusals.compactMap { refusal in
            let start = Int(refusal.offset)
            guard lineOfOffset[start] == Int(refusal.line) else {
                return "offset \(start) is not line \(refusal.line)"
            }
            let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
            var expected = Array(bytes[start..<end])
            if expected.last == 0x0D, refusal.raw.last != 0x0D { expected.removeLast() }
            return refusal.raw == expected ? nil : "line \(refusal.line) has other bytes"
        }
    }

    @Test("The same seed gives the same bytes, another seed others")
    func determinism() {
        func bytes(_ seed: UInt64) -> [[UInt8]] {
            SimulatedFeeds(SimulationProfile.all[0], reads: 500, seed: seed, garbagePerMille: 10).feeds
        }
        #expect(bytes(5) == bytes(5))
        #expect(bytes(5) != bytes(6))
    }
}
