import Foundation
import Gateway
import TestSupport
import Testing

/// What a configuration says of certificates is checked when it is read, with lines.
struct TLSConfigurationTests {
    private static func read(_ text: String) throws -> NodeConfiguration {
        let folder = try TemporaryFolder()
        let authority = try TestAuthority("authority")
        let (one, other) = (try authority.issue("one"), try authority.issue("other"))
        let files = [
            "cameras.csv": "force,camera,site,lat,lon,direction,lane\n43,c,S,,,N,1\n",
            "one.pem": one.certificate, "one.key": one.key, "other.key": other.key,
            "ca.pem": authority.certificate, "rubbish.pem": "rubbish", "node.yaml": text,
        ]
        for (name, content) in files {
            try content.write(toFile: "\(folder.path)/\(name)", atomically: true, encoding: .utf8)
        }
        return try NodeConfiguration.read("\(folder.path)/node.yaml")
    }

    private static let head = """
        node: gw
        data: var
        forces: [{ code: "43" }]
        cameras: cameras.csv

        """

    @Test("files are found beside the configuration, and a feed may do with a certificate")
    func good() throws {
        let configuration = try Self.read(
            Self.head + """
                http: { listen: "127.0.0.1:0", tls: { certificate: one.pem, key: one.key, trust: ca.pem } }
                feeds: [{ name: a, force: "43", source: http, format: ndjson, clientCertificate: camera.example }]
                forward:
                  - to: 10.0.0.1:7700
                    tls: { certificate: one.pem, key: one.key, trust: ca.pem, serverName: archive.example }
                receive:
                  listen: 127.0.0.1:0
                  tls: { certificate: one.pem, key: one.key, trust: ca.pem }
                  gateways: [{ node: x, forces: ["43"] }]
                """
        )
        #expect(configuration.httpTLS?.trust?.hasSuffix("/ca.pem") == true)
        #expect(configuration.feeds.first?.clientCertificate == "camera.example")
        #expect(configuration.feeds.first?.token == nil)
        #expect(configuration.forward.first?.tls?.serverName == "archive.example")
        #expect(configuration.receive?.tls?.certificate.hasSuffix("/one.pem") == true)
    }

    @Test("all that is wrong with files and names is said at once, with lines")
    func bad() throws {
        let refused = #expect(throws: ConfigurationRefused.self) {
            try Self.read(
                Self.head + """
                    http: { listen: "127.0.0.1:0", tls: { certificate: one.pem, key: other.key } }
                    feeds:
                      - { name: a, force: "43", source: http, format: ndjson, clientCertificate: camera.example }
                      - { name: b, force: "43", source: tcp, listen: "127.0.0.1:0", format: ndjson, clientCertificate: x }
                      - { name: c, force: "43", source: http, format: ndjson }
                    forward:
                      - to: 10.0.0.1:7700
                        tls:
                          certificate: missing.pem
                          key: one.pem
                          trust: rubbish.pem
                          serverName: 10.0.0.1
                      - to: 10.0.0.1:7701
                        tls: { trust: ca.pem, colour: red }
                    receive:
                      listen: 127.0.0.1:0
                      tls: { certificate: one.pem, key: one.key }
                      gateways: [{ node: x, forces: ["43"] }]
                    """
            )
        }
        let problems = refused?.problems ?? []
        let expected: [(Int, String)] = [
            (5, "other.key is not the key of"), (7, "no tls with trust"), (8, "only a feed with source http"),
            (9, "token of feed c is missing"), (13, "missing.pem can't be read"),
            (14, "one.pem holds no private key"), (15, "rubbish.pem holds no certificate"),
            (16, "must be a name"), (18, "certificate of forward is missing"),
            (18, "key of forward is missing"), (18, "colour"), (21, "trust of receive is missing"),
        ]
        for (line, words) in expected {
            #expect(
                problems.contains { $0.line == line && $0.text.contains(words) },
                "line \(line): \(words) in \(problems)"
            )
        }
        #expect(problems.count == expected.count, "\(problems)")
    }
}
