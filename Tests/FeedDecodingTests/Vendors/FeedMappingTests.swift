import ANPRModel
import FeedDecoding
import TestSupport
import Testing

@Suite("Mappings that configuration gives")
struct FeedMappingTests {
    private static let text = """
        {"container":["json"],"records":"events[]","ignoreRecords":[{"path":"kind","differs":["pass"]}],
         "fields":{"vrm":"plate.text","force":{"constant":"43"},
          "camera":{"join":["$.site","lane"],"separator":"/"},
          "captured":{"path":"at","time":"epoch","unit":"microseconds"},
          "confidence":{"path":"score","scale":100},"direction":{"path":"way","words":{"IN":"towards"}}}}
        """

    private static func mapping(_ text: String) throws -> FeedMapping {
        try FeedMapping(parsing: DocumentNode(json: Array(text.utf8)))
    }

    @Test("A mapping from configuration decodes a feed")
    func decoding() throws {
        let mapping = try Self.mapping(Self.text)
        let feed = VendorSample.decode(
            #"{"site":"02:ab","events":[{"kind":"pass","plate":{"text":"ab27cde"},"lane":1,"at":1803885322310999,"#
                + #""score":"0.5","way":"in"},{"kind":"test"}]}{"events":[]}"#,
            .mapped,
            FeedRules(mapping: mapping)
        )
        let expected = ExpectedRead(camera: "02:ab/1", confidence: 50, direction: .towards)
        var read = feed.reads.map { ExpectedRead($0, feed.details) }
        #expect(read.count == 1)
        read[0].eventID = nil
        #expect(read == [expected])
        #expect(feed.ignored == 2)
    }

    @Test("All problems are told at once")
    func problems() throws {
        let broken =
            #"{"container":"yaml","record":1,"fields":{"vrm":"a..b","plate":"x","#
            + #""lane":{"path":"a","scale":-1},"captured":{"path":"t","time":"epoch","unit":"days"}}}"#
        let error = #expect(throws: FeedMapping.Problems.self) { try Self.mapping(broken) }
        #expect(error?.texts.count == 6)
        for key in [
            "container", "'record'", "fields.vrm[0]", "'plate'", "fields.lane[0].scale",
            "fields.captured[0].unit",
        ] {
            #expect(error?.description.contains(key) == true, "\(key)")
        }
    }

    @Test("A mapped feed without a mapping is unusable")
    func missing() {
        let decoder = FeedDecoder(format: .mapped, register: VendorSample.register, rules: FeedRules())
        #expect(decoder.unusable != nil)
    }

    private struct Time: Sendable {
        var format: TimeFormat
        var text: String
        var expected: Int64?
    }

    @Test(
        "Times as vendors write them",
        arguments: [
            (.patterns(["yyyyMMddHHmmssSZ"]), "20270301071522310+0000", VendorSample.captured),
            (.patterns(["yyyyMMdd HHmmssSZ"]), "20270301 081522310+0100", VendorSample.captured),
            (.patterns(["D HH:mm:ss.SU"]), "1/3/2027 07:15:22.31", VendorSample.captured),
            (.patterns(["D HH:mm:ss.SU"]), "1/13/2027 07:15:22.31", nil),
            (.patterns(["D HH:mm:ss.SU"]), "1/3/2027 7:15", nil),
            (.epoch(.byMagnitude), "1803885322310", VendorSample.captured),
            (.epoch(.byMagnitude), "1803885322310000000", VendorSample.captured),
            (.epoch(.seconds), "1803885322.31", VendorSample.captured),
            (.epoch(.secondsAndMilliseconds), "1803885322.5", VendorSample.captured - 305),
            (.epoch(.milliseconds), "-1", nil), (.epoch(.seconds), "99999999999999999999", nil),
            (.epoch(.seconds), "9223372036854775", nil), (.epoch(.seconds), "1.x", nil), (.iso, "today", nil),
        ] as [(TimeFormat, String, Int64?)]
    )
    func times(format: TimeFormat, text: String, expected: Int64?) {
        let mapping = FeedMapping(
            containers: [.pipe(columns: ["t", "vrm"])],
            fields: [
                "vrm": [FieldSource(.first(["vrm"]))],
                "captured": [FieldSource(.first(["t"]), .time(format))],
            ]
        )
        let rules = FeedRules(force: "43", camera: "S1", dateOrder: .dayFirst, mapping: mapping)
        let feed = VendorSample.decode("\(text)|AB27CDE\n", .mapped, rules)
        #expect(feed.reads.first?.captured.milliseconds == expected)
        #expect(feed.reasons == (expected == nil ? [.capturedInvalid] : []))
    }

    @Test("File names tell a format by their extension")
    func extensions() {
        #expect(FeedFormat.ofFile(named: "a.b.ndjson")?.format == .ndjson)
        #expect(FeedFormat.ofFile(named: "a.csv")?.stem == "a")
        #expect(FeedFormat.ofFile(named: "a.xml")?.format == .hikvision)
        #expect(FeedFormat.ofFile(named: "a.bof2")?.format == .bof2)
        #expect(FeedFormat.ofFile(named: "a.axis") == nil)
    }
}
