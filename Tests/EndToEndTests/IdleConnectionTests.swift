import Foundation
import TestSupport
import Testing

/// Ten thousand connections that say nothing hold nobody up.
@Suite(.serialized)
struct IdleConnectionTests {
    /// Raises the number of files that this process and its children may have open.
    ///
    /// - Returns: how many that is.
    private static func raiseFileLimit() -> Int {
        var limit = rlimit()
        unsafe getrlimit(__rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue)), &limit)
        limit.rlim_cur = limit.rlim_max
        unsafe setrlimit(__rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue)), &limit)
        return Int(min(limit.rlim_cur, 1 << 20))
    }

    private static func line(_ number: Int, _ camera: String) -> [UInt8] {
        let time = "2026-11-20T06:\(10 + number / 60):\(10 + number % 50).\(100 + number % 900)Z"
        let text = #"{"force":"43","camera":"\#(camera)","vrm":"AB27CDE","captured":"\#(time)"}"#
        return Array(text.utf8) + [0x0A]
    }

    @Test("while 10,000 connections are held open, posts are answered and memory stays bounded")
    func idle() throws {
        // Other tests in this process need some as well.
        let limit = Self.raiseFileLimit()
        let count = min(10_000, limit - min(1500, limit / 2)) / 2
        if count < 5000 { print("only \(count * 2) connections: the limit of open files allows no more") }
        try #require(count >= 100)
        let scratch = try Scratch()
        let token = "token: { sha256: \"\(LiveNode.tokenHash)\" }"
        let node = try LiveNode(
            scratch,
            feeds: [
                "{ name: a, force: \"43\", source: http, format: ndjson, \(token) }",
                "{ name: t, force: \"43\", source: tcp, listen: \"127.0.0.1:0\", format: ndjson, acknowledge: true }",
            ],
            forces: ["43"],
            cameras: try scratch.write("force,camera,site\n43,43-1,S1\n43,43-2,S2\n", "cameras.csv")
        )
        let before = try node.residentMegabytes()
        var posting: [PlainSocket] = []
        var streaming: [PlainSocket] = []
        let client = try PlainSocket(port: node.port("http"))
        func post(_ number: Int) throws {
            let answer = try client.request(
                "POST",
                "/v1/feeds/a",
                headers: ["Authorization": "Bearer \(LiveNode.token)"],
                body: Self.line(number, "43-1")
            )
            #expect(answer.status == 200, "\(answer.body)")
        }
        for number in 0..<count {
            posting.append(try PlainSocket(port: node.port("http")))
            streaming.append(try PlainSocket(port: node.port("t")))
            if number % 20 == 0 { try post(number / 20) }
        }
        for number in 0..<250 { try post(250 + number) }
        #expect(try node.descriptors() > count * 2, "all are open on the daemon's side")
        let after = try node.residentMegabytes()
        print("\(count * 2) idle connections: \(before) MB before, \(after) MB with them")
        #expect(after < 600)
        // They are alive, not only open.
        for number in stride(from: 0, to: count, by: 97) {
            #expect(try posting[number].request("GET", "/livez").status == 200)
            let line = Self.line(number % 3000, "43-2")
            try streaming[number].send(line)
            #expect(try streaming[number].line() == "\(line.count)")
        }
        #expect(node.stop() == 0)
        let reads = try node.sightings().filter { $0.site == "S1" }.map(\.reads).reduce(0, +)
        #expect(reads == 250 + (count + 19) / 20)
    }
}
