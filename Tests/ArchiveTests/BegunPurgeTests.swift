import ANPRModel
import Archive
import Foundation
import TestSupport
import Testing

/// Purges of files, which no transaction is part of: on record, whatever breaks them off.
struct BegunPurgeTests {
    private static let day: Int32 = 20_000
    private static let now = Timestamp(milliseconds: Int64(day + 2) * 86_400_000)
    private static let policy = RetentionPolicy([RetentionRule(text: "all", keep: .span(0))])

    private struct Killed: Error {}

    /// A store whose process is killed once it has said what goes, or once that has gone.
    private struct Dying: ImagePurger {
        let store: ImageStore
        let hasGone: Bool
        var days: [Int32] { store.days }

        func purge(
            _ day: Int32,
            isDry: Bool,
            begin: (ImageStore.Purge) throws -> Void,
            by rule: @escaping @Sendable (ImageBinding) -> Int?
        ) throws -> ImageStore.Purge {
            _ = try store.purge(day, isDry: isDry) { due in
                try begin(due)
                if !hasGone { throw Killed() }
            } by: {
                rule($0)
            }
            throw Killed()
        }
    }

    private static func store(_ path: String) throws -> ImageStore {
        let store = try ImageStore("\(path)/images", keys: nil)
        let register = CameraRegister([Camera(force: "43", name: "43-1")])
        for number in 0..<10 as Range<UInt8> {
            var read = Read(
                vrm: try #require(VRM("AB27CDE")),
                captured: Timestamp(milliseconds: Int64(day) * 86_400_000 + Int64(number)),
                camera: 0
            )
            read.confidence = 90
            let jpeg = [0xFF, 0xD8, 0xFF, number]
            try store.append([ReadImage(of: read, kind: .plate, jpeg: jpeg)], register: register)
        }
        try store.sync()
        return store
    }

    private static func apply(_ path: String, _ purger: any ImagePurger) throws -> [Catalogue.Purge] {
        let catalogue = try Catalogue("\(path)/catalogue.sqlite")
        let archiver = try Archiver("\(path)/archive", log: "\(path)/sightings", catalogue: catalogue)
        let retention = Retention(
            archiver: archiver,
            catalogue: catalogue,
            policy: policy,
            images: RetentionImages(purger, search: ArchiveSearch(data: path)) { _ in nil },
            recorder: PurgeRecorder(node: "here", policy: 1) { "signed: \($0.count)" }
        )
        _ = try retention.apply(now: now)
        return try catalogue.purges()
    }

    @Test(
        "a purge of images that was killed is on record as broken off, once, and what it left as another",
        arguments: [false, true]
    )
    func killed(hasGone: Bool) throws {
        let folder = try TemporaryFolder()
        let store = try Self.store(folder.path)
        #expect(throws: Killed.self) {
            try Self.apply(folder.path, Dying(store: store, hasGone: hasGone))
        }
        #expect(try Catalogue("\(folder.path)/catalogue.sqlite").purges().isEmpty)
        #expect(store.days.isEmpty == hasGone)
        for _ in 0..<2 {
            let records = try Self.apply(folder.path, store).compactMap(\.signed)
            #expect(records.map { $0.record.isBrokenOff == true } == (hasGone ? [true] : [true, false]))
            for signed in records {
                #expect(signed.record.images == 10 && signed.record.day == "2024-10-04")
                #expect(signed.signature == "signed: \(signed.text.count)")
                #expect(signed.text.contains("isBrokenOff") == (signed.record.isBrokenOff == true))
            }
            #expect(store.days.isEmpty)
        }
    }
}
