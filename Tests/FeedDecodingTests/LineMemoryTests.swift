import ANPRModel
import FeedDecoding
import Simulation
import TestSupport
import Testing

/// Decoders remember how the lines before were laid out, to be fast; never to be more lenient.
@Suite("What a line means does not hang on the lines before it")
struct LineMemoryTests {
    private static let members = [
        #""vrm":"AB27CDE""#, #""vrm":"xy 99 zzz""#, #""vrm":"AB27CDEFGHIJ""#, #""vrm":null"#,
        #""force":"43""#, #""force":"45""#, #""camera":"43-0-1""#, #""camera":"43-0-2""#,
        #""captured":"2026-11-20T06:00:01.145Z""#, #""captured":"2026-11-20T06:00:59.999Z""#,
        #""captured":"2026-11-20T06:00:60.000Z""#, #""captured":"2026-11-20T06:00:0:.000Z""#,
        #""captured":"2026-11-20T06:01:00.0a0Z""#, #""captured":"2026-11-20T07:00:01.145+01:00""#,
        #""captured":"2026-11-20T06:00:01.1459""#, #""confidence":84"#, #""confidence":"7""#,
        #""confidence":84.5"#, #""confidence":-0"#, #""confidence":08"#, #""confidence":1e1"#,
        #""confidence":1000000000000"#, #""lane":2"#, #""lane":null"#, #""lane":true"#, #""speed":48.25"#,
        #""note":"é""#, #""note":{"a":[1,null]}"#, #""Vrm":"AB27CDE""#, #""vrm\u0031":1"#,
        #""eventId":"a\nb""#,
        #""direction":"NE""#, #""direction":"towards""#, #""direction":"n""#, #""lane":64"#, #""lane":07"#,
        #""confidence":100"#, #""confidence":101"#, #""lat":51.7"#, #""lon":-1.2"#, #""lat":51.70"#,
        #""lat":51.7,"lon":-1.2"#, #""lat":51.7,"lon":-1.2"#, #""lat":52,"lon":-1.2"#, #""lat":"51.7""#,
        #""eventId":"a\u0062""#, #""eventId":"e1""#, #""note":"a\"b""#, #""note":"\x""#, #""country":"GBR""#,
    ]
    private static let commas = [",", ", ", " ,", ",\t", ",,", "", ";", ",      \t                  "]
    private static let ends = ["}", " }", "} ", "}\r", "}}", "", "},", "} x"]

    private static func line(_ random: inout SeededRandom) -> String {
        var line = random.one(of: ["{", "{", "{", " {", "{ ", "[", ""])
        // Mostly a good line in the usual order, with one thing or other changed.
        var chosen = [
            random.one(of: Array(members[0..<3])), members[4], members[6],
            random.one(of: Array(members[8..<14])),
        ]
        for _ in 0..<random.below(4) { chosen.append(random.one(of: members)) }
        if random.chance(perMille: 200) {
            chosen.swapAt(random.below(chosen.count), random.below(chosen.count))
        }
        for (place, member) in chosen.enumerated() {
            if place > 0 { line += random.chance(perMille: 900) ? "," : random.one(of: commas) }
            line += random.chance(perMille: 950) ? member : member.replacing(":", with: " : ")
        }
        return line + (random.chance(perMille: 850) ? "}" : random.one(of: ends))
    }

    @Test("NDJSON lines of all shapes, together and each alone", arguments: [1, 2, 3] as [UInt64])
    func together(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let lines = (0..<4000).map { _ in Self.line(&random) }
        let together = Sample.decode(lines.joined(separator: "\n"))
        var reads: [Read] = []
        var details: [ReadDetails] = []
        var counts = [Int](repeating: 0, count: together.counts.count)
        var refused: [ReadRefusal] = []
        for line in lines {
            let alone = Sample.decode(line)
            reads += alone.reads
            details += alone.details
            for place in counts.indices { counts[place] += alone.counts[place] }
            refused += alone.reasons
        }
        #expect(reads.count > 700, "many are good")
        #expect(refused.count > 500, "and many are not")
        #expect(together.reasons == refused, "seed \(seed)")
        #expect(together.counts == counts, "seed \(seed)")
        #expect(difference(together.details, details) == nil, "seed \(seed)")
        // Where details are kept depends on how many came before.
        let bare = { (reads: [Read]) in
            reads.map {
                var read = $0; read.details = min(read.details, 1); return read
            }
        }
        #expect(difference(bare(together.reads), bare(reads)) == nil, "seed \(seed)")
    }

    @Test("Marks packed at once equal marks packed byte by byte", arguments: [1, 2] as [UInt64])
    func marks(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let bytes = Array(" -./0159:;@ABMYZ[`abyz{\u{7f}·é".utf8) + [0x80, 0xFF, 0]
        for _ in 0..<20_000 {
            let text = (0..<random.below(10)).map { _ in
                random.chance(perMille: 900) ? random.one(of: Array("0129ABYZ".utf8)) : random.one(of: bytes)
            }
            // Behind other bytes, and at the very end of what there is.
            for tail in [[], Array("\",AB12".utf8)] as [[UInt8]] {
                let all = [0x41] + text + tail
                var packer = VRMPacker()
                let isTaken = text.allSatisfy { packer.take($0) }
                let slow = isTaken && !packer.normalised ? packer.finish() : nil
                #expect(VRMPacker.plain(all.span, 1..<1 + text.count) == (text.count > 8 ? nil : slow))
            }
        }
    }
}
