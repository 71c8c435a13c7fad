import Foundation
import Simulation
import TestSupport
import Testing

/// The main job with real processes: feeds in, archive and national archive equal to the reference model.
@Suite(.serialized)
struct PipelineTests {
    @Test(
        "every collaboration ends in the archive and the national archive as the reference model says",
        arguments: SimulationProfile.all.map(\.name)
    )
    func collaborations(profile: String) throws {
        let collaboration = try Collaboration(profile, reads: 5000, seed: 17)
        var sent: [[PlainSighting]] = []
        for gateway in collaboration.gateways {
            let report = try Program.succeed(["ingest", "--config", gateway.config])
            #expect(report.output.contains("bytes sent"))
            let expected = try collaboration.expected(gateway)
            #expect(difference(try Collaboration.stored(gateway.data), expected) == nil)
            sent.append(expected)
        }
        let joined = ReferenceModel(.init(window: 10_000)).join(sent)
        #expect(difference(try Collaboration.stored(collaboration.archive.data), joined) == nil)
        #expect(collaboration.archive.stop() == 0)
        #expect(difference(try Collaboration.stored(collaboration.archive.data), joined) == nil)
    }

    @Test("a feed with garbage loses no good read and quarantines each bad record with its place")
    func garbage() throws {
        let collaboration = try Collaboration("east-midlands", reads: 6000, seed: 5, garbagePerMille: 10)
        let gateway = collaboration.gateways[0]
        let report = try Program.succeed(["ingest", "--config", gateway.config])
        #expect(
            difference(try Collaboration.stored(gateway.data), try collaboration.expected(gateway)) == nil
        )
        let all = report.lines.first { $0.hasPrefix("all ") }
        let numbers = (all ?? "").split(separator: " ").dropFirst().compactMap {
            Int($0.replacing(",", with: ""))
        }
        try #require(numbers.count == 5)
        #expect(numbers[0] == numbers[1] + numbers[2] + numbers[3])
        let listed = try Program.succeed(["quarantine", "list", "--data", gateway.data]).lines
        #expect(numbers[2] > 30)
        // Nothing that is printed for operators names a mark.
        let marks = try Collaboration.stored(gateway.data).map(\.vrm).filter { $0.count == 7 }
        let printed = report.output + report.errors + listed.joined() + (try collaboration.archive.log())
        #expect(marks.count > 1000)
        #expect(Set(marks).allSatisfy { !printed.contains($0) })
        #expect(listed.count == numbers[2])
    }

    @Test(
        "a node finds the misreads that the stream tool finds, here and at the next node",
        arguments: ["link", "merge"]
    )
    func misreads(mode: String) throws {
        let collaboration = try Collaboration("thames-valley-hampshire", reads: 8000, seed: 21)
        let gateway = collaboration.gateways[0]
        let file = URL(fileURLWithPath: gateway.config)
        try Data(
            (String(contentsOf: file, encoding: .utf8) + "\ndeduplication: { variants: \(mode) }\n").utf8
        )
        .write(to: file)
        _ = try Program.succeed(["ingest", "--config", gateway.config])
        let stream = try Program.succeed(
            ["dedup", "--cameras", collaboration.cameras, "--variants", mode] + gateway.feeds
        )
        let expected = Set(stream.lines.filter { $0.hasPrefix("{\"id\"") })
        let word = mode == "link" ? "\"variants\"" : "\"alternates\""
        let paired = expected.filter { $0.contains(word) }
        #expect(paired.count > 20)
        let everything = ["query", "--from", "2000-01-01", "--reason", "comparing", "--format", "ndjson"]
        // The archive links what its gateways have not merged.
        for data in [gateway.data, collaboration.archive.data] {
            var stored = Set(try Program.succeed(everything + ["--data", data]).lines)
            if mode == "merge", data != gateway.data {
                stored = Set(stored.map { $0.replacing(/,"variants":\[[^\]]*\]/, with: "") })
            }
            #expect(stored == expected, "\(data == gateway.data)")
            for line in paired.sorted().prefix(5) {
                let tail = line[line.range(of: word)!.upperBound...]
                let other = tail.split(separator: "\"").first {
                    $0.allSatisfy { $0.isUppercase || $0.isNumber }
                }
                let mark = String(try #require(other))
                let table = try Program.succeed([
                    "query", mark, "--reason", "comparing", "--data", data,
                ])
                let own = line.split(separator: "\"")[7]
                #expect(table.output.contains("~\(own) "))
                #expect(table.errors.contains("read under another mark"))
            }
        }
    }

    @Test("a link with a budget takes the time that its bytes need, and loses nothing")
    func budget() throws {
        let collaboration = try Collaboration("thames-valley-hampshire", reads: 6000, seed: 23)
        let gateway = collaboration.gateways[0]
        let file = URL(fileURLWithPath: gateway.config)
        try Data((String(contentsOf: file, encoding: .utf8) + "\n    budget: 80kbit/s\n").utf8).write(
            to: file
        )
        let began = ContinuousClock.now
        let report = try Program.succeed(["ingest", "--config", gateway.config])
        let took = ContinuousClock.now - began
        let sent = report.lines.first { $0.hasPrefix("bytes sent") }.flatMap {
            Int($0.split(separator: " ")[2].replacing(",", with: ""))
        }
        #expect(try #require(sent) > 20_000)
        // What a second carries may go at once at the start; the rest can't have gone faster.
        #expect(took >= .seconds(Double(try #require(sent)) / 10_000 - 1))
        let expected = try collaboration.expected(gateway)
        #expect(difference(try Collaboration.stored(collaboration.archive.data), expected) == nil)
    }

    @Test("feeds taken again give nothing new")
    func again() throws {
        let collaboration = try Collaboration("thames-valley-hampshire", reads: 3000, seed: 3)
        let gateway = collaboration.gateways[0]
        for _ in 0..<3 { _ = try Program.succeed(["ingest", "--config", gateway.config]) }
        let expected = try collaboration.expected(gateway)
        #expect(difference(try Collaboration.stored(gateway.data), expected) == nil)
        #expect(difference(try Collaboration.stored(collaboration.archive.data), expected) == nil)
    }

    @Test("the same reads under another name all count as redelivered")
    func renamed() throws {
        let collaboration = try Collaboration(
            "thames-valley-hampshire",
            reads: 3000,
            seed: 4,
            garbagePerMille: 0
        )
        let gateway = collaboration.gateways[0]
        _ = try Program.succeed(["ingest", "--config", gateway.config])
        let copies = gateway.feeds.enumerated().map { "again-\($0)=\($1)" }
        let report = try Program.succeed(["ingest", "--config", gateway.config] + copies)
        let all = report.lines.first { $0.hasPrefix("all ") } ?? ""
        let numbers = all.split(separator: " ").dropFirst().compactMap { Int($0.replacing(",", with: "")) }
        try #require(numbers.count == 5)
        #expect(numbers[0] == numbers[3])
        #expect(numbers[1] == 0)
        #expect(
            difference(try Collaboration.stored(gateway.data), try collaboration.expected(gateway)) == nil
        )
    }

    @Test("a gateway may not speak for another force")
    func impersonation() throws {
        let collaboration = try Collaboration(
            "thames-valley-hampshire",
            reads: 500,
            seed: 8,
            garbagePerMille: 0
        )
        let gateway = collaboration.gateways[0]
        // Hampshire's file under Thames Valley's name.
        let hampshire = try #require(gateway.feeds.first { $0.contains("hampshire") })
        let report = try Program.succeed([
            "ingest", "--config", gateway.config, "thames-valley=\(hampshire)",
        ])
        #expect(report.output.contains("force-not-permitted"))
        #expect(try Collaboration.stored(gateway.data).isEmpty)
    }
}
