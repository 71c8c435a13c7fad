import ANPRModel
import Archive
import Foundation
import Simulation
import TestSupport
import Testing

/// What was found of a mark is kept for who asks again, and is never anything but what the archive has now.
struct RecentHistoriesTests {
    private typealias Days = HoldTests.Days

    private static func plain(_ search: ArchiveSearch, _ query: SightingQuery) throws -> [PlainSighting] {
        let found = try search.run(query)
        return PlainSighting.list(found.batch, in: found.register)
    }

    private static func query(_ random: inout SeededRandom) -> SightingQuery {
        var query = SightingQuery()
        // Those from 80 on were merged into others.
        query.mark = MarkPattern(
            Days.mark(random.chance(perMille: 800) ? random.below(25) : 80 + random.below(9))
        )
        let start = Days.firstDay * Days.dayLength
        if random.chance(perMille: 300) {
            query.from = Timestamp(milliseconds: start + Int64(random.below(Int(6 * Days.dayLength))))
        }
        if random.chance(perMille: 300) {
            query.to = Timestamp(milliseconds: start + Int64(random.below(Int(6 * Days.dayLength))))
        }
        if random.chance(perMille: 200) { query.sites = ["SITE-\(1 + random.below(3))"] }
        return query
    }

    /// A few sightings of the first days, as they come late.
    private static func late(_ days: Days, _ random: inout SeededRandom) throws -> SightingBatch {
        var batch = SightingBatch()
        for _ in 0..<random.within(1...20) {
            let offset = Int64(random.below(Int(6 * Days.dayLength)))
            let first = Timestamp(milliseconds: Days.firstDay * Days.dayLength + offset)
            let camera = CameraIndex(random.below(days.register.count))
            let vrm = try #require(VRM(Days.mark(random.below(25))))
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

    @Test(
        "a search that stays open finds what a new one finds, while sightings come, are merged and go",
        arguments: [1, 2, 3] as [UInt64]
    )
    func lockstep(seed: UInt64) throws {
        let days = try Days(seed: seed, days: 6)
        let search = ArchiveSearch(data: days.folder.path)
        let policy = RetentionPolicy([
            RetentionRule(text: "45", force: "45", keep: .span(Days.dayLength)),
            RetentionRule(text: "rest", keep: .span(2 * Days.dayLength)),
        ])
        let retention = Retention(archiver: days.archiver, catalogue: days.catalogue, policy: policy)
        var random = SeededRandom(seed: seed)
        var now = (Days.firstDay + 1) * Days.dayLength
        var filed = UInt64(days.all.count)
        var gone = 0
        for _ in 0..<40 {
            switch random.below(4) {
            case 0:
                let late = try Self.late(days, &random)
                try days.archiver.take(late, first: filed, register: days.register)
                try days.archiver.archiveGathered(days.register)
                filed += UInt64(late.count)
            case 1: try days.archiver.merge()
            case 2:
                now += Int64(random.below(Int(Days.dayLength / 2)))
                gone += try retention.apply(now: Timestamp(milliseconds: now)).reduce(0) {
                    $0 + $1.contributions
                }
            default: break
            }
            for _ in 0..<8 {
                let query = Self.query(&random)
                let fresh = ArchiveSearch(data: days.folder.path)
                #expect(try Self.plain(search, query) == Self.plain(fresh, query))
            }
        }
        #expect(gone > 0)
    }

    @Test("what was found once is found again where its files can't be read, and nothing else is")
    func again() throws {
        let days = try Days(seed: 5, days: 8)
        let search = ArchiveSearch(data: days.folder.path)
        let queries = [0, 1].map { number in
            var query = SightingQuery()
            query.mark = MarkPattern(Days.mark(number))
            return query
        }
        let before = try Self.plain(search, queries[0])
        #expect(before.count > 10)
        let snapshot = try days.catalogue.snapshot()
        for name in snapshot.segments.map(\.name) + snapshot.indexes.map(\.name) {
            let file = URL(fileURLWithPath: "\(days.folder.path)/archive/\(name)")
            // In place, for who has it open.
            let handle = try FileHandle(forUpdating: file)
            try handle.write(contentsOf: Data(repeating: 0x55, count: try Data(contentsOf: file).count))
            try handle.close()
        }
        #expect(try Self.plain(search, queries[0]) == before)
        // A part of it is, too.
        var part = queries[0]
        part.from = Timestamp(milliseconds: before[before.count / 2].first)
        #expect(try !Self.plain(search, part).isEmpty)
        #expect(throws: StorageError.self) { try Self.plain(search, queries[1]) }
        let fresh = ArchiveSearch(data: days.folder.path)
        #expect(throws: StorageError.self) { try Self.plain(fresh, queries[0]) }
    }

    // MARK: - Room

    private static func found(_ rows: Int, _ vrm: VRM) -> RecentHistories.Found {
        var batch = SightingBatch()
        for row in 0..<rows {
            let time = Timestamp(milliseconds: Int64(row))
            batch.append(
                Sighting(vrm: vrm, first: time, last: time, captured: time, opened: time, camera: 0, reads: 1)
            )
            batch.append(Contribution(camera: 0, reads: 1, first: time, confidence: 90))
        }
        return [(batch, CameraRegister())]
    }

    @Test("what is asked for again stays, what is not makes room")
    func room() throws {
        let marks = try (0..<400).map { number in
            try #require(
                VRM(
                    "AB\(27 + number / 25)\(["C", "D", "E", "F", "G"][number % 5])\(["H", "J", "K", "L", "M"][number / 5 % 5])X"
                )
            )
        }
        #expect(Set(marks).count == marks.count)
        let each = 100 * (MemoryLayout<Sighting>.stride + MemoryLayout<Contribution>.stride)
        let histories = RecentHistories(bytesMax: 40 * each)
        histories.keep(only: ["a"])
        for vrm in marks {
            histories.keep(["a": Self.found(100, vrm)], of: vrm)
            #expect(histories.known(vrm)["a"]?[0].batch.count == 100)
            #expect(histories.known(marks[0])["a"]?[0].batch.sightings[0].vrm == marks[0])
        }
        // Rooms are counted a little larger than what is in them, and arrays have some to spare.
        let kept = marks.reversed().prefix { !histories.known($0).isEmpty }.count
        #expect((8...40).contains(kept))
        #expect(histories.known(marks[1]).isEmpty)
        // Larger than all room: kept until the next comes.
        histories.keep(["a": Self.found(10_000, marks[0])], of: marks[0])
        #expect(histories.known(marks[0])["a"]?[0].batch.count == 10_000)
        for vrm in marks[1...60] { histories.keep(["a": Self.found(100, vrm)], of: vrm) }
        #expect(histories.known(marks[0]).isEmpty)
    }

    @Test("nothing is kept of what the catalogue does not name, or names no more")
    func groups() throws {
        let vrm = try #require(VRM("AB27CDE"))
        let histories = RecentHistories(bytesMax: 1 << 20)
        histories.keep(["a": Self.found(1, vrm)], of: vrm)
        #expect(histories.known(vrm).isEmpty)
        histories.keep(only: ["a", "b"])
        histories.keep(["a": Self.found(1, vrm), "b": [], "c": Self.found(1, vrm)], of: vrm)
        #expect(Set(histories.known(vrm).keys) == ["a", "b"])
        histories.keep(only: ["b", "c"])
        #expect(Set(histories.known(vrm).keys) == ["b"])
        histories.keep(["a": Self.found(1, vrm), "c": Self.found(2, vrm)], of: vrm)
        #expect(Set(histories.known(vrm).keys) == ["b", "c"])
        histories.keep(only: [])
        #expect(histories.known(vrm).isEmpty)
    }
}
