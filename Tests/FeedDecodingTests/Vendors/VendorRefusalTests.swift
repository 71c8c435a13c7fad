import ANPRModel
import FeedDecoding
import TestSupport
import Testing

@Suite("Refusals of vendors' formats")
struct VendorRefusalTests {
    private func check(
        _ pieces: [(text: String, reason: ReadRefusal?)],
        _ format: FeedFormat,
        _ rules: FeedRules = VendorSample.rules(),
        trimmed: Bool = true
    ) {
        var expected: [Refused] = []
        var offset = 0
        for (place, piece) in pieces.enumerated() {
            if let reason = piece.reason {
                var raw = Substring(piece.text)
                while trimmed, raw.last?.isWhitespace == true { raw.removeLast() }
                expected.append(Refused(reason, line: UInt64(place + 1), offset: offset, raw: String(raw)))
            }
            offset += piece.text.utf8.count
        }
        let feed = VendorSample.decode(pieces.map(\.text).joined(), format, rules)
        #expect(feed.refusals.map(Refused.init) == expected)
        #expect(feed.reads.count == pieces.count { $0.reason == nil })
        #expect(feed.received == feed.reads.count + feed.rejected)
        #expect(feed.position == FeedPosition(line: UInt64(pieces.count), offset: UInt64(offset)))
    }

    @Test("Broken JSON between good documents costs itself alone")
    func json() {
        let good = VendorSample.axis() + "\n"
        check(
            [
                (good, nil), ("{\"plateUTF8\":}\n", .malformed), (good, nil),
                ("{\"plateUTF8\":\"AB27", .malformed), ("\n" + good, nil),
            ].map { ($0.0, $0.1) },
            .axis,
            trimmed: true
        )
    }

    @Test(
        "What is no document is refused up to the next one",
        arguments: [
            ("no document\n", .malformed), ("{\"a\":[1,2\n", .malformed), ("{\"a\":{\"b\":1}\n", .malformed),
            ("{\"a\":\n", .malformed), ("{\n  \"a\": 1\n  \"b\": 2\n}\n", .malformed), ("}\n", .malformed),
            ("{\"a\":tru}\n", .malformed), ("{\"a\":\"\\x\"}\n", .malformed), ("{\"a\":01}\n", .malformed),
            (String(repeating: "[", count: 65) + "\n", .nestedTooDeeply), ("[]\n", .malformed),
        ] as [(String, ReadRefusal)]
    )
    func jsonGarbage(text: String, reason: ReadRefusal) {
        let good = VendorSample.axis() + "\n"
        // `{"a":` goes on with the next document as its value and breaks behind it: nothing is lost all the same.
        check([(good, nil), (text, reason), (good, nil), (good, nil)], .axis)
    }

    @Test("A cut document at the end of the feed is refused, and the good ones in it are read")
    func jsonEnd() {
        let good = VendorSample.axis() + "\n"
        check([(good, nil), ("{\"a\":[\n", .malformed), (good, nil)], .axis)
        check([(good, nil), (String(good.prefix(40)), .malformed)], .axis)
    }

    @Test("Pretty-printed documents, back to back and behind a byte order mark")
    func jsonLayout() {
        let pretty =
            "{\n \"plateUTF8\" : \"AB27CDE\",\r\n \"capture_timestamp\" : 1803885322310 ,\n"
            + "\"camera_info\" : { \"SerialNumber\" : \"ACC8-1\" }\n}"
        let feed = VendorSample.decode("\u{FEFF}" + pretty + pretty + "\n\n" + VendorSample.axis(), .axis)
        #expect(feed.marks == ["AB27CDE", "AB27CDE", "AB27CDE"])
        #expect(feed.refusals.map(Refused.init) == [])
    }

    @Test(
        "Broken XML costs itself alone",
        arguments: [
            "<?xml version=\"1.0\"?>\n<EventNotificationAlert><eventType>ANPR\n",
            "<EventNotificationAlert><ANPR></EventNotificationAlert>\n", "no document\n", "<a b='>\n",
            "<a><!-- \n", "<a><![CDATA[ \n", "<!DOCTYPE a [<!ENTITY x \"y\">]>\n", "<a>&x;</a>\n",
            "<a b=c></a>\n", "<EventNotificationAlert>\n<EventNotificationAlert>\n", "<a></b>\n",
        ]
    )
    func xml(text: String) {
        let good = VendorSample.hikvision()
        var broken = VendorSample.decode(good + text + good + good, .hikvision)
        #expect(broken.marks.count >= 2)
        broken = VendorSample.decode(good + text + good, .hikvision)
        let isOpen = text.contains("<!-- ") || text.contains("CDATA") || text.contains("'>")
        // A comment or quote that is never closed hides what follows, until the feed ends and shows that it is broken.
        #expect(broken.marks.count == 2, "\(isOpen)")
        #expect(broken.refusals.first?.offset == UInt64(good.utf8.count))
        #expect(broken.refusals.first?.line == 2)
        #expect(broken.received == broken.reads.count + broken.rejected)
    }

    @Test("A body that was cut off does not swallow the next one", arguments: [60, 300, 900, 1400])
    func cutBody(length: Int) {
        let body = VendorSample.multipart(VendorSample.hikvision())
        let cut = body.prefix(length) + "\r\n"
        let feed = VendorSample.decode(
            cut + VendorSample.multipart(VendorSample.hikvision(), boundary: "B2"),
            .hikvision
        )
        #expect(feed.marks.last == "AB27CDE")
        #expect(feed.received == feed.reads.count + feed.rejected)
        #expect(feed.rejected == (length < 1000 ? 1 : 0))
    }

    @Test("A document over 1 MiB is refused in pieces, a picture of that size is not")
    func tooLong() {
        let good = VendorSample.axis() + "\n"
        let long = "{\"a\":\"" + String(repeating: "x", count: 3 << 20) + "\"}\n"
        let feed = VendorSample.decode(good + long + good, .axis)
        #expect(feed.marks.count == 2)
        #expect(feed.reasons == [.recordTooLong, .recordTooLong, .recordTooLong, .recordTooLong])
        #expect(feed.refusals.map(\.isContinuation) == [false, true, true, true])
        #expect(feed.refusals.map(\.line) == [2, 2, 2, 2])
        #expect(feed.rejected == 1)
        let picture = String(repeating: "x", count: 3 << 20)
        let head = "--B\r\nContent-Type: image/jpeg\r\n\r\n"
        let body =
            head + picture + "\r\n--B\r\nContent-Type: text/xml\r\n\r\n" + VendorSample.hikvision()
            + "\r\n--B--\r\n"
        #expect(VendorSample.decode(body, .hikvision).marks == ["AB27CDE"])
        let huge = head + picture + picture + picture + "\r\n" + body
        let refused = VendorSample.decode(huge, .hikvision)
        #expect(refused.marks == ["AB27CDE"])
        #expect(refused.rejected == 1)
        #expect(refused.reasons.allSatisfy { $0 == .recordTooLong })
    }

    @Test(
        "A record that can't be a read is refused for its reason",
        arguments: [
            (FeedFormat.hikvision, VendorSample.hikvision("AB/27"), .vrmInvalid),
            (.hikvision, VendorSample.hikvision(dateTime: "now"), .capturedInvalid),
            (.hikvision, VendorSample.hikvision(dateTime: "2027-03-01T07:15:22"), .capturedWithoutOffset),
            (
                .axis, "{\"plateUTF8\":\"AB27CDE\",\"camera_info\":{\"SerialNumber\":\"ACC8-1\"}}",
                .capturedMissing
            ),
            (.axis, "{\"carID\":\"1\"}", .vrmMissing),
            (.rekor, VendorSample.rekor(epoch: "\"soon\""), .capturedInvalid),
            (.milesight, VendorSample.milesight(), .capturedWithoutOffset),
            (.genetec, VendorSample.genetec(), .capturedInvalid),
            (.survision, VendorSample.survision(), .cameraMissing),
            (
                .plateRecognizer, VendorSample.plateRecognizer("{\"plate\":\"ab27cde\",\"score\":1.5}"),
                .confidenceInvalid
            ),
            (.bof2, VendorSample.bof2().replacing("|3|", with: "|4|"), .cameraUnknown),
            (.bof2, VendorSample.bof2(at: ""), .capturedMissing),
            (.bof2, "a|" + VendorSample.bof2(), .malformed),
            (.dahua, "Events[0].TrafficCar.PlateNumber=AB27CDE\nno key\n", .malformed),
        ] as [(FeedFormat, String, ReadRefusal)]
    )
    func reasons(format: FeedFormat, feed: String, reason: ReadRefusal) {
        let decoded = VendorSample.decode(feed, format)
        #expect(decoded.reasons == [reason])
        #expect(decoded.reads.isEmpty)
        #expect([decoded.received, decoded.rejected] == [1, 1])
    }

    @Test("Without a force nothing is a read; a force of the rules must be one of the feed's")
    func forces() {
        #expect(VendorSample.decode(VendorSample.axis(), .axis, FeedRules()).reasons == [.forceMissing])
        let foreign = VendorSample.rules { $0.forces = ["45"] }
        #expect(VendorSample.decode(VendorSample.axis(), .axis, foreign).reasons == [.forceNotPermitted])
    }

    @Test("Of a document with several bad records the bytes are kept once")
    func severalRecords() {
        let bad = #"{"plate":"a/b","score":0.5}"#
        let document = VendorSample.plateRecognizer(
            [bad, VendorSample.plateRecognizerResult, bad].joined(separator: ",")
        )
        let feed = VendorSample.decode(document, .plateRecognizer)
        #expect(feed.marks == ["AB27CDE"])
        #expect(feed.refusals.map(\.raw.count) == [document.utf8.count, 0])
        #expect([feed.received, feed.rejected] == [3, 2])
    }
}
