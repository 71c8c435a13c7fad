import ANPRModel
import Simulation
import Testing

@Suite("Times as text")
struct TimestampReaderTests {
    private static let seeds: [UInt64] = [1, 2, 3, 99]

    @Test("What is written is read back", arguments: seeds)
    func roundTrip(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var reader = TimestampReader()
        var writer = TimestampWriter()
        let span = Timestamp.latest.milliseconds - Timestamp.earliest.milliseconds
        var time = Timestamp.earliest
        for _ in 0..<20_000 {
            // Mostly a jump anywhere, sometimes a step that keeps the date or the second.
            let far = Timestamp.earliest.milliseconds + Int64(random.next() % UInt64(span + 1))
            let near = min(time.milliseconds + Int64(random.below(700)), Timestamp.latest.milliseconds)
            time = Timestamp(milliseconds: random.chance(perMille: 500) ? far : near)
            var bytes: [UInt8] = [0x22]
            writer.append(time, to: &bytes)
            bytes.append(0x22)
            #expect(bytes.count == 24 + 2)
            let outcome = reader.read(bytes.span, from: 1, to: bytes.count - 1)
            #expect(outcome == .moment(time), "seed \(seed): \(time.milliseconds)")
        }
    }

    @Test(
        "Times of the grammar are read",
        arguments: [
            ("2026-11-20T06:00:00Z", 1_795_154_400_000), ("2026-11-20t06:00:00z", 1_795_154_400_000),
            ("2026-11-20 06:00:00.145Z", 1_795_154_400_145), ("2026-11-20T06:00:00.1Z", 1_795_154_400_100),
            ("2026-11-20T06:00:00.14Z", 1_795_154_400_140),
            ("2026-11-20T06:00:00.1459999Z", 1_795_154_400_145),
            ("2026-11-20T06:00:00.999999999Z", 1_795_154_400_999),
            ("2026-11-20T07:00:00+01:00", 1_795_154_400_000),
            ("2026-11-20T07:00:00+0100", 1_795_154_400_000),
            ("2026-11-20T00:30:00.5-05:30", 1_795_154_400_500),
            ("2026-11-20T00:30:00-0530", 1_795_154_400_000), ("2026-11-20T06:00:00-00:00", 1_795_154_400_000),
            ("2026-11-21T05:59:00+23:59", 1_795_154_400_000),
            ("2026-07-20T06:00:00+01:00", 1_784_523_600_000),
            ("2000-02-29T00:00:00Z", 951_782_400_000), ("2024-02-29T23:59:59Z", 1_709_251_199_000),
            ("1969-12-31T23:59:59.9999Z", -1), ("1969-12-31T23:59:59Z", -1000),
            ("1970-01-01T00:00:00.000Z", 0),
            ("0001-01-01T00:00:00Z", -62_135_596_800_000), ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
            ("1900-02-28T00:00:00Z", -2_203_977_600_000),
        ] as [(String, Int64)]
    )
    func accepted(text: String, milliseconds: Int64) {
        #expect(TimestampReader.read(text) == .moment(Timestamp(milliseconds: milliseconds)))
    }

    @Test(
        "Anything else is no time",
        arguments: [
            "", "Z", "yesterday", "2026-11-20T06:00Z", "2026-11-20T06Z", "2026-11-20T060000Z",
            "20261120T060000Z", "2026-11-20_06:00:00Z", "2026/11/20T06:00:00Z", "2026-11-20T06.00.00Z",
            "2026-11-20T06:00:00.Z", "2026-11-20T06:00:00.1234567890Z", "2026-11-20T06:00:00,145Z",
            "2026-11-20T06:00:00.14 Z", "2026-11-20T06:00:00 Z", "2026-11-20T06:00:00ZZ",
            "2026-11-20T06:00:00Z ",
            " 2026-11-20T06:00:00Z", "2026-11-20T06:00:00+1", "2026-11-20T06:00:00+01",
            "2026-11-20T06:00:00+01:0",
            "2026-11-20T06:00:00+010", "2026-11-20T06:00:00+01:000", "2026-11-20T06:00:00+01000",
            "2026-11-20T06:00:00+24:00", "2026-11-20T06:00:00+00:60", "2026-11-20T06:00:00+2400",
            "2026-11-20T06:00:00+0060", "2026-11-20T06:00:00+01-00", "2026-11-20T06:00:00+:100",
            "2026-11-20T06:00:00UTC", "2026-11-20T06:00:00.145", "2026-11-20T24:00:00Z",
            "2026-11-20T06:60:00Z",
            "2026-11-20T06:00:60Z", "2026-11-20T-6:00:00Z", "2026-00-20T06:00:00Z", "2026-13-20T06:00:00Z",
            "2026-11-00T06:00:00Z", "2026-11-31T06:00:00Z", "2026-02-29T06:00:00Z", "1900-02-29T06:00:00Z",
            "2100-02-29T06:00:00Z", "2024-02-30T06:00:00Z", "2023-02-29T06:00:00Z", "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "-026-11-20T06:00:00Z",
            "+2026-11-20T06:00:00Z", "２026-11-20T06:00:00Z", "2026-11-2OT06:00:00Z", "2026-1-120T06:00:00Z",
            "2026-11-20T06:00:00\u{2212}01:00", "2026-11-20T06:00:0٣Z", "1795154400000",
        ]
    )
    func refused(text: String) {
        let outcome = TimestampReader.read(text)
        switch outcome {
        case .malformed: break
        case .withoutOffset: #expect(text == "2026-11-20T06:00:00.145")
        case .moment(let time): Issue.record("\(text) was read as \(time.milliseconds)")
        }
    }

    @Test("A time without an offset is told apart")
    func withoutOffset() {
        for (text, milliseconds) in [("2026-11-20T06:00:00", 0), ("2026-11-20 06:00:00.145678", 145)]
            as [(String, Int64)]
        {
            let local = Timestamp(milliseconds: 1_795_154_400_000 + milliseconds)
            #expect(TimestampReader.read(text) == .withoutOffset(local), "\(text)")
        }
    }

    @Test("A date alone is its first moment on the command line")
    func dateAlone() {
        #expect(TimestampReader.read("2026-11-20") == .moment(Timestamp(milliseconds: 1_795_132_800_000)))
        #expect(TimestampReader.read("2026-02-29") == .malformed)
    }

    @Test("Decimals are cut, not rounded, whatever comes after the third")
    func cutting() {
        for tail in ["9", "99", "5", "500001", "999999"] {
            let outcome = TimestampReader.read("2026-11-20T06:00:00.145\(tail)Z")
            #expect(outcome == .moment(Timestamp(milliseconds: 1_795_154_400_145)), "\(tail)")
        }
    }

    @Test("A date that was refused is not remembered, nor a good one forgotten")
    func rememberedDate() {
        var reader = TimestampReader()
        func read(_ text: String) -> TimestampReader.Outcome {
            let bytes = Array(text.utf8)
            return reader.read(bytes.span, from: 0, to: bytes.count)
        }
        let good = read("2026-02-28T00:00:00Z")
        #expect(read("2026-02-29T00:00:00Z") == .malformed)
        #expect(read("2026-02-29T00:00:00Z") == .malformed)
        #expect(read("2026-02-28T00:00:00Z") == good)
        #expect(read("2026-02-27T24:00:00Z") == .malformed)
        #expect(read("2026-02-28T00:00:00Z") == good)
    }

    @Test("Ten bytes of zero are no date, not even to a reader that has read none yet")
    func zeroBytes() {
        #expect(TimestampReader.read(String(repeating: "\u{0}", count: 10) + "T06:00:00Z") == .malformed)
    }

    @Test("The ends of time have texts of their own")
    func endsOfTime() {
        #expect(TimestampWriter.text(.distantPast) == "-∞")
        #expect(TimestampWriter.text(.distantFuture) == "∞")
        #expect(TimestampWriter.text(.earliest) == "0001-01-01T00:00:00.000Z")
        #expect(TimestampWriter.text(.latest) == "9999-12-31T23:59:59.999Z")
        #expect(TimestampWriter.text(Timestamp(milliseconds: -1)) == "1969-12-31T23:59:59.999Z")
    }
}
