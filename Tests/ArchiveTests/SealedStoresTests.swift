import ANPRModel
import Archive
import Foundation
import SightingFrames
import TestSupport
import Testing

/// Whatever of a data folder has people's data beside the archive: closed under keys that go with it.
struct SealedStoresTests {
    private static let mark = "AB27CDE"
    private static let day: Int32 = 20_000

    /// A kind of files.
    struct Kind: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// Adds some to what is there, in several files.
        let fill: @Sendable (String, KeyRing) throws -> Void
        /// How much of it there is.
        let count: @Sendable (String, KeyRing) throws -> Int
        /// Lets the oldest files go.
        let drop: @Sendable (String, KeyRing) throws -> Void
    }

    private static func time(_ day: Int32) -> Timestamp {
        Timestamp(milliseconds: Int64(day) * 86_400_000 + 1000)
    }

    private static let journal = Kind(testDescription: "journal") { folder, keys in
        let journal = try Journal(folder, keys: keys, segmentLengthMax: 300)
        _ = try journal.replay { _, _ in .distantPast }
        let read = Read(mark, at: time(day).milliseconds, by: 0)
        for _ in 0..<12 {
            let reads = JournalledReads(
                feed: 1,
                reads: [read, read],
                details: [],
                received: 2,
                rejected: 0,
                progress: FeedProgress(line: 1, offset: 2, length: 3, hash: 4),
                quarantineLength: 0,
                quarantineDay: 0
            )
            journal.append(.reads(reads), latest: read.captured)
            try journal.sync(snapshot: [1])
        }
    } count: { folder, keys in
        var count = 0
        _ = try Journal(folder, keys: keys).replay { _, entry in
            if case .reads = entry { count += 1 }
            return .distantPast
        }
        return count
    } drop: { folder, keys in
        let journal = try Journal(folder, keys: keys)
        _ = try journal.replay { _, _ in .distantPast }
        #expect(try journal.drop(before: .latest) > 1)
    }

    private static let sightings = Kind(testDescription: "sighting log") { folder, keys in
        let register = CameraRegister([Camera(force: "43", name: "43-1", site: "S1")])
        let log = try SightingLog(folder, keys: keys, partLengthMax: 100)
        for _ in 0..<6 {
            let now = time(day)
            var batch = SightingBatch()
            batch.append(Sighting(opening: Read(mark, at: now.milliseconds, by: 0)))
            batch.append(Contribution(camera: 0, reads: 1, first: now, confidence: 90))
            try log.append(
                batch,
                mark: StreamMark(journalEntry: log.extent.next, closedThrough: now, isEnd: false),
                register: register,
                encoder: FrameEncoder(register: register),
                isDurable: true
            )
        }
    } count: { folder, keys in
        var reader = SightingLogReader(folder, keys: keys, from: try SightingLog(folder, keys: keys).first)
        var count = 0
        while let run = try reader.read() { count += run.batch.count }
        return count
    } drop: { folder, keys in
        let log = try SightingLog(folder, keys: keys)
        try log.drop(before: log.extent.next - 2)
    }

    private static let alerts = Kind(testDescription: "alerts") { folder, keys in
        let log = try AlertLog(folder, keys: keys)
        for offset in 0..<3 as Range<Int32> {
            try log.append(day: day + offset) { first in
                [first, first + 1].map { Array(#"{"sequence":\#($0),"vrm":"\#(mark)"}"#.utf8) }
            }
        }
    } count: { folder, keys in
        var reader = AlertLogReader(folder, keys: keys, from: 0)
        var count = 0
        while case let lines = try reader.read(), !lines.isEmpty { count += lines.count }
        return count
    } drop: { folder, keys in
        // Of the first day all goes; of the second an alert is held.
        var gone = RecordPurge()
        try AlertLog.purge(before: time(day + 2), in: folder, keys: keys, into: &gone) { line, _ in
            String(decoding: line, as: UTF8.self).contains(#"{"sequence":3,"#) ? nil : 1
        }
        #expect(gone.counts == [1: 3])
    }

    private static let quarantine = Kind(testDescription: "quarantine") { folder, keys in
        let quarantine = try Quarantine(folder, keys: keys)
        for offset in 0..<3 as Range<Int32> {
            let record = Quarantine.Record(
                received: time(day + offset),
                feed: mark,
                line: 1,
                offset: 0,
                reason: .malformed,
                continued: false,
                raw: Array(mark.utf8)
            )
            try quarantine.append([record, record], day: day + offset)
        }
        try quarantine.sync()
    } count: { folder, keys in
        try Quarantine.entries(in: folder, keys: keys).count
    } drop: { folder, keys in
        let due = Quarantine.due(before: time(day + 1), by: 2, in: folder, keys: keys)
        var gone = RecordPurge()
        try Quarantine(folder, keys: keys).drop(before: time(day + 1), by: 2, into: &gone)
        #expect(gone == due)
        #expect(gone.counts == [2: 2])
    }

    private static let images = Kind(testDescription: "images") { folder, keys in
        let store = try ImageStore(folder, keys: keys)
        let register = CameraRegister([Camera(force: "43", name: "43-1")])
        let data = String(folder.dropLast("/images".count))
        let known = try ImageSearch(data: data, keys: keys).run(ImageQuery()).count
        for number in 0..<6 as Range<UInt8> {
            let captured = time(day + Int32(number) / 2).milliseconds + Int64(known)
            let read = Read(number == 2 ? "AB28CDE" : mark, at: captured, by: 0)
            let jpeg = [0xFF, 0xD8, 0xFF, number] + Array(mark.utf8) + [UInt8](repeating: 7, count: 900)
            try store.append([ReadImage(of: read, kind: .plate, jpeg: jpeg)], register: register)
        }
        try store.sync()
    } count: { folder, keys in
        let data = String(folder.dropLast("/images".count))
        let search = ImageSearch(data: data, keys: keys)
        let found = try search.run(ImageQuery())
        for one in found { #expect(try search.jpeg(of: one).count == 911) }
        return found.count
    } drop: { folder, keys in
        let store = try ImageStore(folder, keys: keys)
        for offset in 0..<2 as Range<Int32> {
            // One of the second day stays, so that its file is written anew.
            _ = try store.purge(day + offset, isDry: false) { $0.vrm.text == mark ? 0 : nil }
        }
    }

    static let kinds = [journal, sightings, alerts, quarantine, images]

    /// A data folder with files of a kind.
    private struct Place {
        let scratch: TemporaryFolder
        let folder: String
        let kind: Kind

        init(_ kind: Kind) throws {
            scratch = try TemporaryFolder()
            self.kind = kind
            folder = "\(scratch.path)/\(kind.testDescription == "images" ? "images" : "some")"
        }

        var keys: KeyRing { KeyRing(data: scratch.path, .file("\(scratch.path)/keys/master.key")) }
        var files: [String] { DataFolder.names(in: folder) }

        /// Fails unless each file that is there has a key, and no key is left without one.
        func expectKeys(_ what: String) throws {
            #expect(files.allSatisfy { !$0.hasSuffix(".tmp") }, "\(what): \(files)")
            #expect(try keys.names().count == files.count, "\(what): \(files)")
        }

        func fill() throws { try kind.fill(folder, keys) }
        func count() throws -> Int { try kind.count(folder, keys) }
        func raw(_ name: String) throws -> [UInt8] { try DataFile("\(folder)/\(name)", .read).contents() }
    }

    @Test("nothing of a mark or a picture is on disk in the clear, and all is read", arguments: kinds)
    func closed(kind: Kind) throws {
        let place = try Place(kind)
        try place.fill()
        let one = try place.count()
        #expect(one > 2)
        // Opened again, and gone on with.
        try place.fill()
        #expect(try place.count() == 2 * one)
        #expect(place.files.count > 2)
        try place.expectKeys("filled")
        let vrm = try #require(VRM(Self.mark))
        let packed = (0..<8).map { UInt8(truncatingIfNeeded: vrm.packed >> (8 * $0)) }
        let needles = [
            Data(Self.mark.utf8), Data(packed), Data(packed.reversed()), Data(repeating: 7, count: 12),
            Data("43-1".utf8), Data(#""raw""#.utf8),
        ]
        for name in place.files {
            let raw = Data(try place.raw(name))
            #expect(raw.starts(with: Data("ANPRSEAL".utf8)))
            #expect(needles.allSatisfy { raw.range(of: $0) == nil }, "\(name)")
        }
        try place.keys.rotateMaster()
        #expect(try place.count() == 2 * one, "under another master key")
    }

    @Test("with a file its key goes: a copy does not open, and no other key is touched", arguments: kinds)
    func dropped(kind: Kind) throws {
        let place = try Place(kind)
        try place.fill()
        let before = try place.count()
        let copies = try place.files.map { (name: $0, raw: try place.raw($0)) }
        try kind.drop(place.folder, place.keys)
        try place.expectKeys("dropped")
        let left = try place.count()
        #expect(left > 0 && left < before)
        var gone = 0
        for copy in copies {
            let path = "\(place.folder)/\(copy.name)"
            if DataFolder.exists(path), try place.raw(copy.name) == copy.raw { continue }
            try DataFile("\(path).copy", .replace).write(copy.raw, at: 0)
            let error = #expect(throws: StorageError.self) {
                try SealedFile("\(path).copy", .read, place.keys).contents()
            }
            #expect(error?.code == .destroyed, "\(copy.name)")
            try DataFolder.remove("\(path).copy")
            gone += 1
        }
        #expect(gone > 0)
        try place.fill()
        try place.expectKeys("gone on with")
    }

    @Test(
        "a removal that a crash broke off is ended when the folder is opened; a replacement costs nothing",
        arguments: kinds
    )
    func brokenOff(kind: Kind) throws {
        let place = try Place(kind)
        try place.fill()
        let before = try place.count()
        // On its way out under another name too, and what was to come in its place is not whole.
        let first = "\(place.folder)/\(place.files[0])"
        try FileManager.default.linkItem(atPath: first, toPath: "\(first).old.tmp")
        try SealedFile("\(first).tmp", .replace, place.keys).write([1, 2, 3], at: 0)
        #expect(try place.keys.names().count == place.files.count - 1)
        try place.fill()
        #expect(try place.count() == 2 * before)
        try place.expectKeys("replaced")
        // Given the name of what goes, and no more.
        try DataFolder.rename(first, to: "\(first).old.tmp")
        try place.fill()
        #expect(try place.count() > 0)
        try place.expectKeys("removed")
        // Its key destroyed, too.
        let second = "\(place.folder)/\(place.files[0])"
        let raw = try place.raw(place.files[0])
        try DataFolder.rename(second, to: "\(second).old.tmp")
        try place.fill()
        try DataFile("\(second).old.tmp", .replace).write(raw, at: 0)
        try place.fill()
        try place.expectKeys("removed again")
    }

    @Test(
        "without the ring nothing is taken for gone: that is an error, and every file stays",
        arguments: kinds
    )
    func lostRing(kind: Kind) throws {
        let place = try Place(kind)
        try place.fill()
        let files = place.files
        let count = try place.count()
        try DataFolder.rename("\(place.scratch.path)/keys/ring", to: "\(place.scratch.path)/ring")
        let error = #expect(throws: StorageError.self) { try place.count() }
        #expect(error?.code == .destroyed)
        #expect(place.files == files)
        try DataFolder.rename("\(place.scratch.path)/ring", to: "\(place.scratch.path)/keys/ring")
        #expect(try place.count() == count)
    }

    @Test("the end of a file that another follows is no torn tail: damage there is told", arguments: kinds)
    func tornBefore(kind: Kind) throws {
        // Days of images do not follow each other.
        if kind.testDescription == "images" { return }
        let place = try Place(kind)
        try place.fill()
        let path = "\(place.folder)/\(place.files[0])"
        var raw = try place.raw(place.files[0])
        raw[raw.count - 1] ^= 1
        try DataFile(path, .replace).write(raw, at: 0)
        let error = #expect(throws: StorageError.self) { try place.count() }
        #expect(error?.code == .damaged && error?.description.contains("byte") == true)
    }

    @Test("refused records that the journal knows of and that are damaged are no torn tail")
    func quarantineLength() throws {
        let place = try Place(Self.quarantine)
        let quarantine = try Quarantine(place.folder, keys: place.keys)
        let record = Quarantine.Record(
            received: Self.time(Self.day),
            feed: "a",
            line: 1,
            offset: 0,
            reason: .malformed,
            continued: false,
            raw: [1]
        )
        var lengths: [UInt64] = []
        for _ in 0..<3 {
            try quarantine.append([record], day: Self.day)
            lengths.append(quarantine.position.length)
        }
        try quarantine.sync()
        let whole = try place.raw(place.files[0])
        var raw = whole
        raw[raw.count - 1] ^= 1
        try DataFile("\(place.folder)/\(place.files[0])", .replace).write(raw, at: 0)
        let again = try Quarantine(place.folder, keys: place.keys)
        let error = #expect(throws: StorageError.self) {
            try again.recover(day: Self.day, length: lengths[2])
        }
        #expect(error?.code == .damaged)
        try again.recover(day: Self.day, length: lengths[1])
        #expect(try place.count() == 2)
        try DataFile("\(place.folder)/\(place.files[0])", .replace).write(whole, at: 0)
        try again.recover(day: Self.day, length: lengths[0])
        #expect(try place.count() == 1)
    }

    @Test("a day of the archive that goes whole leaves the keys of files about that day")
    func wholeDay() throws {
        let days = try HoldTests.Days(seed: 21, days: 2)
        let keys = try KeyRing(data: days.folder.path)
        let folder = "\(days.folder.path)/images"
        try Self.images.fill(folder, keys)
        #expect(Int64(Self.day) == HoldTests.Days.firstDay)
        let own = try keys.names().filter(\.isOfFile)
        #expect(own.count == 3)
        let policy = RetentionPolicy([RetentionRule(text: "all", keep: .span(0))])
        let now = Timestamp(milliseconds: Int64(Self.day + 1) * HoldTests.Days.dayLength)
        let retention = Retention(archiver: days.archiver, catalogue: days.catalogue, policy: policy)
        #expect(try retention.apply(now: now)[0].sightings > 0)
        let left = try keys.names()
        #expect(left.allSatisfy { $0.isOfFile || $0.day > Self.day } && left.filter(\.isOfFile) == own)
        #expect(try Self.images.count(folder, keys) == 6)
    }
}
