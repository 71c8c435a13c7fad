import ANPRModel
import FeedDecoding
import TestSupport
import Testing

@Suite("Quotes in CSV")
struct CSVQuotingTests {
    private static let header = "captured,force,camera,vrm,eventId,note"
    private static let start = "2026-11-20T06:00:00Z,43,43-0-1,AB27CDE,"

    private func decode(_ body: String) -> DecodedFeed {
        Sample.decode("\(Self.header)\n\(body)", .csv)
    }

    @Test(
        "A quoted value is its text",
        arguments: [
            (#""plain""#, "plain"), (#""a,b""#, "a,b"), (#""a ""b"" c""#, #"a "b" c"#), (#""""""#, "\""),
            ("a\"b", "a\"b"),
            ("a\"\"b", "a\"\"b"), ("\"a\nb\"", "a\nb"), ("\"a\r\nb\r\n\"", "a\r\nb\r\n"), ("\"a\"b", "ab"),
            ("é", "é"), (" a ", " a "),
            ("\"a\"\"\r\n,\"", "a\"\r\n,"),
        ]
    )
    func values(quoted: String, text: String) {
        let feed = decode("\(Self.start)\(quoted),x\r\n\(Self.start)next,\r\n")
        #expect(feed.details.map(\.eventID) == [text, "next"])
        #expect(feed.refusals.isEmpty)
        #expect(feed.received == 2)
    }

    @Test("Every field may be quoted, and a quoted blank is absent")
    func allQuoted() {
        let feed = decode(#""2026-11-20T06:00:00Z","43","43-0-1","AB27CDE","","""# + "\n")
        #expect(feed.reads.count == 1)
        #expect(feed.details.isEmpty)
        #expect(feed.droppedFields == 0)
    }

    @Test("A stray quote in a required field costs its line alone")
    func strayQuote() {
        let good = "\(Self.start)1,x\n"
        for bad in [
            "\"\(Self.start)", "2026-11-20T06:00:00Z,43,43-0-1,\"AB27CDE,2,x",
            "2026-11-20T06:00:00Z,\"43,43-0-1,AB27CDE,2,x",
        ] {
            let text = good + bad + "\n" + good + "\(Self.start)1,\"quoted, \"\"too\"\"\"\n" + good
            let feed = decode(text)
            #expect(feed.reads.count == 4, "\(bad)")
            #expect(feed.received == 5, "\(bad)")
            let offset = UInt64(Self.header.utf8.count + 1 + good.utf8.count)
            #expect(feed.refusals.map(\.raw) == [Array(bad.utf8)], "\(bad)")
            #expect(feed.refusals.map(\.line) == [3], "\(bad)")
            #expect(feed.refusals.map(\.offset) == [offset], "\(bad)")
        }
    }

    @Test("A quote that is never closed costs its line alone")
    func openQuote() {
        let bad = "\(Self.start)1,\"never closed"
        let feed = decode("\(bad)\n\(Self.start)2,x\n\(Self.start)3,y")
        #expect(feed.refusals.map(\.reason) == [.malformed])
        #expect(feed.refusals.map(\.raw) == [Array(bad.utf8)])
        #expect(feed.details.map(\.eventID) == ["2", "3"])
    }

    @Test("A quote that is still open after 1 MiB costs its line alone")
    func farQuote() {
        let bad = "\(Self.start)1,\"never closed"
        let line = "\(Self.start)2,x\n"
        let count = (1 << 20) / line.utf8.count + 100
        let feed = decode("\(bad)\n" + String(repeating: line, count: count))
        #expect(feed.refusals.map(\.reason) == [.recordTooLong])
        #expect(feed.refusals.map(\.raw) == [Array(bad.utf8)])
        #expect(feed.reads.count == count)
    }

    @Test("In a feed whose lines end in CR, too, an open quote costs its line alone")
    func openQuoteBeforeReturn() {
        let bad = "\(Self.start)1,\"never closed"
        let feed = Sample.decode("\(Self.header)\r\(bad)\r\(Self.start)2,x\r", .csv)
        #expect(feed.refusals.map(\.raw) == [Array(bad.utf8)])
        #expect(feed.details.map(\.eventID) == ["2"])
    }

    @Test(
        "A record of over 1 MiB is refused in pieces of 1 MiB at most, counted once, and the next one lives"
    )
    func longRecord() {
        let long = Self.start + String(repeating: "x", count: 2_500_000)
        let bytes = Array("\(Self.header)\n\(long)\nbad\n\(Self.start)2,x\n".utf8)
        for chunk in [65_536, bytes.count] {
            let chunks = stride(from: 0, to: bytes.count, by: chunk).map {
                Array(bytes[$0..<min(bytes.count, $0 + chunk)])
            }
            let feed = FeedBytes.decode(chunks, .csv, Sample.register)
            #expect(feed.received == 3, "chunks of \(chunk)")
            #expect(feed.rejected == 2, "chunks of \(chunk)")
            let raw = feed.refusals.filter { $0.reason == .recordTooLong }.flatMap(\.raw)
            #expect(difference(raw, Array(long.utf8)) == nil, "chunks of \(chunk)")
            #expect(feed.refusals.allSatisfy { $0.raw.count <= 1 << 20 }, "chunks of \(chunk)")
            #expect(feed.refusals.last?.line == 3, "chunks of \(chunk)")
            #expect(feed.details.map(\.eventID) == ["2"], "chunks of \(chunk)")
        }
    }

    @Test("A small table comes with the line that each record starts on")
    func table() {
        let text = "a,b\n\n\"1\n2\",\"x\"\"y\"\r\n3\n\n,"
        let records = CSVTable.records(Array(text.utf8))
        #expect(records?.map(\.line) == [1, 3, 5, 7])
        #expect(records?.map(\.values) == [["a", "b"], ["1\n2", "x\"y"], ["3"], ["", ""]])
        #expect(CSVTable.records(Array("a,\"b\nc".utf8)) == nil)
        #expect(CSVTable.records([0xEF, 0xBB, 0xBF, 0x61])?.map(\.values) == [["a"]])
    }
}
