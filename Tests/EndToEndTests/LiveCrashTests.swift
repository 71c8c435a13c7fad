import ANPRModel
import FeedDecoding
import Foundation
import Simulation
import TestSupport
import Testing

/// `kill -9` of the daemon at random moments, while clients that retry bring feeds over HTTP, TCP and a drop folder.
@Suite(.serialized)
struct LiveCrashTests {
    /// A client's work, a step at a time: `false` when all of it is acknowledged.
    private protocol Client {
        /// Does a little; throws when the daemon is not there.
        func step(_ node: LiveNode) throws -> Bool
    }

    /// Posts pieces of a feed one after the other, each again until it is acknowledged.
    private final class Poster: Client {
        private let feed: String
        private var pieces: [[UInt8]]
        private var socket: PlainSocket?
        private(set) var acknowledged = 0

        init(_ feed: String, _ bytes: [UInt8], lines: Int) {
            self.feed = feed
            let all = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
            pieces = stride(from: 0, to: all.count, by: lines).map { start in
                Array(all[start..<min(start + lines, all.count)].joined(separator: [0x0A])) + [0x0A]
            }
            pieces.reverse()
        }

        func step(_ node: LiveNode) throws -> Bool {
            guard let piece = pieces.last else { return false }
            do {
                let socket = try self.socket ?? PlainSocket(port: node.port("http"))
                self.socket = socket
                let answer = try socket.request(
                    "POST",
                    "/v1/feeds/\(feed)",
                    headers: ["Authorization": "Bearer \(LiveNode.token)"],
                    body: piece
                )
                try #require(answer.status == 200, "\(answer.body)")
                acknowledged += 1
                pieces.removeLast()
            } catch {
                socket = nil
                throw error
            }
            return true
        }
    }

    /// Streams a feed over TCP and goes on behind what was acknowledged.
    private final class Streamer: Client {
        private let feed: String
        private let bytes: [UInt8]
        private var safe = 0
        private var sent = 0
        private var base = 0
        private var socket: PlainSocket?

        init(_ feed: String, _ bytes: [UInt8]) {
            self.feed = feed
            self.bytes = bytes
        }

        func step(_ node: LiveNode) throws -> Bool {
            guard safe < bytes.count else { return false }
            do {
                if socket == nil {
                    socket = try PlainSocket(port: node.port(feed))
                    base = safe
                    sent = safe
                }
                guard let socket else { return true }
                if sent < bytes.count {
                    let end = min(sent + 3000, bytes.count)
                    try socket.send(Array(bytes[sent..<end]))
                    sent = end
                    if sent == bytes.count { socket.endSending() }
                }
                guard let line = try socket.line(), let count = Int(line) else {
                    throw PlainSocket.Broken(action: "read an acknowledgement")
                }
                safe = base + count
            } catch {
                socket = nil
                throw error
            }
            return true
        }
    }

    /// Puts pieces of a feed into a folder as files of their own.
    private final class Dropper: Client {
        private let folder: String
        private var pieces: [(name: String, bytes: [UInt8])]
        private var waiting: Set<String> = []

        init(_ folder: String, _ bytes: [UInt8], pieces count: Int) {
            self.folder = folder
            let lines = bytes.split(separator: 0x0A)
            let size = lines.count / count + 1
            pieces = stride(from: 0, to: lines.count, by: size).enumerated().map { place, start in
                let part = lines[start..<min(start + size, lines.count)].joined(separator: [0x0A])
                return ("piece-\(100 + place).ndjson", Array(part) + [0x0A])
            }
            pieces.reverse()
        }

        func step(_ node: LiveNode) throws -> Bool {
            waiting = waiting.filter { !FileManager.default.fileExists(atPath: "\(folder)/done/\($0)") }
            // One at a time: a feed's files are in order.
            if waiting.isEmpty, let piece = pieces.popLast() {
                let path = "\(folder)/.\(piece.name)"
                try Data(piece.bytes).write(to: URL(fileURLWithPath: path))
                try FileManager.default.moveItem(atPath: path, toPath: "\(folder)/\(piece.name)")
                waiting.insert(piece.name)
            }
            return !waiting.isEmpty || !pieces.isEmpty
        }
    }

    @Test(
        "after kills at random moments the sightings equal the reference model's",
        arguments: [21, 22, 23, 24] as [UInt64]
    )
    func kills(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var profile = SimulationProfile.all.first { $0.name == "east-midlands" } ?? SimulationProfile.all[0]
        for place in profile.members.indices { profile.members[place].format = .ndjson }
        let simulated = SimulatedFeeds(profile, reads: 12_000, seed: seed, garbagePerMille: 3)
        let scratch = try Scratch()
        let cameras = scratch.path + "/cameras.csv"
        try Data(SimulatedFiles.register(simulated.cameras)).write(to: URL(fileURLWithPath: cameras))
        let drop = scratch.path + "/drop"
        try FileManager.default.createDirectory(atPath: drop, withIntermediateDirectories: true)
        let codes = profile.members.map(\.code)
        let token = "token: { sha256: \"\(LiveNode.tokenHash)\" }"
        let node = try LiveNode(
            scratch,
            feeds: [
                "{ name: h1, force: \"\(codes[0])\", source: http, format: ndjson, \(token) }",
                "{ name: h2, force: \"\(codes[1])\", source: http, format: ndjson, \(token) }",
                "{ name: t1, force: \"\(codes[2])\", source: tcp, listen: \"127.0.0.1:0\", format: ndjson, acknowledge: true }",
                "{ name: t2, force: \"\(codes[3])\", source: tcp, listen: \"127.0.0.1:0\", format: ndjson, acknowledge: true }",
                "{ name: d, force: \"\(codes[4])\", source: directory, path: \"\(drop)\", settle: 0ms }",
            ],
            forces: codes,
            cameras: cameras,
            more: "deduplication: { lateness: 3h, reconcile: 24h, idleAfter: 10m }"
        )
        let clients: [any Client] = [
            Poster("h1", simulated.feeds[0], lines: 40), Poster("h2", simulated.feeds[1], lines: 7),
            Streamer("t1", simulated.feeds[2]), Streamer("t2", simulated.feeds[3]),
            Dropper(drop, simulated.feeds[4], pieces: 6),
        ]
        var kills = 0
        var untilKill = random.below(30)
        var isBusy = true
        while isBusy {
            isBusy = false
            for client in clients {
                do {
                    if try client.step(node) { isBusy = true }
                } catch is PlainSocket.Broken {
                    isBusy = true
                }
            }
            untilKill -= 1
            if untilKill <= 0, kills < 25 {
                usleep(UInt32(random.below(4000)))
                node.kill()
                try node.start()
                kills += 1
                untilKill = random.below(30)
            }
        }
        #expect(kills == 25, "the feeds were long enough")
        #expect(node.stop() == 0)
        let register = CameraRegister(simulated.cameras)
        let reads = zip(simulated.feeds, codes).flatMap { bytes, code in
            FeedBytes.decode(bytes, .ndjson, register, .init(forces: [code])).reads.map {
                PlainRead($0, in: register)
            }
        }
        let expected = ReferenceModel(.init(window: 10_000)).answer(reads).sightings
        #expect(difference(try node.sightings(), expected) == nil, "seed \(seed)")
    }
}
