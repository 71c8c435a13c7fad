import ANPRModel
import Archive
import Foundation
import SightingFrames
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

    /// A data folder in which some of a stream is filed.
    private struct Filed {
        let folder: TemporaryFolder
        let catalogue: Catalogue
        let archiver: Archiver
        let register: CameraRegister

        init(_ register: CameraRegister) throws {
            self.register = register
            folder = try TemporaryFolder()
            catalogue = try Catalogue("\(folder.path)/catalogue.sqlite")
            archiver = try Archiver(
                "\(folder.path)/archive",
                log: "\(folder.path)/sightings",
                catalogue: catalogue,
                indexDays: 4
            )
        }

        func file(_ range: Range<Int>, of all: SightingBatch) throws {
            var piece = SightingBatch()
            piece.append(range, of: all)
            try archiver.take(piece, first: UInt64(range.lowerBound), register: register)
            try archiver.archiveGathered(register)
        }

        func rows() throws -> [Row] {
            var query = SightingQuery()
            query.from = .earliest
            let found = try ArchiveSearch(data: folder.path).run(query)
            return FilingTests.rows(found.batch, found.register)
        }
    }

    @Test(
        "a small segment that can't be read stays, is reported, and holds up nothing that is filed for its day"
    )
    func damaged() throws {
        let all = stream(days: 1, perDay: 40_000, seed: 6)
        let filed = try Filed(register)
        try filed.file(0..<1000, of: all)
        let small = try #require(try filed.catalogue.snapshot().segments.first)
        let path = "\(filed.folder.path)/archive/\(small.name)"
        let written = try Data(contentsOf: URL(fileURLWithPath: path))
        var injured = written
        injured[injured.count / 2] ^= 4
        try injured.write(to: URL(fileURLWithPath: path))
        try filed.file(1000..<all.count, of: all)
        let snapshot = try filed.catalogue.snapshot()
        #expect(snapshot.archivedThrough == UInt64(all.count))
        #expect(snapshot.segments.map(\.rows).sorted() == [1000, all.count - 1000])
        let fault = try #require(throws: StorageError.self) { try filed.rows() }
        #expect(fault.code == .damaged && "\(fault)".contains(small.name))
        // As from a copy of before: nothing was lost of it.
        try written.write(to: URL(fileURLWithPath: path))
        #expect(try filed.rows() == Self.rows(all, register))
    }

    @Test("what comes behind a gap is refused and not lost: once the log has all, it is filed from there")
    func gap() throws {
        let all = stream(days: 1, perDay: 5000, seed: 7)
        let filed = try Filed(register)
        let fault = try #require(throws: StorageError.self) { try filed.file(500..<4000, of: all) }
        #expect(fault.code == .mismatch)
        #expect(try filed.catalogue.snapshot().segments == [])
        #expect(try filed.catalogue.snapshot().archivedThrough == 0)
        let log = try SightingLog(
            "\(filed.folder.path)/sightings",
            keys: try KeyRing(data: filed.folder.path, filed.catalogue)
        )
        var piece = SightingBatch()
        piece.append(0..<4000, of: all)
        try log.append(
            piece,
            mark: StreamMark(journalEntry: 4000, closedThrough: .distantPast, isEnd: false),
            register: register,
            encoder: FrameEncoder(register: register),
            isDurable: false
        )
        try filed.file(4000..<all.count, of: all)
        #expect(try filed.catalogue.snapshot().archivedThrough == UInt64(all.count))
        #expect(try filed.rows() == Self.rows(all, register))
    }

    @Test("what comes late for several days whose marks one index names is merged in one pass")
    func lateForDaysTogether() throws {
        let all = stream(days: 8, perDay: 3000, seed: 9)
        // A fifth of each day, which is merged once the day is over.
        let (early, late) = ((0..<all.count).filter { $0 % 5 > 0 }, (0..<all.count).filter { $0 % 5 == 0 })
        let given = all.reordered(early + late)
        let filed = try Filed(register)
        func together() throws -> [Catalogue.Segment] {
            try filed.catalogue.snapshot().segments.filter { $0.day < Int32(Self.firstDay) + 4 }
        }
        try filed.file(0..<early.count, of: given)
        try filed.archiver.merge()
        #expect(try together().count == 4)
        #expect(Set(try together().map(\.marks)).count == 1)
        try filed.file(early.count..<given.count, of: given)
        #expect(try together().count == 8)
        try filed.archiver.merge()
        #expect(try together().count == 4)
        #expect(Set(try together().map(\.marks)).count == 1)
        #expect(try filed.rows() == Self.rows(all, register))
    }

    @Test(
        "a day that can't be read holds up neither merging nor purging of others, and what went is told",
        arguments: [false, true]
    )
    func damagedDay(isHeld: Bool) throws {
        let all = stream(days: 3, perDay: 4000, seed: 8)
        let filed = try Filed(register)
        for start in stride(from: 0, to: all.count, by: 200) {
            try filed.file(start..<min(start + 200, all.count), of: all)
        }
        let first = Int32(Self.firstDay)
        func segments(_ day: Int32) throws -> [Catalogue.Segment] {
            try filed.catalogue.snapshot().segments.filter { $0.day == day }
        }
        let path = "\(filed.folder.path)/archive/\(try #require(try segments(first).first).name)"
        let written = try Data(contentsOf: URL(fileURLWithPath: path))
        var injured = written
        for place in stride(from: injured.count / 4, to: injured.count * 3 / 4, by: 16) {
            injured[place] ^= 1
        }
        try injured.write(to: URL(fileURLWithPath: path))
        let count = try segments(first).count
        #expect(throws: StorageError.self) { try filed.archiver.merge() }
        #expect(try segments(first).count == count)
        #expect(try segments(first + 1).count == 1)
        let policy = RetentionPolicy([
            RetentionRule(text: "of 43", force: "43", confidenceBelow: 95, keep: .span(0)),
            RetentionRule(text: "rest", keep: .span(1_000_000_000)),
        ])
        let rows = Self.rows(all, register)
        // To find what a hold by mark is about all days are searched.
        let held = isHeld ? rows.first { $0.first.day == first }?.vrm : nil
        if let held {
            let hold = Hold(
                reference: "R v Doe",
                owner: "a test",
                reason: "a test",
                review: .latest,
                scope: Hold.Scope(mark: MarkPattern(held.text)),
                placed: .earliest
            )
            _ = try filed.catalogue.place(hold)
        }
        let retention = Retention(
            archiver: filed.archiver,
            catalogue: filed.catalogue,
            policy: policy,
            images: RetentionImages(
                try ImageStore("\(filed.folder.path)/images", keys: nil),
                search: ArchiveSearch(data: filed.folder.path)
            ) { _ in nil }
        )
        let now = Timestamp(milliseconds: (Self.firstDay + 2) * Self.dayLength)
        var outcomes: [RetentionOutcome] = []
        #expect(throws: StorageError.self) { try retention.apply(now: now, into: &outcomes) }
        let due = { (row: Row) in
            (row.camera.hasPrefix("43") || row.camera == "ALONE") && row.first < now && row.vrm != held
        }
        #expect(outcomes[0].sightings == rows.count { due($0) && $0.first.day == first + 1 })
        #expect(outcomes[0].sightings > 1000)
        try written.write(to: URL(fileURLWithPath: path))
        try retention.apply(now: now, into: &outcomes)
        #expect(try filed.rows() == rows.filter { !due($0) })
    }
}
