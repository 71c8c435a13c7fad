import Foundation
import TestSupport
import Testing

/// Links under mutual TLS: sightings go only to the node that was meant, and only from nodes that prove their names.
@Suite(.serialized)
struct SecureLinkTests {
    private let scratch: Scratch
    private let authority: TestAuthority

    init() throws {
        scratch = try Scratch()
        authority = try TestAuthority("the authority")
        _ = try scratch.write(authority.certificate, "ca.pem")
    }

    /// Starts an archive.
    ///
    /// - Parameter isLocal: whether its certificate has this machine's number beside its name.
    private func archive(isLocal: Bool = true) throws -> ArchiveProcess {
        let identity = try authority.issue("national", dnsNames: ["archive.example"], isLocal: isLocal)
        try Self.write(identity, "archive", scratch)
        return try ArchiveProcess(
            scratch,
            gateways: [("gw", ["43"])],
            tls: "{ certificate: archive.pem, key: archive.key, trust: ca.pem }"
        )
    }

    private static func write(_ identity: TestAuthority.Identity, _ name: String, _ scratch: Scratch) throws {
        _ = try scratch.write(identity.certificate, "\(name).pem")
        _ = try scratch.write(identity.key, "\(name).key")
    }

    /// Takes one read in at a gateway of its own and sends it on.
    private func ingest(_ archive: ArchiveProcess, tls: String?) throws -> Program.Outcome {
        _ = try scratch.write("force,camera,site\n43,43-1,S1\n", "cameras.csv")
        _ = try scratch.write(
            #"{"force":"43","camera":"43-1","vrm":"AB27CDE","captured":"2026-11-20T06:00:10Z"}"#,
            "a.ndjson"
        )
        let config = try scratch.write(
            """
            node: gw
            data: \(scratch.path)/\(UUID().uuidString)
            forces: [{ code: "43" }]
            cameras: cameras.csv
            feeds: [{ name: a, force: "43", path: a.ndjson }]
            forward:
              - to: 127.0.0.1:\(archive.port)
                \(tls.map { "tls: \($0)" } ?? "")
            """,
            "gw.yaml"
        )
        return try Program.run(["ingest", "--config", config, "--patience", "1s"])
    }

    private func stored(_ archive: ArchiveProcess) throws -> Int {
        try Collaboration.stored(archive.data).count
    }

    @Test(
        "a link with certificates delivers, to a name and to a number",
        arguments: [("", true), (", serverName: archive.example", false)]
    )
    func delivers(server: String, isLocal: Bool) throws {
        let archive = try archive(isLocal: isLocal)
        try Self.write(authority.issue("gw"), "gw", scratch)
        let outcome = try ingest(archive, tls: "{ certificate: gw.pem, key: gw.key, trust: ca.pem\(server) }")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try stored(archive) == 1)
        #expect(archive.stop() == 0)
    }

    @Test("a node whose certificate has its name beside others delivers")
    func alternativeName() throws {
        let archive = try archive()
        try Self.write(authority.issue("gateway 7", dnsNames: ["x", "gw"]), "gw", scratch)
        #expect(try ingest(archive, tls: Self.own).status == 0)
        #expect(try stored(archive) == 1)
    }

    @Test("a node with a certificate in another name is refused and told why")
    func otherName() throws {
        let archive = try archive()
        try Self.write(authority.issue("other", dnsNames: ["gw.example"]), "gw", scratch)
        let outcome = try ingest(archive, tls: Self.own)
        #expect(outcome.status != 0)
        let why = "its certificate is not in the name of node gw"
        #expect((outcome.output + outcome.errors).contains(why), "\(outcome)")
        #expect(try archive.log().contains(why))
        #expect(try stored(archive) == 0)
    }

    @Test(
        "a node of another authority, one without TLS, and a receiver that is not the one meant get nothing"
    )
    func strangers() throws {
        let archive = try archive(isLocal: false)
        let forgery = try TestAuthority("another authority")
        try Self.write(forgery.issue("gw"), "forged", scratch)
        try Self.write(authority.issue("gw"), "gw", scratch)
        _ = try scratch.write(forgery.certificate, "other-ca.pem")
        let name = "serverName: archive.example"
        let attempts: [String?] = [
            "{ certificate: forged.pem, key: forged.key, trust: ca.pem, \(name) }",
            "{ certificate: gw.pem, key: gw.key, trust: other-ca.pem, \(name) }",
            "{ certificate: gw.pem, key: gw.key, trust: ca.pem, serverName: not-the-archive.example }",
            Self.own,
            nil,
        ]
        for tls in attempts {
            let outcome = try ingest(archive, tls: tls)
            #expect(outcome.status != 0, "\(tls ?? "plain")")
            #expect((outcome.output + outcome.errors).contains("1 sightings wait"), "\(outcome)")
        }
        #expect(try stored(archive) == 0)
        let good = "{ certificate: gw.pem, key: gw.key, trust: ca.pem, \(name) }"
        #expect(try ingest(archive, tls: good).status == 0, "those who may are served on")
        #expect(try stored(archive) == 1)
        #expect(archive.stop() == 0)
    }

    private static let own = "{ certificate: gw.pem, key: gw.key, trust: ca.pem }"
}
