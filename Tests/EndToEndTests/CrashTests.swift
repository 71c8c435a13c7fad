import Foundation
import Simulation
import TestSupport
import Testing

/// `kill -9` of either end at random moments; nothing is lost and nothing counts twice.
@Suite(.serialized)
struct CrashTests {
    /// How long a run takes that nobody kills; kills are spread over it and a little beyond.
    private static let runMilliseconds = 260

    @Test(
        "after kills of gateway and archive both equal the reference model",
        arguments: [11, 12, 13, 14, 15] as [UInt64]
    )
    func kills(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let collaboration = try Collaboration("thames-valley-hampshire", reads: 20_000, seed: seed)
        let gateway = collaboration.gateways[0]
        let arguments = ["ingest", "--config", gateway.config, "--sync-bytes", "4096"]
        for _ in 0..<12 {
            let victim = random.below(3)
            let run = try Program.start(arguments)
            // The moment is the test's input, not something waited for.
            usleep(UInt32(random.below(Self.runMilliseconds) * 1000))
            if victim != 1 { run.signal(SIGKILL) }
            if victim != 0 {
                collaboration.archive.kill()
                run.signal(SIGKILL)
                run.wait()
                try collaboration.archive.start()
            }
            run.wait()
        }
        _ = try Program.succeed(["ingest", "--config", gateway.config])
        let expected = try collaboration.expected(gateway)
        #expect(difference(try Collaboration.stored(gateway.data), expected) == nil, "seed \(seed)")
        #expect(
            difference(try Collaboration.stored(collaboration.archive.data), expected) == nil,
            "seed \(seed)"
        )
        let listed = try Program.succeed(["quarantine", "list", "--data", gateway.data]).lines
        #expect(Set(listed.map { $0.split(separator: " ").dropFirst().joined() }).count == listed.count)
    }

    @Test("a gateway that lost its data folder sends everything again, and it still counts once")
    func lostFolder() throws {
        let collaboration = try Collaboration("thames-valley-hampshire", reads: 3000, seed: 6)
        let gateway = collaboration.gateways[0]
        _ = try Program.succeed(["ingest", "--config", gateway.config])
        try FileManager.default.removeItem(atPath: gateway.data)
        _ = try Program.succeed(["ingest", "--config", gateway.config])
        let expected = try collaboration.expected(gateway)
        #expect(difference(try Collaboration.stored(collaboration.archive.data), expected) == nil)
    }

    @Test("an archive that is away is told, and gets everything when it is back")
    func outage() throws {
        let collaboration = try Collaboration("thames-valley-hampshire", reads: 2000, seed: 7)
        let gateway = collaboration.gateways[0]
        collaboration.archive.kill()
        let alone = try Program.run(["ingest", "--config", gateway.config, "--patience", "100ms"])
        #expect(alone.status == 1)
        #expect(alone.output.contains("wait in the outbox"))
        try collaboration.archive.start()
        _ = try Program.succeed(["ingest", "--config", gateway.config])
        let expected = try collaboration.expected(gateway)
        #expect(difference(try Collaboration.stored(collaboration.archive.data), expected) == nil)
    }
}
