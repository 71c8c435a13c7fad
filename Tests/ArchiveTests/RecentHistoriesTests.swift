import ANPRModel
import Archive
import Foundation
import Simulation
import Synchronization
import TestSupport
import Testing

/// What was found of a mark is kept for who asks again, and is never anything but what the archive has now.
struct RecentHistoriesTests {
    private typealias Days = HoldTests.Days

    private static func plain(_ search: ArchiveSearch, _ query: SightingQuery) throws -> [PlainSighting] {
        let found = try search.run(query)
        return PlainSighting.list(found.batch, in: found.register)
    }

    private static func plain(_ search: ArchiveSearch, _ number: Int) throws -> [PlainSighting] {
        var query = SightingQuery()
        query.mark = MarkPattern(Days.mark(number))
        return try plain(search, query)
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
        if random.chance(perMille: 200) { query.force = random.one(of: ["43", "45"]) }
        return query
    }

    /// All there is, found without a mark, by what a search may ask.
    private struct Everything {
        var rows: [(plain: PlainSighting, marks: [String])]

        init(_ folder: String) throws {
            var query = SightingQuery()
            query.from = .earliest
            let found = try ArchiveSearch(data: folder).run(query)
            rows = (0..<found.batch.count).map { row in
                let merged = found.batch.variants(of: row).filter(\.isMerged).map(\.vrm.text)
                return (
                    PlainSighting(row, of: found.batch, in: found.register),
                    [found.batch.sightings[row].vrm.text] + merged
                )
            }
        }

        func matching(_ query: SightingQuery) -> Set<PlainSighting> {
            let found = rows.filter { plain, marks in
                marks.contains { query.mark?.exact?.text == $0 }
                    && plain.last >= query.from?.milliseconds ?? .min
                    && plain.first <= query.to?.milliseconds ?? .max
                    && (query.sites.isEmpty || query.sites.contains(plain.site))
                    && (query.force == nil || plain.parts.contains { $0.force == query.force })
            }
            return Set(found.map(\.plain))
        }
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
        "a search that stays open finds what is there, while sightings come, are merged and go",
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
        var hits = 0
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
            let everything = try Everything(days.folder.path)
            for _ in 0..<8 {
                let query = Self.query(&random)
                let found = try Self.plain(search, query)
                #expect(Set(found) == everything.matching(query))
                #expect(Set(found).count == found.count)
                hits += found.count
            }
        }
        #expect(gone > 0 && hits > 0)
    }

    /// In place, for who has it open.
    private static func spoil(_ days: Days, _ name: String) throws {
        let file = URL(fileURLWithPath: "\(days.folder.path)/archive/\(name)")
        let handle = try FileHandle(forUpdating: file)
        try handle.write(contentsOf: Data(repeating: 0x55, count: try Data(contentsOf: file).count))
        try handle.close()
    }

    @Test("what was found once is found again where its files can't be read, and nothing else is")
    func again() throws {
        let days = try Days(seed: 5, days: 8)
        let search = ArchiveSearch(data: days.folder.path)
        let before = try Self.plain(search, 0)
        #expect(before.count > 10)
        let snapshot = try days.catalogue.snapshot()
        for name in snapshot.segments.map(\.name) + snapshot.indexes.map(\.name) {
            try Self.spoil(days, name)
        }
        #expect(try Self.plain(search, 0) == before)
        // A part of it is, too.
        var part = SightingQuery()
        part.mark = MarkPattern(Days.mark(0))
        part.from = Timestamp(milliseconds: before[before.count / 2].first)
        part.force = "45"
        let expected = before.filter {
            $0.last >= part.from?.milliseconds ?? .max && $0.parts.contains { $0.force == "45" }
        }
        #expect(!expected.isEmpty && expected.count < before.count / 2)
        #expect(try Self.plain(search, part) == expected)
        #expect(throws: StorageError.self) { try Self.plain(search, 1) }
        #expect(throws: StorageError.self) { try Self.plain(ArchiveSearch(data: days.folder.path), 0) }
    }

    @Test("what is not asked for need not be readable, also where one index names it")
    func narrow() throws {
        let days = try Days(seed: 6, days: 8)
        try days.archiver.merge()
        let first = Int32(Days.firstDay)
        let segments = try days.catalogue.snapshot().segments.filter { $0.day < first + 4 }
        #expect(segments.count == 4 && Set(segments.map(\.marks)).count == 1)
        let all = try Self.plain(ArchiveSearch(data: days.folder.path), 0)
        try Self.spoil(days, try #require(segments.first { $0.day == first }?.name))
        let search = ArchiveSearch(data: days.folder.path)
        var query = SightingQuery()
        query.mark = MarkPattern(Days.mark(0))
        let from = (Days.firstDay + 2) * Days.dayLength
        (query.from, query.to) = (
            Timestamp(milliseconds: from), Timestamp(milliseconds: from + Days.dayLength)
        )
        let expected = all.filter { $0.last >= from && $0.first <= from + Days.dayLength }
        #expect(!expected.isEmpty)
        for _ in 0..<2 { #expect(try Self.plain(search, query) == expected) }
        // And that it was left out is not taken for there being nothing.
        #expect(throws: StorageError.self) { try Self.plain(search, 0) }
    }

    /// What purges have done.
    private final class Progress: Sendable {
        /// What ended before this is gone.
        let gone = Mutex(Int64(0))
    }

    @Test("searches beside one another and beside purges never find what went before they began")
    func beside() async throws {
        let days = try Days(seed: 7, days: 10)
        let search = ArchiveSearch(data: days.folder.path)
        let policy = RetentionPolicy([RetentionRule(text: "all", keep: .span(0))])
        let retention = Retention(archiver: days.archiver, catalogue: days.catalogue, policy: policy)
        let progress = Progress()
        let end = (Days.firstDay + 10) * Days.dayLength
        let (begun, signal) = AsyncStream.makeStream(of: Void.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for seed in 1...3 as ClosedRange<UInt64> {
                group.addTask {
                    #expect(try Self.first(search, signal) > 0)
                    var random = SeededRandom(seed: seed)
                    var limit: Int64 = 0
                    while limit < end, !Task.isCancelled {
                        limit = progress.gone.withLock { $0 }
                        let some = try Self.plain(search, random.below(25))
                        #expect(some.allSatisfy { $0.last >= limit })
                        await Task.yield()
                    }
                }
            }
            // All have something to remember by then.
            for await _ in begun.prefix(3) {}
            for now in stride(from: Days.firstDay * Days.dayLength, through: end, by: Int(Days.dayLength / 4))
            {
                _ = try retention.apply(now: Timestamp(milliseconds: now))
                progress.gone.withLock { $0 = now }
                await Task.yield()
            }
            try await group.waitForAll()
        }
        #expect(try (0..<25).allSatisfy { try Self.plain(search, $0).isEmpty })
    }

    /// Searches, and says that it has, also where it could not.
    private static func first(_ search: ArchiveSearch, _ signal: AsyncStream<Void>.Continuation) throws -> Int
    {
        defer { signal.yield() }
        return try plain(search, 0).count
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

    /// How many sightings a group is known to have of a mark.
    private static func count(_ histories: RecentHistories, _ vrm: VRM, _ group: String) -> Int? {
        histories.known(vrm, [group])[0].map { $0.reduce(0) { $0 + $1.batch.count } }
    }

    @Test("what is asked for again stays, what is not makes room")
    func room() throws {
        let letters = ["C", "D", "E", "F", "G"]
        let marks = try (0..<400).map { number in
            try #require(VRM("AB\(27 + number / 25)\(letters[number % 5])\(letters[number / 5 % 5])X"))
        }
        #expect(Set(marks).count == marks.count)
        let each = 100 * (MemoryLayout<Sighting>.stride + MemoryLayout<Contribution>.stride)
        let histories = RecentHistories(bytesMax: 40 * each)
        histories.keep(only: ["a"])
        for vrm in marks {
            histories.keep([("a", Self.found(100, vrm))], of: vrm)
            #expect(Self.count(histories, vrm, "a") == 100)
            #expect(histories.known(marks[0], ["a"])[0]?[0].batch.sightings[0].vrm == marks[0])
        }
        // Rooms are counted a little larger than what is in them, and arrays have some to spare.
        let kept = marks.reversed().prefix { Self.count(histories, $0, "a") != nil }.count
        #expect((8...40).contains(kept))
        #expect(Self.count(histories, marks[1], "a") == nil)
        // Larger than all room: not kept, and costs the others nothing.
        histories.keep([("a", Self.found(10_000, marks[1]))], of: marks[1])
        #expect(Self.count(histories, marks[1], "a") == nil)
        #expect(Self.count(histories, marks[0], "a") == 100)
        #expect(Self.count(histories, marks.reversed()[kept - 1], "a") == 100)
    }

    @Test("nothing is kept of what the catalogue does not name, or names no more")
    func groups() throws {
        let vrm = try #require(VRM("AB27CDE"))
        let histories = RecentHistories(bytesMax: 1 << 20)
        func counts() -> [Int?] { ["a", "b", "c"].map { Self.count(histories, vrm, $0) } }
        histories.keep([("a", Self.found(1, vrm))], of: vrm)
        #expect(counts() == [nil, nil, nil])
        histories.keep(only: ["a", "b"])
        #expect(counts() == [nil, nil, nil])
        histories.keep([("a", Self.found(1, vrm)), ("b", []), ("c", Self.found(1, vrm))], of: vrm)
        #expect(counts() == [1, 0, nil])
        histories.keep(only: ["b", "c"])
        #expect(counts() == [nil, 0, nil])
        histories.keep([("a", Self.found(1, vrm)), ("c", Self.found(2, vrm))], of: vrm)
        #expect(counts() == [nil, 0, 2])
        // What comes back is not what was.
        histories.keep(only: ["a", "b", "c"])
        #expect(counts() == [nil, 0, 2])
        histories.keep(only: [])
        histories.keep(only: ["a", "b", "c"])
        #expect(counts() == [nil, nil, nil])
    }
}
