import ANPRModel
import Archive
import Foundation
import Simulation
import TestSupport
import Testing

/// Images on disk: once each, by day, through crashes and retention.
struct ImageStoreTests {
    private static let register = CameraRegister([
        Camera(force: "43", name: "43-1"), Camera(force: "44", name: "44-1"),
    ])
    private static let noon = Timestamp(milliseconds: 20_000 * 86_400_000 + 43_200_000)

    private static func image(
        _ content: UInt8,
        _ kind: ImageKind = .plate,
        mark: String = "AB27CDE",
        camera: CameraIndex = 0,
        after milliseconds: Int64 = 0,
        confidence: Int8 = 90,
        count: Int = 500
    ) throws -> ReadImage {
        var read = Read(
            vrm: try #require(VRM(mark)),
            captured: Timestamp(milliseconds: noon.milliseconds + milliseconds),
            camera: camera
        )
        read.confidence = confidence
        return ReadImage(
            of: read,
            kind: kind,
            jpeg: [0xFF, 0xD8, 0xFF] + [UInt8](repeating: content, count: count)
        )
    }

    private static func keep(_ images: [ReadImage], _ path: String, _ keys: KeyRing? = nil) throws {
        let store = try ImageStore("\(path)/images", keys: keys)
        try store.append(images, register: register)
        try store.sync()
    }

    private static func found(
        _ path: String,
        _ keys: KeyRing? = nil,
        _ change: (inout ImageQuery) -> Void = { _ in }
    ) throws
        -> [ImageSearch.Found]
    {
        var query = ImageQuery()
        change(&query)
        return try ImageSearch(data: path, keys: keys).run(query)
    }

    private static func bytes(_ path: String) throws -> Int {
        try DataFolder.names(in: "\(path)/images").reduce(0) {
            try $0 + DataFile("\(path)/images/\($1)", .read).length()
        }
    }

    @Test("each once however many reads name it, also after reopening; found by what identifies the read")
    func once() throws {
        let folder = try TemporaryFolder()
        let images = [
            try Self.image(1), try Self.image(1), try Self.image(1, camera: 1, after: 200),
            try Self.image(2, .overview), try Self.image(1, .overview, mark: "XY99ZZZ", after: 900),
            try Self.image(3, after: 86_400_000),
        ]
        try Self.keep(images, folder.path)
        let before = try Self.bytes(folder.path)
        #expect(before > 3 * 500 && before < 2300)
        try Self.keep(images, folder.path)
        #expect(try Self.bytes(folder.path) == before, "nothing is new")
        #expect(DataFolder.names(in: "\(folder.path)/images").count == 2)

        let all = try Self.found(folder.path)
        #expect(all.count == 5)
        #expect(all.first?.binding.captured.milliseconds == Self.noon.milliseconds + 86_400_000)
        #expect(try Self.found(folder.path) { $0.mark = MarkPattern("XY*") }.count == 1)
        #expect(try Self.found(folder.path) { $0.force = "44" }.map(\.binding.camera) == ["44-1"])
        #expect(try Self.found(folder.path) { $0.kind = .overview }.count == 2)
        #expect(try Self.found(folder.path) { $0.to = Self.noon }.count == 2)
        #expect(try Self.found(folder.path) { $0.cameras = [["44", "43-1"]] }.isEmpty)
        let hash = try #require(all.last?.binding.hash.text)
        #expect(hash.count == 64)
        #expect(
            try Self.found(folder.path) { $0.hash = String(hash.prefix(9)) }.allSatisfy {
                $0.binding.hash.text == hash
            }
        )
        let search = ImageSearch(data: folder.path, keys: nil)
        for one in all {
            let jpeg = try search.jpeg(of: one)
            #expect(images.contains { $0.jpeg == jpeg && $0.captured == one.binding.captured })
        }
    }

    @Test("a tail torn anywhere is cut off: what was synced stays, and it goes on", arguments: [false, true])
    func torn(isSealed: Bool) throws {
        let folder = try TemporaryFolder()
        let path = folder.path
        let keys = isSealed ? KeyRing(data: path, .file("\(path)/keys/master.key")) : nil
        func contents() throws -> [UInt8] {
            try Self.found(path, keys).map { try ImageSearch(data: path, keys: keys).jpeg(of: $0)[3] }
        }
        try Self.keep([try Self.image(1, count: 60)], path, keys)
        let safe = try Self.bytes(path)
        try Self.keep(
            [try Self.image(2, .overview, count: 60), try Self.image(3, after: 5, count: 60)],
            path,
            keys
        )
        let name = "\(path)/images/\(DataFolder.names(in: "\(path)/images")[0])"
        let whole = try DataFile(name, .read).contents()
        for cut in safe...whole.count {
            let file = try DataFile(name, .replace)
            try file.write(Array(whole[..<cut]), at: 0)
            try Self.keep([try Self.image(4, after: 7, count: 60)], path, keys)
            let contents = try contents()
            #expect(contents.contains(1) && contents.contains(4), "cut at \(cut)")
            #expect(contents.contains(3) == (cut == whole.count), "cut at \(cut)")
        }
        // A disk that kept the length and not the bytes.
        var hollow = whole
        for place in (whole.count - 90)..<whole.count { hollow[place] = 0 }
        try DataFile(name, .replace).write(hollow, at: 0)
        try Self.keep([try Self.image(4, after: 7, count: 60)], path, keys)
        #expect(Set(try contents()).isSuperset(of: [1, 4]))
    }

    @Test("damage in what was synced is named by file and byte, and nothing is cut")
    func damage() throws {
        let folder = try TemporaryFolder()
        for content in 1...3 as ClosedRange<UInt8> {
            try Self.keep([try Self.image(content, after: Int64(content))], folder.path)
        }
        let name = "\(folder.path)/images/\(DataFolder.names(in: "\(folder.path)/images")[0])"
        let length = try DataFile(name, .read).length()
        try DataFile(name, .append).write([0xAA, 0xAA, 0xAA, 0xAA], at: 40)
        let error = try #require(throws: StorageError.self) {
            try Self.keep([try Self.image(4)], folder.path)
        }
        #expect(error.code == .damaged && error.description.contains("damaged at byte"))
        #expect(!error.description.contains("AB27"))
        #expect(try DataFile(name, .read).length() == length)
    }

    @Test("what was not synced can be taken back")
    func takenBack() throws {
        let folder = try TemporaryFolder()
        let store = try ImageStore("\(folder.path)/images", keys: nil)
        try store.discardUnsynced()
        try store.append([try Self.image(1)], register: Self.register)
        try store.sync()
        try store.append([try Self.image(2), try Self.image(3, after: 86_400_000)], register: Self.register)
        try store.discardUnsynced()
        #expect(try Self.found(folder.path).count == 1)
        try store.append([try Self.image(2), try Self.image(1)], register: Self.register)
        try store.sync()
        #expect(try Self.found(folder.path).count == 2)
    }

    private static func retention(_ path: String, _ policy: RetentionPolicy) throws -> Retention {
        let catalogue = try Catalogue("\(path)/catalogue.sqlite")
        let archiver = try Archiver("\(path)/archive", log: "\(path)/sightings", catalogue: catalogue)
        return Retention(
            archiver: archiver,
            catalogue: catalogue,
            policy: policy,
            images: RetentionImages(
                try ImageStore("\(path)/images", keys: nil),
                search: ArchiveSearch(data: path),
                site: { binding in
                    register.find(force: binding.force, name: binding.camera).map {
                        register.siteName(of: $0)
                    }
                }
            )
        )
    }

    @Test("each class goes at its own age, by force; what another read holds stays; the room comes back")
    func ages() throws {
        let folder = try TemporaryFolder()
        let day: Int64 = 86_400_000
        try Self.keep(
            [
                try Self.image(1, count: 3000), try Self.image(2, .overview, count: 30_000),
                try Self.image(3, .overview, camera: 1, count: 30_000),
                // The same picture as a patch that stays.
                try Self.image(4, .overview, after: 5, count: 3000), try Self.image(4, after: 5, count: 3000),
                try Self.image(5, .overview, after: -40 * day, count: 30_000),
            ],
            folder.path
        )
        let before = try Self.bytes(folder.path)
        let policy = RetentionPolicy([
            RetentionRule(text: "44", dataClass: .overview, force: "44", keep: .span(20 * day)),
            RetentionRule(text: "overview", dataClass: .overview, keep: .span(10 * day)),
            RetentionRule(text: "patch", dataClass: .patch, keep: .span(30 * day)),
            RetentionRule(text: "all", keep: .span(100 * day)),
        ])
        let now = Timestamp(milliseconds: Self.noon.milliseconds + 10 * day + 6)
        let retention = try Self.retention(folder.path, policy)
        let planned = try retention.plan(now: now)
        #expect(planned.map(\.images) == [0, 3, 0, 0])
        #expect(try Self.bytes(folder.path) == before, "a plan changes nothing")
        #expect(try retention.apply(now: now) == planned)
        let left = try Self.found(folder.path)
        #expect(
            left.map { "\($0.binding.force) \($0.binding.kind.name)" }.sorted() == [
                "43 plate", "43 plate", "44 overview",
            ]
        )
        for one in left { _ = try ImageSearch(data: folder.path, keys: nil).jpeg(of: one) }
        #expect(before - (try Self.bytes(folder.path)) > 60_000)
        #expect(
            DataFolder.names(in: "\(folder.path)/images").count == 1,
            "a day of which nothing stays goes whole"
        )
        // What is left can be added to.
        try Self.keep([try Self.image(1, count: 3000), try Self.image(6)], folder.path)
        #expect(try Self.found(folder.path).count == 4)
        let late = Timestamp(milliseconds: Self.noon.milliseconds + 30 * day + 1000)
        #expect(try Self.retention(folder.path, policy).apply(now: late).map(\.images) == [1, 0, 3, 0])
        #expect(DataFolder.names(in: "\(folder.path)/images").isEmpty)
    }

    @Test(
        "the images of contributions that go, go with them; those of others stay",
        arguments: [1, 2] as [UInt64]
    )
    func withSightings(seed: UInt64) throws {
        let filled = try SearchTests.Filled(seed: seed)
        _ = try filled.archiver.archive(before: filled.log.extent.next)
        // An image of each contribution's first read, one of a read that nothing was made of, and one of another class.
        var images: [ReadImage] = []
        for sighting in filled.all {
            for part in sighting.parts {
                let camera = try #require(filled.register.find(force: part.force, name: part.camera))
                let vrm = try #require(VRM(sighting.vrm))
                let read = Read(vrm: vrm, captured: Timestamp(milliseconds: part.first), camera: camera)
                let number = images.count
                let content = [0xFF, 0xD8, 0xFF, UInt8(number & 255), UInt8(number >> 8 & 255)] as [UInt8]
                images.append(ReadImage(of: read, kind: .plate, jpeg: content))
            }
        }
        let store = try ImageStore("\(filled.folder.path)/images", keys: nil)
        try store.append(images, register: filled.register)
        try store.sync()
        let times = filled.all.map(\.first).sorted()
        let now = Timestamp(milliseconds: times[times.count / 2])
        let policy = RetentionPolicy([
            RetentionRule(
                text: "weak",
                dataClass: .sighting,
                force: "44",
                confidenceBelow: 80,
                keep: .span(0)
            ),
            RetentionRule(text: "patch", dataClass: .patch, keep: .months(12)),
            RetentionRule(text: "rest", keep: .span(60_000)),
        ])
        let retention = Retention(
            archiver: filled.archiver,
            catalogue: filled.catalogue,
            policy: policy,
            images: RetentionImages(store, search: ArchiveSearch(data: filled.folder.path)) { _ in nil }
        )
        let planned = try retention.plan(now: now)
        let applied = try retention.apply(now: now)
        #expect(planned == applied)
        #expect(applied.reduce(0) { $0 + $1.images } == applied.reduce(0) { $0 + $1.contributions })
        #expect(applied[0].images > 0 && applied[2].images > 0)
        var query = SightingQuery()
        query.from = .earliest
        let left = try filled.found(query).flatMap { sighting in
            sighting.parts.map { "\(sighting.vrm) \($0.force) \($0.camera) \($0.first)" }
        }
        let found = try Self.found(filled.folder.path).map(\.binding).map { binding in
            "\(binding.vrm.text) \(binding.force) \(binding.camera) \(binding.captured.milliseconds)"
        }
        #expect(Set(found) == Set(left))
        #expect(try retention.apply(now: now).allSatisfy { $0.images == 0 })
    }

    @Test("images of what is held stay: by mark, and by the site of their camera")
    func held() throws {
        let folder = try TemporaryFolder()
        try Self.keep(
            [
                try Self.image(1, mark: "AB27CDE"), try Self.image(2, mark: "AB28CDE"),
                try Self.image(3, mark: "AB28CDE", camera: 1),
                try Self.image(4, mark: "AB29CDE", after: 9000),
            ],
            folder.path
        )
        let catalogue = try Catalogue("\(folder.path)/catalogue.sqlite")
        let scopes = [
            Hold.Scope(mark: MarkPattern("AB27*")), Hold.Scope(sites: [Self.register.siteName(of: 1)]),
            Hold.Scope(mark: MarkPattern("AB29CDE"), to: Self.noon),
        ]
        for scope in scopes {
            _ = try catalogue.place(
                Hold(
                    reference: "OP TEST",
                    owner: "an officer",
                    reason: "a trial",
                    review: .latest,
                    scope: scope,
                    placed: Self.noon
                )
            )
        }
        let policy = RetentionPolicy([RetentionRule(text: "all", keep: .span(1))])
        let now = Timestamp(milliseconds: Self.noon.milliseconds + 10_000)
        #expect(try Self.retention(folder.path, policy).apply(now: now).map(\.images) == [2])
        let left = try Self.found(folder.path).map { "\($0.binding.vrm.text) \($0.binding.camera)" }
        #expect(left.sorted() == ["AB27CDE 43-1", "AB28CDE 44-1"])
    }
}
