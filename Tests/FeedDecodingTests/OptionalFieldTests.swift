import ANPRModel
import FeedDecoding
import TestSupport
import Testing

@Suite("Optional fields")
struct OptionalFieldTests {
    @Test(
        "An optional field that can't be used is dropped and counted, and the read is kept",
        arguments: [
            #""lane":64"#, #""lane":-1"#, #""lane":1.5"#, #""lane":"first""#, #""lane":true"#, #""lane":[1]"#,
            #""lane":1e300"#, #""lane":"""#, #""lane":"+2""#, #""direction":"n""#, #""direction":"NNE""#,
            #""direction":"""#, #""direction":7"#, #""direction":"Towards""#, #""direction":"towards ""#,
            #""speed":-1"#, #""speed":"fast""#, #""speed":{}"#, #""speed":1e9"#, #""country":"G""#,
            #""country":"GBRX""#,
            #""country":"G1""#, #""country":44"#, #""country":"""#, #""eventId":"""#, #""eventId":7"#,
            #""lat":51.5"#, #""lon":-1.2"#, "\"eventId\":\"\(String(repeating: "x", count: 65))\"",
        ]
    )
    func dropped(member: String) throws {
        let feed = Sample.decode(Sample.object(member))
        #expect(feed.refusals.isEmpty)
        #expect(feed.droppedFields == 1)
        let plain = try #require(Sample.decode(Sample.object()).reads.first)
        #expect(feed.reads == [plain])
    }

    @Test("Half a position that can't be used, or a position out of range, is dropped whole")
    func badPositions() {
        for member in [
            #""lat":91,"lon":0"#, #""lat":0,"lon":180.1"#, #""lat":"north","lon":0"#,
            #""lat":-90.1,"lon":-180.1"#,
        ] {
            let feed = Sample.decode(Sample.object(member))
            #expect(feed.droppedFields == 2, "\(member)")
            #expect(feed.details.isEmpty, "\(member)")
            #expect(feed.reads.count == 1, "\(member)")
        }
    }

    @Test("A position counts where it is not the register's")
    func positions() {
        let lines = [
            #""lat":51.7,"lon":-1.2"#, #""lat":51.70000,"lon":-1.20000"#, #""lat":51.7001,"lon":-1.2"#,
            #""lat":"51.7001","lon":"-1.2""#, #""lat":51.7,"lon":-1.2"#, #""lat":-90,"lon":180"#,
        ]
        let feed = Sample.decode(lines.map { Sample.object($0) }.joined(separator: "\n"))
        #expect(feed.reads.map(\.details) == [0, 0, 1, 2, 0, 3])
        #expect(feed.details.map(\.latitude) == [517_001_000, 517_001_000, -900_000_000])
        #expect(feed.details.map(\.longitude) == [-12_000_000, -12_000_000, 1_800_000_000])
        #expect(feed.droppedFields == 0)
    }

    @Test("Null is absent and no fault, for every optional field")
    func null() throws {
        let names = [
            "confidence", "lat", "lon", "direction", "lane", "speed", "country", "eventId", "plateImage",
            "overviewImage",
        ]
        let feed = Sample.decode(Sample.object(names.map { "\"\($0)\":null" }.joined(separator: ",")))
        #expect(feed.droppedFields == 0)
        #expect(feed.unknownFields == 0)
        #expect(feed.counts.last == 0)
        #expect(feed.reads == Sample.decode(Sample.object()).reads)
    }

    @Test("Every direction's word is taken")
    func directions() {
        for direction in Direction.allCases {
            let feed = Sample.decode(Sample.object("\"direction\":\"\(direction.text)\""))
            #expect(feed.reads.first?.direction == direction.rawValue, "\(direction)")
        }
    }

    @Test(
        "Lanes are whole numbers from 0 to 63, as numbers or texts",
        arguments: [("0", 0), ("63", 63), ("2.0", 2), (#""3""#, 3), ("1e1", 10), (#""04.0""#, 4)]
            as [(String, Int8)]
    )
    func lanes(text: String, lane: Int8) {
        #expect(Sample.decode(Sample.object("\"lane\":\(text)")).reads.first?.lane == lane)
    }

    @Test(
        "Speeds are kept to a tenth",
        arguments: [("0", 1), ("50", 501), ("51.14", 512), ("51.15", 513), (#""130.0""#, 1301)]
            as [(String, UInt16)]
    )
    func speeds(text: String, packed: UInt16) {
        #expect(Sample.decode(Sample.object("\"speed\":\(text)")).reads.first?.speed == packed)
    }

    @Test("Countries have two or three letters, and stay apart")
    func countries() {
        let lines = ["GB", "GBR", "FR", "fr", "gbr"].map { Sample.object("\"country\":\"\($0)\"") }
        let packed = Sample.decode(lines.joined(separator: "\n")).reads.map(\.country)
        #expect(Set(packed).count == 3)
        #expect(packed[2] == packed[3])
        #expect(packed[1] == packed[4])
        #expect(!packed.contains(0))
    }

    @Test("An event's id has up to 64 characters, not bytes")
    func eventIDs() {
        let long = String(repeating: "é", count: 64)
        let feed = Sample.decode(Sample.object("\"eventId\":\"\(long)\""))
        #expect(feed.details.map(\.eventID) == [long])
        #expect(feed.droppedFields == 0)
    }
}
