import Foundation
import TestSupport
import Testing

/// Feeds over TLS: who may post is told by a client's certificate or by a token.
@Suite(.serialized)
struct SecureFeedTests {
    private let scratch: Scratch
    private let authority: TestAuthority
    private let node: LiveNode

    init() throws {
        scratch = try Scratch()
        authority = try TestAuthority("the authority")
        let server = try authority.issue("server", dnsNames: ["localhost"])
        _ = try scratch.write(authority.certificate, "ca.pem")
        _ = try scratch.write(server.certificate, "server.pem")
        _ = try scratch.write(server.key, "server.key")
        let token = "token: { sha256: \"\(LiveNode.tokenHash)\" }"
        let feed = "force: \"43\", source: http, format: ndjson"
        node = try LiveNode(
            scratch,
            feeds: [
                "{ name: by-certificate, \(feed), clientCertificate: camera-1.example }",
                "{ name: by-either, \(feed), clientCertificate: camera-2.example, \(token) }",
                "{ name: by-token, \(feed), \(token) }",
            ],
            forces: ["43"],
            cameras: try scratch.write("force,camera,site\n43,43-1,S1\n", "cameras.csv"),
            tls: "{ certificate: server.pem, key: server.key, trust: ca.pem }"
        )
    }

    private static let bearer = ["Authorization": "Bearer \(LiveNode.token)"]
    private static let wrong = ["Authorization": "Bearer not this one"]

    private static func line(_ second: Int) -> [UInt8] {
        let time = "2026-11-20T06:00:\(10 + second).000Z"
        return Array(#"{"force":"43","camera":"43-1","vrm":"AB27CDE","captured":"\#(time)"}"#.utf8)
    }

    private func post(
        _ feed: String,
        as identity: TestAuthority.Identity?,
        _ headers: [String: String] = [:]
    ) async throws -> PlainResponse {
        let client = try SecureClient(
            port: node.port("http"),
            trusting: authority.certificate,
            as: identity
        )
        return try await client.request("POST", "/v1/feeds/\(feed)", headers: headers, body: Self.line(0))
    }

    @Test("a feed takes its own certificate or token; others are told what is wrong with theirs")
    func access() async throws {
        let byName = try authority.issue("camera-1.example")
        let byDNS = try authority.issue("some camera", dnsNames: ["else.example", "camera-1.example"])
        let second = try authority.issue("camera-2.example")
        let stranger = try authority.issue("stranger.example", dnsNames: ["xcamera-1.example"])
        let rows: [(String, TestAuthority.Identity?, [String: String], Int, String)] = [
            ("by-certificate", byName, [:], 200, #""accepted":1"#),
            ("by-certificate", byDNS, [:], 200, #""accepted":1"#),
            ("by-certificate", second, [:], 403, "certificate-of-other-feed"),
            ("by-certificate", stranger, [:], 403, "certificate-unknown"),
            ("by-certificate", nil, [:], 401, "certificate-missing"),
            ("by-certificate", nil, Self.bearer, 403, "token-of-other-feed"),
            ("by-certificate", byName, Self.wrong, 200, #""accepted":1"#),
            ("by-either", second, [:], 200, #""accepted":1"#),
            ("by-either", nil, Self.bearer, 200, #""accepted":1"#),
            ("by-either", stranger, Self.bearer, 200, #""accepted":1"#),
            ("by-either", byName, [:], 403, "certificate-of-other-feed"),
            ("by-either", nil, Self.wrong, 401, "token-unknown"),
            ("by-either", nil, [:], 401, "token-missing"),
            ("by-token", nil, Self.bearer, 200, #""accepted":1"#),
            ("by-token", byName, [:], 403, "certificate-of-other-feed"),
            ("by-token", stranger, [:], 401, "token-missing"),
            ("by-nobody", byName, [:], 404, "feed-unknown"),
        ]
        for (place, row) in rows.enumerated() {
            let answer = try await post(row.0, as: row.1, row.2)
            #expect(answer.status == row.3, "row \(place): \(answer.body)")
            #expect(answer.body.contains(row.4), "row \(place): \(answer.body)")
            guard row.3 >= 400 else { continue }
            #expect(answer.headers["content-type"] == "application/problem+json")
        }
        #expect(node.stop() == 0)
        #expect(try node.sightings().map(\.reads) == [1], "the same read of three feeds counts once")
    }

    @Test("certificates of another authority, and plain HTTP, get no answer; the others are served on")
    func strangers() async throws {
        let other = try TestAuthority("another authority")
        let forged = try other.issue("camera-1.example")
        await #expect(throws: (any Error).self) { try await post("by-certificate", as: forged) }
        await #expect(throws: (any Error).self, "a token does not help a forged certificate") {
            try await post("by-token", as: forged, Self.bearer)
        }
        await #expect(throws: (any Error).self, "the client knows a false server") {
            let client = try SecureClient(port: node.port("http"), trusting: other.certificate)
            return try await client.request("GET", "/livez")
        }
        let plain = try PlainSocket(port: node.port("http"))
        #expect(throws: PlainSocket.Broken.self) { try plain.request("GET", "/livez") }
        // One that stays open before its handshake holds nobody up, not even the end.
        let silent = try PlainSocket(port: node.port("http"))
        let client = try SecureClient(port: node.port("http"), trusting: authority.certificate)
        #expect(try await client.request("GET", "/livez").status == 200)
        let good = try authority.issue("camera-1.example")
        #expect(try await post("by-certificate", as: good).status == 200)
        #expect(node.stop() == 0)
        silent.endSending()
    }

    @Test("other certificate files need a restart, and a reload says so")
    func reload() throws {
        let text = try String(contentsOfFile: node.config, encoding: .utf8)
        _ = try scratch.write(authority.certificate, "ca-2.pem")
        try text.replacing("trust: ca.pem", with: "trust: ca-2.pem")
            .write(toFile: node.config, atomically: true, encoding: .utf8)
        _ = try Program.succeed(["reload", "--data", node.data])
        _ = try Patience.wait(for: "what the daemon says") {
            try node.log().contains("a restart is needed for http") ? true : nil
        }
        #expect(node.stop() == 0)
    }
}
