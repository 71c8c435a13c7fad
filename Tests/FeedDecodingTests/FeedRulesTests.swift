import ANPRModel
import FeedDecoding
import TestSupport
import Testing

@Suite("What a feed may do")
struct FeedRulesTests {
    /// London in 2026: summer time from 29 March 01:00 UTC to 25 October 01:00 UTC.
    private static let london = LocalTimeZone([
        LocalTimeZone.Change(from: Timestamp(milliseconds: 1_761_440_400_000), offset: 0),
        LocalTimeZone.Change(from: Timestamp(milliseconds: 1_774_746_000_000), offset: 3_600_000),
        LocalTimeZone.Change(from: Timestamp(milliseconds: 1_792_890_000_000), offset: 0),
    ])

    private func decode(_ captured: String, _ rules: FeedRules) -> DecodedFeed {
        Sample.decode(Sample.object("\"captured\":\"\(captured)\""), .ndjson, rules)
    }

    @Test("A feed speaks only for its forces")
    func forces() {
        let line = Sample.object(#""force":"45","camera":"45-0-1""#)
        #expect(Sample.decode(line).reads.count == 1)
        #expect(Sample.decode(line, .ndjson, FeedRules(forces: ["45"])).reads.count == 1)
        #expect(Sample.decode(line, .ndjson, FeedRules(forces: ["43"])).reasons == [.forceNotPermitted])
        #expect(Sample.decode(line, .ndjson, FeedRules(forces: [])).reasons == [.forceNotPermitted])
    }

    @Test("A time after the latest is refused, the latest itself is not")
    func latest() {
        let rules = FeedRules(latest: Sample.captured)
        #expect(decode("2026-11-20T06:00:00.000Z", rules).reads.count == 1)
        #expect(decode("2026-11-20T06:00:00.001Z", rules).reasons == [.capturedInFuture])
        #expect(decode("2026-11-20T06:00:00.000-00:01", rules).reasons == [.capturedInFuture])
    }

    @Test(
        "A time without an offset is taken in the feed's time zone",
        arguments: [
            ("2026-01-20T06:00:00", "2026-01-20T06:00:00Z"),
            ("2026-07-20T06:00:00.5", "2026-07-20T05:00:00.5Z"),
            ("2026-03-29T00:59:59.999", "2026-03-29T00:59:59.999Z"),
            ("2026-03-29 02:00:00", "2026-03-29T01:00:00Z"),
            ("2026-10-25T00:59:59.999", "2026-10-24T23:59:59.999Z"),
            ("2026-10-25T02:00:00", "2026-10-25T02:00:00Z"),
            ("2026-07-20T06:00:00Z", "2026-07-20T06:00:00Z"),
        ]
    )
    func timeZone(local: String, utc: String) throws {
        let expected = try #require(
            Sample.decode(Sample.object("\"captured\":\"\(utc)\"")).reads.first?.captured
        )
        #expect(decode(local, FeedRules(timeZone: Self.london)).reads.first?.captured == expected)
    }

    @Test(
        "A local time that clocks skip or show twice is never guessed",
        arguments: [
            "2026-03-29T01:00:00", "2026-03-29T01:59:59.999", "2026-10-25T01:00:00",
            "2026-10-25T01:59:59.999",
        ]
    )
    func ambiguous(local: String) {
        #expect(decode(local, FeedRules(timeZone: Self.london)).reasons == [.capturedAmbiguous])
    }
}
