import ANPRModel
import Archive
import Simulation
import TestSupport
import Testing

/// What comes in bulk is filed a day at a time, and nothing of it twice or never.
struct FilingTests {
    private static let firstDay: Int64 = 20_000
    private static let dayLength: Int64 = 86_400_000
    private let register = SmallRegister.make(sites: 3, forces: ["43", "45"], camerasEach: 1)

    /// Sightings of some days as they leave deduplication: nearly in order, across midnights too, and some hours late.
    private func stream(days: Int, perDay: Int, seed: UInt64) -> SightingBatch {
        var random = SeededRandom(seed: seed)
        var times: [(first: Int64, left: Int64)] = []
        for day in 0..<days {
            let start = (Self.firstDay + Int64(day)) * Self.dayLength
            for _ in 0..<perDay {
                let first = start + Int64(random.below(Int(Self.dayLength)))
                let late = random.below(1000) == 0 ? 5 * 3_600_000 : 600_000
                times.append((first, first + Int64(random.below(late))))
            }
        }
        times.sort { ($0.left, $0.first) < ($1.left, $1.first) }
        var batch = SightingBatch()
        for (first, _) in times {
            let first = Timestamp(milliseconds: first)
            let letters = Array("ABCDEFGHJK")
            let (front, back) = (letters[random.below(10)], letters[random.below(10)])
            guard let vrm = VRM("\(front)A\(27 + random.below(20))\(back)B\(letters[random.below(10)])")
            else {
                continue
            }
            let camera = CameraIndex(random.below(register.count))
            batch.append(
                Sighting(
                    vrm: vrm,
                    first: first,
                    last: first,
                    captured: first,
                    opened: first,
                    camera: camera,
                    reads: 1
                )
            )
            batch.append(Contribution(camera: camera, reads: 1, first: first, confidence: 90))
        }
        return batch
    }

    private struct Row: Hashable, Comparable {
        var vrm: VRM
        var first: Timestamp
        var camera: String

        init(_ row: Int, of batch: SightingBatch, _ register: CameraRegister) {
            let sighting = batch.sightings[row]
            (vrm, first) = (sighting.vrm, sighting.first)
            camera = register.cameras[Int(sighting.camera)].name
        }

        static func < (left: Self, right: Self) -> Bool {
            (left.first, left.vrm, left.camera) < (right.first, right.vrm, right.camera)
        }
    }

    private static func rows(_ batch: SightingBatch, _ register: CameraRegister) -> [Row] {
        (0..<batch.count).map { Row($0, of: batch, register) }.sorted()
    }

    @Test(
        "days in bulk have one segment each, but for what comes late; after a crash what was given again counts once"
    )
    func bulk() throws {
        let all = stream(days: 3, perDay: 300_000, seed: 5)
        let folder = try TemporaryFolder()
        let catalogue = try Catalogue("\(folder.path)/catalogue.sqlite")
        func archiver() throws -> Archiver {
            try Archiver("\(folder.path)/archive", log: "\(folder.path)/sightings", catalogue: catalogue)
        }
        var filing = try archiver()
        var next = 0
        var crashed = false
        while next < all.count {
            let end = min(next + 10_007, all.count)
            var piece = SightingBatch()
            piece.append(next..<end, of: all)
            try filing.take(piece, first: UInt64(next), register: register)
            next = end
            let archived = Int(try catalogue.snapshot().archivedThrough)
            #expect(archived <= next)
            // What waited is gone, and comes again with some that did not wait any more.
            if !crashed, archived > 0, next > all.count / 2 {
                filing = try archiver()
                next = archived - 4321
                crashed = true
            }
        }
        try filing.archiveGathered(register)
        #expect(crashed)
        let snapshot = try catalogue.snapshot()
        #expect(Int(snapshot.archivedThrough) == all.count)
        #expect(snapshot.segments.reduce(0) { $0 + $1.rows } == all.count)
        let days = Dictionary(grouping: snapshot.segments, by: \.day)
        #expect(days.keys.sorted() == (0..<3).map { Int32(Self.firstDay) + $0 })
        for day in days.values {
            let rows = day.map(\.rows).sorted()
            #expect(rows.dropLast().reduce(0, +) <= (rows.last ?? 0) / 16)
        }
        var query = SightingQuery()
        query.from = .earliest
        let found = try ArchiveSearch(data: folder.path).run(query)
        #expect(Self.rows(found.batch, found.register) == Self.rows(all, register))
    }
}
