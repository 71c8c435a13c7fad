import ANPRModel
import Archive
import Foundation
import Simulation
import TestSupport
import Testing

/// The journal gives back what was synced, survives what crashes leave, and names what is damaged.
struct JournalTests {
    private static func entry(_ random: inout SeededRandom) -> JournalEntry {
        switch random.below(6) {
        case 0: return .start(feeds: [1, 2], senders: [3])
        case 1: return .feed(UInt16(random.below(9)), state: 2)
        case 2: return .blocks(sender: 4, bytes: (0..<random.below(50)).map { UInt8($0) })
        case 3: return .stream(sender: 7, name: "stream-\(random.below(100))", first: 12)
        case 4: return .cameras([1, 2, 3])
        default:
            var reads: [Read] = []
            var details: [ReadDetails] = []
            for _ in 0..<random.within(1...20) {
                let time = Timestamp(milliseconds: Int64(random.below(1_000_000)))
                var read = Read(vrm: VRM(trusted: 177_917_621_779_460_413 * 11), captured: time, camera: 5)
                read.confidence = Int8(random.below(102)) - 1
                read.lane = Int8(random.below(65)) - 1
                read.speed = UInt16(random.below(9000))
                if random.chance(perMille: 200) {
                    var more = ReadDetails()
                    more.rawVRM = "ab27 cde"
                    if random.chance(perMille: 500) { more.eventID = "event \(random.below(9))" }
                    if random.chance(perMille: 500) { (more.latitude, more.longitude) = (-5, 7) }
                    details.append(more)
                    read.details = UInt32(details.count)
                }
                reads.append(read)
            }
            return .reads(
                JournalledReads(
                    feed: 3,
                    reads: reads,
                    details: details,
                    received: 9,
                    rejected: 1,
                    progress: FeedProgress(line: 1, offset: 2, length: 3, hash: 4),
                    quarantineLength: 5,
                    quarantineDay: 6
                )
            )
        }
    }

    /// The keys of a folder, or none for a journal in the clear.
    private static func keys(_ folder: String, _ isSealed: Bool) -> KeyRing? {
        isSealed ? KeyRing(data: folder, .file("\(folder)/keys/master.key")) : nil
    }

    private static func replayed(_ folder: String, isSealed: Bool = false) throws
        -> (entries: [JournalEntry], torn: Int)
    {
        var entries: [JournalEntry] = []
        let torn = try Journal(folder, keys: keys(folder, isSealed)).replay { number, entry in
            if case .snapshot = entry { return .distantPast }
            #expect(number == UInt64(entries.count))
            entries.append(entry)
            return .distantPast
        }
        return (entries, torn)
    }

    private static func write(_ folder: String, seed: UInt64, count: Int, isSealed: Bool = false) throws
        -> [JournalEntry]
    {
        var random = SeededRandom(seed: seed)
        let journal = try Journal(folder, keys: keys(folder, isSealed), segmentLengthMax: 2000)
        _ = try journal.replay { _, _ in .distantPast }
        var entries: [JournalEntry] = []
        for _ in 0..<count {
            let entry = entry(&random)
            #expect(journal.append(entry, latest: .distantPast) == UInt64(entries.count))
            entries.append(entry)
            if random.chance(perMille: 300) { try journal.sync(snapshot: [9]) }
        }
        try journal.sync(snapshot: [9])
        return entries
    }

    @Test("what was synced comes back, over any number of segments", arguments: [1, 2, 3, 4] as [UInt64])
    func roundTrip(seed: UInt64) throws {
        let folder = try TemporaryFolder()
        let entries = try Self.write(folder.path, seed: seed, count: 200, isSealed: seed > 2)
        let found = try Self.replayed(folder.path, isSealed: seed > 2)
        #expect(found.entries == entries, "seed \(seed)")
        #expect(found.torn == 0)
        #expect(DataFolder.names(in: folder.path).count > 3)
    }

    @Test(
        "a tail torn at any byte is cut off, and what stands before it comes back",
        arguments: [false, true]
    )
    func tornTail(isSealed: Bool) throws {
        let folder = try TemporaryFolder()
        let entries = try Self.write(folder.path, seed: 5, count: 20, isSealed: isSealed)
        let last = try #require(
            DataFolder.names(in: folder.path).last { $0.hasSuffix(".journal") }
        )
        let file = URL(fileURLWithPath: "\(folder.path)/\(last)")
        let whole = try Data(contentsOf: file)
        for length in stride(from: whole.count - 1, through: 0, by: -1) {
            try whole.prefix(length).write(to: file)
            let found = try Self.replayed(folder.path, isSealed: isSealed)
            #expect(entries.starts(with: found.entries), "cut to \(length)")
            #expect(found.entries.count < entries.count)
            #expect(try Self.replayed(folder.path, isSealed: isSealed).torn == 0, "it was cut off")
            try whole.write(to: file)
        }
    }

    @Test("damage before the tail is an error that names file and byte")
    func damage() throws {
        let folder = try TemporaryFolder()
        _ = try Self.write(folder.path, seed: 6, count: 60)
        let first = try #require(DataFolder.names(in: folder.path).first)
        let file = URL(fileURLWithPath: "\(folder.path)/\(first)")
        var bytes = try Data(contentsOf: file)
        bytes[bytes.count / 2] ^= 0x10
        try bytes.write(to: file)
        let error = #expect(throws: StorageError.self) { try Self.replayed(folder.path) }
        #expect(error?.code == .damaged)
        #expect(error?.description.contains(first) == true)
        #expect(error?.description.contains("byte") == true)
    }

    @Test("a missing segment is an error")
    func missing() throws {
        let folder = try TemporaryFolder()
        _ = try Self.write(folder.path, seed: 7, count: 200)
        let names = DataFolder.names(in: folder.path)
        try FileManager.default.removeItem(atPath: "\(folder.path)/\(names[1])")
        #expect(throws: StorageError.self) { try Self.replayed(folder.path) }
    }

    @Test("old segments go, the numbering goes on")
    func dropping() throws {
        let folder = try TemporaryFolder()
        let entries = try Self.write(folder.path, seed: 8, count: 100)
        let journal = try Journal(folder.path, keys: nil, segmentLengthMax: 2000)
        _ = try journal.replay { _, _ in .distantPast }
        #expect(try journal.drop(before: .latest) > 0)
        #expect(journal.append(.cameras([]), latest: .distantPast) == UInt64(entries.count))
        try journal.sync(snapshot: [])
        let again = try Journal(folder.path, keys: nil)
        _ = try again.replay { _, _ in .distantPast }
        #expect(again.next == UInt64(entries.count) + 1)
    }
}
