import ANPRModel
import FeedDecoding
import Foundation
import Simulation
import Synchronization
import TestSupport
import Testing

/// `kill -9` of the daemon at random moments, while clients that retry bring feeds over HTTP, TCP and a drop folder.
@Suite(.serialized)
struct LiveCrashTests {
    /// Five forces' feeds and a daemon that takes them.
    private struct Replay {
        let simulated: SimulatedFeeds
        let codes: [String]
        let drop: String
        let node: LiveNode

        init(reads: Int, seed: UInt64, duration: Int64? = nil, lateness: String) throws {
            var profile =
                SimulationProfile.all.first { $0.name == "east-midlands" } ?? SimulationProfile.all[0]
            for place in profile.members.indices { profile.members[place].format = .ndjson }
            simulated = SimulatedFeeds(
                profile,
                reads: reads,
                seed: seed,
                garbagePerMille: 3,
                duration: duration
            )
            codes = profile.members.map(\.code)
            let scratch = try Scratch()
            let cameras = scratch.path + "/cameras.csv"
            try Data(SimulatedFiles.register(simulated.cameras)).write(to: URL(fileURLWithPath: cameras))
            drop = scratch.path + "/drop"
            try FileManager.default.createDirectory(atPath: drop, withIntermediateDirectories: true)
            let post = "source: http, format: ndjson, token: { sha256: \"\(LiveNode.tokenHash)\" }"
            let stream = "source: tcp, listen: \"127.0.0.1:0\", format: ndjson, acknowledge: true"
            node = try LiveNode(
                scratch,
                feeds: [
                    "{ name: h1, force: \"\(codes[0])\", \(post) }",
                    "{ name: h2, force: \"\(codes[1])\", \(post) }",
                    "{ name: t1, force: \"\(codes[2])\", \(stream) }",
                    "{ name: t2, force: \"\(codes[3])\", \(stream) }",
                    "{ name: d, force: \"\(codes[4])\", source: directory, path: \"\(drop)\", settle: 0ms }",
                ],
                forces: codes,
                cameras: cameras,
                more: "deduplication: { lateness: \(lateness), reconcile: 24h, idleAfter: 10m }"
            )
        }

        /// What all feeds together are by the reference model.
        func expected() -> [PlainSighting] {
            let register = CameraRegister(simulated.cameras)
            let reads = zip(simulated.feeds, codes).flatMap { bytes, code in
                FeedBytes.decode(bytes, .ndjson, register, .init(forces: [code])).reads.map {
                    PlainRead($0, in: register)
                }
            }
            return ReferenceModel(.init(window: 10_000)).answer(reads).sightings
        }
    }

    @Test(
        "after kills at random moments the sightings equal the reference model's",
        arguments: [21, 22, 23, 24] as [UInt64]
    )
    func kills(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let replay = try Replay(reads: 12_000, seed: seed, lateness: "3h")
        let (feeds, node) = (replay.simulated.feeds, replay.node)
        var clients: [any LiveClient] = [
            Poster("h1", feeds[0], lines: 40), Poster("h2", feeds[1], lines: 7),
            Streamer("t1", feeds[2]), Streamer("t2", feeds[3]), Dropper(replay.drop, feeds[4], pieces: 6),
        ]
        var kills = 0
        var untilKill = random.below(30)
        var isBusy = true
        while isBusy {
            isBusy = false
            for place in clients.indices {
                do {
                    if try clients[place].step(node.ports) != .done { isBusy = true }
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
        #expect(difference(try node.sightings(), replay.expected()) == nil, "seed \(seed)")
    }

    /// What clients on threads of their own have come to.
    private final class Progress: Sendable {
        struct State {
            var steps = 0
            var running: Set<String> = []
            var failures: [String] = []
        }

        let state = Mutex(State())

        /// Runs a client on a thread of its own until it is done.
        func run(_ name: String, _ ports: LivePorts, _ make: @escaping @Sendable () -> any LiveClient) {
            _ = state.withLock { $0.running.insert(name) }
            Thread.detachNewThread {
                var client = make()
                var step = LiveStep.waiting
                do {
                    while step != .done {
                        step = try Patience.wait(for: "the daemon to take more of \(name)") {
                            let step = try? client.step(ports)
                            return step == .waiting ? nil : step
                        }
                        self.state.withLock { $0.steps += 1 }
                    }
                } catch {
                    self.state.withLock { $0.failures.append("\(name): \(error)") }
                }
                _ = self.state.withLock { $0.running.remove(name) }
            }
        }
    }

    @Test("two hours of five forces at once, killed a hundred times in the midst of their work")
    func hundredKills() throws {
        let seed: UInt64 = 77
        var random = SeededRandom(seed: seed)
        // Sightings close while it runs, so that the log is written between kills as well.
        let replay = try Replay(reads: 50_000, seed: seed, duration: 7_200_000, lateness: "10m")
        let (feeds, node, drop) = (replay.simulated.feeds, replay.node, replay.drop)
        let progress = Progress()
        progress.run("h1", node.ports) { Poster("h1", feeds[0], lines: 25) }
        progress.run("h2", node.ports) { Poster("h2", feeds[1], lines: 25) }
        progress.run("t1", node.ports) { Streamer("t1", feeds[2]) }
        progress.run("t2", node.ports) { Streamer("t2", feeds[3]) }
        progress.run("d", node.ports) { Dropper(drop, feeds[4], pieces: 40) }
        // So many steps there are at the least; each kill comes after a random one of them.
        let steps = feeds[2].count / 3000 + feeds[3].count / 3000
        let moments = (0..<100).map { _ in random.below(steps) }.sorted()
        for moment in moments {
            _ = try Patience.wait(for: "step \(moment)") {
                try #require(node.isRunning)
                return progress.state.withLock { $0.steps >= moment || $0.running.isEmpty } ? true : nil
            }
            #expect(!progress.state.withLock { $0.running.isEmpty }, "the feeds were long enough")
            node.kill()
            try node.start()
        }
        _ = try Patience.wait(for: "the clients") {
            progress.state.withLock { $0.running.isEmpty } ? true : nil
        }
        #expect(progress.state.withLock { $0.failures } == [])
        #expect(node.stop() == 0)
        let expected = replay.expected()
        #expect(expected.map(\.reads).reduce(0, +) > 45_000)
        #expect(difference(try node.sightings(), expected) == nil, "seed \(seed)")
    }
}
