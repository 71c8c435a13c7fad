import ANPRModel
import Archive
import Simulation
import SightingFrames
import TestSupport
import Testing

/// What becomes of files of which bits flip, that are cut off, or of which a disk kept the length and not the bytes: nothing that was
/// acknowledged is lost in silence.
struct InjuryTests {
    /// A kind of files.
    struct Store: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// Writes some, several times synced, to several files.
        let fill: @Sendable (String, KeyRing?, UInt64) throws -> Void
        /// Opens what is there to go on with it, and reads all that was acknowledged.
        let read: @Sendable (String, KeyRing?) throws -> [String]
    }

    private static let day: Int32 = 20_000
    private static let marks = ["AB27CDE", "AB28CDE", "AB29CDE"]

    private static func time(_ number: Int) -> Timestamp {
        Timestamp(milliseconds: Int64(day) * 86_400_000 + Int64(number) * 1000 + 7)
    }

    // MARK: - The journal

    private static func entry(_ number: Int, _ random: inout SeededRandom) -> JournalEntry {
        if random.chance(perMille: 200) { return .feed(UInt16(number + 1), state: 2) }
        if random.chance(perMille: 200) { return .stream(sender: 1, name: "stream \(number)", first: 1) }
        let reads = (0..<random.within(1...6)).map { offset in
            var read = Read(random.one(of: marks), at: time(number).milliseconds + Int64(offset), by: 3)
            read.lane = -1
            return read
        }
        return .reads(
            JournalledReads(
                feed: 3,
                reads: reads,
                details: [],
                received: 9,
                rejected: 1,
                progress: FeedProgress(line: 1, offset: 2, length: 3, hash: 4),
                quarantineLength: 5,
                quarantineDay: 6
            )
        )
    }

    private static let journal = Store(testDescription: "journal") { folder, keys, seed in
        var random = SeededRandom(seed: seed)
        let journal = try Journal(folder, keys: keys, segmentLengthMax: 1500)
        _ = try journal.replay { _, _ in .distantPast }
        for number in 0..<40 {
            journal.append(entry(number, &random), latest: .distantPast)
            if random.chance(perMille: 400) { try journal.sync(snapshot: [1]) }
        }
        try journal.sync(snapshot: [1])
    } read: { folder, keys in
        var entries: [String] = []
        let journal = try Journal(folder, keys: keys, segmentLengthMax: 1500)
        _ = try journal.replay { number, entry in
            if case .snapshot = entry { return .distantPast }
            entries.append("\(number) \(entry)")
            return .distantPast
        }
        return entries
    }

    // MARK: - The sighting log

    private static func append(to log: SightingLog, _ random: inout SeededRandom) throws {
        let register = CameraRegister([Camera(force: "43", name: "43-1", site: "S1")])
        var batch = SightingBatch()
        for _ in 0..<random.within(1...4) {
            let now = time(Int(log.extent.next) + batch.count)
            batch.append(Sighting(opening: Read(random.one(of: marks), at: now.milliseconds, by: 0)))
            batch.append(Contribution(camera: 0, reads: 1, first: now, confidence: 90))
        }
        let next = log.extent.next + UInt64(batch.count)
        try log.append(
            batch,
            mark: StreamMark(journalEntry: next, closedThrough: time(Int(next)), isEnd: false),
            register: register,
            encoder: FrameEncoder(register: register),
            isDurable: true
        )
    }

    private static let sightings = Store(testDescription: "sighting log") { folder, keys, seed in
        var random = SeededRandom(seed: seed)
        let log = try SightingLog(folder, keys: keys, partLengthMax: 900)
        for _ in 0..<20 { try append(to: log, &random) }
    } read: { folder, keys in
        let log = try SightingLog(folder, keys: keys, partLengthMax: 900)
        var reader = SightingLogReader(folder, keys: keys, from: log.first)
        var all: [String] = []
        while let run = try reader.read() {
            for (row, sighting) in run.batch.sightings.enumerated() {
                all.append("\(run.first + UInt64(row)) \(sighting.vrm.text) \(sighting.first.milliseconds)")
            }
        }
        return all
    }

    // MARK: - Images

    private static let register = CameraRegister([Camera(force: "43", name: "43-1")])

    /// Images of a day and the next, each of a read of its own.
    private static func pictures(_ seed: UInt64) -> [ReadImage] {
        var random = SeededRandom(seed: seed)
        return (0..<12).map { number in
            let captured = time(number).milliseconds + (number < 9 ? 0 : 86_400_000)
            let read = Read(marks[number % 3], at: captured, by: 0, confidence: 90)
            let content = (0..<random.within(60...200)).map { _ in UInt8(random.within(1...255)) }
            return ReadImage(of: read, kind: .plate, jpeg: [0xFF, 0xD8, 0xFF] + content)
        }
    }

    private static func data(of folder: String) -> String { String(folder.dropLast("/images".count)) }

    /// What a search finds, of reads of some marks, and the pictures.
    private static func found(_ folder: String, _ keys: KeyRing?) throws -> [String] {
        let search = ImageSearch(data: data(of: folder), keys: keys)
        return try search.run(ImageQuery()).map { one in
            "\(one.binding.vrm.text) \(one.binding.captured.milliseconds) \(try search.jpeg(of: one))"
        }
    }

    private static let images = Store(testDescription: "images") { folder, keys, seed in
        let store = try ImageStore(folder, keys: keys)
        for image in pictures(seed) {
            try store.append([image], register: register)
            if image.vrm.text != marks[1] { try store.sync() }
        }
        try store.sync()
    } read: { folder, keys in
        // Whatever seed they were of: nothing is added, and the day's files are opened.
        for name in DataFolder.names(in: folder) where name.hasSuffix(".images") {
            let known = try ImageSearch(data: data(of: folder), keys: keys)
                .run(ImageQuery())
                .filter { TimestampWriter.text($0.binding.captured).hasPrefix(name.prefix(10)) }
            guard let one = known.first else { continue }
            let jpeg = try ImageSearch(data: data(of: folder), keys: keys).jpeg(of: one)
            let store = try ImageStore(folder, keys: keys)
            try store.append(jpeg, of: one.binding)
            try store.sync()
        }
        return try found(folder, keys)
    }

    // MARK: - Injuries

    static let stores = [journal, sightings, images]

    /// A data folder with files of a kind.
    private struct Place {
        let scratch: TemporaryFolder
        let folder: String
        let isSealed: Bool

        init(_ name: String, isSealed: Bool) throws {
            scratch = try TemporaryFolder()
            folder = "\(scratch.path)/\(name == "images" ? "images" : "some")"
            self.isSealed = isSealed
        }

        var keys: KeyRing? {
            isSealed ? KeyRing(data: scratch.path, .file("\(scratch.path)/keys/master.key")) : nil
        }

        func files() throws -> [String: [UInt8]] {
            var files: [String: [UInt8]] = [:]
            for name in DataFolder.names(in: folder) {
                files[name] = try DataFile("\(folder)/\(name)", .read).contents()
            }
            return files
        }

        func put(_ bytes: [UInt8], _ name: String) throws {
            try DataFile("\(folder)/\(name)", .replace).write(bytes, at: 0)
        }

        /// Flips a bit somewhere, and says in which file.
        func flip(_ random: inout SeededRandom) throws -> String {
            let files = try files()
            let name = random.one(of: files.keys.sorted())
            var bytes = files[name] ?? []
            bytes[random.below(bytes.count)] ^= 1 << UInt8(random.below(8))
            try put(bytes, name)
            return name
        }

        /// Fails unless an error names file and byte, and every file is as it was.
        func expect(_ error: StorageError, of name: String, _ injured: [String: [UInt8]]) throws {
            #expect(error.code == .damaged, "\(error)")
            #expect(error.description.hasPrefix("\(folder)/\(name): "), "\(error)")
            #expect(error.description.contains("byte"), "\(error)")
            #expect(try files() == injured, "\(error)")
        }
    }

    @Test(
        "a bit flipped anywhere is told with file and byte, and nothing is changed",
        arguments: stores,
        [false, true]
    )
    func flips(store: Store, isSealed: Bool) throws {
        for seed in 1...2 as ClosedRange<UInt64> {
            let place = try Place(store.testDescription, isSealed: isSealed)
            try store.fill(place.folder, place.keys, seed)
            let all = try store.read(place.folder, place.keys)
            #expect(all.count >= 12)
            let whole = try place.files()
            #expect(whole.count > 1)
            var random = SeededRandom(seed: seed)
            var told = 0
            for step in 0..<150 {
                let name = try place.flip(&random)
                let injured = try place.files()
                do {
                    let found = try store.read(place.folder, place.keys)
                    #expect(found == all, "seed \(seed) step \(step)")
                } catch let error as StorageError {
                    try place.expect(error, of: name, injured)
                    told += 1
                }
                for (name, bytes) in whole { try place.put(bytes, name) }
            }
            #expect(told > 120, "seed \(seed)")
            #expect(try store.read(place.folder, place.keys) == all)
        }
    }

    @Test(
        "a purge of images of which a bit is flipped takes nothing, or all that stays can be read; a search leaves none out",
        arguments: [false, true]
    )
    func purge(isSealed: Bool) throws {
        var random = SeededRandom(seed: 3)
        var told = 0
        for step in 0..<50 as Range<UInt64> {
            let place = try Place("images", isSealed: isSealed)
            try Self.images.fill(place.folder, place.keys, step)
            let all = try Self.found(place.folder, place.keys)
            let name = try place.flip(&random)
            let injured = try place.files()
            let search = ImageSearch(data: place.scratch.path, keys: place.keys)
            do {
                let count = try search.run(ImageQuery()).count
                #expect(count == all.count, "step \(step)")
            } catch let error as StorageError {
                try place.expect(error, of: name, injured)
            }
            let staying = random.chance(perMille: 700) ? Self.marks[random.below(3)] : nil
            do {
                let store = try ImageStore(place.folder, keys: place.keys)
                for day in [Self.day, Self.day + 1] where name == Self.name(day) {
                    _ = try store.purge(day, isDry: false) { $0.vrm.text == staying ? nil : 0 }
                    let left = all.filter { line in
                        Self.dayOf(line) != day || staying.map { line.hasPrefix($0) } ?? false
                    }
                    let found = try Self.found(place.folder, place.keys)
                    #expect(found == left, "step \(step)")
                }
            } catch let error as StorageError {
                try place.expect(error, of: name, injured)
                told += 1
            }
        }
        #expect(told > 10)
    }

    /// A log in one file, and how much there was of both after each of its batches.
    private static func batches(_ place: Place, _ count: Int, seed: UInt64) throws
        -> (path: String, ends: [(length: Int, sightings: UInt64)])
    {
        var random = SeededRandom(seed: seed)
        let log = try SightingLog(place.folder, keys: place.keys)
        var ends: [(length: Int, sightings: UInt64)] = [(0, 0)]
        var path = ""
        for _ in 0..<count {
            try append(to: log, &random)
            path = "\(place.folder)/\(DataFolder.names(in: place.folder)[0])"
            ends.append((try DataFile(path, .read).length(), log.extent.next))
        }
        return (path, ends)
    }

    @Test("a log cut off anywhere opens with all batches before", arguments: [false, true])
    func cutLog(isSealed: Bool) throws {
        let place = try Place("sighting log", isSealed: isSealed)
        let (path, ends) = try Self.batches(place, 5, seed: 4)
        let whole = try DataFile(path, .read).contents()
        let all = try Self.sightings.read(place.folder, place.keys)
        // Longer ones first: with all that can be read of it the file goes, and its key.
        for length in stride(from: whole.count, through: 0, by: -1) {
            try DataFile(path, .replace).write(Array(whole[..<length]), at: 0)
            let expected = ends.last { $0.length <= length }?.sightings ?? 0
            let found = try Self.sightings.read(place.folder, place.keys)
            #expect(found == Array(all.prefix(Int(expected))), "cut to \(length)")
        }
    }

    @Test("a log of which the disk kept the length, and not the last bytes, opens", arguments: [false, true])
    func hollowLog(isSealed: Bool) throws {
        let place = try Place("sighting log", isSealed: isSealed)
        let (path, ends) = try Self.batches(place, 5, seed: 5)
        let whole = try DataFile(path, .read).contents()
        let all = try Self.sightings.read(place.folder, place.keys)
        for kept in ends[4].length..<whole.count - 16 {
            let hollow = whole[..<kept] + [UInt8](repeating: 0, count: whole.count - kept)
            try DataFile(path, .replace).write(Array(hollow), at: 0)
            let found = try Self.sightings.read(place.folder, place.keys)
            #expect(found == Array(all.prefix(Int(ends[4].sightings))), "kept \(kept)")
        }
    }

    @Test("batches that were not synced, of which the disk wrote a later one and not all of an earlier one")
    func holeInLog() throws {
        let place = try Place("sighting log", isSealed: false)
        let (path, ends) = try Self.batches(place, 30, seed: 6)
        let whole = try DataFile(path, .read).contents()
        let all = try Self.sightings.read(place.folder, place.keys)
        for sector in stride(from: 512, to: whole.count - 512, by: 512) {
            var bytes = whole
            bytes.replaceSubrange(sector..<sector + 512, with: repeatElement(0, count: 512))
            try DataFile(path, .replace).write(bytes, at: 0)
            let expected = ends.last { $0.length <= sector }?.sightings ?? 0
            let found = try Self.sightings.read(place.folder, place.keys)
            #expect(found == Array(all.prefix(Int(expected))), "sector at \(sector)")
        }
    }

    @Test(
        "a journal of which the disk kept the length, and not the last bytes, opens",
        arguments: [false, true]
    )
    func hollowJournal(isSealed: Bool) throws {
        let place = try Place("journal", isSealed: isSealed)
        var random = SeededRandom(seed: 7)
        let journal = try Journal(place.folder, keys: place.keys)
        _ = try journal.replay { _, _ in .distantPast }
        var safe = 0
        var path = ""
        for number in 0..<12 {
            journal.append(Self.entry(number, &random), latest: .distantPast)
            if number == 7 || number == 11 { try journal.sync(snapshot: [1]) }
            path = DataFolder.names(in: place.folder).first.map { "\(place.folder)/\($0)" } ?? ""
            if number == 7 { safe = try DataFile(path, .read).length() }
        }
        let whole = try DataFile(path, .read).contents()
        let all = try Self.journal.read(place.folder, place.keys)
        #expect(all.count == 12)
        for kept in safe..<whole.count - 16 {
            let hollow = whole[..<kept] + [UInt8](repeating: 0, count: whole.count - kept)
            try DataFile(path, .replace).write(Array(hollow), at: 0)
            let found = try Self.journal.read(place.folder, place.keys)
            #expect(found.count >= 8 && all.starts(with: found), "kept \(kept)")
        }
    }

    @Test("entries that are not worked off stay in the journal, however old")
    func lettingGo() throws {
        let place = try Place("journal", isSealed: false)
        try Self.journal.fill(place.folder, nil, 8)
        let journal = try Journal(place.folder, keys: nil)
        _ = try journal.replay { _, _ in .distantPast }
        #expect(journal.first == 0)
        #expect(try journal.drop(before: .latest, keepingFrom: 0) == 0)
        _ = try journal.drop(before: .latest, keepingFrom: journal.next / 2)
        #expect(journal.first <= journal.next / 2)
        #expect(try journal.drop(before: .latest) > 0)
        #expect(journal.first > 0)
    }

    private static func name(_ day: Int32) -> String {
        TimestampWriter.text(Timestamp(milliseconds: Int64(day) * 86_400_000)).prefix(10) + ".images"
    }

    private static func dayOf(_ line: String) -> Int32 {
        Timestamp(milliseconds: Int64(line.split(separator: " ")[1]) ?? 0).day
    }
}
