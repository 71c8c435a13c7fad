import Foundation
import TestSupport
import Testing

/// Images over links between running nodes: patches that follow by themselves, overviews that are asked for.
@Suite(.serialized)
struct LinkImageTests {
    private static let feed =
        "{ name: a, force: \"43\", source: http, format: ndjson, token: { sha256: \"\(LiveNode.tokenHash)\" } }"
    private static let reason = "looking for a stolen car"

    private struct Link: Decodable {
        var connected: String?
        var delivered: Int
        var bytesOfPatches: Int
        var bytesOfOverviews: Int
    }

    /// A gateway that looks out for one vehicle, and an archive that keeps its alerts.
    private struct Pair {
        let scratch: Scratch
        let archive: ArchiveProcess
        let gateway: LiveNode

        /// - Parameters:
        ///   - forward: of the gateway, beside the address.
        ///   - images: of the archive.
        init(_ forward: String, images: String = "images: { keep: all }") throws {
            scratch = try Scratch()
            _ = try scratch.write("vrm,action\nAB27CDE,STOP\n", "wanted.csv")
            let cameras = try scratch.write("force,camera,site\n43,43-1,S1\n43,43-2,S2\n", "cameras.csv")
            archive = try ArchiveProcess(
                scratch,
                gateways: [("live", ["43"])],
                more: "interest: { lists: [], folder: \(scratch.path)/archive-alerts }\n\(images)"
            )
            gateway = try LiveNode(
                scratch,
                feeds: [LinkImageTests.feed],
                forces: ["43"],
                cameras: cameras,
                more: """
                    deduplication: { window: 2s, lateness: 2s, idleAfter: 500ms }
                    interest: { lists: [{ name: wanted, path: wanted.csv }] }
                    forward: [{ to: "127.0.0.1:\(archive.port)", \(forward) }]
                    """
            )
        }

        func post(_ lines: [String]) throws {
            #expect(try gateway.post("a", Array(lines.joined(separator: "\n").utf8)).status == 200)
        }

        func status() throws -> Link {
            struct Status: Decodable { var links: [Link] }
            let body = try gateway.get("/v1/status").body
            return try JSONDecoder().decode(Status.self, from: Data(body.utf8)).links[0]
        }

        /// The lines of `image list` at the archive, newest first.
        func images() throws -> [String] {
            let listed = try Program.succeed([
                "image", "list", "--force", "43", "--data", archive.data, "--reason", "a test",
            ])
            return Array(listed.lines.dropFirst())
        }

        /// Waits until a mark's sightings can be found at the archive.
        func sighted(_ mark: String, _ count: Int = 1) throws {
            _ = try Patience.wait(for: "\(count) sightings at the archive") {
                let found = try Program.succeed([
                    "query", mark, "--data", archive.data, "--reason", "a test", "--format", "ndjson",
                ])
                return found.lines.count >= count ? true : nil
            }
        }

        func fetching(_ mark: String, _ kind: String, to file: String, patience: String = "60s") -> [String] {
            [
                "image", "fetch", mark, "--kind", kind, "--out", file, "--data", archive.data, "--reason",
                LinkImageTests.reason, "--patience", patience,
            ]
        }

        func audit(_ data: String) throws -> [Substring] {
            try String(contentsOfFile: data + "/audit/audit.ndjson", encoding: .utf8).split(separator: "\n")
        }
    }

    private static func jpeg(_ number: UInt8, _ count: Int) -> [UInt8] {
        [0xFF, 0xD8, 0xFF, number] + (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
    }

    private static func line(
        _ second: Int,
        _ mark: String = "XY99ZZZ",
        confidence: Int = 80,
        plate: [UInt8]? = nil,
        overview: [UInt8]? = nil
    ) -> String {
        let time = String(format: "2026-11-20T06:%02d:%02d.000Z", second / 60, second % 60)
        let images = [("plateImage", plate), ("overviewImage", overview)].compactMap { name, jpeg in
            jpeg.map { ",\"\(name)\":\"\(Data($0).base64EncodedString())\"" }
        }.joined()
        return
            #"{"force":"43","camera":"43-1","vrm":"\#(mark)","captured":"\#(time)","confidence":\#(confidence)\#(images)}"#
    }

    @Test(
        "the best reads' patches follow their sightings; an overview comes when it is asked for, on record at both ends"
    )
    func idle() throws {
        let pair = try Pair("patches: idle, maxDelay: 50ms")
        let overview = Self.jpeg(9, 150_000)
        try pair.post([
            Self.line(0, confidence: 70, plate: Self.jpeg(1, 900)),
            Self.line(1, confidence: 90, plate: Self.jpeg(2, 900), overview: overview),
            Self.line(20, "XY98ZZZ", plate: Self.jpeg(3, 900), overview: Self.jpeg(4, 5000)),
            Self.line(30, "XY97ZZZ", overview: Self.jpeg(5, 5000)),
        ])
        _ = try Patience.wait(for: "two patches at the archive") {
            try pair.images().count == 2 && pair.status().delivered == 3 ? true : nil
        }
        let status = try pair.status()
        #expect(status.bytesOfPatches > 1800 && status.bytesOfOverviews == 0)
        #expect(try pair.images().allSatisfy { $0.contains("plate") })
        #expect(
            try pair.gateway.metric(
                "anpr_link_bytes_total{to=\"127.0.0.1:\(pair.archive.port)\",class=\"patches\"}"
            )
                > 1800
        )
        let file = pair.scratch.path + "/one.jpg"
        // It is here already.
        try pair.sighted("XY99ZZZ")
        _ = try Program.succeed(pair.fetching("XY99ZZZ", "plate", to: file))
        #expect(FileManager.default.contents(atPath: file) == Data(Self.jpeg(2, 900)))
        #expect(try !pair.audit(pair.gateway.data).contains { $0.contains(#""image":"request""#) })
        for _ in 0..<2 {
            _ = try Program.succeed(pair.fetching("XY99ZZZ", "overview", to: file))
            #expect(FileManager.default.contents(atPath: file) == Data(overview))
        }
        let found = try Program.succeed([
            "query", "XY97ZZZ", "--data", pair.archive.data, "--reason", "a test", "--format", "ndjson",
        ]).output
        let id = try #require(found.firstMatch(of: /"id":"([0-9a-f]{32})"/)?.1)
        _ = try Program.succeed([
            "image", "fetch", "--sighting", String(id), "--kind", "overview", "--out", file, "--data",
            pair.archive.data, "--reason", Self.reason,
        ])
        #expect(FileManager.default.contents(atPath: file) == Data(Self.jpeg(5, 5000)))
        #expect(try pair.images().count == 4)
        #expect(try pair.status().bytesOfOverviews > 155_000)
        #expect(try pair.status().bytesOfOverviews < 160_000, "each went once")

        let given = try pair.audit(pair.gateway.data).filter { $0.contains(#""image":"request""#) }
        #expect(given.count == 2)
        #expect(
            given.allSatisfy {
                $0.contains(Self.reason) && $0.contains(#""actor":"node archive""#)
                    && $0.contains(#""for":"\#(NSUserName())""#) && $0.contains(#""count":1"#)
                    && $0.contains("disclose") && !$0.contains("XY9")
            },
            "\(given)"
        )
        let asked = try pair.audit(pair.archive.data).filter { $0.contains(Self.reason) }
        #expect(asked.filter { $0.contains(#""image":"request""#) }.count == 2)
        #expect(asked.filter { $0.contains(#""image":"fetch""#) }.count == 4)
        #expect(try !pair.archive.log().contains("XY9") && !pair.gateway.log().contains("XY9"))
    }

    @Test("on a narrow line an alert and a sighting pass an overview that is under way")
    func textFirst() throws {
        let pair = try Pair("budget: 64kbit/s, maxDelay: 50ms")
        try pair.post([Self.line(0, overview: Self.jpeg(9, 200_000))])
        try pair.sighted("XY99ZZZ")
        let file = pair.scratch.path + "/one.jpg"
        let fetch = try Program.start(pair.fetching("XY99ZZZ", "overview", to: file))
        _ = try Patience.wait(for: "the overview to be under way") {
            try pair.status().bytesOfOverviews > 0 ? true : nil
        }
        try pair.post([Self.line(60, "AB27CDE")])
        _ = try Patience.wait(for: "the alert at the archive") {
            let listed = try Program.succeed([
                "alerts", "list", "--config", pair.archive.config, "--reason", "a test", "--format", "ndjson",
            ])
            return listed.lines.count == 1 ? true : nil
        }
        #expect(try pair.status().bytesOfOverviews < 200_000)
        let status = try Patience.wait(for: "the sighting at the archive") {
            let status = try pair.status()
            return status.delivered == 2 ? status : nil
        }
        #expect(status.bytesOfOverviews > 0 && status.bytesOfOverviews < 200_000)
        #expect(try pair.images().isEmpty)
        #expect(fetch.isRunning)
    }

    @Test("of a gateway killed in the midst of an image it comes whole all the same, and once")
    func kills() throws {
        let pair = try Pair("budget: 128kbit/s, patches: idle, maxDelay: 50ms")
        let (plate, overview) = (Self.jpeg(8, 60_000), Self.jpeg(9, 120_000))
        try pair.post([Self.line(0, plate: plate, overview: overview)])
        _ = try Patience.wait(for: "the patch to be under way") {
            try pair.status().bytesOfPatches > 0 ? true : nil
        }
        pair.gateway.kill()
        #expect(try pair.images().isEmpty)
        try pair.gateway.start()
        _ = try Patience.wait(for: "the patch at the archive") { try pair.images().count == 1 ? true : nil }
        try pair.sighted("XY99ZZZ")
        let file = pair.scratch.path + "/one.jpg"
        let fetch = try Program.start(
            pair.fetching("XY99ZZZ", "overview", to: file),
            errors: pair.scratch.path + "/fetch.log"
        )
        _ = try Patience.wait(for: "the overview to be under way") {
            try pair.status().bytesOfOverviews > 10_000 ? true : nil
        }
        pair.gateway.kill()
        #expect(fetch.isRunning)
        try pair.gateway.start()
        let status = fetch.wait()
        let log = try String(contentsOfFile: pair.scratch.path + "/fetch.log", encoding: .utf8)
        #expect(status == 0, "\(log)")
        #expect(FileManager.default.contents(atPath: file) == Data(overview))
        _ = try Program.succeed(pair.fetching("XY99ZZZ", "plate", to: file))
        #expect(FileManager.default.contents(atPath: file) == Data(plate))
        #expect(try pair.images().count == 2)
        let folder = pair.archive.data + "/images"
        let stored = try FileManager.default.contentsOfDirectory(atPath: folder).reduce(0) {
            $0 + (FileManager.default.contents(atPath: "\(folder)/\($1)")?.count ?? 0)
        }
        #expect(stored < plate.count + overview.count + 1000)
    }

    @Test("who asks for what is not to be had is told why")
    func troubles() throws {
        let pair = try Pair("budget: 64kbit/s, maxDelay: 50ms", images: "images: { overviewMax: 100000 }")
        try pair.post([
            Self.line(0, overview: Self.jpeg(9, 90_000)), Self.line(20, "XY98ZZZ"),
            Self.line(40, "XY97ZZZ", overview: Self.jpeg(9, 100_000)),
        ])
        for mark in ["XY99ZZZ", "XY98ZZZ", "XY97ZZZ"] { try pair.sighted(mark) }
        let file = pair.scratch.path + "/one.jpg"
        func trouble(_ mark: String, patience: String = "60s") throws -> String {
            let outcome = try Program.run(pair.fetching(mark, "overview", to: file, patience: patience))
            #expect(outcome.status == 1 && outcome.errors.contains("There is no such image"))
            return outcome.errors
        }
        #expect(try trouble("XY98ZZZ").contains("gateway live: there is no such image"))
        #expect(try trouble("XY97ZZZ").contains("more than are kept there"))
        #expect(try trouble("XY99ZZZ", patience: "1ms").contains("has not sent it in time"))
        // It goes on coming, and is asked for once.
        _ = try Patience.wait(for: "the overview at the archive") {
            try pair.images().count == 1 ? true : nil
        }
        _ = try Program.succeed(pair.fetching("XY99ZZZ", "overview", to: file))
        #expect(try pair.audit(pair.gateway.data).filter { $0.contains(#""image":"request""#) }.count == 3)
        pair.gateway.kill()
        _ = try Patience.wait(for: "the archive to notice") {
            try trouble("XY98ZZZ").contains("no gateway that may speak for force 43 is connected")
                ? true : nil
        }
        #expect(pair.archive.stop() == 0)
        #expect(try trouble("XY98ZZZ").contains("No daemon runs"))
    }

    @Test("an archive that keeps no images is pushed none")
    func none() throws {
        let pair = try Pair("patches: idle, maxDelay: 50ms", images: "images: { keep: none }")
        try pair.post([Self.line(0, plate: Self.jpeg(1, 900))])
        try pair.sighted("XY99ZZZ")
        try pair.post([Self.line(60, "AB27CDE", plate: Self.jpeg(1, 900))])
        try pair.sighted("AB27CDE")
        #expect(try pair.status().bytesOfPatches == 0)
        #expect(try pair.images().isEmpty)
    }
}
