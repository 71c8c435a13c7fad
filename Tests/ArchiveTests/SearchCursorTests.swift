import ANPRModel
import Archive
import Deduplication
import Foundation
import Simulation
import SightingFrames
import TestSupport
import Testing

/// Answers in pages: nothing repeated, nothing left out, whatever arrives meanwhile.
struct SearchCursorTests {
    private typealias Filled = SearchTests.Filled

    private static func ids(_ found: ResolvedSightings) -> [SightingID] {
        (0..<found.batch.count).map { found.id(of: $0) }
    }

    /// Queries of every kind; the first finds all.
    private static func queries(_ filled: Filled, _ random: inout SeededRandom) -> [SightingQuery] {
        var all = SightingQuery()
        all.from = .earliest
        return [all]
            + (0..<12).map { number in
                let some = random.one(of: filled.all)
                var query = SightingQuery()
                switch number % 6 {
                case 0: query.mark = MarkPattern(some.vrm)
                case 1: query.mark = MarkPattern(String(some.vrm.prefix(1)) + "*")
                case 2: query.mark = VRM(some.vrm).map { MarkPattern(alike: $0) }
                case 3: query.sites = [some.site]
                case 4:
                    query.mark = MarkPattern("*" + some.vrm.suffix(1))
                    query.to = Timestamp(milliseconds: some.last)
                default:
                    query.force = some.parts[0].force
                    query.from = Timestamp(milliseconds: some.first - 600_000)
                    query.to = Timestamp(milliseconds: some.first + 600_000)
                }
                return query
            }
    }

    @Test(
        "pages of any size put together are the answer, the newest first, of one time by id",
        arguments: [
            (1, VariantMode.off), (2, .off), (3, .link), (4, .link), (5, .merge),
        ] as [(UInt64, VariantMode)]
    )
    func pages(seed: UInt64, variants: VariantMode) throws {
        let filled = try Filled(seed: seed, variants: variants)
        let search = ArchiveSearch(data: filled.folder.path)
        var random = SeededRandom(seed: seed)
        for (number, query) in Self.queries(filled, &random).enumerated() {
            let whole = try search.run(query)
            let ids = Self.ids(whole)
            let keys = ids.indices.map { (-whole.batch.sightings[$0].captured.milliseconds, ids[$0]) }
            #expect(zip(keys, keys.dropFirst()).allSatisfy { $0 < $1 }, "query \(number)")
            // The smallest pages of small answers only, for the sake of time.
            let least = max(1, ids.count / 25)
            for size in [least, random.within(least...max(least, ids.count)), ids.count, ids.count + 1] {
                var (shown, approximate) = ([SightingID](), Set<Int>())
                var cursor: SearchCursor?
                repeat {
                    // As a caller keeps it: as text.
                    let place = try cursor.map { try SearchCursor(token: $0.token, of: query) }
                    // Looked at in many steps, however short the time is that there is.
                    let page = try search.page(query, behind: place, count: max(1, size), first: 1000)
                    #expect(page.found.batch.count == min(max(1, size), ids.count - shown.count))
                    approximate.formUnion(page.found.approximate.map { $0 + shown.count })
                    shown += Self.ids(page.found)
                    cursor = page.next
                } while cursor != nil && shown.count <= ids.count
                #expect(shown == ids, "query \(number), pages of \(size), seed \(seed)")
                #expect(approximate == whole.approximate)
            }
        }
    }

    @Test(
        "pages of one find also what is found by a sighting of another page",
        arguments: [3, 4, 8] as [UInt64]
    )
    func links(seed: UInt64) throws {
        let filled = try Filled(seed: seed, variants: .link)
        let search = ArchiveSearch(data: filled.folder.path)
        var parted = 0
        for vrm in Set(filled.output.variants.map(\.vrm)).sorted() {
            var query = SightingQuery()
            query.mark = MarkPattern(vrm.text)
            let whole = try search.run(query)
            var shown: [SightingID] = []
            var cursor: SearchCursor?
            repeat {
                let page = try search.page(query, behind: cursor, count: 1, first: 5000)
                shown += Self.ids(page.found)
                cursor = page.next
            } while cursor != nil
            #expect(shown == Self.ids(whole))
            // What was read under another mark, and its vehicle's own sighting begins later than that was captured.
            let sightings = whole.batch.sightings
            parted += whole.approximate.count { row in
                row > 0 && !whole.approximate.contains(row - 1)
                    && sightings[row - 1].first > sightings[row].captured
            }
        }
        #expect(parted > 0, "no pair tells whether the search for the rest reaches far enough")
    }

    /// Gives an archive sightings that nobody has seen yet, at times around those that it has.
    private static func add(_ count: Int, to filled: Filled, _ random: inout SeededRandom) throws
        -> Set<SightingID>
    {
        var added = ResolvedSightings()
        added.register = filled.register
        for _ in 0..<count {
            let some = random.one(of: filled.all)
            let time = Timestamp(milliseconds: some.first + Int64(random.within(-2000...2000)))
            let mark = "ZZ\(random.within(77...99))QQ\(["A", "B", "C"][random.below(3)])"
            let read = Read(mark, at: time.milliseconds, by: CameraIndex(random.below(filled.register.count)))
            added.batch.append(Sighting(opening: read))
            added.batch.append(Contribution(camera: read.camera, reads: 1, first: time, confidence: -1))
        }
        try filled.log.append(
            added.batch,
            mark: StreamMark(
                journalEntry: filled.log.extent.next,
                closedThrough: .distantPast,
                isEnd: false
            ),
            register: filled.register,
            encoder: FrameEncoder(register: filled.register),
            isDurable: false
        )
        if random.chance(perMille: 500) {
            _ = try filled.archiver.archive(before: filled.log.extent.next)
        }
        return Set(Self.ids(added))
    }

    @Test("what arrives between pages neither repeats nor pushes out any", arguments: [1, 2, 3] as [UInt64])
    func arrivals(seed: UInt64) throws {
        let filled = try Filled(seed: seed)
        let search = ArchiveSearch(data: filled.folder.path)
        var random = SeededRandom(seed: seed)
        var query = SightingQuery()
        query.from = .earliest
        let before = Self.ids(try search.run(query))
        var added: Set<SightingID> = []
        var shown: [SightingID] = []
        var cursor: SearchCursor?
        repeat {
            let page = try search.page(
                query,
                behind: cursor,
                count: random.within(1...200),
                first: Int64(random.within(1...100_000))
            )
            shown += Self.ids(page.found)
            cursor = page.next
            added.formUnion(try Self.add(random.within(1...60), to: filled, &random))
        } while cursor != nil
        #expect(shown.filter { !added.contains($0) } == before, "seed \(seed)")
        #expect(Set(shown).count == shown.count && shown.count > before.count)
        // Of what arrived, all that lies behind the place at which it did.
        #expect(Set(shown).subtracting(before).isSubset(of: added))
    }

    @Test("a cursor of another query is refused, and so is what is none; no token has a mark in it")
    func refusals() throws {
        let filled = try Filled(seed: 6)
        let search = ArchiveSearch(data: filled.folder.path)
        let vrm = filled.all[0].vrm
        var query = SightingQuery()
        query.mark = MarkPattern(String(vrm.prefix(2)) + "*")
        query.sites = filled.register.sites
        let token = try #require(try search.page(query, count: 1).next).token
        #expect(token.utf8.count == 42 && token.first == "A")
        #expect(try SearchCursor(token: token, of: query).token == token)
        let marks = filled.all.map(\.vrm).filter { $0.utf8.count > 3 }
        #expect(!marks.contains { token.contains($0) || token.lowercased().contains($0.lowercased()) })
        let changes: [(inout SightingQuery) -> Void] = [
            { $0.mark = MarkPattern(vrm) }, { $0.mark = nil }, { $0.from = .earliest }, { $0.to = .latest },
            { $0.sites.removeLast() }, { $0.camera = "c" }, { $0.force = "43" }, { $0.confidence = 1 },
            { $0.near = .init(latitude: 1, longitude: 2, radius: 3) },
            { $0.within = .init("1,1 2,2 3,1") },
            { $0.around = Surroundings([("S", .earliest)], window: 0) },
        ]
        for change in changes {
            var other = query
            change(&other)
            #expect(throws: SearchCursor.Refusal.otherQuery) { try SearchCursor(token: token, of: other) }
            let cursor = try SearchCursor(token: token, of: query)
            #expect(throws: SearchCursor.Refusal.otherQuery) { try search.page(other, behind: cursor) }
        }
        // The order in which sites are given is none.
        query.sites.reverse()
        #expect(throws: Never.self) { try SearchCursor(token: token, of: query) }
        for wrong in ["", "A", String(token.dropLast()), token + "A", "B" + token.dropFirst(), "ä" + token] {
            #expect(throws: SearchCursor.Refusal.malformed) { try SearchCursor(token: wrong, of: query) }
        }
        for place in 2..<41 {
            var letters = Array(token)
            letters[place] = letters[place] == "x" ? "y" : "x"
            #expect(throws: SearchCursor.Refusal.self) { try SearchCursor(token: String(letters), of: query) }
        }
    }

    @Test("a page of the newest reads what is near, and not all that there is")
    func near() throws {
        let days = try HoldTests.Days(seed: 3, days: 8)
        let search = ArchiveSearch(data: days.folder.path)
        var query = SightingQuery()
        query.from = .earliest
        let whole = try search.run(query)
        for segment in try days.catalogue.snapshot().segments where segment.day < HoldTests.Days.firstDay + 2
        {
            let file = URL(fileURLWithPath: "\(days.folder.path)/archive/\(segment.name)")
            var bytes = try Data(contentsOf: file)
            for place in bytes.indices where place > 200 { bytes[place] ^= 0x55 }
            try bytes.write(to: file)
        }
        let fresh = ArchiveSearch(data: days.folder.path)
        #expect(throws: StorageError.self) { try fresh.run(query) }
        for more in ["", "*"] {
            query.mark = MarkPattern(more)
            let page = try fresh.page(query, count: 100)
            #expect(Self.ids(page.found) == Array(Self.ids(whole).prefix(100)))
            let next = try fresh.page(query, behind: page.next, count: 50)
            #expect(Self.ids(next.found) == Array(Self.ids(whole)[100..<150]))
            // What can't be read is no end of the answer.
            #expect(throws: StorageError.self) { try fresh.page(query, count: whole.batch.count) }
        }
    }
}
