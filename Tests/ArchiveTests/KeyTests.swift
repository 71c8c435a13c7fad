import ANPRModel
import Archive
import Foundation
import Simulation
import TestSupport
import Testing

/// What is encrypted opens by its keys only, and never again once one of them is destroyed.
struct KeyTests {
    private typealias Days = HoldTests.Days

    private static func everything(_ folder: String) throws -> ResolvedSightings {
        var query = SightingQuery()
        query.from = .earliest
        return try ArchiveSearch(data: folder).run(query)
    }

    private static func copy(_ folder: TemporaryFolder) throws -> TemporaryFolder {
        let copy = try TemporaryFolder()
        try FileManager.default.removeItem(atPath: copy.path)
        try FileManager.default.copyItem(atPath: folder.path, toPath: copy.path)
        return copy
    }

    private static func ring(_ folder: String) throws -> KeyRing {
        try KeyRing(data: folder, try Catalogue("\(folder)/catalogue.sqlite", isReadOnly: true))
    }

    @Test("there is a key for each day and force, and what they close has no mark in the clear")
    func closed() throws {
        let days = try Days(seed: 11, days: 3)
        let names = try Self.ring(days.folder.path).names()
        let expected = (0..<3).flatMap { day in
            ["43", "45"].map { "\(Days.firstDay + Int64(day)) \($0)" }
        }
        #expect(names.map { "\($0.day) \($0.force)" } == expected)
        let marks = Set(try Self.everything(days.folder.path).batch.sightings.map(\.vrm))
        #expect(marks.count > 20)
        for name in try FileManager.default.subpathsOfDirectory(atPath: "\(days.folder.path)/archive") {
            let path = "\(days.folder.path)/archive/\(name)"
            guard let bytes = FileManager.default.contents(atPath: path) else { continue }
            for mark in marks {
                let packed = (0..<8).map { UInt8(truncatingIfNeeded: mark.packed >> (8 * $0)) }
                #expect(bytes.range(of: Data(mark.text.utf8)) == nil && bytes.range(of: Data(packed)) == nil)
            }
        }
    }

    @Test("without the ring or under another master key nothing opens, and that is said")
    func otherMaster() throws {
        let days = try Days(seed: 12, days: 2)
        for injury in ["ring", "master.key"] {
            let copy = try Self.copy(days.folder)
            let path = "\(copy.path)/keys/\(injury)"
            if injury == "ring" {
                try FileManager.default.removeItem(atPath: path)
            } else {
                try Data((Data(repeating: 7, count: 32).base64EncodedString() + "\n").utf8).write(
                    to: URL(fileURLWithPath: path)
                )
            }
            let search = ArchiveSearch(data: copy.path)
            var query = SightingQuery()
            query.from = .earliest
            // However often it is asked.
            for _ in 0..<5 {
                let error = #expect(throws: StorageError.self) { try search.run(query) }
                #expect(error?.code == (injury == "ring" ? .destroyed : .mismatch))
            }
        }
    }

    @Test("a flipped bit anywhere in the ring is found, and no key is taken from it")
    func flippedRing() throws {
        let days = try Days(seed: 13, days: 2)
        let copy = try Self.copy(days.folder)
        let path = URL(fileURLWithPath: "\(copy.path)/keys/ring")
        let whole = try Data(contentsOf: path)
        for place in 0..<whole.count {
            var injured = whole
            injured[place] ^= 1 << UInt8(place % 8)
            try injured.write(to: path)
            #expect(throws: StorageError.self) { try Self.ring(copy.path).names() }
        }
    }

    @Test(
        "another master key opens all that the one before did, wherever its making broke off",
        arguments: 0...3
    )
    func rotation(step: Int) throws {
        let days = try Days(seed: 14, days: 2)
        let before = try Self.everything(days.folder.path).batch.sightings
        let keys = "\(days.folder.path)/keys"
        let old = (
            try Data(contentsOf: URL(fileURLWithPath: "\(keys)/master.key")),
            try Data(contentsOf: URL(fileURLWithPath: "\(keys)/ring"))
        )
        try Self.ring(days.folder.path).rotateMaster()
        let new = (
            try Data(contentsOf: URL(fileURLWithPath: "\(keys)/master.key")),
            try Data(contentsOf: URL(fileURLWithPath: "\(keys)/ring"))
        )
        #expect(old.0 != new.0 && old.1 != new.1)
        // What a crash leaves: nothing done; the next key written; the ring wrapped by it; all done.
        func put(_ data: Data?, _ name: String) throws {
            let path = "\(keys)/\(name)"
            if let data {
                try data.write(to: URL(fileURLWithPath: path))
            } else {
                try? FileManager.default.removeItem(atPath: path)
            }
        }
        try put(step < 3 ? old.0 : new.0, "master.key")
        try put(step == 0 || step == 3 ? nil : new.0, "master.key.next")
        try put(step < 2 ? old.1 : new.1, "ring")
        #expect(try Self.everything(days.folder.path).batch.sightings == before)
        try Self.ring(days.folder.path).rotateMaster()
        try Self.ring(days.folder.path).rotateMaster()
        #expect(try Self.everything(days.folder.path).batch.sightings == before)
        #expect(!DataFolder.exists("\(keys)/master.key.next"))
    }

    @Test("a master key that a command prints opens what it closed; another folder's does not")
    func command() throws {
        let folder = try TemporaryFolder()
        let catalogue = try Catalogue("\(folder.path)/catalogue.sqlite")
        let secret = "\(folder.path)/elsewhere"
        try Data((Data(repeating: 9, count: 32).base64EncodedString() + "\n").utf8).write(
            to: URL(fileURLWithPath: secret)
        )
        try KeyRing.set(.command("cat '\(secret)'"), isOn: true, in: catalogue)
        let archiver = try Archiver(
            "\(folder.path)/archive",
            log: "\(folder.path)/sightings",
            catalogue: catalogue
        )
        let days = try Days(seed: 15, days: 1)
        let all = try Self.everything(days.folder.path)
        try archiver.take(
            all.batch.reordered(all.batch.sightings.indices.reversed()),
            first: 0,
            register: all.register
        )
        try archiver.archiveGathered(all.register)
        #expect(try Self.everything(folder.path).batch.count == all.batch.count)
        #expect(!DataFolder.exists("\(folder.path)/keys/master.key"))
        try FileManager.default.removeItem(atPath: secret)
        #expect(throws: StorageError.self) { try Self.everything(folder.path) }
    }

    @Test(
        "when a force's time is up its keys go, and with them every copy of what it saw; the others' stay",
        arguments: [1, 2, 3] as [UInt64]
    )
    func shredding(seed: UInt64) throws {
        let days = try Days(seed: seed, days: 4)
        // A copy of all but the keys, as those who keep copies should have it.
        let backup = try Self.copy(days.folder)
        let now = Timestamp(milliseconds: (Days.firstDay + 3) * Days.dayLength)
        let policy = RetentionPolicy([RetentionRule(text: "43 goes", force: "43", keep: .span(0))])
        let before = try Self.everything(days.folder.path)
        let applied = try Retention(archiver: days.archiver, catalogue: days.catalogue, policy: policy).apply(
            now: now
        )
        #expect(applied[0].contributions > 100)
        let keys = try Self.ring(days.folder.path).names()
        #expect(keys.count { $0.force == "43" && $0.day < now.day } == 0)
        #expect(keys.count { $0.force == "45" } == 4)
        let left = try Self.everything(days.folder.path)
        func others(_ found: ResolvedSightings) -> Int {
            found.batch.contributions.count { found.register.cameras[Int($0.camera)].force == "45" }
        }
        #expect(others(left) == others(before))
        #expect(
            left.batch.contributions.allSatisfy {
                $0.first >= now || left.register.cameras[Int($0.camera)].force == "45"
            }
        )
        // The copy, given all keys that are left.
        try FileManager.default.removeItem(atPath: "\(backup.path)/keys")
        try FileManager.default.copyItem(atPath: "\(days.folder.path)/keys", toPath: "\(backup.path)/keys")
        let error = #expect(throws: StorageError.self) { try Self.everything(backup.path) }
        #expect(error?.code == .destroyed)
        // Files that the purge left alone are the same, byte for byte: those of the day that is not over.
        var alone = 0
        for name in try FileManager.default.subpathsOfDirectory(atPath: "\(days.folder.path)/archive")
        where name.hasPrefix(String(TimestampWriter.text(now).prefix(10))) && name.hasSuffix(".segment") {
            let file = "archive/\(name)"
            #expect(
                FileManager.default.contentsEqual(
                    atPath: "\(days.folder.path)/\(file)",
                    andPath: "\(backup.path)/\(file)"
                )
            )
            alone += 1
        }
        #expect(alone > 0)
    }

    @Test(
        "late sightings of a small day, and then its end, leave the other days of its week as they were",
        arguments: [true, false]
    )
    func smallDay(isWhole: Bool) throws {
        let days = try Days(seed: 17, days: 12)
        let source = try Self.everything(days.folder.path)
        let order = source.batch.sightings.indices.sorted {
            (source.batch.sightings[$0].first, $0) < (source.batch.sightings[$1].first, $1)
        }
        let first = Int32(Days.firstDay)
        let small = order.filter { source.batch.sightings[$0].first.day == first }
        let folder = try TemporaryFolder()
        let catalogue = try Catalogue("\(folder.path)/catalogue.sqlite")
        let archiver = try Archiver(
            "\(folder.path)/archive",
            log: "\(folder.path)/sightings",
            catalogue: catalogue,
            indexDays: 4
        )
        var filed = 0
        func file(_ rows: [Int]) throws {
            try archiver.take(source.batch.reordered(rows), first: UInt64(filed), register: source.register)
            try archiver.archiveGathered(source.register)
            filed += rows.count
        }
        try file(Array(small.prefix(20)))
        for day in first + 1..<first + 12 {
            try file(order.filter { source.batch.sightings[$0].first.day == day })
        }
        try archiver.merge()
        try file(Array(small[20..<26]))
        try archiver.merge()
        let before = try Self.everything(folder.path)
        #expect(before.batch.count == filed)
        let rule =
            isWhole
            ? RetentionRule(text: "all", keep: .span(0))
            : RetentionRule(text: "43", force: "43", keep: .span(0))
        let now = Timestamp(milliseconds: (Days.firstDay + 1) * Days.dayLength)
        let retention = Retention(archiver: archiver, catalogue: catalogue, policy: RetentionPolicy([rule]))
        #expect(try retention.apply(now: now)[0].contributions > 0)
        let left = try Self.everything(folder.path)
        func later(_ found: ResolvedSightings) -> [Sighting] {
            found.batch.sightings.filter { $0.first >= now }
        }
        #expect(later(left).map(\.vrm) == later(before).map(\.vrm) && later(left).count > 1000)
        for vrm in Set(later(before).map(\.vrm)) {
            var query = SightingQuery()
            query.mark = MarkPattern(vrm.text)
            let found = try ArchiveSearch(data: folder.path).run(query)
            #expect(later(found).count { $0.vrm == vrm } == later(before).count { $0.vrm == vrm })
        }
        #expect(
            try Self.ring(folder.path).names().allSatisfy { $0.day > first || (!isWhole && $0.force == "45") }
        )
    }

    @Test("what was written in the clear stays readable when encryption goes on, and the other way round")
    func onAndOff() throws {
        let source = try Days(seed: 16, days: 3)
        let all = try Self.everything(source.folder.path)
        let order = all.batch.sightings.indices.sorted {
            all.batch.sightings[$0].first < all.batch.sightings[$1].first
        }
        let folder = try TemporaryFolder()
        let catalogue = try Catalogue("\(folder.path)/catalogue.sqlite")
        for (part, isOn) in [false, true, false].enumerated() {
            try KeyRing.set(nil, isOn: isOn, in: catalogue)
            let archiver = try Archiver(
                "\(folder.path)/archive",
                log: "\(folder.path)/sightings",
                catalogue: catalogue,
                indexDays: 4
            )
            let range = order.count * part / 3..<order.count * (part + 1) / 3
            try archiver.take(
                all.batch.reordered(Array(order[range])),
                first: UInt64(range.lowerBound),
                register: all.register
            )
            try archiver.archiveGathered(all.register)
        }
        #expect(
            PlainSighting.list(try Self.everything(folder.path).batch, in: all.register).count
                == all.batch.count
        )
        let keys = try Self.ring(folder.path).names()
        #expect(!keys.isEmpty && keys.count < 6)
    }
}
