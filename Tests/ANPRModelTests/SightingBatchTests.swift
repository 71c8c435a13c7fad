import ANPRModel
import Testing

/// Batches of sightings put in another order.
struct SightingBatchTests {
    @Test("amendments go behind what is new, each kind in its order, with all that belongs to them")
    func amendmentsLast() throws {
        var batch = SightingBatch()
        for (index, revision) in [0, 1, 0, 2, 0].enumerated() {
            let time = Timestamp(milliseconds: Int64(index))
            let vrm = try #require(VRM("AB27CD\(index)"))
            var sighting = Sighting(
                vrm: vrm,
                first: time,
                last: time,
                captured: time,
                opened: time,
                camera: 0,
                reads: UInt32(index + 1)
            )
            sighting.revision = UInt16(revision)
            batch.append(sighting)
            for camera in 0...index {
                batch.append(
                    Contribution(camera: CameraIndex(camera), reads: 1, first: time, confidence: Int8(index))
                )
            }
            if index == 3 { batch.append(vrm, opened: time, isMerged: true) }
        }
        batch.putAmendmentsLast()
        #expect(batch.sightings.map(\.reads) == [1, 3, 5, 2, 4])
        for index in 0..<batch.count {
            let parts = batch.contributions(of: index)
            #expect(parts.count == Int(batch.sightings[index].reads))
            #expect(parts.allSatisfy { UInt32($0.confidence) + 1 == batch.sightings[index].reads })
        }
        #expect(batch.variants.map(\.sighting) == [4])
        let before = batch.sightings
        batch.putAmendmentsLast()
        #expect(batch.sightings == before)
    }
}
