import ANPRModel
import FeedDecoding
import Foundation
import Simulation
import TestSupport
import Testing

/// What no camera would send, by the megabyte, over every way in, while another feed goes on.
@Suite(.serialized)
struct GarbageTests {
    /// Clients that say what is no HTTP and then don't go away.
    private struct Nuisances {
        let port: Int
        private(set) var sockets: [PlainSocket] = []
        private(set) var sent = 0

        init(port: Int) { self.port = port }

        /// Says it over a connection of its own.
        mutating func send(_ bytes: [UInt8]) throws {
            let socket = try PlainSocket(port: port)
            sockets.append(socket)
            // The daemon may close before it has read everything.
            do { try socket.send(bytes) } catch is PlainSocket.Broken {}
            sent += bytes.count
        }
    }

    private static let chunk = 1 << 18
    private static let rounds = 44
    private static let bearer = "Authorization: Bearer \(LiveNode.token)\r\n"

    private static func noise(_ count: Int, _ random: inout SeededRandom) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 8)
        while bytes.count < count {
            let word = random.next()
            for shift in stride(from: 0, to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> shift))
            }
        }
        return bytes
    }

    private static func head(_ more: String) -> [UInt8] {
        Array("POST /v1/feeds/rubbish HTTP/1.1\r\nHost: x\r\n\(bearer)\(more)".utf8)
    }

    private static func node(_ simulated: SimulatedFeeds, _ scratch: Scratch, _ code: String) throws
        -> LiveNode
    {
        let cameras = scratch.path + "/cameras.csv"
        try Data(SimulatedFiles.register(simulated.cameras)).write(to: URL(fileURLWithPath: cameras))
        let token = "token: { sha256: \"\(LiveNode.tokenHash)\" }"
        return try LiveNode(
            scratch,
            feeds: [
                "{ name: good, force: \"\(code)\", source: http, format: ndjson, \(token) }",
                "{ name: rubbish, force: \"\(code)\", source: http, format: ndjson, \(token) }",
                "{ name: noise, force: \"\(code)\", source: tcp, listen: \"127.0.0.1:0\", format: ndjson, acknowledge: true }",
                "{ name: endless, force: \"\(code)\", source: tcp, listen: \"127.0.0.1:0\", format: ndjson, acknowledge: true }",
            ],
            forces: [code],
            cameras: cameras,
            more: "deduplication: { lateness: 3h, idleAfter: 10m }"
        )
    }

    @Test("sixty megabytes of garbage are refused and kept, and a feed beside them loses nothing")
    func garbage() throws {
        var random = SeededRandom(seed: 61)
        var profile = SimulationProfile.all[0]
        profile.members[0].format = .ndjson
        let simulated = SimulatedFeeds(profile, reads: 6000, seed: 61, garbagePerMille: 0)
        let code = profile.members[0].code
        let node = try Self.node(simulated, try Scratch(), code)
        var good = Poster("good", simulated.feeds[0], lines: 60)
        let posts = good.left
        var nuisances = Nuisances(port: node.port("http"))
        var halves: [PlainSocket] = []
        let noise = try PlainSocket(port: node.port("noise"))
        let endless = try PlainSocket(port: node.port("endless"))
        var statuses: [Int: Int] = [:]
        var streamed = 0
        for round in 0..<Self.rounds {
            let bytes = Self.noise(Self.chunk, &random)
            try noise.send(bytes)
            try endless.send(bytes.map { $0 == 0x0A ? 0x0B : $0 })
            streamed += bytes.count
            // No HTTP at all; a head that never ends; chunks of no length; half a request that stays.
            try nuisances.send(Self.noise(Self.chunk, &random))
            try nuisances.send(
                Array("GET / HTTP/1.1\r\nX: ".utf8) + [UInt8](repeating: 0x61, count: Self.chunk)
            )
            try nuisances.send(Self.head("Transfer-Encoding: chunked\r\n\r\n") + bytes.prefix(1000))
            let half = try PlainSocket(port: node.port("http"))
            try half.send(Self.head("Content-Length: 5000\r\n\r\n{\"force\":"))
            if round % 2 == 0 { halves.append(half) }
            for packed in ["", "Content-Encoding: gzip\r\n"] {
                let socket = try PlainSocket(port: node.port("http"))
                try socket.send(Self.head("\(packed)Content-Length: \(bytes.count)\r\n\r\n") + bytes)
                statuses[try socket.response().status, default: 0] += 1
            }
            while Double(posts - good.left) < Double(posts * (round + 1)) / Double(Self.rounds),
                try good.step(node.ports) != .done
            {}
        }
        #expect(good.left == 0, "every post was acknowledged")
        #expect(statuses == [400: 2 * Self.rounds])
        for socket in [noise, endless] {
            socket.endSending()
            while let said = try socket.line(), said != "\(streamed)" {}
        }
        let volume = streamed * 4 + nuisances.sent
        let memory = try node.residentMegabytes()
        let refused = try node.metric("anpr_feed_rejected_total")
        print("\(volume >> 20) MB of garbage: \(Int(refused)) refusals, \(memory) MB of memory")
        #expect(volume >= 60 << 20)
        #expect(memory < 600)
        #expect(refused > 50_000)
        #expect(try node.get("/readyz").status == 200)
        _ = try Patience.wait(for: "the daemon to let go of all but half requests") {
            try node.descriptors() < 60 + halves.count ? true : nil
        }
        #expect(nuisances.sockets.count == 3 * Self.rounds)
        let clock = ContinuousClock()
        let asked = clock.now
        #expect(node.stop() == 0)
        #expect(clock.now - asked < .seconds(60), "requests that never end hold up nothing")
        #expect(halves.count == Self.rounds / 2)
        let listed = try Program.succeed(["quarantine", "list", "--data", node.data]).lines
        // A body that never came whole may have been refused when the daemon stopped.
        #expect(listed.count >= Int(refused) && listed.count <= Int(refused) + halves.count)
        let register = CameraRegister(simulated.cameras)
        let reads = FeedBytes.decode(simulated.feeds[0], .ndjson, register, .init(forces: [code])).reads
        let expected = ReferenceModel(.init(window: 10_000)).answer(reads.map { PlainRead($0, in: register) })
        #expect(difference(try node.sightings(), expected.sightings) == nil)
    }
}
