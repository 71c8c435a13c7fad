import ANPRModel
import Deduplication
import Foundation
import Simulation
import TestSupport
import Testing

/// Misreads, linked and merged.
@Suite
struct VariantJoinerTests {
    private struct Given {
        var vrm: String
        var first: Int64
        var last: Int64
        var camera: CameraIndex
        var confidence: Int8
    }

    private static let register = SmallRegister.make(sites: 2, forces: ["43", "45"], camerasEach: 2)

    private static func batch(_ all: [Given]) throws -> SightingBatch {
        var batch = SightingBatch()
        for one in all {
            var sighting = Sighting(
                vrm: try #require(VRM(one.vrm)),
                first: Timestamp(milliseconds: one.first),
                last: Timestamp(milliseconds: one.last),
                captured: Timestamp(milliseconds: one.first),
                opened: Timestamp(milliseconds: one.first),
                camera: one.camera,
                reads: 2
            )
            sighting.confidence = one.confidence
            sighting.lane = Int8(register.cameras[Int(one.camera)].lane ?? 0)
            batch.append(sighting)
            batch.append(
                Contribution(
                    camera: one.camera,
                    reads: 2,
                    first: sighting.first,
                    confidence: one.confidence
                )
            )
        }
        return batch
    }

    /// What a joiner gives, cut into batches at random: each sighting's mark and place, and its variants' marks.
    private static func run(
        _ mode: VariantMode,
        _ batch: SightingBatch,
        _ random: inout SeededRandom
    ) -> (output: SightingBatch, variants: [[String]]) {
        var joiner = VariantJoiner(mode, register: register, reconcile: 86_400_000)
        var output = SightingBatch()
        var place = 0
        while place < batch.count {
            let end = min(batch.count, place + random.within(1...5))
            let part = batch.reordered(Array(place..<end))
            let through = end < batch.count ? batch.sightings[end].first : .distantPast
            joiner.take(part, closedThrough: through, into: &output)
            place = end
        }
        joiner.take(SightingBatch(), closedThrough: .distantFuture, into: &output)
        var marks = [[String]](repeating: [], count: output.count)
        for variant in output.variants { marks[variant.sighting].append(variant.vrm.text) }
        return (output, marks)
    }

    @Test(
        "the table of pairs",
        arguments: [
            // A misread of a mark of United Kingdom shape, by the same camera.
            ("AB27CDE", 0, 90, "AB27CD3", 0, 50, false), ("AB27CDO", 0, 90, "AB27CD0", 0, 50, true),
            // Its confidence speaks against the shape; nothing speaks for either; the confidence alone speaks.
            ("AB27CDO", 0, 50, "AB27CD0", 0, 90, false), ("AB27CDO", 0, 70, "AB27CDD", 0, 72, false),
            ("AB27CDO", 0, 90, "AB27CDD", 0, 72, true), ("AB27CDO", 0, -1, "AB27CD0", 0, -1, true),
            // Another camera: in the same lane, in another lane.
            ("AB27CDO", 1, 90, "AB27CD0", 3, 50, true), ("AB27CDO", 0, 90, "AB27CD0", 1, 50, false),
            // An edge lost.
            ("AB27CDE", 0, 90, "AB27CD", 0, 50, true), ("AB27CDE", 0, 90, "B27CDE", 0, 50, true),
            ("AB27CDE", 0, 60, "B27CDE", 0, 55, false),
        ] as [(String, CameraIndex, Int8, String, CameraIndex, Int8, Bool)]
    )
    func pairs(
        _ strong: String,
        _ camera: CameraIndex,
        _ confidence: Int8,
        _ weak: String,
        _ other: CameraIndex,
        _ low: Int8,
        _ isPair: Bool
    ) throws {
        var random = SeededRandom(seed: 1)
        let cameras = Self.register.cameras
        #expect(cameras[1].lane == cameras[3].lane && cameras[0].lane != cameras[1].lane)
        let batch = try Self.batch([
            Given(vrm: weak, first: 0, last: 500, camera: other, confidence: low),
            Given(vrm: strong, first: 2400, last: 3000, camera: camera, confidence: confidence),
        ])
        let (linked, names) = Self.run(.link, batch, &random)
        #expect(linked.count == 2)
        #expect(names == (isPair ? [[strong], [weak]] : [[], []]))
        let (merged, alternates) = Self.run(.merge, batch, &random)
        #expect(alternates == (isPair ? [[weak]] : [[], []]))
        if isPair {
            let one = merged.sightings[0]
            #expect(one.vrm.text == strong && one.reads == 4 && one.first.milliseconds == 0)
            #expect(one.last.milliseconds == 3000 && one.opened == one.first)
            #expect(merged.contributions(of: 0).reduce(0) { $0 + $1.reads } == 4)
        }
        // Half a second later they are too far apart.
        var apart = batch
        apart.update(1) { $0.first = Timestamp(milliseconds: 2501) }
        #expect(Self.run(.link, apart, &random).variants == [[], []])
    }

    @Test("what is read with confidence is never rewritten, and merging never chains")
    func plain() throws {
        var random = SeededRandom(seed: 2)
        let confident = try Self.batch([
            Given(vrm: "AB27CDO", first: 0, last: 0, camera: 0, confidence: 99),
            Given(vrm: "AB27CD0", first: 100, last: 100, camera: 0, confidence: 90),
        ])
        #expect(Self.run(.merge, confident, &random).output.count == 2)
        #expect(Self.run(.link, confident, &random).variants.allSatisfy { $0.count == 1 })
        // 60 is a misread of 75, which is one of 99; and a misread of two.
        let chain = try Self.batch([
            Given(vrm: "AB27CDO", first: 0, last: 0, camera: 0, confidence: 85),
            Given(vrm: "AB27CDD", first: 100, last: 100, camera: 0, confidence: 70),
            Given(vrm: "AB27CD0", first: 200, last: 200, camera: 0, confidence: 55),
        ])
        #expect(Self.run(.merge, chain, &random).output.count == 3)
        // Two misreads of one vehicle both go into it.
        let star = try Self.batch([
            Given(vrm: "AB27CD0", first: 0, last: 0, camera: 0, confidence: 55),
            Given(vrm: "AB27CDO", first: 100, last: 100, camera: 0, confidence: 85),
            Given(vrm: "A827CD0", first: 200, last: 200, camera: 0, confidence: 52),
        ])
        let (output, alternates) = Self.run(.merge, star, &random)
        #expect(output.count == 1 && alternates == [["A827CD0", "AB27CD0"]])
    }

    @Test(
        "however they are cut into batches, nothing is lost, counted twice or differs",
        arguments: 1...40 as ClosedRange<UInt64>
    )
    func batches(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let marks = ["AB27CDO", "AB27CD0", "AB27CDD", "B27CDO", "AB27CD", "A827CDO", "XY28ZZZ"]
        var time: Int64 = 0
        let all = (0..<random.within(2...200)).map { _ in
            time += Int64(random.below(1500))
            return Given(
                vrm: random.one(of: marks),
                first: time,
                last: time + Int64(random.below(9000)),
                camera: CameraIndex(random.below(8)),
                confidence: Int8(random.within(-1...99))
            )
        }
        let batch = try Self.batch(all)
        for mode in [VariantMode.link, .merge] {
            let (output, variants) = Self.run(mode, batch, &random)
            let (again, same) = Self.run(mode, batch, &random)
            #expect(output.sightings == again.sightings && variants == same)
            let merged = variants.reduce(0) { $0 + $1.count }
            #expect(output.count == (mode == .link ? batch.count : batch.count - merged))
            for part in [output, batch] {
                #expect(part.sightings.reduce(0) { $0 + $1.reads } == UInt32(2 * batch.count))
                #expect(part.contributions.reduce(0) { $0 + $1.reads } == UInt32(2 * batch.count))
            }
        }
        let (linked, names) = Self.run(.link, batch, &random)
        #expect(linked.sightings == batch.sightings, "linking changes and moves nothing")
        #expect(names.joined().count % 2 == 0, "both ways")
    }

    @Test("a newer version of a merged sighting amends what it was merged into")
    func amendments() throws {
        let batch = try Self.batch([
            Given(vrm: "AB27CD0", first: 0, last: 0, camera: 0, confidence: 55),
            Given(vrm: "AB27CDO", first: 100, last: 100, camera: 0, confidence: 85),
        ])
        var joiner = VariantJoiner(.merge, register: Self.register, reconcile: 86_400_000)
        var output = SightingBatch()
        joiner.take(batch, closedThrough: Timestamp(milliseconds: 60_000), into: &output)
        #expect(output.count == 1 && joiner.count == 0)
        var newer = batch.reordered([0])
        newer.update(0) {
            $0.revision = 1
            $0.reads = 3
        }
        var amended = SightingBatch()
        amended.append(newer.sightings[0])
        amended.append(
            Contribution(camera: 0, reads: 3, first: Timestamp(milliseconds: 0), confidence: 55)
        )
        joiner.take(amended, closedThrough: Timestamp(milliseconds: 60_000), into: &output)
        #expect(output.count == 2)
        let one = output.sightings[1]
        #expect(one.vrm.text == "AB27CDO" && one.revision == 1 && one.reads == 5)
        #expect(output.contributions(of: 1).map(\.reads) == [5])
        #expect(output.variants.map(\.sighting) == [0, 1])
    }

    @Test("what is held holds back what can be said of the rest")
    func closedThrough() throws {
        let batch = try Self.batch([
            Given(vrm: "AB27CDO", first: 5000, last: 5000, camera: 0, confidence: 85)
        ])
        var joiner = VariantJoiner(.link, register: CameraRegister(), reconcile: 86_400_000)
        joiner.update(Self.register)
        var output = SightingBatch()
        let through = Timestamp(milliseconds: 6000)
        joiner.take(batch, closedThrough: through, into: &output)
        #expect(output.isEmpty && joiner.closedThrough(through) == Timestamp(milliseconds: 5000))
        let later = Timestamp(milliseconds: 8000)
        joiner.take(SightingBatch(), closedThrough: later, into: &output)
        #expect(output.count == 1 && joiner.closedThrough(later) == later)
    }

    @Test(
        "what senders merged stays among the alternates when their sightings are joined, amended or merged again"
    )
    func joined() throws {
        let rules = DeduplicationRules(lateness: 0)
        var joiner = SightingJoiner(register: Self.register, rules: rules)
        var output = SightingBatch()
        joiner.start(live: [0, 1], into: &output)
        func sent(_ mark: String, at time: Int64, by camera: CameraIndex, merged: String) throws
            -> SightingBatch
        {
            var batch = try Self.batch([
                Given(vrm: mark, first: time, last: time, camera: camera, confidence: 85)
            ])
            batch.append(try #require(VRM(merged)), opened: Timestamp(milliseconds: time + 1), isMerged: true)
            batch.append(try #require(VRM("AB1")), opened: Timestamp(milliseconds: time), isMerged: false)
            return batch
        }
        joiner.take(try sent("AB27CDO", at: 0, by: 0, merged: "AB27CDQ"), from: 0, into: &output)
        joiner.take(try sent("AB27CDO", at: 90, by: 2, merged: "AB27CD0"), from: 1, into: &output)
        joiner.note(0, closedThrough: Timestamp(milliseconds: 60_000), into: &output)
        joiner.note(1, closedThrough: Timestamp(milliseconds: 60_000), into: &output)
        #expect(output.count == 1)
        #expect(output.variants(of: 0).map(\.vrm.text) == ["AB27CD0", "AB27CDQ"])
        var newer = SightingBatch()
        newer.append(try sent("AB27CDO", at: 0, by: 0, merged: "AB27CDQ").sightings[0])
        newer.append(Contribution(camera: 0, reads: 3, first: Timestamp(milliseconds: 0), confidence: 85))
        newer.append(try #require(VRM("AB27CDD")), opened: Timestamp(milliseconds: 5), isMerged: true)
        newer.update(0) { $0.revision = 1 }
        joiner.take(newer, from: 0, into: &output)
        #expect(output.count == 2)
        #expect(output.variants(of: 1).map(\.vrm.text) == ["AB27CD0", "AB27CDD"])
        var again = VariantJoiner(.link, register: Self.register, reconcile: 86_400_000)
        var left = SightingBatch()
        again.take(output, closedThrough: .distantFuture, into: &left)
        #expect(left.variants == output.variants)
    }

    @Test("rules kept before there were variants did nothing about misreads")
    func oldRules() throws {
        let rules = DeduplicationRules(sites: ["S": .init(window: 2000)], lateness: 7, variants: .merge)
        let kept = try JSONEncoder().encode(rules)
        #expect(try JSONDecoder().decode(DeduplicationRules.self, from: kept) == rules)
        var members = try #require(try JSONSerialization.jsonObject(with: kept) as? [String: Any])
        members["variants"] = nil
        let old = try JSONSerialization.data(withJSONObject: members)
        var expected = rules
        expected.variants = .off
        #expect(try JSONDecoder().decode(DeduplicationRules.self, from: old) == expected)
    }
}
