import Compression
import Foundation
import TestSupport
import Testing

/// What a feed's posts are answered, over real connections.
@Suite(.serialized)
struct FeedPostTests {
    private static func line(
        _ second: Int,
        _ mark: String = "AB27CDE",
        force: String = "43",
        camera: String = "43-1"
    ) -> String {
        let time =
            "2026-11-20T06:\(second / 60 / 10)\(second / 60 % 10):\(second % 60 / 10)\(second % 10).000Z"
        return
            #"{"force":"\#(force)","camera":"\#(camera)","vrm":"\#(mark)","captured":"\#(time)","confidence":80}"#
    }

    private static func node(
        _ scratch: Scratch,
        feeds: [String]? = nil,
        data: String? = nil,
        more: String = ""
    ) throws -> LiveNode {
        let cameras = try scratch.write(
            "force,camera,site\n43,43-1,S1\n43,43-2,S1\n44,44-1,S1\n",
            "cameras.csv"
        )
        let token = "token: { sha256: \"\(LiveNode.tokenHash)\" }"
        let other = String(LiveNode.tokenHash.reversed())
        let usual = [
            "{ name: a, force: \"43\", source: http, format: ndjson, \(token), bodyMax: 100000 }",
            "{ name: csv, force: \"43\", source: http, format: csv, tokenInQuery: true, \(token) }",
            "{ name: other, force: \"44\", source: http, format: ndjson, token: { sha256: \"\(other)\" } }",
        ]
        return try LiveNode(
            scratch,
            feeds: feeds ?? usual,
            forces: ["43", "44"],
            cameras: cameras,
            data: data,
            more: more
        )
    }

    /// A post and what it must be answered.
    private struct Row {
        var name: String
        var path: String
        var headers: [String: String]
        var body: [UInt8]
        var status: Int
        var part: String

        init(
            _ name: String,
            _ path: String,
            _ headers: [String: String],
            _ body: [UInt8],
            _ status: Int,
            _ part: String
        ) {
            self.name = name
            self.path = path
            self.headers = headers
            self.body = body
            self.status = status
            self.part = part
        }
    }

    private static let bearer = ["Authorization": "Bearer \(LiveNode.token)"]
    private static let good = Array((line(1) + "\n" + line(2, "ZZ99ZZZ")).utf8)

    private static func packed(_ encoding: String) -> [String: String] {
        bearer.merging(["Content-Encoding": encoding]) { $1 }
    }

    private static func plainRows() -> [Row] {
        let csv = Array("force,camera,vrm,captured\n43,43-1,AB27CDE,2026-11-20T06:00:09Z\n".utf8)
        let foreign = good + Array("\n\(line(3, force: "44", camera: "44-1"))".utf8)
        return [
            Row("good", "a", bearer, good, 200, #"{"received":2,"accepted":2,"rejected":0}"#),
            Row("again", "a", bearer, good, 200, #""accepted":2"#),
            Row("nothing", "a", bearer, [], 200, #"{"received":0,"accepted":0,"rejected":0}"#),
            Row("no token", "a", [:], good, 401, "token-missing"),
            Row("wrong token", "a", ["Authorization": "Bearer no"], good, 401, "token-unknown"),
            Row("another feed's token", "other", bearer, good, 403, "token-of-other-feed"),
            Row(
                "token in a query that may have none",
                "a?token=open%20sesame",
                [:],
                good,
                401,
                "token-missing"
            ),
            Row("token in the query", "csv?token=open%20sesame", [:], csv, 200, #""accepted":1"#),
            Row("no such feed", "b", bearer, good, 404, "feed-unknown"),
            Row(
                "another force's read alone is refused",
                "a",
                bearer,
                foreign,
                200,
                #"{"received":3,"accepted":2,"rejected":1}"#
            ),
            Row("not of the format", "a", bearer, Array("GET me\n".utf8), 400, #""rejected":1"#),
            Row(
                "a header row that lacks columns",
                "csv",
                bearer,
                Array("a,b\n1,2\n".utf8),
                400,
                "body-unreadable"
            ),
            Row("too long", "a", bearer, [UInt8](repeating: 0x0A, count: 100_001), 413, "body-too-long"),
        ]
    }

    private static func packedRows() throws -> [Row] {
        let gzip = try Deflater.pack(good, wrapper: .gzip)
        let bomb = try Deflater.pack([UInt8](repeating: 0x0A, count: 1_000_000), wrapper: .gzip)
        return [
            Row("gzip", "a", packed("gzip"), gzip, 200, #""accepted":2"#),
            Row(
                "deflate",
                "a",
                packed("deflate"),
                try Deflater.pack(good, wrapper: .zlib),
                200,
                #""accepted":2"#
            ),
            Row(
                "bare deflate",
                "a",
                packed("deflate"),
                try Deflater.pack(good, wrapper: .raw),
                200,
                #""accepted":2"#
            ),
            Row("gzip cut off", "a", packed("gzip"), Array(gzip.dropLast(9)), 400, "ends too early"),
            Row("no gzip at all", "a", packed("gzip"), good, 400, "damaged"),
            Row("an unknown packing", "a", packed("br"), good, 415, "encoding-unknown"),
            Row("too long once unpacked", "a", packed("gzip"), bomb, 413, "body-too-long"),
        ]
    }

    @Test("each body is answered as the contract says")
    func answers() throws {
        let node = try Self.node(try Scratch())
        for row in try Self.plainRows() + Self.packedRows() {
            let answer = try node.post(row.path, row.body, headers: row.headers)
            #expect(answer.status == row.status, "\(row.name): \(answer.body)")
            #expect(answer.body.contains(row.part), "\(row.name): \(answer.body)")
            let kind = row.status == 200 ? "application/json" : "application/problem+json"
            #expect(answer.headers["content-type"] == kind, "\(row.name)")
        }
        #expect(node.stop() == 0)
        #expect(!(try node.log()).contains("AB27CDE"), "no marks in logs")
        let stored = try node.sightings()
        #expect(stored.map(\.reads).reduce(0, +) == 3)
    }

    @Test("many posts over one connection, in pieces, and requests that break off")
    func connections() throws {
        let node = try Self.node(try Scratch())
        let socket = try PlainSocket(port: node.port("http"))
        let header = ["Authorization": "Bearer \(LiveNode.token)"]
        for second in 0..<200 {
            let answer = try socket.request(
                "POST",
                "/v1/feeds/a",
                headers: header,
                body: Array(Self.line(second * 15).utf8)
            )
            try #require(answer.status == 200, "\(answer.body)")
        }
        // A chunked body whose pieces cut a record.
        let text = Self.line(3500)
        var request = "POST /v1/feeds/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
        request += "Authorization: Bearer \(LiveNode.token)\r\n\r\n"
        try socket.send(Array(request.utf8))
        for piece in [text.prefix(40), text.dropFirst(40)] {
            try socket.send(Array("\(String(piece.utf8.count, radix: 16))\r\n\(piece)\r\n".utf8))
        }
        try socket.send(Array("0\r\n\r\n".utf8))
        #expect(try socket.response().status == 200)
        // Chunks without a length are the client's fault, and nothing of the body counts.
        try socket.send(Array((request + "rubbish\r\n").utf8))
        let broken = try socket.response()
        #expect(broken.status == 400)
        #expect(broken.body.contains("urn:anpr:problem:body-incomplete"))
        // Bodies that never come whole, and rubbish that is no HTTP: others are served on.
        for rubbish in [
            "POST /v1/feeds/a HTTP/1.1\r\nContent-Length: 50\r\nAuthorization: Bearer \(LiveNode.token)\r\n\r\n{",
            "\u{1}\u{2}rubbish\r\n\r\n",
        ] {
            let other = try PlainSocket(port: node.port("http"))
            try other.send(Array(rubbish.utf8))
        }
        #expect(try node.post("a", Array(Self.line(3590).utf8)).status == 200)
        #expect(node.stop() == 0)
        #expect(try node.sightings().count == 202)
    }

    @Test(
        "clients that send slowly take no more room than they fill, and others are told to come again, not made to wait"
    )
    func slowClients() throws {
        let scratch = try Scratch()
        let cameras = try scratch.write("force,camera,site\n43,43-1,S1\n", "cameras.csv")
        let feed =
            "{ name: a, force: \"43\", source: http, format: ndjson, token: { sha256: \"\(LiveNode.tokenHash)\" } }"
        let node = try LiveNode(scratch, feeds: [feed], forces: ["43"], cameras: cameras, intakeMax: 1 << 20)
        func begin(_ announced: Int, _ bytes: Int) throws -> PlainSocket {
            let socket = try PlainSocket(port: node.port("http"))
            let head = "POST /v1/feeds/a HTTP/1.1\r\nHost: x\r\nContent-Length: \(announced)\r\n"
            try socket.send(Array((head + "Authorization: Bearer \(LiveNode.token)\r\n\r\n").utf8))
            try socket.send([UInt8](repeating: 0x0A, count: bytes))
            return socket
        }
        // Many announce much and send little.
        let idle = try (0..<20).map { _ in try begin(60 << 20, 10) }
        #expect(try node.post("a", Array(Self.line(1).utf8)).status == 200)
        // One has sent nearly all the room there is, and pauses.
        let full = try begin(800_000, 700_000)
        let large = [UInt8](repeating: 0x0A, count: 300_000)
        _ = try Patience.wait(for: "the room to be taken") {
            let used = try node.get("/metrics").body.split(separator: "\n").first {
                $0.hasPrefix("anpr_intake_bytes ")
            }
            return used.flatMap { Double($0.dropFirst(18)) }.flatMap { $0 >= 786_000 ? true : nil }
        }
        let refused = try node.post("a", large)
        #expect(refused.status == 503)
        #expect(refused.headers["retry-after"] == "1")
        #expect(refused.body.contains("urn:anpr:problem:behind"))
        #expect(try node.post("a", Array(Self.line(20).utf8)).status == 200, "small ones still fit")
        try full.send([UInt8](repeating: 0x0A, count: 100_000))
        #expect(try full.response().status == 200)
        #expect(try node.post("a", large).status == 200, "there is room again")
        #expect(idle.count == 20)
        #expect(node.stop() == 0)
        #expect(try node.sightings().count == 2)
    }

    @Test("what the engine says of itself")
    func status() throws {
        let node = try Self.node(try Scratch())
        _ = try node.post("a", Array((Self.line(1) + "\nrubbish\n" + Self.line(1)).utf8))
        #expect(try node.get("/livez").status == 200)
        #expect(try node.get("/readyz").status == 200)
        let metrics = try node.get("/metrics").body
        #expect(metrics.contains(#"anpr_feed_received_total{feed="a"} 3"#))
        #expect(metrics.contains(#"anpr_feed_rejected_total{feed="a",reason="malformed"} 1"#))
        #expect(metrics.contains("anpr_journal_sync_seconds_count"))
        #expect(!metrics.contains("AB27CDE"))
        let status = try node.get("/v1/status")
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(status.body.utf8)) as? [String: Any]
        )
        #expect(object["node"] as? String == "live")
        #expect(node.stop() == 0)
    }

    @Test(
        "a disk that fills up: posts are told to come again, nothing is lost, and it goes on when there is room"
    )
    func fullDisk() throws {
        let scratch = try Scratch()
        let disk = scratch.path + "/disk"
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
        let mount = try ChildProcess("/bin/mount", ["-t", "tmpfs", "-o", "size=1500k", "tmpfs", disk])
        // Only root can; elsewhere there is nothing to see.
        guard mount.wait() == 0 else { return }
        defer { _ = try? ChildProcess("/bin/umount", ["-l", disk]).wait() }
        let node = try Self.node(scratch, data: disk + "/data")
        var taken: Set<Int> = []
        var answers: [Int] = []
        let filler = disk + "/filler"
        for round in 0..<600 {
            if round == 20 { _ = FileManager.default.createFile(atPath: filler, contents: nil) }
            if round >= 20, round < 300, answers.last == 200 {
                // Something else takes the room.
                let handle = try #require(FileHandle(forWritingAtPath: filler))
                try handle.seekToEnd()
                try? handle.write(contentsOf: Data(count: 40_000))
                try handle.close()
            }
            if round == 300 { try FileManager.default.removeItem(atPath: filler) }
            let answer = try node.post("a", Array(Self.line(round).utf8))
            answers.append(answer.status)
            if answer.status == 200 {
                taken.insert(round)
            } else {
                #expect(answer.headers["retry-after"] != nil)
            }
        }
        #expect(answers[20..<300].contains(503), "it was full")
        #expect(answers[590...].allSatisfy { $0 == 200 }, "and is not any more")
        #expect(Set(answers).subtracting([200, 503]).isEmpty)
        #expect(node.stop() == 0)
        let stored = try node.sightings()
        #expect(stored.map(\.reads).reduce(0, +) == taken.count)
    }
}
