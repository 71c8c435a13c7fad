import ANPRModel
import TestSupport
import Testing

/// The model is what the engine is held against, so it is itself held against answers worked out by hand.
@Suite("The reference model")
struct ReferenceModelTests {
    private func read(
        _ captured: Int64,
        _ force: String = "43",
        _ camera: String = "A",
        confidence: Int? = nil,
        site: String = "S"
    ) -> PlainRead {
        var read = PlainRead(vrm: "AB27CDE", force: force, camera: camera, site: site, captured: captured)
        read.confidence = confidence
        return read
    }

    private let model = ReferenceModel(ReferenceModel.Rule(window: 10_000))

    @Test("The window is anchored at the first read and holds its end")
    func window() {
        let answer = model.answer([0, 4000, 10_000, 10_001, 20_001, 20_002].map { read($0) })
        #expect(answer.sightings.map(\.first) == [0, 10_001, 20_002])
        #expect(answer.sightings.map(\.last) == [10_000, 20_001, 20_002])
        #expect(answer.sightings.map(\.reads) == [3, 2, 1])
    }

    @Test("A gap shorter than the window parts what the window would hold")
    func gap() {
        let model = ReferenceModel(ReferenceModel.Rule(window: 10_000, gap: 3000))
        let answer = model.answer([0, 3000, 6000, 9000, 10_500, 14_000].map { read($0) })
        #expect(answer.sightings.map(\.first) == [0, 10_500, 14_000])
    }

    @Test("Of copies the highest confidence is kept, then the least direction and lane, absent first")
    func copies() {
        func copy(_ confidence: Int?, _ direction: String?, _ lane: Int?) -> PlainRead {
            var copy = read(0, confidence: confidence)
            copy.direction = direction
            copy.lane = lane
            return copy
        }
        let all = [
            copy(80, nil, nil), copy(81, "W", 0), copy(81, "W", nil), copy(81, "N", 3), copy(nil, nil, nil),
        ]
        let answer = model.answer(all)
        #expect(answer.accepted == 1)
        #expect(answer.redelivered == 4)
        #expect(answer.sightings.map(\.best) == [copy(81, "N", 3)])
        #expect(
            model.answer([copy(81, "W", 0), copy(81, "W", nil)]).sightings.map(\.best) == [copy(81, "W", nil)]
        )
    }

    @Test(
        "The best read has the highest confidence, then the earliest time, then the lowest force and camera"
    )
    func bestRead() {
        func best(_ reads: [PlainRead]) -> PlainRead? { model.answer(reads).sightings.first?.best }
        #expect(best([read(0), read(1, confidence: 0)]) == read(1, confidence: 0))
        #expect(best([read(1, confidence: 80), read(0, confidence: 80)]) == read(0, confidence: 80))
        #expect(best([read(0, "45", "A"), read(0, "43", "B"), read(0, "43", "A")]) == read(0, "43", "A"))
    }

    @Test("Contributions are by force and camera")
    func contributions() {
        let reads = [
            read(5, "45", "A", confidence: 80), read(0, "43", "B"), read(1, "45", "A", confidence: 70),
            read(2),
        ]
        let parts = model.answer(reads).sightings.first?.parts
        #expect(
            parts == [
                PlainSighting.Part(force: "43", camera: "A", reads: 1, first: 2, confidence: nil),
                PlainSighting.Part(force: "43", camera: "B", reads: 1, first: 0, confidence: nil),
                PlainSighting.Part(force: "45", camera: "A", reads: 2, first: 1, confidence: 80),
            ]
        )
    }

    @Test("Sites and marks never merge, and the output is by (first, vrm, site)")
    func order() {
        var other = read(0, site: "A")
        other.vrm = "AA27AAA"
        let sightings = model.answer([
            read(0, "43", "C", site: "T"), read(0, "43", "B", site: "S"), other, read(-1, site: "Z"),
        ]).sightings
        #expect(sightings.map(\.site) == ["Z", "A", "S", "T"])
    }

    @Test("A site may have a rule of its own")
    func siteRules() {
        let model = ReferenceModel(
            ReferenceModel.Rule(window: 10_000),
            sites: ["T": ReferenceModel.Rule(window: 0)]
        )
        let reads = [
            read(0, site: "T"), read(1, site: "T"), read(1, "43", "B", site: "T"), read(0, "45"),
            read(1, "45"),
        ]
        #expect(model.answer(reads).sightings.map(\.reads) == [2, 1, 2])
    }

    @Test("Sightings of two gateways join one level up")
    func joining() {
        let model = model
        func sent(_ reads: [PlainRead]) -> [PlainSighting] { model.answer(reads).sightings }
        let west = sent([read(0, confidence: 80), read(9000, confidence: 90), read(11_000)])
        let east = sent([read(8000, "45", "B", confidence: 90), read(15_000, "45", "B", confidence: 60)])
        let joined = model.join([west + west.prefix(1), east])
        #expect(joined.map(\.first) == [0, 11_000])
        // The window counts from first to first, so what is joined may span more than a window.
        #expect(joined.map(\.last) == [15_000, 11_000])
        #expect(joined.map(\.reads) == [4, 1])
        #expect(joined.first?.best == read(8000, "45", "B", confidence: 90))
        #expect(
            joined.first?.parts == [
                PlainSighting.Part(force: "43", camera: "A", reads: 2, first: 0, confidence: 90),
                PlainSighting.Part(force: "45", camera: "B", reads: 2, first: 8000, confidence: 90),
            ]
        )
    }

    @Test(
        "Joining what one gateway sent changes nothing, and the order of gateways does not count",
        arguments: [1, 2, 3] as [UInt64]
    )
    func joiningLaws(seed: UInt64) {
        let reads = RandomReads(seed: seed).plain
        let model = ReferenceModel(ReferenceModel.Rule(window: 10_000, gap: 2000))
        let wide = ReferenceModel(ReferenceModel.Rule(window: 10_000))
        let one = wide.answer(reads).sightings
        #expect(difference(wide.join([one]), one) == nil, "seed \(seed)")
        let parts = ["43", "45", "7"].map { force in
            model.answer(reads.filter { $0.force == force }).sightings
        }
        let joined = wide.join(parts)
        #expect(difference(wide.join(parts.reversed()), joined) == nil, "seed \(seed)")
        #expect(joined.map(\.reads).reduce(0, +) == model.answer(reads).accepted, "seed \(seed)")
    }
}
