import ANPRModel
import Simulation
import TestSupport
import Testing

@Suite("Marks")
struct VRMTests {
    private static let seeds: [UInt64] = [1, 2, 3, 0xA11CE]
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789").map(String.init)

    /// One to twelve characters, with many short ones and many that share a beginning.
    private static func text(_ random: inout SeededRandom) -> String {
        let length = random.within(1...VRM.lengthMax)
        let few = random.chance(perMille: 500)
        return (0..<length).map { _ in few ? random.one(of: ["0", "A", "Z"]) : random.one(of: alphabet) }
            .joined()
    }

    @Test("A mark packs and unpacks to itself", arguments: seeds)
    func roundTrip(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<5000 {
            let text = Self.text(&random)
            let mark = try #require(VRM(text), "seed \(seed): \(text)")
            #expect(mark.text == text, "seed \(seed)")
            #expect(mark.length == text.count, "seed \(seed): \(text)")
            #expect(mark.utf8 == Array(text.utf8), "seed \(seed)")
            #expect(VRM(packed: mark.packed) == mark, "seed \(seed): \(text)")
        }
    }

    @Test("Marks compare as their texts do in ASCII", arguments: seeds)
    func order(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let texts = (0..<3000).map { _ in Self.text(&random) }
        let marks = try texts.map { try #require(VRM($0)) }
        let byText = Set(texts).sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
        #expect(difference(Set(marks).sorted().map(\.text), byText) == nil, "seed \(seed)")
    }

    @Test(
        "The packing is base 37, left-aligned, for ever",
        arguments: [
            ("UA27RCO", 5_568_761_381_495_487_707), ("A", 1_957_093_839_574_064_543),
            ("0", 177_917_621_779_460_413), ("ZZZZZZZZZZZZ", 6_582_952_005_840_035_280),
        ] as [(String, UInt64)]
    )
    func golden(text: String, packed: UInt64) {
        #expect(VRM(text)?.packed == packed)
    }

    @Test("A packed value with a gap before a character is no mark")
    func packedRefusals() {
        let single: UInt64 = 177_917_621_779_460_413
        for packed in [0, 1, 36, 37, single - 1, single + 1, 6_582_952_005_840_035_281, .max] as [UInt64] {
            #expect(VRM(packed: packed) == nil, "\(packed)")
        }
        #expect(VRM(packed: single)?.text == "0")
    }

    @Test("A mark is taken as it stands only when it is normal")
    func strictRefusals() {
        for text in [
            "", "ab27cde", "AB27 CDE", "AB-27", "AB27CDÉ", "ABCDEFGHIJKLM", "AB27\u{0}", "ＡＢ27", "AB/27",
        ] {
            #expect(VRM(text) == nil, "\(text)")
        }
        #expect(VRM("ABCDEFGHIJKL")?.length == 12)
    }

    @Test(
        "Normalising raises letters and removes separators",
        arguments: [
            ("ab27cde", "AB27CDE"), ("AB27 CDE", "AB27CDE"), ("AB-27.CDE", "AB27CDE"), (" a ", "A"),
            ("AB27·CDE", "AB27CDE"), ("AB27•CDE", "AB27CDE"), ("·•·A", "A"), ("abcdefghijkl", "ABCDEFGHIJKL"),
            ("A-B-C-D-E-F-G-H-I-J-K-L", "ABCDEFGHIJKL"), ("0", "0"), ("z9", "Z9"), ("A•", "A"),
        ]
    )
    func normalising(sent: String, normal: String) {
        #expect(VRM(normalising: sent)?.text == normal)
    }

    @Test(
        "What is left must be 1 to 12 of A-Z and 0-9",
        arguments: [
            "", " ", "-.-", "·", "•", "ABCDEFGHIJKLM", "abcdefghijklm", "AB27/CDE", "AB27_CDE", "ÄB27CDE",
            "AB27CDE\n",
            "AB\t27", "ı27", "ſ27", "AB27\u{A0}CDE", "AB27–CDE", "½", "٣", "ＡＢ27", "AB27CDE\u{0}",
            "A\u{301}B",
            "@", "[", "`", "{", "/", ":", "Â", "â", "A‣", "A¶",
        ]
    )
    func refusals(sent: String) {
        #expect(VRM(normalising: sent) == nil)
    }

    @Test("Normalising twice is normalising once", arguments: seeds)
    func idempotence(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<5000 {
            let text = Self.text(&random)
            var sent = ""
            for character in text {
                if random.chance(perMille: 200) { sent += random.one(of: [" ", "-", ".", "--"]) }
                sent += random.chance(perMille: 500) ? character.lowercased() : String(character)
            }
            let once = VRM(normalising: sent)
            #expect(once?.text == text, "seed \(seed): \(sent)")
            #expect(VRM(normalising: once?.text ?? "") == once, "seed \(seed): \(sent)")
            #expect(VRM(once?.text ?? "") == once, "seed \(seed): \(sent)")
        }
    }

    @Test(
        "A separator that breaks off is no separator",
        arguments: [
            [0x41, 0xC2], [0x41, 0xE2], [0x41, 0xE2, 0x80], [0x41, 0xC2, 0x42], [0x41, 0xE2, 0x42],
            [0x41, 0xB7],
            [0x41, 0xE2, 0x80, 0x41], [0x41, 0xC2, 0xA2], [0x41, 0xE2, 0xB7], [0x41, 0xC2, 0xC2, 0xB7],
        ] as [[UInt8]]
    )
    func brokenSeparators(bytes: [UInt8]) {
        var packer = VRMPacker()
        let taken = bytes.allSatisfy { packer.take($0) }
        #expect(!taken || packer.finish() == nil)
    }

    @Test("The packer tells whether it changed anything")
    func normalised() {
        for (text, changed) in [("AB27CDE", false), ("aB27CDE", true), ("AB27 CDE", true)] {
            var packer = VRMPacker()
            let taken = text.utf8.allSatisfy { packer.take($0) }
            #expect(taken)
            #expect(packer.normalised == changed, "\(text)")
        }
    }

    @Test("A mark that is interpolated does not show itself")
    func description() {
        #expect(VRM("AB27CDE").map { "\($0)" }?.contains("27") == false)
    }
}
