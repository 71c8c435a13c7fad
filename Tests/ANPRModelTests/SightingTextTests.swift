import ANPRModel
import Testing

@Suite("Sightings as text")
struct SightingTextTests {
    private static let first = Timestamp(milliseconds: 1_795_154_400_131)

    @Test("An id is what it always was")
    func goldenID() throws {
        let mark = try #require(VRM("UA27RCO"))
        let id = SightingID(vrm: mark, siteHash: SightingID.hash(ofSite: "SITE-0403"), first: Self.first)
        #expect(id.text == "2e6fefde99f18012d386019305cf3e63")
        let other = SightingID(
            vrm: try #require(VRM("AB27CDE")),
            siteHash: SightingID.hash(ofSite: "43/ALONE"),
            first: Timestamp(milliseconds: -1)
        )
        #expect(other.text == "837ecb1fea9fca7a1c57ca07433c4d84")
    }

    @Test("A site's hash is FNV-1a")
    func siteHash() {
        #expect(SightingID.hash(ofSite: "") == 0xCBF2_9CE4_8422_2325)
        #expect(SightingID.hash(ofSite: "SITE-0403") == 0xCD49_3901_F6BE_371C)
    }

    @Test("An id changes with mark, site and time")
    func dependence() throws {
        var ids: Set<SightingID> = []
        for text in ["UA27RCO", "UA27RC0"] {
            for site in ["SITE-0403", "SITE-0404"] {
                for time in [Self.first, Timestamp(milliseconds: Self.first.milliseconds + 1)] {
                    let mark = try #require(VRM(text))
                    ids.insert(SightingID(vrm: mark, siteHash: SightingID.hash(ofSite: site), first: time))
                }
            }
        }
        #expect(ids.count == 8)
    }

    private static let register = CameraRegister([
        Camera(force: "45", name: "45-0403-1", site: "SITE-0403"),
        Camera(force: "43", name: "43-0403-1", site: "SITE-0403"),
        Camera(force: "4\"5", name: "back\\slash\n", site: "é\u{1}"),
    ])

    private static func sighting() throws -> Sighting {
        var sighting = Sighting(
            vrm: try #require(VRM("UA27RCO")),
            first: first,
            last: Timestamp(milliseconds: 1_795_154_402_011),
            captured: Timestamp(milliseconds: 1_795_154_400_145),
            opened: first,
            camera: 0,
            reads: 3
        )
        sighting.confidence = 84
        sighting.direction = Direction.west.rawValue
        sighting.lane = 1
        return sighting
    }

    private static func line(_ sighting: Sighting, _ parts: [Contribution]) -> String {
        var batch = SightingBatch()
        batch.append(sighting)
        for part in parts { batch.append(part) }
        var writer = SightingNDJSON(register: register)
        var out = ByteWriter(capacity: 1)
        writer.append(0, of: batch, to: &out)
        return String(decoding: out.take(), as: UTF8.self)
    }

    @Test("The specification's example is written as it stands there")
    func goldenLine() throws {
        let parts = [
            Contribution(camera: 1, reads: 1, first: Self.first, confidence: 80),
            Contribution(
                camera: 0,
                reads: 2,
                first: Timestamp(milliseconds: 1_795_154_400_145),
                confidence: 84
            ),
        ]
        let expected =
            #"{"id":"2e6fefde99f18012d386019305cf3e63","vrm":"UA27RCO","site":"SITE-0403","#
            + #""first":"2026-11-20T06:00:00.131Z","last":"2026-11-20T06:00:02.011Z","#
            + #""captured":"2026-11-20T06:00:00.145Z","force":"45","camera":"45-0403-1","confidence":84,"#
            + #""direction":"W","lane":1,"reads":3,"#
            + #""contributions":[{"force":"43","camera":"43-0403-1","reads":1,"#
            + #""first":"2026-11-20T06:00:00.131Z","confidence":80},"#
            + #"{"force":"45","camera":"45-0403-1","reads":2,"#
            + #""first":"2026-11-20T06:00:00.145Z","confidence":84}]}"# + "\n"
        #expect(Self.line(try Self.sighting(), parts) == expected)
    }

    @Test("Absent fields are left out")
    func absentFields() throws {
        var sighting = try Self.sighting()
        sighting.confidence = -1
        sighting.direction = 0
        sighting.lane = -1
        let line = Self.line(sighting, [Contribution(camera: 0, reads: 3, first: Self.first, confidence: -1)])
        for name in ["confidence", "direction", "lane", "speed", "late", "revision"] {
            #expect(!line.contains("\"\(name)\""), "\(name)")
        }
        #expect(line.contains(#""camera":"45-0403-1","reads":3,"contributions":[{"force":"45""#))
    }

    @Test("An amended sighting keeps the id it was opened with, and says how often it was amended")
    func amended() throws {
        var sighting = try Self.sighting()
        sighting.first = Timestamp(milliseconds: Self.first.milliseconds - 5000)
        sighting.revision = 12
        sighting.isLate = true
        let line = Self.line(sighting, [Contribution(camera: 0, reads: 3, first: Self.first, confidence: 0)])
        #expect(line.hasPrefix(#"{"id":"2e6fefde99f18012d386019305cf3e63""#))
        #expect(line.contains(#""first":"2026-11-20T05:59:55.131Z""#))
        #expect(line.hasSuffix(#""confidence":0}],"late":true,"revision":12}"# + "\n"))
    }

    @Test(
        "Speed is in km/h with a decimal where it has one",
        arguments: [(1, "0"), (2, "0.1"), (501, "50"), (512, "51.1"), (9991, "999")] as [(UInt16, String)]
    )
    func speed(packed: UInt16, text: String) throws {
        var sighting = try Self.sighting()
        sighting.speed = packed
        let line = Self.line(sighting, [Contribution(camera: 0, reads: 3, first: Self.first, confidence: 0)])
        #expect(line.contains("\"lane\":1,\"speed\":\(text),\"reads\":3"))
    }

    @Test("Texts are escaped as JSON asks")
    func escapes() throws {
        var sighting = try Self.sighting()
        sighting.camera = 2
        let line = Self.line(sighting, [Contribution(camera: 2, reads: 3, first: Self.first, confidence: 0)])
        #expect(line.contains(#""force":"4\"5","camera":"back\\slash\n","#))
        #expect(line.contains(#""site":"é\u0001","#))
    }
}
