import ANPRModel
import Simulation
import Testing

/// Marks that cameras take for one another.
@Suite
struct LookAlikeTests {
    @Test(
        "the table of pairs",
        arguments: [
            ("AB27CDE", "AB27CDE", false), ("AB27CDO", "AB27CD0", true), ("AB27CDO", "AB27CDQ", true),
            ("OB27CDE", "DB27CDE", true), ("AI27CDE", "AL27CDE", true), ("AZ27CDE", "A227CDE", true),
            ("AB55SSS", "ABSS555", true), ("AG28BCE", "A6Z8BCE", true), ("AB27CDE", "AB27CDF", false),
            ("AB27CDE", "B27CDE", true), ("AB27CDE", "AB27CD", true), ("AB27CDE", "27CDE", false),
            ("AB27CDE", "AB2CDE", false), ("OB27CDE", "B27COE", true), ("1AB27CD", "AB27CO", true),
            ("AB27", "AB2", false), ("ABC27", "AB27", false), ("ABC27X", "ABC27", true),
            ("XABCDEFGH123", "ABCDEFGHI23", true),
        ]
    )
    func pairs(_ one: String, _ other: String, _ alike: Bool) throws {
        let first = try #require(VRM(one))
        let second = try #require(VRM(other))
        #expect(LookAlike.areAlike(first, second) == alike)
        #expect(LookAlike.areAlike(second, first) == alike)
    }

    @Test("as the definition says, over random marks", arguments: 1...20 as ClosedRange<UInt64>)
    func definition(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        // Few characters, so that marks are often alike.
        let letters = Array("0O1I2Z5SXY")
        let mark = { (random: inout SeededRandom) in
            String((0..<random.within(4...8)).map { _ in letters[random.below(letters.count)] })
        }
        for _ in 0..<2000 {
            let one = mark(&random)
            var other = mark(&random)
            if random.below(2) == 0 { other = String(one.dropFirst(random.below(3))) }
            if other.isEmpty { continue }
            #expect(
                LookAlike.areAlike(try #require(VRM(one)), try #require(VRM(other)))
                    == Self.areAlike(one, other),
                "a pair of seed \(seed)"
            )
        }
    }

    /// The definition, word by word.
    private static func areAlike(_ one: String, _ other: String) -> Bool {
        if one == other { return false }
        if looksLike(one, other) { return true }
        let (longer, shorter) = one.count > other.count ? (one, other) : (other, one)
        guard longer.count == shorter.count + 1, shorter.count >= LookAlike.edgeLengthMin else {
            return false
        }
        return looksLike(String(longer.dropFirst()), shorter) || looksLike(String(longer.dropLast()), shorter)
    }

    private static func looksLike(_ one: String, _ other: String) -> Bool {
        let groups = ["0ODQ", "1IL", "2Z", "5S", "6G", "8B"]
        return one.count == other.count
            && zip(one, other).allSatisfy { a, b in
                a == b || groups.contains { $0.contains(a) && $0.contains(b) }
            }
    }
}
