import ANPRModel
import Archive
import Deduplication
import Foundation
import Simulation
import SightingFrames
import TestSupport
import Testing

/// An archive on disk answers as a plain scan does, wherever its sightings lie.
struct SearchTests {
    /// An archive filled in steps, some of it in segments and some still in the log.
    final class Filled {
        let folder: TemporaryFolder
        let register: CameraRegister
        let all: [PlainSighting]
        /// All that was given out, amendments after what they amend.
        let output: SightingBatch
        let archiver: Archiver
        let catalogue: Catalogue
        let log: SightingLog
        let keys: KeyRing

        init(seed: UInt64, variants: VariantMode = .off, isEncrypted: Bool = true) throws {
            folder = try TemporaryFolder()
            let simulated = SimulatedFeeds(
                SimulationProfile.all[0],
                reads: 2500,
                seed: seed,
                garbagePerMille: 0
            )
            register = CameraRegister(simulated.cameras)
            // A lateness of next to nothing makes amendments and late sightings.
            let decoded = DecodedFeeds(simulated, register)
            var run = EngineRun(register, DeduplicationRules(lateness: 500), feeds: decoded.reads.count)
            var random = SeededRandom(seed: seed)
            run.work(off: decoded.reads, batchMax: 50, &random)
            all = run.newest.sightings
            var joiner = VariantJoiner(variants, register: register, reconcile: 86_400_000)
            var output = SightingBatch()
            joiner.take(run.output, closedThrough: .distantFuture, into: &output)
            self.output = output
            catalogue = try Catalogue("\(folder.path)/catalogue.sqlite")
            if !isEncrypted { try KeyRing.set(nil, isOn: false, in: catalogue) }
            keys = try KeyRing(data: folder.path, catalogue)
            log = try SightingLog("\(folder.path)/sightings", keys: keys, partLengthMax: 4000)
            archiver = try Archiver(
                "\(folder.path)/archive",
                log: "\(folder.path)/sightings",
                catalogue: catalogue
            )
            let encoder = FrameEncoder(register: register)
            var start = 0
            while start < output.count {
                let end = min(output.count, start + random.within(20...300))
                let mark = StreamMark(journalEntry: UInt64(end), closedThrough: .distantPast, isEnd: false)
                let part = output.reordered(Array(start..<end))
                try log.append(
                    part,
                    mark: mark,
                    register: register,
                    encoder: encoder,
                    frameCount: 64,
                    isDurable: false
                )
                if random.chance(perMille: 600) { _ = try archiver.archive(before: log.extent.next) }
                if random.chance(perMille: 200) { try archiver.merge() }
                start = end
            }
        }

        func found(_ query: SightingQuery) throws -> [PlainSighting] {
            let found = try ArchiveSearch(data: folder.path).run(query)
            return PlainSighting.list(found.batch, in: found.register)
        }

        /// Whether a search names a file that can't be read; one that does not must be right.
        func tells(_ query: SightingQuery, of name: String, or expected: [PlainSighting]) throws -> Bool {
            do {
                #expect(try found(query) == expected)
                return false
            } catch let error as StorageError {
                #expect(error.description.contains(name), "\(error)")
                return true
            }
        }

        /// How many bytes a file of the archive begins with that these begin with too.
        func shared(_ bytes: Data, with name: String) throws -> Int {
            let other = try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/archive/\(name)"))
            return zip(bytes, other).prefix { $0 == $1 }.count
        }
    }

    private static func content(_ list: [PlainSighting]) -> Set<PlainSighting> { Set(list) }

    /// A force, a camera, or both: mostly of one that contributed, but also of two that did, or of none there is.
    private static func contributor(of some: PlainSighting, _ random: inout SeededRandom)
        -> (force: String?, camera: String?)
    {
        let (one, other) = (random.one(of: some.parts), random.one(of: some.parts))
        switch random.below(20) {
        case 0: return ("NONE", nil)
        case 1: return (nil, "NONE")
        case 2..<9: return (one.force, nil)
        case 9..<14: return (nil, one.camera)
        default: return (one.force, other.camera)
        }
    }

    @Test("every kind of search equals a plain scan", arguments: [1, 2, 3] as [UInt64])
    func scan(seed: UInt64) throws {
        let filled = try Filled(seed: seed, isEncrypted: seed != 3)
        #expect(filled.all.contains { $0.revision > 0 })
        var random = SeededRandom(seed: seed)
        for _ in 0..<80 {
            let some = random.one(of: filled.all)
            var query = SightingQuery()
            var conditions: [(PlainSighting) -> Bool] = []
            if random.chance(perMille: 500) {
                query.mark = MarkPattern(some.vrm)
                conditions.append { $0.vrm == some.vrm }
            } else if random.chance(perMille: 500) {
                let prefix = String(some.vrm.prefix(2))
                query.mark = MarkPattern(prefix + "*")
                conditions.append { $0.vrm.hasPrefix(prefix) }
            } else if random.chance(perMille: 500) {
                let marks = Set((0..<random.within(1...30)).map { _ in random.one(of: filled.all).vrm })
                query.mark = MarkPattern(anyOf: marks.compactMap { VRM($0) })
                conditions.append { marks.contains($0.vrm) }
            }
            if random.chance(perMille: 300) {
                let window = Int64(random.one(of: [0, 100, 5000, 60_000]))
                let moments = (0..<random.within(1...20)).map { _ in
                    let one = random.one(of: filled.all)
                    let site = random.chance(perMille: 900) ? one.site : random.one(of: filled.all).site
                    return (site: site, time: Timestamp(milliseconds: one.first + Int64(random.below(300))))
                }
                query.around = Surroundings(moments, window: window)
                conditions.append { sighting in
                    moments.contains {
                        $0.site == sighting.site && $0.time.milliseconds + window >= sighting.first
                            && $0.time.milliseconds - window <= sighting.last
                    }
                }
            }
            if random.chance(perMille: 300) {
                let other = random.one(of: filled.all).site
                query.sites = random.chance(perMille: 500) ? [some.site] : [some.site, other, "NOWHERE"]
                let sites = query.sites
                conditions.append { sites.contains($0.site) }
            }
            if random.chance(perMille: 300), let least = some.best.confidence {
                query.confidence = least
                conditions.append { ($0.best.confidence ?? 100) >= least }
            }
            if random.chance(perMille: 500) {
                let (force, camera) = Self.contributor(of: some, &random)
                (query.force, query.camera) = (force, camera)
                conditions.append {
                    $0.parts.contains {
                        (force ?? $0.force) == $0.force && (camera ?? $0.camera) == $0.camera
                    }
                }
            }
            if random.chance(perMille: 400) {
                query.from = Timestamp(milliseconds: some.first - 60_000)
                query.to = Timestamp(milliseconds: some.first + 60_000)
                conditions.append { $0.last >= some.first - 60_000 && $0.first <= some.first + 60_000 }
            }
            let expected = filled.all.filter { sighting in conditions.allSatisfy { $0(sighting) } }
            let found = try filled.found(query)
            #expect(found.count == expected.count, "seed \(seed)")
            #expect(Self.content(found) == Self.content(expected), "seed \(seed)")
            #expect(found.map(\.best.captured) == found.map(\.best.captured).sorted(by: >))
        }
    }

    @Test(
        "times are found in a catalogue that does not know how far amendments reach, as those of before",
        arguments: [
            "UPDATE segments SET reach = -1 WHERE id % 2 = 0", "ALTER TABLE segments DROP COLUMN reach",
        ]
    )
    func unknownReach(change: String) throws {
        let filled = try Filled(seed: 4)
        #expect(filled.all.contains { $0.revision > 0 })
        let code = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()"
        let path = "\(filled.folder.path)/catalogue.sqlite"
        let python = try ChildProcess("/usr/bin/python3", ["-c", code, path, change])
        #expect(python.wait() == 0)
        for some in filled.all.prefix(40) {
            var query = SightingQuery()
            query.around = Surroundings([(some.site, Timestamp(milliseconds: some.last))], window: 0)
            let expected = filled.all.filter {
                $0.site == some.site && $0.first <= some.last && $0.last >= some.last
            }
            #expect(Self.content(try filled.found(query)) == Self.content(expected))
        }
    }

    @Test(
        "a search for a mark finds the vehicle's other marks, told apart",
        arguments: [VariantMode.link, .merge]
    )
    func misreads(mode: VariantMode) throws {
        let filled = try Filled(seed: 8, variants: mode)
        #expect(filled.output.variants.count > 5)
        for other in filled.output.variants {
            let sighting = filled.output.sightings[other.sighting]
            let site = filled.register.siteName(of: sighting.camera)
            for mark in [other.vrm.text, String(other.vrm.text.dropLast()) + "?"] {
                var query = SightingQuery()
                query.mark = MarkPattern(mark)
                let found = try ArchiveSearch(data: filled.folder.path).run(query)
                let row = (0..<found.batch.count).first { row in
                    let one = found.batch.sightings[row]
                    return one.vrm == sighting.vrm && one.opened == sighting.opened
                        && found.register.siteName(of: one.camera) == site
                }
                let isOwn = MarkPattern(mark)?.matches(sighting.vrm) == true
                #expect(row != nil)
                #expect(row.map { found.approximate.contains($0) } == !isOwn)
                for row in 0..<found.batch.count {
                    let isExact = query.mark?.matches(found.batch.sightings[row].vrm) == true
                    #expect(found.approximate.contains(row) != isExact)
                }
                #expect(Set((0..<found.batch.count).map { found.batch.sightings[$0].opened }).count > 0)
            }
        }
        // Elsewhere and at other times nothing is found of it.
        let other = filled.output.variants[0]
        var query = SightingQuery()
        query.mark = MarkPattern(other.vrm.text)
        query.sites = ["SITE-NONE"]
        #expect(try filled.found(query).isEmpty)
        query.sites = []
        query.to = Timestamp(milliseconds: other.opened.milliseconds - 3_600_000)
        #expect(try filled.found(query).isEmpty)
    }

    @Test("a log read from any number on gives the rest, over any number of files")
    func readingOn() throws {
        let filled = try Filled(seed: 4)
        let end = filled.log.extent.next
        var whole: [PlainSighting] = []
        for start in [0, 1, 37, 64, 65, Int(end) / 2, Int(end) - 1, Int(end)] {
            var reader = SightingLogReader(
                "\(filled.folder.path)/sightings",
                keys: filled.keys,
                from: UInt64(start)
            )
            var batch = SightingBatch()
            while let run = try reader.read() { batch.append(contentsOf: run.batch) }
            let read = PlainSighting.list(batch, in: reader.register)
            if start == 0 { whole = read }
            #expect(difference(read, Array(whole[start...])) == nil, "from \(start)")
        }
        #expect(whole.count == Int(end))
    }

    @Test("what nobody can have begun to write at the end of a log is told, and stays")
    func foreignEnd() throws {
        let filled = try Filled(seed: 5)
        let folder = "\(filled.folder.path)/sightings"
        let last = try #require(DataFolder.names(in: folder).last)
        let file = URL(fileURLWithPath: "\(folder)/\(last)")
        let foreign = try Data(contentsOf: file) + Data(repeating: 0x41, count: 77)
        try foreign.write(to: file)
        let error = #expect(throws: StorageError.self) { try SightingLog(folder, keys: filled.keys) }
        #expect(error?.code == .damaged && error?.description.contains(last) == true)
        #expect(try Data(contentsOf: file) == foreign)
    }

    @Test(
        "a flipped bit in a segment or in what names its marks is reported with the file, never returned as data",
        arguments: [true, false]
    )
    func flippedBits(isEncrypted: Bool) throws {
        let filled = try Filled(seed: 6, isEncrypted: isEncrypted)
        _ = try filled.archiver.archive(before: filled.log.extent.next)
        let segment = try #require(try filled.catalogue.snapshot().segments.first)
        var random = SeededRandom(seed: 6)
        var query = SightingQuery()
        query.from = .earliest
        let expected = try filled.found(query)
        let others = Set(try filled.catalogue.snapshot().segments.map(\.marks)).subtracting([segment.marks])
        for name in [segment.name, segment.marks] {
            let file = URL(fileURLWithPath: "\(filled.folder.path)/archive/\(name)")
            let whole = try Data(contentsOf: file)
            // Indexes begin with a codebook: of those that have the same one, that of one is read, whichever is first.
            let shared =
                name == segment.name ? 0 : try others.map { try filled.shared(whole, with: $0) }.max() ?? 0
            var told = 0
            for _ in 0..<60 {
                let place = random.below(whole.count)
                var injured = whole
                injured[place] ^= UInt8(1 << random.below(8))
                try injured.write(to: file)
                #expect(try filled.tells(query, of: name, or: expected) || place < shared, "byte \(place)")
                // Who looks for marks does not read all that a segment says of itself.
                var marks = query
                marks.mark = MarkPattern("*")
                if try filled.tells(marks, of: name, or: expected) { told += 1 }
            }
            try whole.write(to: file)
            #expect(told > 40)
        }
    }

    @Test("times that no read can have find what they should, and nothing breaks")
    func extremeTimes() throws {
        let filled = try Filled(seed: 8)
        var query = SightingQuery()
        query.from = Timestamp(milliseconds: .min)
        query.to = Timestamp(milliseconds: .max)
        #expect(try filled.found(query).count == filled.all.count)
        (query.from, query.to) = (query.to, query.from)
        #expect(try filled.found(query).isEmpty)
    }

    @Test("files that no transaction named are removed")
    func strays() throws {
        let filled = try Filled(seed: 7)
        let stray = "\(filled.folder.path)/archive/2026-11-16/999.segment"
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: stray))
        #expect(try filled.archiver.removeStrays() == 1)
        #expect(!DataFolder.exists(stray))
        #expect(try filled.archiver.removeStrays() == 0)
    }

    @Test("searches at once find what each finds alone, and what could not be read is read when it can be")
    func atOnce() async throws {
        let filled = try Filled(seed: 7)
        _ = try filled.archiver.archive(before: filled.log.extent.next)
        let marks = Set(filled.all.map(\.vrm)).sorted().prefix(40)
        let queries = marks.map { mark in
            var query = SightingQuery()
            query.mark = MarkPattern(mark)
            return query
        }
        let alone = try queries.map { Self.content(try filled.found($0)) }
        let search = ArchiveSearch(data: filled.folder.path)
        func all() async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<4 * queries.count {
                    group.addTask {
                        let place = number * 7 % queries.count
                        let found = try search.run(queries[place])
                        let list = PlainSighting.list(found.batch, in: found.register)
                        #expect(Self.content(list) == alone[place])
                    }
                }
                try await group.waitForAll()
            }
        }
        try await all()
        let segment = try #require(try filled.catalogue.snapshot().segments.first)
        let file = URL(fileURLWithPath: "\(filled.folder.path)/archive/\(segment.name)")
        let bytes = try Data(contentsOf: file)
        var everything = SightingQuery()
        everything.from = .earliest
        _ = try search.run(everything)
        // In place: first the reader that is open meets it, then one that opens the file.
        try Data(bytes.map { $0 ^ 0x55 }).write(to: file)
        for _ in 0..<2 { #expect(throws: StorageError.self) { try search.run(everything) } }
        try bytes.write(to: file)
        let found = try search.run(everything)
        #expect(Self.content(PlainSighting.list(found.batch, in: found.register)) == Self.content(filled.all))
        try await all()
    }

    @Test(
        "patterns match as ? and * say",
        arguments: [
            ("AB27CDE", "AB27CDE", true), ("ab27 cde", "AB27CDE", true), ("AB27CD?", "AB27CDE", true),
            ("AB27CD?", "AB27CD", false), ("AB*", "AB27CDE", true), ("*CDE", "AB27CDE", true),
            ("*", "A", true),
            ("A?*E", "AB27CDE", true), ("?", "AB", false), ("*7*", "AB27CDE", true),
            ("*9*", "AB27CDE", false),
            ("B*", "AB27CDE", false), ("????????????", "AB27CDE", false), ("AB27CDE*", "AB27CDE", true),
        ]
    )
    func patterns(pattern: String, mark: String, isMatch: Bool) throws {
        #expect(try #require(MarkPattern(pattern)).matches(#require(VRM(mark))) == isMatch)
    }

    @Test(
        "patterns that no mark can match are refused",
        arguments: ["", "Ä", "AB27CDE_", "?????????????", " - "]
    )
    func badPatterns(pattern: String) {
        #expect(MarkPattern(pattern) == nil)
    }
}
