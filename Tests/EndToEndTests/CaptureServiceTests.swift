import Foundation
import TestSupport
import Testing

/// Captures as readers built for the UK back office send them.
@Suite
struct CaptureServiceTests {
    private static func line(_ second: Int, signature: String = LiveNode.token, mark: String = "AB27CDE")
        -> String
    {
        "\(signature)|unit7|\(mark)|12|3|45|2026-11-20T06:00:\(second).310Z|51.5001|-1.1002|||||93|true"
    }

    private static func envelope(_ call: String) -> [UInt8] {
        Array(
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:b="urn:bof2">
              <soapenv:Header/><soapenv:Body>\(call)</soapenv:Body></soapenv:Envelope>
            """.utf8
        )
    }

    private static func compact(_ line: String) -> [UInt8] {
        envelope("<b:sendCompactCapture><capture>\(line)</capture></b:sendCompactCapture>")
    }

    private static func compound(_ lines: [String]) -> [UInt8] {
        let items = lines.map { "<captures>\($0)</captures>" }.joined()
        return envelope("<b:sendCompoundCapture>\(items)</b:sendCompoundCapture>")
    }

    private static let single = envelope(
        """
        <b:sendCapture><signature>\(LiveNode.token)</signature><username>unit7</username><vrm>XY99ZZZ</vrm><feed>12</feed>
        <source>3</source><camera>45</camera><captureDate>2026-11-20T06:01:50.000Z</captureDate><latitude>51.5001</latitude>
        <longitude>-1.1002</longitude><confidencePercentage>71</confidencePercentage>
        <motionTowardCamera>false</motionTowardCamera></b:sendCapture>
        """
    )

    @Test("an empty result means accepted; the secret is nowhere kept")
    func calls() throws {
        let scratch = try Scratch()
        let cameras = try scratch.write("force,camera,site\n43,12/3/45,S1\n", "cameras.csv")
        let node = try LiveNode(
            scratch,
            feeds: [
                "{ name: bof2, force: \"43\", source: bof2, token: { sha256: \"\(LiveNode.tokenHash)\" } }"
            ],
            forces: ["43"],
            cameras: cameras
        )
        let many = (0..<51).map { Self.line(10, mark: "AB27\($0 + 10)") }
        let rows: [(name: String, body: [UInt8], status: Int, part: String)] = [
            (
                "compact", Self.compact(Self.line(10)), 200,
                "<sendCompactCaptureReturn></sendCompactCaptureReturn>"
            ),
            ("the same again", Self.compact(Self.line(10)), 200, "Return></"),
            (
                "compound", Self.compound([Self.line(40), Self.line(55)]), 200,
                "<sendCompoundCaptureReturn></"
            ),
            (
                "one refused among them is in quarantine", Self.compound([Self.line(11, mark: "A!B")]), 200,
                "Return></"
            ),
            ("single", Self.single, 200, "<sendCaptureReturn></sendCaptureReturn>"),
            (
                "a signature that is not known", Self.compact(Self.line(20, signature: "guess")), 200,
                "the signature is not known"
            ),
            ("too many", Self.compound(many), 200, "at most 50"),
            ("none", Self.compound([]), 200, "no capture"),
            ("another operation", Self.envelope("<b:drop/>"), 400, "operation"),
            ("no envelope", Array("<a/>".utf8), 400, "envelope"),
            ("no XML", Array("vrm=AB27CDE".utf8), 400, "no XML"),
            ("a document type", Array("<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>".utf8), 400, "no XML"),
        ]
        for row in rows {
            let socket = try PlainSocket(port: node.port("http"))
            let answer = try socket.request("POST", "/bof2/services/inputcapturewebservice", body: row.body)
            #expect(answer.status == row.status, "\(row.name): \(answer.body)")
            #expect(answer.body.contains(row.part), "\(row.name): \(answer.body)")
        }
        #expect(node.stop() == 0)
        let stored = try node.sightings()
        #expect(stored.map(\.best.captured).count == 4)
        #expect(stored.map(\.best.confidence) == [93, 93, 93, 71])
        #expect(stored.map(\.best.direction) == ["towards", "towards", "towards", "away"])
        #expect(try Program.succeed(["quarantine", "list", "--data", node.data]).lines.count == 1)
        let files = try #require(FileManager.default.enumerator(atPath: node.data))
        for case let name as String in files {
            let bytes = FileManager.default.contents(atPath: node.data + "/" + name) ?? Data()
            #expect(bytes.range(of: Data(LiveNode.token.utf8)) == nil, "\(name) holds the secret")
            #expect(
                bytes.range(of: Data(Data(LiveNode.token.utf8).base64EncodedString().prefix(12).utf8)) == nil,
                "\(name)"
            )
        }
    }
}
