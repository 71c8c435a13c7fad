import ANPRModel
import FeedDecoding
import TestSupport
import Testing

@Suite("CSV records")
struct CSVRecordTests {
    private static let header = "captured,force,camera,vrm,confidence,direction,lane,note"
    private static let good = "2026-11-20T06:00:00Z,43,43-0-1,AB27CDE,84,W,2,"

    private func decode(_ lines: [String], end: String = "\n") -> DecodedFeed {
        Sample.decode(([Self.header] + lines).map { $0 + end }.joined(), .csv)
    }

    @Test("A record is the read that the same fields in JSON are")
    func sameAsJSON() {
        let json = Sample.decode(Sample.object(#""confidence":84,"direction":"W","lane":2"#))
        #expect(decode([Self.good]).reads == json.reads)
    }

    @Test("Columns come in any order, unknown ones are passed over and counted where they are filled")
    func columns() {
        let text = """
            note,lane,vrm,make,force,captured,camera
            x,2,AB27CDE,,43,2026-11-20T06:00:00Z,43-0-1
            ,,AB27CDE,y,43,2026-11-20T06:00:00Z,43-0-1

            """
        let feed = Sample.decode(text, .csv)
        #expect(feed.refusals.isEmpty)
        #expect(feed.unknownFields == 2)
        #expect(feed.reads.map(\.lane) == [2, 1])
    }

    @Test("Blank is absent: direction and lane then come from the register")
    func blank() {
        let feed = decode(["2026-11-20T06:00:00Z,43,43-0-2,AB27CDE,,,,"])
        #expect(feed.reads.map(\.confidence) == [-1])
        #expect(feed.reads.map(\.direction) == [Direction.north.rawValue])
        #expect(feed.reads.map(\.lane) == [2])
        #expect(feed.droppedFields == 0)
        #expect(feed.unknownFields == 0)
    }

    @Test("A short record lacks its last fields, a long one has some too many")
    func lengths() {
        let feed = decode(["2026-11-20T06:00:00Z,43,43-0-1,AB27CDE", Self.good + ",,7,8"])
        #expect(feed.reads.count == 2)
        #expect(feed.reads.first?.confidence == -1)
    }

    @Test(
        "A record that is no read is refused for its reason",
        arguments: [
            ("2026-11-20T06:00:00Z,43,43-0-1", .vrmMissing),
            ("2026-11-20T06:00:00Z,43,43-0-1,,84,,,", .vrmMissing),
            ("2026-11-20T06:00:00Z,43,43-0-1,NO/PLATE,84,,,", .vrmInvalid),
            ("2026-11-20T06:00:00Z,,43-0-1,AB27CDE,,,,", .forceMissing),
            ("2026-11-20T06:00:00Z,43,,AB27CDE,,,,", .cameraMissing),
            ("2026-11-20T06:00:00Z,45,43-0-1,AB27CDE,,,,", .cameraUnknown),
            ("2026-11-20T06:00:00Z, 43,43-0-1,AB27CDE,,,,", .cameraUnknown),
            (",43,43-0-1,AB27CDE,,,,", .capturedMissing),
            ("2026-11-20T25:00:00Z,43,43-0-1,AB27CDE,,,,", .capturedInvalid),
            ("2026-11-20T06:00:00,43,43-0-1,AB27CDE,,,,", .capturedWithoutOffset),
            ("2026-11-20T06:00:00Z,43,43-0-1,AB27CDE,high,,,", .confidenceInvalid),
            ("2026-11-20T06:00:00Z,43,43-0-1,AB27CDE, 84,,,", .confidenceInvalid),
            ("2026-11-20T06:00:00Z,43,43-0-1,AB27CDE,101,,,", .confidenceInvalid),
            ("{\"vrm\":\"AB27CDE\"}", .vrmMissing),
            (" ", .vrmMissing), (",,,,,,,", .vrmMissing),
        ] as [(String, ReadRefusal)]
    )
    func refusals(line: String, reason: ReadRefusal) {
        let feed = decode([Self.good, line, Self.good], end: "\r\n")
        let offset = Self.header.utf8.count + Self.good.utf8.count + 4
        #expect(feed.refusals.map(Refused.init) == [Refused(reason, line: 3, offset: offset, raw: line)])
        #expect(feed.reads.count == 2)
        #expect(feed.received == 3)
    }

    @Test(
        "LF, CRLF, CR, blank lines and a last line without its end are all the same",
        arguments: ["\n", "\r\n", "\r"]
    )
    func lineEnds(end: String) {
        let text = [Self.header, Self.good, "", "", Self.good].joined(separator: end)
        for tail in ["", end, end + end] {
            let feed = Sample.decode(text + tail, .csv)
            #expect(feed.received == 2)
            #expect(feed.reads.count == 2)
            #expect(feed.position.offset == UInt64((text + tail).utf8.count))
        }
    }

    @Test("A byte order mark before the header is dropped, whether the header is quoted or not")
    func byteOrderMark() {
        for header in ["vrm,force,camera,captured", "\"vrm\",\"force\",\"camera\",\"captured\""] {
            let text = "\u{FEFF}\(header)\r\nAB27CDE,43,43-0-1,2026-11-20T06:00:00Z\r\n"
            let feed = Sample.decode(text, .csv)
            #expect(feed.reads.count == 1, "\(header)")
            #expect(feed.reasons == [], "\(header)")
        }
    }

    @Test("Bytes that are no UTF-8 are refused, and so is a character that a comma cuts in two")
    func badUTF8() {
        let cases: [([UInt8], [UInt8])] = [
            ([0xFF], []), ([0xC2], []), ([0xED, 0xA0, 0x80], []), ([0xC2, 0x2C], [0xB7]),
        ]
        for (before, after) in cases {
            let line = Array(Self.good.utf8) + before + after
            let bytes = Array("\(Self.header)\n".utf8) + line + Array("\n\(Self.good)\n".utf8)
            let feed = FeedBytes.decode(bytes, .csv, Sample.register)
            #expect(feed.reasons == [.badUTF8], "\(before) \(after)")
            #expect(feed.reads.count == 1, "\(before) \(after)")
        }
    }

    @Test("A header that lacks a required column makes the feed unusable, and says so")
    func missingColumns() {
        var decoder = FeedDecoder(format: .csv, register: Sample.register, rules: FeedRules())
        #expect(decoder.unusable == nil)
        var buffer = FeedBuffer()
        buffer.append("force,Camera,captured,lane\n43,43-0-1,2026-11-20T06:00:00Z,1\n".utf8)
        var batch = DecodedBatch()
        decoder.decode(&buffer, isFinal: true, into: &batch)
        #expect(decoder.unusable?.contains("vrm, camera") == true)
        #expect(batch.received == 1)
        #expect(batch.refusals.map(\.reason) == [.vrmMissing])
    }

    @Test("A feed that is taken up again behind its header goes on")
    func resuming() {
        let text = "\(Self.header)\n\(Self.good)\nx\n\(Self.good)\n"
        let start = Self.header.utf8.count + Self.good.utf8.count + 2
        var decoder = FeedDecoder(format: .csv, register: Sample.register, rules: FeedRules())
        decoder.resume(
            at: FeedPosition(line: 2, offset: UInt64(start)),
            opening: Array(text.utf8.prefix(start))
        )
        var buffer = FeedBuffer()
        buffer.append(text.utf8.dropFirst(start))
        var batch = DecodedBatch()
        decoder.decode(&buffer, isFinal: true, into: &batch)
        #expect(batch.refusals == Sample.decode(text, .csv).refusals)
        #expect(batch.refusals.map(\.line) == [3])
        #expect(batch.reads.count == 1)
    }
}
