import Foundation
import TestSupport
import Testing

/// What changes between runs: rules, feeds that grow, nodes that are restarted.
@Suite(.serialized)
struct ChangeTests {
    private static func rewrite(_ gateway: Collaboration.Gateway, _ change: (String) -> String) throws {
        let text = try String(contentsOfFile: gateway.config, encoding: .utf8)
        try change(text).write(toFile: gateway.config, atomically: true, encoding: .utf8)
    }

    @Test("rules that change after a kill lose nothing that was taken in", arguments: [1, 2, 3])
    func changedRules(round: Int) throws {
        let collaboration = try Collaboration(
            "thames-valley-hampshire",
            reads: 12_000,
            seed: UInt64(40 + round)
        )
        let gateway = collaboration.gateways[0]
        let run = try Program.start(["ingest", "--config", gateway.config, "--sync-bytes", "4096"])
        // The moment is the test's input, not something waited for.
        usleep(UInt32(40_000 * round))
        run.signal(SIGKILL)
        run.wait()
        let rules = [
            "{ lateness: 10m }", "{ lateness: 3m, window: 10s }",
            "{ lateness: 2m, sites: { SITE-0001: { window: 9s } } }",
        ]
        try Self.rewrite(gateway) { $0 + "\ndeduplication: \(rules[round - 1])\n" }
        _ = try Program.succeed(["ingest", "--config", gateway.config])
        let reads = { (list: [PlainSighting]) in list.reduce(0) { $0 + $1.reads } }
        let expected = reads(try collaboration.expected(gateway))
        #expect(reads(try Collaboration.stored(gateway.data)) == expected)
        #expect(reads(try Collaboration.stored(collaboration.archive.data)) == expected)
    }

    @Test(
        "a feed that was read while it was written is taken whole once it is whole",
        arguments: [1, 2, 3] as [UInt64]
    )
    func growingFeed(seed: UInt64) throws {
        let collaboration = try Collaboration(
            "thames-valley-hampshire",
            reads: 1500,
            seed: seed,
            garbagePerMille: 0
        )
        let gateway = collaboration.gateways[0]
        let feed = try #require(gateway.feeds.first { $0.hasSuffix(".csv") })
        let whole = try Data(contentsOf: URL(fileURLWithPath: feed))
        // Cut inside a record, as a writer that is not done leaves it.
        let half = whole[..<(whole.count / 2)]
        let line = try #require(half.lastIndex(of: 0x0A))
        try whole[..<(line + 30)].write(to: URL(fileURLWithPath: feed))
        _ = try Program.succeed(["ingest", "--config", gateway.config])
        try whole.write(to: URL(fileURLWithPath: feed))
        _ = try Program.succeed(["ingest", "--config", gateway.config])
        // The first run ended and closed what was open, so around the cut sightings may be parted; no read is
        // lost or doubled.
        let reads = { (list: [PlainSighting]) in list.reduce(0) { $0 + $1.reads } }
        #expect(reads(try Collaboration.stored(gateway.data)) == reads(try collaboration.expected(gateway)))
    }

    @Test("an archive restarted while one gateway is ahead of another forgets nothing")
    func restartedArchive() throws {
        let collaboration = try Collaboration("multi-force-shared-service", reads: 4000, seed: 9)
        var sent: [[PlainSighting]] = []
        for gateway in collaboration.gateways {
            _ = try Program.succeed(["ingest", "--config", gateway.config])
            sent.append(try collaboration.expected(gateway))
            #expect(collaboration.archive.stop() == 0)
            try collaboration.archive.start()
        }
        // Each restart waits for all gateways anew; what was left open closes when each has said that it is done.
        for gateway in collaboration.gateways {
            _ = try Program.succeed(["ingest", "--config", gateway.config])
        }
        let joined = ReferenceModel(.init(window: 10_000)).join(sent)
        #expect(difference(try Collaboration.stored(collaboration.archive.data), joined) == nil)
    }

    @Test("an archive that comes later is given what is still there, and the link does not wedge")
    func laterArchive() throws {
        let collaboration = try Collaboration("thames-valley-hampshire", reads: 1000, seed: 10)
        let gateway = collaboration.gateways[0]
        var link = ""
        try Self.rewrite(gateway) { text in
            let cut = text.range(of: "forward:").map { $0.lowerBound } ?? text.endIndex
            link = String(text[cut...])
            return String(text[..<cut])
        }
        _ = try Program.succeed(["ingest", "--config", gateway.config])
        try Self.rewrite(gateway) { $0 + link }
        _ = try Program.succeed(["ingest", "--config", gateway.config])
        #expect(try Program.succeed(["audit", "verify", "--data", gateway.data]).output.hasPrefix("good"))
    }

    @Test("wrong usage is 64, input of no use is 65, and nothing is shown without a reason")
    func exitCodes() throws {
        let collaboration = try Collaboration("thames-valley-hampshire", reads: 500, seed: 11)
        let gateway = collaboration.gateways[0]
        _ = try Program.succeed(["ingest", "--config", gateway.config])
        let cases: [([String], Int32)] = [
            (["query", "AB27CDE", "--data", gateway.data], 64),
            (["query", "--reason", "a good reason", "--data", gateway.data], 64),
            (["query", "AB_", "--reason", "a good reason", "--data", gateway.data], 64),
            (["query", "AB*", "--reason", " ", "--data", gateway.data], 1),
            (["query", "AB*", "--reason", "a good reason", "--data", collaboration.scratch.path], 65),
            (["dedup", "--cameras", "/nowhere.csv", "x.ndjson"], 65),
            (["dedup", "--cameras", collaboration.cameras, "/nowhere.ndjson"], 65),
            (["dedup", "--cameras", collaboration.cameras, "--window", "ten", "x.ndjson"], 64),
            (["check", "/nowhere.yaml"], 65),
            (["simulate", "--profile", "nobody", "--out", collaboration.scratch.path], 64),
        ]
        for (arguments, status) in cases {
            let outcome = try Program.run(arguments)
            #expect(outcome.status == status, "\(arguments): \(outcome.errors)")
            #expect(outcome.output.isEmpty)
            #expect(!outcome.errors.isEmpty)
        }
    }
}
