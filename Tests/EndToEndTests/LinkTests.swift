import Foundation
import Simulation
import TestSupport
import Testing

/// Links between running nodes: what goes first, what comes back after a failure, and by which way.
@Suite(.serialized)
struct LinkTests {
    private static let feed =
        "{ name: a, force: \"43\", source: http, format: ndjson, token: { sha256: \"\(LiveNode.tokenHash)\" } }"

    /// A gateway that looks out for one vehicle, and an archive that keeps its alerts.
    private struct Pair {
        let scratch: Scratch
        let archive: ArchiveProcess
        let gateway: LiveNode

        /// - Parameters:
        ///   - isArchiveUp: whether the archive runs already when the gateway starts.
        ///   - forward: of the gateway, given the archive's port.
        init(isArchiveUp: Bool = true, _ forward: (Int) -> String) throws {
            scratch = try Scratch()
            _ = try scratch.write("vrm,action\nAB27CDE,STOP\n", "wanted.csv")
            let cameras = try scratch.write("force,camera,site\n43,43-1,S1\n43,43-2,S2\n", "cameras.csv")
            archive = try ArchiveProcess(
                scratch,
                gateways: [("live", ["43"])],
                more: "interest: { lists: [], folder: \(scratch.path)/archive-alerts }"
            )
            if !isArchiveUp { archive.kill() }
            gateway = try LiveNode(
                scratch,
                feeds: [LinkTests.feed],
                forces: ["43"],
                cameras: cameras,
                more: """
                    deduplication: { window: 2s, lateness: 2s, idleAfter: 500ms }
                    interest: { lists: [{ name: wanted, path: wanted.csv }] }
                    forward:
                      - \(forward(archive.port))
                    """
            )
        }

        /// The ids of the alerts that the archive has, in its order.
        func alerts() throws -> [String] {
            try Program.succeed([
                "alerts", "list", "--config", archive.config, "--reason", "a test of links", "--format",
                "ndjson",
            ]).lines.map { line in
                let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                return object?["id"] as? String ?? ""
            }
        }

        func status() throws -> Link {
            struct Status: Decodable { var links: [Link] }
            let body = try gateway.get("/v1/status").body
            return try JSONDecoder().decode(Status.self, from: Data(body.utf8)).links[0]
        }
    }

    private struct Link: Decodable {
        var connected: String?
        var waiting: Int
        var delivered: Int
        var bytesOfAlerts: Int
        var bytesOfSightings: Int
    }

    /// Reads of so many different vehicles, a tenth of a second apart, and one of the wanted one behind them.
    private static func reads(_ count: Int, wanted: Bool) -> [UInt8] {
        let letters = Array("ABCDEFGHJKLMNOPRSTUVWXYZ")
        var text = ""
        for index in 0..<count + (wanted ? 1 : 0) {
            let isWanted = index == count
            let place = [index % 24, index / 24 % 24, index / 576 % 24].map { String(letters[$0]) }.joined()
            let mark = isWanted ? "AB27CDE" : "XY27\(place)"
            let tenths = index % 10
            let seconds = index / 10
            let clock = String(format: "%02d:%02d:%02d", 6 + seconds / 3600, seconds / 60 % 60, seconds % 60)
            text +=
                #"{"force":"43","camera":"43-1","vrm":"\#(mark)","captured":"2026-11-20T\#(clock).\#(tenths)00Z"}"#
                + "\n"
        }
        return Array(text.utf8)
    }

    @Test("an alert goes before the backlog, once, even when the gateway is killed while it drains")
    func alertsFirst() throws {
        let pair = try Pair { "{ to: \"127.0.0.1:\($0)\", budget: 16kbit/s }" }
        let count = 12_000
        #expect(try pair.gateway.post("a", Self.reads(count, wanted: true)).status == 200)
        _ = try Patience.wait(for: "the alert at the archive") {
            try pair.alerts() == ["live-1"] ? true : nil
        }
        let status = try pair.status()
        #expect(status.connected == "127.0.0.1:\(pair.archive.port)")
        // 2,000 bytes a second can't have carried them all by now.
        #expect(status.waiting > 0 && status.bytesOfAlerts > 0)
        pair.gateway.kill()
        try pair.gateway.start()
        _ = try Patience.wait(for: "all sightings at the archive") {
            try pair.status().delivered > count ? true : nil
        }
        #expect(try pair.alerts() == ["live-1"])
        #expect(pair.archive.stop() == 0)
        #expect(try Collaboration.stored(pair.archive.data).count == count + 1)
    }

    @Test("an alert raised before the first connection stands goes over it")
    func alertBeforeConnection() throws {
        let pair = try Pair(isArchiveUp: false) { "{ to: \"127.0.0.1:\($0)\" }" }
        #expect(try pair.gateway.post("a", Self.reads(0, wanted: true)).status == 200)
        _ = try Patience.wait(for: "the alert at the gateway") {
            try pair.gateway.metric(#"anpr_alerts_total{list="wanted"}"#) == 1 ? true : nil
        }
        try pair.archive.start()
        _ = try Patience.wait(for: "the alert at the archive") {
            try pair.alerts() == ["live-1"] ? true : nil
        }
    }

    @Test("either end killed a hundred times while sightings go over: each arrives, once")
    func kills() throws {
        let pair = try Pair { "{ to: \"127.0.0.1:\($0)\", budget: 9600bit/s }" }
        let count = 13_000
        #expect(try pair.gateway.post("a", Self.reads(count, wanted: false)).status == 200)
        var random = SeededRandom(seed: 100)
        for _ in 0..<100 {
            // The moment is the test's input, not something waited for.
            usleep(UInt32(random.below(500)) * 1000)
            let victim = random.below(3)
            if victim != 0 { pair.archive.kill() }
            if victim != 1 { pair.gateway.kill() }
            if victim != 0 { try pair.archive.start() }
            if victim != 1 { try pair.gateway.start() }
        }
        let status = try pair.status()
        #expect(status.delivered > 0 && status.waiting > 0, "all kills fell into the transfer")
        pair.gateway.kill()
        let file = URL(fileURLWithPath: pair.gateway.config)
        let narrow = try String(contentsOf: file, encoding: .utf8)
        try Data(narrow.replacing(", budget: 9600bit/s", with: "").utf8).write(to: file)
        try pair.gateway.start()
        _ = try Patience.wait(for: "all sightings at the archive") {
            try pair.status().delivered == count ? true : nil
        }
        #expect(pair.archive.stop() == 0)
        let marks = try Collaboration.stored(pair.archive.data).map(\.vrm)
        #expect(marks.count == count && Set(marks).count == count)
    }

    @Test("where the first address can't be reached the next is tried")
    func failover() throws {
        // Nobody listens on port 1.
        let pair = try Pair { "{ to: [\"127.0.0.1:1\", \"127.0.0.1:\($0)\"] }" }
        #expect(try pair.gateway.post("a", Self.reads(20, wanted: false)).status == 200)
        _ = try Patience.wait(for: "the sightings at the archive") {
            try pair.status().delivered == 20 ? true : nil
        }
        #expect(try pair.status().connected == "127.0.0.1:\(pair.archive.port)")
    }

    @Test("cameras that join while a link is up are told before their sightings, and only they")
    func cameras() throws {
        let pair = try Pair { "{ to: \"127.0.0.1:\($0)\", maxDelay: 50ms }" }
        #expect(try pair.gateway.post("a", Self.reads(20, wanted: false)).status == 200)
        _ = try Patience.wait(for: "the first sightings") { try pair.status().delivered == 20 ? true : nil }
        _ = try pair.scratch.write("force,camera,site\n43,43-1,S1\n43,43-2,S2\n43,43-3,S3\n", "cameras.csv")
        _ = try Program.succeed(["reload", "--data", pair.gateway.data])
        let later =
            #"{"force":"43","camera":"43-3","vrm":"XY28ABC","captured":"2026-11-20T07:00:00Z"}"# + "\n"
        _ = try Patience.wait(for: "the camera to be known") {
            try pair.gateway.post("a", Array(later.utf8)).body.contains("\"accepted\":1") ? true : nil
        }
        _ = try Patience.wait(for: "its sighting at the archive") {
            try pair.status().delivered == 21 ? true : nil
        }
        #expect(pair.archive.stop() == 0)
        #expect(Set(try Collaboration.stored(pair.archive.data).map(\.site)) == ["S1", "S3"])
    }
}
