import ANPRModel
import FeedDecoding
import TestSupport
import Testing

@Suite("NDJSON lines that are reads")
struct NDJSONReadTests {
    @Test("The required fields alone make a read, with direction and lane from the register")
    func required() throws {
        let read = try #require(Sample.decode(Sample.object()).reads.first)
        let camera = try #require(Sample.register.find(force: "43", name: "43-0-1"))
        var expected = Read(vrm: try #require(VRM("AB27CDE")), captured: Sample.captured, camera: camera)
        expected.direction = Direction.north.rawValue
        expected.lane = 1
        #expect(read == expected)
    }

    @Test("A camera that the register knows nothing more of gives nothing more")
    func aloneCamera() throws {
        let feed = Sample.decode(Sample.object(#""camera":"ALONE""#))
        let read = try #require(feed.reads.first)
        #expect(read.direction == 0)
        #expect(read.lane == -1)
        #expect(Sample.register.siteName(of: read.camera) == "43/ALONE")
    }

    @Test(
        "Keys come in any order and with any space, the last of two equal ones counts",
        arguments: [
            #"{"captured":"2026-11-20T06:00:00Z","camera":"43-0-1","force":"43","vrm":"AB27CDE"}"#,
            "  { \"vrm\" : \"AB27CDE\" ,\t\"force\":\"43\", \"camera\":\"43-0-1\","
                + "\"captured\" :\"2026-11-20T06:00:00Z\" }  \r",
            Sample.object(#""vrm":"AB27CDE""#),
            #"{"vrm":"XX99XXX","vrm":7,"vrm":null,"# + Sample.required + "}",
            Sample.object(#""vrm":7,"vrm":"AB27CDE""#), Sample.object(#""confidence":200,"confidence":null"#),
            Sample.object(#""confidence":200,"lane":1,"confidence":null"#),
            Sample.object(#""force":"99","force":"\u0034\u0033""#),
            Sample.object(#""vrm":"a\u0062\u0020\u0032\u0037-cde""#),
            Sample.object(#""\u0076\u0072\u006D":"AB27CDE""#),
            Sample.object(#""vrm":"AB27·CDE""#), Sample.object(#""vrm":"AB27\u2022CDE""#),
            Sample.object(#""vrm":"AB27CD\u0045","vrm":"AB27CDE""#),
            Sample.object(#""captured":"2026-11-20T07:00:00.0009+0100""#),
            Sample.object(#""captured":"2026-11-20 \u0030\u0036:00:00Z""#),
        ]
    )
    func sameRead(line: String) throws {
        let plain = try #require(Sample.decode(Sample.object()).reads.first)
        let feed = Sample.decode(line)
        #expect(feed.refusals.isEmpty)
        var read = try #require(feed.reads.first)
        read.details = 0
        #expect(read == plain)
    }

    @Test(
        "Confidence is rounded to the nearest, halves up, and may be a text",
        arguments: [
            ("0", 0), ("100", 100), ("84", 84), ("84.4", 84), ("84.5", 85), ("84.49999", 84), ("99.5", 100),
            ("0.5", 1),
            ("-0", 0), ("8.4e1", 84), ("840E-1", 84), (#""84""#, 84), (#""84.5""#, 85), (#""084""#, 84),
            ("1e-9", 0),
            (#""8.4e1""#, 84), ("99.50000000000000000000", 100), (#""\u0038\u0034""#, 84), ("0.000", 0),
            ("null", -1),
            ("100.0", 100),
        ] as [(String, Int8)]
    )
    func confidence(text: String, value: Int8) {
        let feed = Sample.decode(Sample.object("\"confidence\":\(text)"))
        #expect(feed.reads.first?.confidence == value)
        #expect(feed.droppedFields == 0)
    }

    @Test("What the camera sent is kept where it differs from the mark")
    func rawMark() throws {
        let feed = Sample.decode(
            [Sample.object(), Sample.object(#""vrm":"ab27 cde""#), Sample.object(#""vrm":"\u0041B27CDE""#)]
                .joined(separator: "\n")
        )
        #expect(feed.reads.map(\.details) == [0, 1, 0])
        #expect(feed.details.map(\.rawVRM) == ["ab27 cde"])
    }

    @Test("Unknown fields of any kind are passed over and counted")
    func unknownFields() {
        let feed = Sample.decode(
            Sample.object(
                #""make":{"name":"Caf\u00e9 é","vrm":"XX99XXX","tags":[1,-0.5e+3,null,true,false,{},[],""]},"#
                    + #""Vrm":1,"#
                    + #""vrmx":2,"vr":3,"":4,"note":"\"\\\/\b\f\n\r\t\uD83D\uDE97","confidencE":"x""#
            )
        )
        #expect(feed.refusals.isEmpty)
        #expect(feed.unknownFields == 7)
        #expect(feed.reads.first?.vrm == VRM("AB27CDE"))
        #expect(feed.droppedFields == 0)
    }

    @Test("A surrogate pair becomes one character, a lone half a replacement")
    func surrogates() {
        let feed = Sample.decode(
            [
                #""eventId":"\uD83D\uDE97""#, #""eventId":"\uD83Dx""#, #""eventId":"\uDE97\uD83D""#,
                #""eventId":"\uD83D\u0041""#,
            ]
            .map { Sample.object($0) }.joined(separator: "\n")
        )
        #expect(feed.details.map(\.eventID) == ["🚗", "\u{FFFD}x", "\u{FFFD}\u{FFFD}", "\u{FFFD}A"])
    }

    @Test("Escapes in a text are resolved, every one of them")
    func escapes() {
        let feed = Sample.decode(Sample.object(#""eventId":"\"\\\/\b\f\n\r\t\u00e9é\u0041""#))
        #expect(feed.details.map(\.eventID) == ["\"\\/\u{8}\u{C}\n\r\téé" + "A"])
    }
}
