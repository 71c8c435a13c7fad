import Foundation
import Simulation
import TestSupport
import Testing

/// Images that come with reads, kept by real daemons and runs, and given out for a reason.
@Suite
struct ImageTests {
    private static let token = "token: { sha256: \"\(LiveNode.tokenHash)\" }"

    private static func jpeg(_ number: Int, _ count: Int = 900) -> [UInt8] {
        [0xFF, 0xD8, 0xFF, UInt8(number & 255), UInt8(number >> 8)] + [UInt8](repeating: 1, count: count)
    }

    private static func time(_ second: Int) -> String {
        let parts = [second / 3600, second / 60 % 60, second % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }
        return "2026-11-20T\(parts.joined(separator: ":")).000Z"
    }

    private static func line(_ second: Int, _ images: [String: [UInt8]] = [:], mark: String = "AB27CDE")
        -> String
    {
        let more = images.sorted { $0.key < $1.key }
            .map { ",\"\($0.key)\":\"\(Data($0.value).base64EncodedString())\"" }.joined()
        return
            #"{"force":"43","camera":"43-1","vrm":"\#(mark)","captured":"\#(time(second))","confidence":80\#(more)}"#
    }

    private static func node(_ scratch: Scratch, more: String = "") throws -> LiveNode {
        try LiveNode(
            scratch,
            feeds: [
                "{ name: a, force: \"43\", source: http, format: ndjson, \(token) }",
                "{ name: bof2, force: \"43\", source: bof2, \(token) }",
            ],
            forces: ["43"],
            cameras: try scratch.write("force,camera,site\n43,43-1,S1\n43,12/3/45,S2\n", "cameras.csv"),
            more: more
        )
    }

    private static func files(_ folder: String) throws -> [String: Data] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        return names.reduce(into: [:]) { $0[$1] = FileManager.default.contents(atPath: "\(folder)/\($1)") }
    }

    @Test(
        "kept with their reads, found by mark, time and sighting, for a reason, and on record before they are shown"
    )
    func fetch() throws {
        let scratch = try Scratch()
        let node = try Self.node(scratch)
        let both = ["plateImage": Self.jpeg(1), "overviewImage": Self.jpeg(2, 9000)]
        let body = [
            Self.line(10, both), Self.line(11), Self.line(12, ["plateImage": Self.jpeg(3)]),
            Self.line(60, ["plateImage": Self.jpeg(4)], mark: "XY99ZZZ"),
            Self.line(90, ["plateImage": Self.jpeg(5, 70_000), "overviewImage": Array("no picture".utf8)]),
        ].joined(separator: "\n")
        for _ in 0..<2 {
            #expect(try node.post("a", Array(body.utf8)).body.contains(#""accepted":5"#))
        }
        #expect(try node.metric("anpr_feed_images_kept_total{feed=\"a\",kind=\"plate\"}") == 6)
        #expect(try node.metric("anpr_feed_images_dropped_total{feed=\"a\"}") == 4)
        let reason = ["--data", node.data, "--reason", "looking for a stolen car"]
        let listed = try Program.succeed(["image", "list", "AB27*"] + reason)
        #expect(listed.lines.count == 4, "\(listed.output)")
        #expect(listed.lines[1].contains("plate") && listed.lines[1].contains("00:00:12.000"))
        #expect(try Program.succeed(["image", "list", "--from", Self.time(30)] + reason).lines.count == 2)
        #expect(try Program.run(["image", "list", "AB27CDE", "--data", node.data]).status == 64, "no reason")
        let refused = try Program.run(["image", "list", "AB27CDE", "--data", node.data, "--reason", " "])
        #expect(refused.status == 1 && refused.output.isEmpty)

        let file = scratch.path + "/one.jpg"
        let many = try Program.run(["image", "fetch", "AB27CDE", "--out", file] + reason)
        #expect(many.status == 1 && many.errors.contains("3 images are meant"), "\(many.errors)")
        #expect(!FileManager.default.fileExists(atPath: file))
        _ = try Program.succeed(["image", "fetch", "AB27CDE", "--kind", "overview", "--out", file] + reason)
        #expect(FileManager.default.contents(atPath: file) == Data(Self.jpeg(2, 9000)))
        #expect(try Program.run(["image", "fetch", "ZZ99ZZZ", "--out", file] + reason).status == 1)

        #expect(node.stop() == 0)
        let sightings = try node.sightings()
        let found = try Program.succeed(["query", "AB27CDE", "--format", "ndjson"] + reason).lines
        let id = try #require(
            found.first { $0.contains("00:00:10.000Z") }?.firstMatch(of: /"id":"([0-9a-f]{32})"/)?.1
        )
        let out = scratch.path + "/out"
        try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
        _ = try Program.succeed(["image", "fetch", "--sighting", String(id), "--out", out] + reason)
        let given = try Self.files(out)
        #expect(Set(given.values) == Set([Self.jpeg(1), Self.jpeg(2, 9000), Self.jpeg(3)].map { Data($0) }))
        #expect(given.keys.allSatisfy { $0.hasSuffix(".jpg") && $0.count == 68 })
        #expect(sightings.count == 3)

        let audit = try String(contentsOfFile: node.data + "/audit/audit.ndjson", encoding: .utf8)
        let records = audit.split(separator: "\n").filter { $0.contains(#""image":""#) }
        #expect(records.count == 7)
        #expect(records.filter { $0.contains(#""outcome":"refused""#) }.count == 1)
        #expect(records.last?.contains(#""count":3"#) == true)
        #expect(try !node.log().contains("AB27"))
        let names = try FileManager.default.subpathsOfDirectory(atPath: node.data)
        #expect(!names.joined().contains("AB27"))
    }

    @Test(
        "a daemon killed while reads come loses no image it acknowledged, and keeps none twice",
        arguments: [1, 2] as [UInt64]
    )
    func kills(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let node = try Self.node(try Scratch())
        let count = 400
        let lines = (0..<count).map { Self.line($0 * 20, ["plateImage": Self.jpeg($0)]) }
        var poster = Poster("a", Array(lines.joined(separator: "\n").utf8), lines: 10)
        var kills = 0
        var untilKill = random.below(4)
        while true {
            do {
                if try poster.step(node.ports) == .done { break }
            } catch is PlainSocket.Broken {}
            untilKill -= 1
            if untilKill <= 0, kills < 10 {
                if random.chance(perMille: 500), let piece = lines.randomElement() {
                    // One that is not waited for.
                    let socket = try PlainSocket(port: node.port("http"))
                    let head =
                        "POST /v1/feeds/a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(LiveNode.token)\r\n"
                    try socket.send(
                        Array((head + "Content-Length: \(piece.utf8.count)\r\n\r\n" + piece).utf8)
                    )
                }
                node.kill()
                try node.start()
                kills += 1
                untilKill = random.below(6)
            }
        }
        #expect(kills == 10)
        #expect(node.stop() == 0)
        let listed = try Program.succeed([
            "image", "list", "AB27CDE", "--data", node.data, "--reason", "a test",
        ])
        #expect(listed.lines.count == count + 1)
        let out = node.scratch.path + "/out"
        try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
        _ = try Program.succeed([
            "image", "fetch", "AB27CDE", "--data", node.data, "--reason", "a test", "--out", out,
        ])
        #expect(Set(try Self.files(out).values) == Set((0..<count).map { Data(Self.jpeg($0)) }))
        let stored = try Self.files(node.data + "/images").values.reduce(0) { $0 + $1.count }
        // Each picture once, with some 100 bytes of records and marks and three pieces' seals beside it.
        #expect(stored < count * (905 + 250))
    }

    @Test("a reload changes what is kept; pictures beside a vendor's document are kept with its read")
    func reload() throws {
        let scratch = try Scratch()
        let node = try LiveNode(
            scratch,
            feeds: ["{ name: h, force: \"43\", source: http, format: hikvision, \(Self.token) }"],
            forces: ["43"],
            cameras: try scratch.write("force,camera,site\n43,02:ab/1,S1\n", "cameras.csv"),
            more: "images: { keep: all }"
        )
        func event(_ second: Int) -> [UInt8] {
            let document = """
                <EventNotificationAlert><macAddress>02:ab</macAddress><channelID>1</channelID><dateTime>\(Self.time(second))</dateTime>
                <eventType>ANPR</eventType><ANPR><licensePlate>AB27CDE</licensePlate></ANPR></EventNotificationAlert>
                """
            func part(_ name: String, _ content: [UInt8]) -> [UInt8] {
                Array("--M\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n".utf8) + content
                    + Array("\r\n".utf8)
            }
            return part("anpr.xml", Array(document.utf8)) + part("licensePlatePicture.jpg", Self.jpeg(second))
                + part("detectionPicture.jpg", Self.jpeg(second + 1, 20_000)) + Array("--M--\r\n".utf8)
        }
        #expect(try node.post("h", event(10)).body.contains(#""accepted":1"#))
        let text = try String(contentsOfFile: node.config, encoding: .utf8)
        try text.replacing("keep: all", with: "keep: plate").write(
            toFile: node.config,
            atomically: true,
            encoding: .utf8
        )
        _ = try Program.succeed(["reload", "--data", node.data])
        _ = try Patience.wait(for: "the reload") {
            try node.log().contains("configuration taken up") ? true : nil
        }
        #expect(try node.post("h", event(50)).status == 200)
        #expect(node.stop() == 0)
        let listed = try Program.succeed([
            "image", "list", "AB27CDE", "--data", node.data, "--reason", "a test",
        ])
        #expect(
            listed.lines.dropFirst().map { $0.contains("overview") } == [false, false, true],
            "\(listed.output)"
        )
    }

    // MARK: - The binary data service

    private static func call(_ members: [(String, String)], operation: String = "addBinaryCaptureData")
        -> [UInt8]
    {
        let inner = members.map { "<\($0.0)>\($0.1)</\($0.0)>" }.joined()
        return Array(
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:b="urn:bof2">
              <soapenv:Body><b:\(operation)>\(inner)</b:\(operation)></soapenv:Body></soapenv:Envelope>
            """.utf8
        )
    }

    private static func binary(_ changes: [String: String] = [:]) -> [UInt8] {
        // Line ends in the text, as libraries write them.
        let image = Data(jpeg(7)).base64EncodedString(options: .lineLength76Characters)
        let usual = [
            ("signature", LiveNode.token), ("username", "unit7"), ("vrm", "AB27CDE"),
            ("feedIdentifier", "12"),
            ("sourceIdentifier", "3"), ("cameraIdentifier", "45"), ("captureTime", time(100)),
            ("binaryImage", image), ("binaryDataType", "P"),
        ]
        return call(usual.map { ($0.0, changes[$0.0] ?? $0.1) })
    }

    @Test("an image of a capture may come before it, after it or twice; what is refused changes nothing")
    func binaryData() throws {
        let scratch = try Scratch()
        let node = try Self.node(scratch, more: "images: { plateMax: 2000 }")
        let rows: [(name: String, body: [UInt8], part: String)] = [
            ("before", Self.binary(), "<addBinaryCaptureDataReturn></"),
            ("twice", Self.binary(), "Return></"),
            (
                "context",
                Self.binary(["binaryDataType": "C", "binaryImage": Data(Self.jpeg(8)).base64EncodedString()]),
                "Return></"
            ),
            ("signature", Self.binary(["signature": "guess"]), "the signature is not known"),
            ("type", Self.binary(["binaryDataType": "X"]), "neither P nor C"),
            ("no image", Self.binary(["binaryImage": ""]), "no binaryImage"),
            ("no JPEG", Self.binary(["binaryImage": "AAAA"]), "no JPEG"),
            ("no base 64", Self.binary(["binaryImage": "?"]), "not base 64"),
            (
                "too long", Self.binary(["binaryImage": Data(Self.jpeg(7, 2000)).base64EncodedString()]),
                "longer than 2000"
            ),
            ("camera", Self.binary(["cameraIdentifier": "46"]), "camera-unknown"),
            ("mark", Self.binary(["vrm": "A!"]), "vrm-invalid"),
            ("time", Self.binary(["captureTime": "noon"]), "captured-invalid"),
        ]
        func answer(_ service: String, _ body: [UInt8]) throws -> PlainResponse {
            try PlainSocket(port: node.port("http")).request("POST", "/bof2/services/\(service)", body: body)
        }
        for row in rows {
            let answer = try answer("inputbinarydatawebservice", row.body)
            #expect(answer.status == 200 && answer.body.contains(row.part), "\(row.name): \(answer.body)")
            #expect(!answer.body.contains("AB27"))
        }
        #expect(try answer("inputcapturewebservice", Self.binary()).status == 400, "another service")
        let received = "anpr_feed_received_total{feed=\"bof2\"}"
        #expect(try node.metric(received) == 0, "an image is no read")
        #expect(try Program.succeed(["quarantine", "list", "--data", node.data]).lines.isEmpty)

        // The capture itself, with images of its own, and one of them again.
        let capture = Self.call(
            [
                ("signature", LiveNode.token), ("vrm", "AB27CDE"), ("feed", "12"), ("source", "3"),
                ("camera", "45"),
                ("plateImage", Data(Self.jpeg(7)).base64EncodedString()),
                ("overviewImage", Data(Self.jpeg(9)).base64EncodedString()), ("captureDate", Self.time(100)),
            ],
            operation: "sendCapture"
        )
        #expect(try answer("inputcapturewebservice", capture).body.contains("Return></"))
        #expect(try answer("InputBinaryDataWebService", Self.binary()).body.contains("Return></"))
        #expect(try node.metric(received) == 1)
        node.kill()
        try node.start()
        #expect(node.stop() == 0)
        let listed = try Program.succeed([
            "image", "list", "AB27CDE", "--data", node.data, "--reason", "a test",
        ])
        #expect(listed.lines.count == 4, "\(listed.output)")
        #expect(try node.sightings().count == 1)
        for (name, bytes) in try Self.files(node.data + "/images") {
            #expect(bytes.range(of: Data(LiveNode.token.utf8)) == nil, "\(name)")
        }
    }

    // MARK: - Runs

    @Test(
        "ingest keeps them, says so, and retention takes them; none are kept where the configuration has it so"
    )
    func ingest() throws {
        let scratch = try Scratch()
        let cameras = try scratch.write("force,camera,site\n43,43-1,S1\n", "cameras.csv")
        let feed = try scratch.write(
            [
                Self.line(1, ["plateImage": Self.jpeg(1), "overviewImage": Self.jpeg(2, 5000)]),
                Self.line(40, ["plateImage": Array("nothing".utf8)]),
            ].joined(separator: "\n"),
            "feed.ndjson"
        )
        func config(_ name: String, _ more: String) throws -> String {
            try scratch.write(
                """
                node: \(name)
                data: \(scratch.path)/\(name)
                forces: [{ code: "43" }]
                cameras: \(cameras)
                feeds: [{ name: feed, force: "43", path: \(feed) }]
                \(more)
                """,
                "\(name).yaml"
            )
        }
        let all = try config("all", "")
        let report = try Program.succeed(["ingest", "--config", all]).output
        #expect(report.contains("2 kept, 1 dropped"), "\(report)")
        let listing = ["image", "list", "--force", "43", "--reason", "a test", "--data"]
        #expect(try Program.succeed(listing + [scratch.path + "/all"]).lines.count == 3)

        _ = try config("all", "retention: [{ when: { class: overview }, keep: 1s }, { keep: 1200mo }]")
        let plan = try Program.succeed(["retention", "plan", "--config", all]).lines
        #expect(
            plan.first?.contains("class overview") == true && plan.first?.contains("1 images") == true,
            "\(plan)"
        )
        #expect(
            try Program.succeed(["retention", "apply", "--config", all]).lines.first?.contains("1 images")
                == true
        )
        let left = try Program.succeed(listing + [scratch.path + "/all"]).lines
        #expect(left.count == 2 && left[1].contains("plate"))
        let bytes = try Self.files(scratch.path + "/all/images").values.reduce(0) { $0 + $1.count }
        #expect(bytes < 2000)
        let audit = try String(contentsOfFile: scratch.path + "/all/audit/audit.ndjson", encoding: .utf8)
        #expect(audit.contains(#""images":"1""#))

        for (keep, count, words) in [("plate", 1, "1 kept, 1 dropped"), ("none", 0, "0 kept")] {
            let some = try config(keep, "images: { keep: \(keep) }")
            let report = try Program.succeed(["ingest", "--config", some]).output
            #expect(report.contains(words), "\(report)")
            let lines = try Program.succeed(listing + [scratch.path + "/\(keep)"]).lines
            #expect(lines.count == (count > 0 ? count + 1 : 0))
        }
        #expect(!FileManager.default.fileExists(atPath: scratch.path + "/none/images"))
        let wrong = try Program.run(["check", try config("wrong", "images: { keep: some, plateMax: 0 }")])
        #expect(
            wrong.status == 65 && wrong.errors.contains("keep of images") && wrong.errors.contains("plateMax")
        )
    }
}
