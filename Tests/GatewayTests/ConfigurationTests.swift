import Archive
import Deduplication
import Foundation
import Gateway
import TestSupport
import Testing

/// A configuration is taken whole, or refused with everything that is wrong with it and where.
struct ConfigurationTests {
    private static func read(_ text: String) throws -> NodeConfiguration {
        let folder = try TemporaryFolder()
        let register = "force,camera,site,lat,lon,direction,lane\n43,c,S,,,N,1\n"
        try register.write(toFile: "\(folder.path)/cameras.csv", atomically: true, encoding: .utf8)
        try "".write(toFile: "\(folder.path)/a.ndjson", atomically: true, encoding: .utf8)
        try text.write(toFile: "\(folder.path)/node.yaml", atomically: true, encoding: .utf8)
        return try NodeConfiguration.read("\(folder.path)/node.yaml")
    }

    @Test("a good configuration is read")
    func good() throws {
        let configuration = try Self.read(
            """
            node: gw
            data: var
            forces: [{ code: "43", name: Thames Valley }]
            cameras: cameras.csv
            feeds:
              - { name: a, force: "43", path: a.ndjson, timeZone: Europe/London }
            deduplication: { window: 2s, gap: 500ms, lateness: 5m, sites: { S: { window: 30s } } }
            forward: [{ to: archive.example:7700 }]
            retention:
              - { when: { force: "43", confidenceBelow: 40 }, keep: 7d }
              - { keep: 12mo }
            """
        )
        #expect(configuration.node == "gw")
        #expect(configuration.data.hasSuffix("/var"))
        #expect(configuration.feeds.first?.forces == ["43"])
        #expect(configuration.deduplication.window == .init(window: 2000, gap: 500))
        #expect(configuration.deduplication.sites["S"] == .init(window: 30_000))
        #expect(configuration.deduplication.lateness == 300_000)
        #expect(configuration.forward.map(\.text) == ["archive.example:7700"])
        #expect(
            configuration.retention.rules.map(\.text) == [
                "keep 7d when force 43, confidence below 40", "keep 12mo",
            ]
        )
    }

    @Test("all that is wrong is said at once, with lines")
    func bad() throws {
        let refused = #expect(throws: ConfigurationRefused.self) {
            try Self.read(
                """
                node: gw
                data: var
                colour: red
                forces: [{ code: "43" }, { code: "43" }]
                cameras: missing.csv
                feeds:
                  - { name: a, force: "99", path: a.ndjson, format: xml }
                  - { name: a, force: "43", path: b.ndjson, timeZone: Mars/Base }
                deduplication: { window: ten, lateness: 2h, reconcile: 1h }
                forward: [{ to: nowhere }]
                retention: [{ when: { force: "43" }, keep: soon }]
                """
            )
        }
        let problems = refused?.problems ?? []
        let expected: [(Int, String)] = [
            (3, "colour"), (4, "twice"), (1, "missing.csv"), (7, "99"), (7, "xml"), (8, "twice"), (8, "Mars"),
            (9, "window"), (9, "reconcile"), (10, "nowhere"), (11, "soon"), (11, "last rule"),
            (1, "b.ndjson"),
        ]
        for (line, word) in expected {
            #expect(
                problems.contains { $0.line == line && $0.text.contains(word) },
                "line \(line): \(word) in \(problems)"
            )
        }
        #expect(problems.map(\.line) == problems.map(\.line).sorted())
    }

    @Test(
        "retention that does not say what goes is refused",
        arguments: [
            ("{ when: { class: hit }, keep: 7d }", "last rule without a condition"),
            ("{ keep: 12mo }, { when: { class: sighting }, keep: 7d }", "last rule without a condition"),
            ("{ keep: 12mo }, { keep: 7d }", "none behind it counts"),
            ("{ when: { class: quarantine, force: '43' }, keep: 7d }, { keep: 12mo }", "class quarantine"),
            ("{ when: { class: audit, confidenceBelow: 40 }, keep: 7d }, { keep: 12mo }", "class audit"),
            ("{ when: { class: photo }, keep: 7d }, { keep: 12mo }", "sighting, quarantine, hit, patch"),
        ]
    )
    func badRetention(rules: String, expected: String) {
        let refused = #expect(throws: ConfigurationRefused.self) {
            try Self.read(
                """
                node: gw
                data: var
                forces: [{ code: "43" }]
                cameras: cameras.csv
                feeds: [{ name: a, force: "43", path: a.ndjson }]
                retention: [\(rules)]
                """
            )
        }
        let problems = refused?.problems ?? []
        #expect(problems.count == 1 && problems[0].line == 6, "\(problems)")
        #expect(problems.contains { $0.text.contains(expected) }, "\(problems)")
    }

    @Test("what is no YAML, or nothing, is refused", arguments: ["", "a: [", "just text", "node: x"])
    func unusable(text: String) {
        #expect(throws: ConfigurationRefused.self) { try Self.read(text) }
    }

    @Test(
        "durations",
        arguments: [
            ("500ms", 500), ("10s", 10_000), ("2m", 120_000), ("24h", 86_400_000), ("1.5s", 1500),
            ("90d", 7_776_000_000),
            ("", nil), ("10", nil), ("-1s", nil), ("1e3s", nil), ("s", nil), ("1 s", nil),
        ] as [(String, Int64?)]
    )
    func durations(text: String, expected: Int64?) {
        #expect(DurationText.milliseconds(text) == expected)
    }

    @Test(
        "rates",
        arguments: [
            ("64kbit/s", 64_000), ("64 kbit/s", 64_000), ("2Mbit/s", 2_000_000), ("0.5Gbit/s", 500_000_000),
            ("9600bit/s", 9600), ("64", nil), ("64kb", nil), ("kbit/s", nil), ("-1kbit/s", nil),
            ("1e3bit/s", nil),
        ] as [(String, Int?)]
    )
    func rates(text: String, expected: Int?) {
        #expect(RateText.bitsPerSecond(text) == expected)
    }

    @Test("clocks that change twice a year give no invented times")
    func daylightSaving() throws {
        let zone = try #require(LocalTimeZoneCase.london)
        for (local, expected) in LocalTimeZoneCase.cases {
            #expect(LocalTimeZoneCase.moment(zone, local) == expected, "\(local)")
        }
    }
}
