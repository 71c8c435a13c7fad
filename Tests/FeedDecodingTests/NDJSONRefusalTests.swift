import ANPRModel
import FeedDecoding
import TestSupport
import Testing

@Suite("NDJSON lines that are no read")
struct NDJSONRefusalTests {
    /// A line, why it is refused, and what it stands for.
    struct Row: CustomTestStringConvertible, Sendable {
        var cause: String
        var line: String
        var reason: ReadRefusal
        var testDescription: String { cause }

        init(_ cause: String, _ line: String, _ reason: ReadRefusal) {
            self.cause = cause
            self.line = line
            self.reason = reason
        }
    }

    static let grammar: [Row] = [
        Row("truncated inside a text", #"{"vrm":"AB2"#, .malformed),
        Row("truncated behind a key", #"{"vrm""#, .malformed),
        Row("truncated behind a colon", #"{"vrm":"#, .malformed),
        Row("truncated behind a comma", String(Sample.object().dropLast()) + ",", .malformed),
        Row("truncated before the brace", String(Sample.object().dropLast()), .malformed),
        Row("truncated inside an escape", #"{"vrm":"AB\"#, .malformed),
        Row("truncated inside a code point", #"{"vrm":"AB\u00"#, .malformed),
        Row("truncated inside a literal", #"{"vrm":tru"#, .malformed),
        Row("truncated inside a number", #"{"lane":1."#, .malformed),
        Row("an array", "[1,2,3]", .malformed),
        Row("a text", #""AB27CDE""#, .malformed),
        Row("a number", "42", .malformed),
        Row("null", "null", .malformed),
        Row("two objects", Sample.object() + Sample.object(), .malformed),
        Row("a word behind the object", Sample.object() + " x", .malformed),
        Row("a comma behind the last member", Sample.object("\"lane\":1,"), .malformed),
        Row("no comma", #"{"vrm":"AB27CDE" "force":"43"}"#, .malformed),
        Row("no colon", #"{"vrm" "AB27CDE"}"#, .malformed),
        Row("a key without quotes", #"{vrm:"AB27CDE"}"#, .malformed),
        Row("single quotes", "{'vrm':'AB27CDE'}", .malformed),
        Row("NaN", Sample.object(#""confidence":NaN"#), .malformed),
        Row("Infinity", Sample.object(#""confidence":-Infinity"#), .malformed),
        Row("a leading zero", Sample.object(#""lane":01"#), .malformed),
        Row("a plus", Sample.object(#""lane":+1"#), .malformed),
        Row("a number without digits before the point", Sample.object(#""lane":.5"#), .malformed),
        Row("a number without digits behind the point", Sample.object(#""lane":1.}"#), .malformed),
        Row("an exponent without digits", Sample.object(#""lane":1e"#), .malformed),
        Row("a minus alone", Sample.object(#""lane":-"#), .malformed),
        Row("hexadecimal", Sample.object(#""lane":0x1"#), .malformed),
        Row("True", Sample.object(#""note":True"#), .malformed),
        Row("a raw tab in a text", "{\"vrm\":\"AB27\tCDE\"}", .malformed),
        Row("a raw NUL in a text", "{\"vrm\":\"AB27\u{0}CDE\"}", .malformed),
        Row("an unknown escape", #"{"vrm":"AB\x27"}"#, .malformed),
        Row("a code point of three digits", #"{"vrm":"AB\u027"}"#, .malformed),
        Row("a comment", Sample.object() + "// good", .malformed),
        Row("a byte order mark", "\u{FEFF}" + Sample.object(), .malformed),
        Row(
            "a bad value nested in an unknown field",
            Sample.object(#""make":{"a":[1,{"b":tru}]}"#),
            .malformed
        ),
        Row("brackets that cross", Sample.object(#""make":[{]}"#), .malformed),
        Row("CSV", "43,43-0-1,AB27CDE", .malformed),
    ]

    static let fields: [Row] = [
        Row("no member at all", "{}", .vrmMissing),
        Row("no mark", Sample.object(replacing: "vrm", by: ""), .vrmMissing),
        Row("null for a mark", Sample.object(replacing: "vrm", by: #""vrm":null"#), .vrmMissing),
        Row(
            "a mark in the wrong case of key",
            Sample.object(replacing: "vrm", by: #""VRM":"AB27CDE""#),
            .vrmMissing
        ),
        Row("a number for a mark", Sample.object(replacing: "vrm", by: #""vrm":27"#), .vrmInvalid),
        Row("true for a mark", Sample.object(replacing: "vrm", by: #""vrm":true"#), .vrmInvalid),
        Row("an array for a mark", Sample.object(replacing: "vrm", by: #""vrm":["AB27CDE"]"#), .vrmInvalid),
        Row("an empty mark", Sample.object(replacing: "vrm", by: #""vrm":"""#), .vrmInvalid),
        Row("a mark of separators", Sample.object(replacing: "vrm", by: #""vrm":"- .""#), .vrmInvalid),
        Row("a mark of 13", Sample.object(replacing: "vrm", by: #""vrm":"ABCDEFGHIJKLM""#), .vrmInvalid),
        Row("a mark with a slash", Sample.object(replacing: "vrm", by: #""vrm":"NO\/PLATE""#), .vrmInvalid),
        Row("a mark with an umlaut", Sample.object(replacing: "vrm", by: #""vrm":"ÄB27CDE""#), .vrmInvalid),
        Row(
            "a mark with a lone surrogate",
            Sample.object(replacing: "vrm", by: #""vrm":"AB\uD800""#),
            .vrmInvalid
        ),
        Row(
            "a mark with a pair",
            Sample.object(replacing: "vrm", by: #""vrm":"AB\uD83D\uDE97""#),
            .vrmInvalid
        ),
        Row(
            "a mark with an escaped line feed",
            Sample.object(replacing: "vrm", by: #""vrm":"AB27\nCDE""#),
            .vrmInvalid
        ),
        Row("no force", Sample.object(replacing: "force", by: ""), .forceMissing),
        Row("null for a force", Sample.object(replacing: "force", by: #""force":null"#), .forceMissing),
        Row(
            "a number for a force",
            Sample.object(replacing: "force", by: #""force":43"#),
            .forceOrCameraNotText
        ),
        Row("no camera", Sample.object(replacing: "camera", by: ""), .cameraMissing),
        Row(
            "a number for a camera",
            Sample.object(replacing: "camera", by: #""camera":1"#),
            .forceOrCameraNotText
        ),
        Row(
            "a camera of another force",
            Sample.object(replacing: "force", by: #""force":"45""#),
            .cameraUnknown
        ),
        Row(
            "an unknown camera",
            Sample.object(replacing: "camera", by: #""camera":"43-0-9""#),
            .cameraUnknown
        ),
        Row(
            "a camera with a space",
            Sample.object(replacing: "camera", by: #""camera":"43-0-1 ""#),
            .cameraUnknown
        ),
        Row("no time", Sample.object(replacing: "captured", by: ""), .capturedMissing),
        Row(
            "null for a time",
            Sample.object(replacing: "captured", by: #""captured":null"#),
            .capturedMissing
        ),
        Row(
            "a number for a time",
            Sample.object(replacing: "captured", by: #""captured":1795154400"#),
            .capturedInvalid
        ),
        Row(
            "a word for a time",
            Sample.object(replacing: "captured", by: #""captured":"now""#),
            .capturedInvalid
        ),
        Row(
            "a time without an offset",
            Sample.object(replacing: "captured", by: #""captured":"2026-11-20T06:00:00""#),
            .capturedWithoutOffset
        ),
        Row("confidence of 101", Sample.object(#""confidence":101"#), .confidenceInvalid),
        Row("confidence below 0", Sample.object(#""confidence":-1"#), .confidenceInvalid),
        Row("confidence a little over 100", Sample.object(#""confidence":100.0001"#), .confidenceInvalid),
        Row("confidence in words", Sample.object(#""confidence":"high""#), .confidenceInvalid),
        Row("confidence of true", Sample.object(#""confidence":true"#), .confidenceInvalid),
        Row("confidence as an object", Sample.object(#""confidence":{}"#), .confidenceInvalid),
        Row("confidence of no characters", Sample.object(#""confidence":"""#), .confidenceInvalid),
        Row("confidence with a sign", Sample.object(#""confidence":"+84""#), .confidenceInvalid),
        Row("confidence with a space", Sample.object(#""confidence":" 84""#), .confidenceInvalid),
        Row("confidence in per cent", Sample.object(#""confidence":"84%""#), .confidenceInvalid),
        Row("confidence beyond a double", Sample.object(#""confidence":1e400"#), .confidenceInvalid),
        Row("the last of two marks is bad", Sample.object(#""vrm":"AB/27""#), .vrmInvalid),
        Row("the last of two marks is null", Sample.object(#""vrm":null"#), .vrmMissing),
        Row("the last of two marks, its key escaped, is bad", Sample.object(#""\u0076rm":7"#), .vrmInvalid),
        Row(
            "ten zero bytes for a date",
            Sample.object(replacing: "captured", by: Self.zeroes),
            .capturedInvalid
        ),
    ]

    private static let zeroes = #""captured":""# + String(repeating: #"\u0000"#, count: 10) + #"T06:00:00Z""#

    @Test("What is no object of strict JSON is malformed", arguments: grammar)
    func malformed(row: Row) { check(row) }

    @Test("An object that lacks something, or has it wrong, is refused for that", arguments: fields)
    func incomplete(row: Row) { check(row) }

    /// The line is refused alone: good lines before and after it count.
    private func check(_ row: Row) {
        let alone = Sample.decode(row.line)
        #expect(alone.reasons == [row.reason])
        let good = Sample.object()
        let feed = Sample.decode("\(good)\n\(row.line)\n\(good)\n")
        #expect(feed.received == 3)
        #expect(feed.rejected == 1)
        #expect(feed.reads.count == 2)
        // What a reader remembers of the good line before may not change the reason.
        let expected = Refused(row.reason, line: 2, offset: good.utf8.count + 1, raw: row.line)
        #expect(feed.refusals.map(Refused.init) == [expected])
    }

    @Test(
        "Bytes that are no UTF-8 are refused wherever they stand",
        arguments: [
            [0xFF], [0xC0, 0x80], [0xC2], [0xE2, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80],
            [0xF4, 0x90, 0x80, 0x80], [0x80], [0xC1, 0xBF], [0xF0, 0x80, 0x80, 0x80],
        ] as [[UInt8]]
    )
    func badUTF8(bytes: [UInt8]) {
        for (before, after) in [(#""note":""#, #"""#), (#""note":{"a":[""#, #""]}"#), ("\"", "\":1")] {
            let line = Array(Sample.object("#").utf8).split(separator: UInt8(ascii: "#"))
            let whole = Array(line[0]) + Array(before.utf8) + bytes + Array(after.utf8) + Array(line[1])
            let feed = FeedBytes.decode(
                whole + [0x0A] + Array(Sample.object().utf8),
                .ndjson,
                Sample.register
            )
            #expect(feed.reasons == [.badUTF8])
            #expect(feed.refusals.first?.raw == whole)
            #expect(feed.reads.count == 1)
        }
    }

    @Test("Nesting is taken to some hundreds of levels and refused beyond")
    func depth() {
        func nested(_ levels: Int, _ open: String, _ close: String) -> String {
            let inner = String(repeating: open, count: levels) + "1" + String(repeating: close, count: levels)
            return Sample.object("\"deep\":\(inner)")
        }
        for (open, close) in [("[", "]"), (#"{"a":"#, "}")] {
            #expect(Sample.decode(nested(500, open, close)).reads.count == 1)
            #expect(Sample.decode(nested(600, open, close)).reasons == [.nestedTooDeeply])
            #expect(Sample.decode(nested(100_000, open, close)).reasons == [.nestedTooDeeply])
        }
    }
}
