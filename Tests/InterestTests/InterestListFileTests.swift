import ANPRModel
import Interest
import Testing

/// Lists of vehicles of interest as they come.
@Suite
struct InterestListFileTests {
    private static func entries(_ text: String) throws(InterestListFile.Faults) -> [InterestEntry] {
        try InterestListFile.entries(Array(text.utf8))
    }

    @Test("sixteen columns in their order, those at the end left out, quoted, in lower case, with spaces")
    func positional() throws {
        let entries = try Self.entries(
            """
            AB27CDE,FORD,FOCUS,BLUE,STOP,FI,"Stolen, 12/10",B21,Keep back,43/TV,31/12/2026,27/123456,OFFICIAL,CAD9,None,S-1\r
            ab27 xyz,,,,Observe\r

            \u{20}CD28 AAA ,,,,,,,,,,20261130
            """
        )
        #expect(entries.map(\.vrm.text) == ["AB27CDE", "AB27XYZ", "CD28AAA"])
        #expect(entries[0].text(.reason) == "Stolen, 12/10")
        #expect(entries[0].text(.source) == "S-1")
        #expect(entries[0].weeded.map(TimestampWriter.text) == "2027-01-01T00:00:00.000Z")
        #expect(entries[0].members.count == 16)
        #expect(entries[1].text(.action) == "Observe")
        #expect(entries[1].weeded == nil)
        #expect(entries[1].text(.source) == "")
        #expect(entries[2].weeded.map(TimestampWriter.text) == "2026-12-01T00:00:00.000Z")
    }

    @Test("a header row names columns in any order")
    func header() throws {
        let entries = try Self.entries("VRM,weed,Source,action\nAB27CDE,2026-12-31,x1,STOP\n")
        #expect(entries.count == 1)
        #expect(entries[0].text(.source) == "x1")
        #expect(entries[0].text(.action) == "STOP")
        #expect(entries[0].weeded.map(TimestampWriter.text) == "2027-01-01T00:00:00.000Z")
    }

    @Test(
        "what is wrong is said by line, all of it, and no mark is",
        arguments: [
            ("AB27CDE\nAB*27\n,FORD\n", ["line 2: ", "line 3: "]),
            ("AB27CDE,,,,,,,,,,31/02/2026\n", ["line 1: the weed date"]),
            ("AB27CDE,,,,,,,,,,tomorrow\nAB27CDF,,,,,,,,,,1/1/26", ["line 1: the weed", "line 2: the weed"]),
            ("AB27CDE,,,,,,,,,,,,,,,,\n", ["line 1: 17 columns"]),
            ("vrm,weed,colours\nAB27CDE,,\n", ["line 1: column 3"]),
            ("AB27CDE,\"FORD\n", ["a quote is never closed"]),
            ("AB27CDE,\(String(repeating: "x", count: 5000))\n", ["line 1: a text has over"]),
        ]
    )
    func faults(_ text: String, _ expected: [String]) throws {
        let faults = try #require(throws: InterestListFile.Faults.self) { _ = try Self.entries(text) }.faults
        #expect(zip(faults, expected).allSatisfy { $0.hasPrefix($1) } && faults.count == expected.count)
        #expect(!faults.joined().contains("27CD"))
    }

    @Test("bytes that are no UTF-8 are refused")
    func badUTF8() {
        #expect(throws: InterestListFile.Faults.self) { _ = try InterestListFile.entries([0x41, 0xFF]) }
    }
}
