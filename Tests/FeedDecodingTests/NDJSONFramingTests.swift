import ANPRModel
import FeedDecoding
import TestSupport
import Testing

@Suite("NDJSON lines")
struct NDJSONFramingTests {
    private static let mebibyte = 1 << 20

    /// A good line of exactly so many bytes, its line feed included.
    private static func line(of count: Int) -> String {
        let frame = Sample.object(#""note":"""#).utf8.count + 1
        return Sample.object("\"note\":\"\(String(repeating: "x", count: count - frame))\"") + "\n"
    }

    @Test(
        "LF, CRLF, blank lines and a last line without its end are all the same",
        arguments: [
            "A\nA\n", "A\r\nA\r\n", "A\nA", "A\r\nA\r", "\n\n A\n\r\n \t\nA\n\n", "A\nA\n   ",
            "\r\nA\n\r\nA\r\n\r",
        ]
    )
    func lineEnds(pattern: String) {
        let text = pattern.replacing("A", with: Sample.object())
        let feed = Sample.decode(text)
        #expect(feed.received == 2)
        #expect(feed.rejected == 0)
        #expect(feed.reads.count == 2)
        #expect(feed.position.offset == UInt64(text.utf8.count))
    }

    @Test("An empty feed has nothing, and nothing to refuse", arguments: ["", "\n", "\r\n\r\n", "   "])
    func empty(text: String) {
        let feed = Sample.decode(text)
        #expect(feed.received == 0)
        #expect(feed.refusals.isEmpty)
    }

    @Test("A bare CR ends no line")
    func bareReturn() {
        #expect(Sample.decode(Sample.object() + "\r" + Sample.object() + "\n").reasons == [.malformed])
    }

    @Test("A refusal names the line, blank ones counted, and the offset, and has the bytes")
    func places() {
        let feed = Sample.decode("\n\(Sample.object())\r\n\n  \n[1]\r\n{\"é\n\nnull")
        let start = Sample.object().utf8.count
        let expected = [
            Refused(.malformed, line: 5, offset: start + 7, raw: "[1]\r"),
            Refused(.malformed, line: 6, offset: start + 12, raw: "{\"é"),
            Refused(.malformed, line: 8, offset: start + 18, raw: "null"),
        ]
        #expect(feed.refusals.map(Refused.init) == expected)
        #expect(feed.reads.count == 1)
    }

    @Test("A line of 1 MiB is taken, one of a byte more is refused, and the next line lives")
    func longestLine() {
        let fits = FeedBytes.decode(
            (Self.line(of: Self.mebibyte) + Sample.object()).utf8,
            .ndjson,
            Sample.register
        )
        #expect(fits.reads.count == 2)
        #expect(fits.refusals.isEmpty)
        let text = Self.line(of: Self.mebibyte + 1)
        let over = FeedBytes.decode((text + Sample.object()).utf8, .ndjson, Sample.register)
        #expect(over.reads.count == 1)
        #expect(over.received == 2)
        #expect(over.rejected == 1)
        #expect(over.refusals.first?.reason == .recordTooLong)
        #expect(difference(over.refusals.flatMap(\.raw), Array(text.utf8.dropLast())) == nil)
    }

    @Test("An over-long line comes in pieces of 1 MiB at most, counted once, all of its bytes kept")
    func pieces() {
        let text = Self.line(of: 2 * Self.mebibyte + 500_000)
        let feed = FeedBytes.decode("\n\(text)[1]\n\(Sample.object())".utf8, .ndjson, Sample.register)
        #expect(feed.received == 3)
        #expect(feed.rejected == 2)
        #expect(feed.reads.count == 1)
        let long = feed.refusals.filter { $0.reason == .recordTooLong }
        #expect(long.map(\.isContinuation) == [false, true, true])
        #expect(long.map(\.line) == [2, 2, 2])
        #expect(long.map(\.offset) == [1, UInt64(1 + Self.mebibyte), UInt64(1 + 2 * Self.mebibyte)])
        #expect(long.map(\.raw.count) == [Self.mebibyte, Self.mebibyte, 499_999])
        #expect(difference(long.flatMap(\.raw), Array(text.utf8.dropLast())) == nil)
        let next = feed.refusals.last
        #expect(next?.line == 3)
        #expect(next?.offset == UInt64(1 + text.utf8.count))
    }

    @Test("An over-long line at the end of a feed needs no line feed")
    func longLastLine() {
        let text = String(Self.line(of: Self.mebibyte + 10).dropLast())
        let feed = FeedBytes.decode([Array(text.utf8), []], .ndjson, Sample.register)
        #expect(feed.received == 1)
        #expect(feed.rejected == 1)
        #expect(difference(feed.refusals.flatMap(\.raw), Array(text.utf8)) == nil)
    }

    @Test("The pieces of an over-long line do not hang on how its bytes arrive")
    func piecesOfChunks() {
        let bytes = Array((Self.line(of: Self.mebibyte + 300_000) + Sample.object()).utf8)
        let whole = FeedBytes.decode(bytes, .ndjson, Sample.register)
        for size in [700_000, 65_536, bytes.count - Sample.object().utf8.count - 1] {
            let chunks = stride(from: 0, to: bytes.count, by: size).map {
                Array(bytes[$0..<min(bytes.count, $0 + size)])
            }
            let cut = FeedBytes.decode(chunks, .ndjson, Sample.register)
            let found = cut.refusals.map { "\($0.line) \($0.offset) \($0.raw.count) \($0.isContinuation)" }
            let expected = whole.refusals.map {
                "\($0.line) \($0.offset) \($0.raw.count) \($0.isContinuation)"
            }
            #expect(difference(found, expected) == nil, "chunks of \(size)")
            #expect(
                difference(cut.refusals.flatMap(\.raw), whole.refusals.flatMap(\.raw)) == nil,
                "chunks of \(size)"
            )
            #expect(cut.counts == whole.counts, "chunks of \(size)")
            #expect(cut.position == whole.position, "chunks of \(size)")
        }
    }

    @Test("A feed that is taken up again goes on counting")
    func resuming() {
        let text = "\(Sample.object())\n[1]\n\(Sample.object())\nnull\n"
        let start = Sample.object().utf8.count + 1
        var decoder = FeedDecoder(format: .ndjson, register: Sample.register, rules: FeedRules())
        decoder.resume(at: FeedPosition(line: 1, offset: UInt64(start)), opening: [])
        var buffer = FeedBuffer()
        buffer.append(text.utf8.dropFirst(start))
        var batch = DecodedBatch()
        decoder.decode(&buffer, isFinal: true, into: &batch)
        let whole = Sample.decode(text)
        #expect(batch.refusals == whole.refusals)
        #expect(batch.reads.count == 1)
        #expect(decoder.position == whole.position)
    }
}
