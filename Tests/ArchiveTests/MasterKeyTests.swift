import ANPRModel
import Archive
import Foundation
import TestSupport
import Testing

/// A folder's keys go from one master key to another, wherever those are kept.
struct MasterKeyTests {
    private typealias Days = HoldTests.Days

    /// A data folder, and what it has by the master key that it began with.
    private struct Folder {
        let days: Days
        let before: [Sighting]
        let secrets: TemporaryFolder
        var path: String { days.folder.path }

        init(seed: UInt64) throws {
            days = try Days(seed: seed, days: 2)
            secrets = try TemporaryFolder()
            before = try MasterKeyTests.everything(days.folder.path)
        }

        /// A key in a file, that nobody knows of yet.
        func secret(_ content: UInt8) throws -> String {
            let path = "\(secrets.path)/\(content)"
            try MasterKeyTests.put(Data(repeating: content, count: 32), path)
            return path
        }

        func move(to source: MasterKeySource) throws {
            try KeyRing(data: path, days.catalogue).changeMaster(to: source, in: days.catalogue)
        }

        /// What opens, from scratch.
        func read() throws -> [Sighting] { try MasterKeyTests.everything(path) }

        func bytes(_ name: String) throws -> Data {
            try Data(contentsOf: URL(fileURLWithPath: "\(path)/keys/\(name)"))
        }
    }

    private static func put(_ key: Data, _ path: String) throws {
        try Data((key.base64EncodedString() + "\n").utf8).write(to: URL(fileURLWithPath: path))
    }

    private static func everything(_ folder: String) throws -> [Sighting] {
        var query = SightingQuery()
        query.from = .earliest
        return try ArchiveSearch(data: folder).run(query).batch.sightings
    }

    @Test(
        "from the folder's own file to a command, another command, a file elsewhere and back: the new one opens, the old no more"
    )
    func moves() throws {
        let folder = try Folder(seed: 21)
        let own = MasterKeySource.file("\(folder.path)/keys/master.key")
        let made = "\(folder.secrets.path)/made"
        let ways: [MasterKeySource] = [
            .command("cat '\(try folder.secret(1))'"), .command("cat '\(try folder.secret(2))'"),
            .file(try folder.secret(3)), .file(made), own,
        ]
        // The same file under another name, which shows what became of its bytes.
        let kept = "\(folder.secrets.path)/kept"
        try FileManager.default.linkItem(atPath: "\(folder.path)/keys/master.key", toPath: kept)
        var former = own
        for way in ways {
            try folder.move(to: way)
            #expect(try folder.read() == folder.before)
            #expect(try folder.days.catalogue.meta("masterKeyNext") == "")
            #expect(DataFolder.exists("\(folder.path)/keys/master.key") == (way == own))
            let error = #expect(throws: StorageError.self) {
                try KeyRing(data: folder.path, former).names()
            }
            // The folder's own is gone.
            #expect(error?.code == (former == own ? .system : .mismatch))
            #expect(try KeyRing(data: folder.path, way).names().count == 4)
            former = way
        }
        #expect(try folder.days.catalogue.meta("masterKey") == "file:keys/master.key")
        #expect(try Data(contentsOf: URL(fileURLWithPath: kept)).allSatisfy { $0 == 0 })
        #expect(DataFolder.exists(made))
        try KeyRing(data: folder.path, folder.days.catalogue).rotateMaster()
        #expect(try folder.read() == folder.before)
    }

    @Test("a rotated key's file has nothing of the one before, under any name")
    func wiped() throws {
        let folder = try Folder(seed: 22)
        let kept = "\(folder.secrets.path)/kept"
        try FileManager.default.linkItem(atPath: "\(folder.path)/keys/master.key", toPath: kept)
        let old = try folder.bytes("master.key")
        try KeyRing(data: folder.path, folder.days.catalogue).rotateMaster()
        #expect(try Data(contentsOf: URL(fileURLWithPath: kept)) == Data(repeating: 0, count: old.count))
        #expect(try folder.read() == folder.before)
    }

    @Test(
        "wherever a change broke off, one of the two opens, and it is completed or gone over to a third",
        arguments: 0...2
    )
    func brokenOff(step: Int) throws {
        let folder = try Folder(seed: 23)
        let catalogue = folder.days.catalogue
        let (master, ring) = (try folder.bytes("master.key"), try folder.bytes("ring"))
        let text = "cat '\(try folder.secret(4))'"
        try folder.move(to: .command(text))
        let new = try folder.bytes("ring")
        // What a crash leaves: announced; the ring wrapped by the new one; the setting changed.
        func breakOff() throws {
            try catalogue.setMeta("masterKey", step < 2 ? "file:keys/master.key" : "command:\(text)")
            try catalogue.setMeta("masterKeyNext", "command:\(text)")
            try master.write(to: URL(fileURLWithPath: "\(folder.path)/keys/master.key"))
            try (step < 1 ? ring : new).write(to: URL(fileURLWithPath: "\(folder.path)/keys/ring"))
        }
        try breakOff()
        #expect(try folder.read() == folder.before)
        if step == 1 {
            #expect(throws: StorageError.self) { try KeyRing(data: folder.path, catalogue).rotateMaster() }
            #expect(try folder.read() == folder.before)
        }
        try folder.move(to: .command(text))
        #expect(try folder.read() == folder.before)
        #expect(try catalogue.meta("masterKey") == "command:\(text)")
        #expect(!DataFolder.exists("\(folder.path)/keys/master.key"))
        try breakOff()
        try folder.move(to: .file(try folder.secret(5)))
        #expect(try folder.read() == folder.before)
        #expect(try catalogue.meta("masterKeyNext") == "")
        #expect(!DataFolder.exists("\(folder.path)/keys/master.key"))
    }

    @Test("what would not open again is refused, and nothing has changed")
    func refused() throws {
        let folder = try Folder(seed: 24)
        let ring = try folder.bytes("ring")
        let empty = "\(folder.secrets.path)/empty"
        try Data().write(to: URL(fileURLWithPath: empty))
        for bad in ["head -c 32 /dev/urandom | base64", "echo no key", "exit 3"] {
            #expect(throws: StorageError.self) { try folder.move(to: .command(bad)) }
        }
        #expect(throws: StorageError.self) { try folder.move(to: .file(empty)) }
        #expect(try folder.bytes("ring") == ring)
        #expect(try folder.read() == folder.before)
    }

    @Test("the folder's own file stays where the master key that is named next is read from it")
    func same() throws {
        let folder = try Folder(seed: 25)
        let own = "\(folder.path)/keys/master.key"
        let link = "\(folder.secrets.path)/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: own)
        for source in [MasterKeySource.file(link), .command("cat '\(own)'")] {
            try folder.move(to: source)
            #expect(DataFolder.exists(own))
            #expect(try folder.read() == folder.before)
        }
    }

    @Test("a node does not say that another master key is the folder's than the one that wraps its keys")
    func demanded() throws {
        let folder = try Folder(seed: 26)
        let catalogue = folder.days.catalogue
        let (one, other) = (
            MasterKeySource.command("cat '\(try folder.secret(6))'"),
            MasterKeySource.file(try folder.secret(7))
        )
        try folder.move(to: one)
        for source in [nil, other] {
            let error = #expect(throws: StorageError.self) {
                try KeyRing.demand(source, opens: folder.path, catalogue)
            }
            #expect(error?.code == .mismatch)
            #expect(error?.description.contains("by that of a command") == true)
            #expect(error?.description.contains("cat '") == false)
        }
        try KeyRing.demand(one, opens: folder.path, catalogue)
        // The same key, from somewhere else.
        try KeyRing.demand(.file(try folder.secret(6)), opens: folder.path, catalogue)
        // A folder that has no keys yet takes any.
        let fresh = try TemporaryFolder()
        try KeyRing.demand(other, opens: fresh.path, Catalogue("\(fresh.path)/catalogue.sqlite"))
    }
}
