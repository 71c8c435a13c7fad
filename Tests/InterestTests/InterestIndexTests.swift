import ANPRModel
import Interest
import Simulation
import Testing

/// Finding the entries that a mark matches.
@Suite
struct InterestIndexTests {
    private static let now = Timestamp(milliseconds: 1_795_000_000_000)

    private static func list(_ name: String, _ text: String, alike: Bool) throws -> InterestList {
        InterestList(
            name: name,
            takesAlike: alike,
            entries: try InterestListFile.entries(Array(text.utf8))
        )
    }

    @Test("exact and look-alike lists, several entries of one mark, weed dates by the time of the read")
    func hits() throws {
        let index = InterestIndex([
            try Self.list("exact", "AB27CDO\nAB27CDO,,,,,,,,,,2026-11-20,,,,,second\n", alike: false),
            try Self.list("alike", "AB27CDO\n0B27CDE\n", alike: true),
        ])
        #expect(index.count == 4)
        func found(_ mark: String, _ day: String) throws -> [String] {
            guard case .moment(let moment) = TimestampReader.read(day) else { return ["no date"] }
            return index.hits(try #require(VRM(mark)), at: moment).map {
                "\(index.lists[$0.list].name) \($0.entry) \($0.isExact)"
            }
        }
        #expect(
            try found("AB27CDO", "2026-11-20T23:59:59.999Z") == [
                "exact 0 true", "exact 1 true", "alike 0 true",
            ]
        )
        #expect(try found("AB27CDO", "2026-11-21") == ["exact 0 true", "alike 0 true"])
        #expect(try found("AB27CDQ", "2026-11-21") == ["alike 0 false"])
        #expect(try found("B27CDE", "2026-11-21") == ["alike 1 false"])
        #expect(try found("B27CDO", "2026-11-21") == ["alike 0 false"])
        #expect(try found("XAB27CDD", "2026-11-21") == ["alike 0 false"])
        #expect(try found("AB27CDF", "2026-11-21") == [])
    }

    @Test("as comparing with every entry", arguments: 1...10 as ClosedRange<UInt64>)
    func scan(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let letters = Array("0O1I2ZXY")
        let mark = { (random: inout SeededRandom) in
            String((0..<random.within(5...7)).map { _ in letters[random.below(letters.count)] })
        }
        let lists = try [true, false].map { alike in
            let text = (0..<60).map { _ in mark(&random) }.joined(separator: "\n")
            return try Self.list("\(alike)", text, alike: alike)
        }
        let index = InterestIndex(lists)
        for _ in 0..<500 {
            let vrm = try #require(VRM(mark(&random)))
            var expected: Set<[Int]> = []
            for (list, content) in lists.enumerated() {
                for (place, entry) in content.entries.enumerated() {
                    if entry.vrm == vrm {
                        expected.insert([list, place, 1])
                    } else if content.takesAlike, LookAlike.areAlike(entry.vrm, vrm) {
                        expected.insert([list, place, 0])
                    }
                }
            }
            let hits = index.hits(vrm, at: Self.now).map { [$0.list, $0.entry, $0.isExact ? 1 : 0] }
            #expect(Set(hits) == expected && hits.count == expected.count)
        }
    }
}
