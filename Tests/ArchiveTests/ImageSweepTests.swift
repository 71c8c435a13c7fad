import ANPRModel
import Archive
import Foundation
import Simulation
import TestSupport
import Testing

/// A purge of images beside the owner of the file, who adds to it meanwhile.
struct ImageSweepTests {
    private static let register = CameraRegister([Camera(force: "43", name: "43-1")])
    private static let day: Int32 = 20_000
    private static let marks = ["AB27CDE", "AB28CDE", "AB29CDE"]

    /// An image of one of three marks; pictures are few, so that reads share them.
    private static func image(_ random: inout SeededRandom) throws -> ReadImage {
        var read = Read(
            vrm: try #require(VRM(random.one(of: marks))),
            captured: Timestamp(milliseconds: Int64(day) * 86_400_000 + Int64(random.below(200))),
            camera: 0
        )
        read.confidence = 90
        let content = UInt8(random.below(12))
        return ReadImage(
            of: read,
            kind: .plate,
            jpeg: [0xFF, 0xD8, 0xFF] + [UInt8](repeating: content, count: 40 + Int(content))
        )
    }

    /// What there is, as the owner was told.
    private static func line(_ image: ReadImage) -> String {
        "\(image.vrm.text) \(image.captured.milliseconds) \(image.jpeg[3])"
    }

    private static func found(_ path: String, _ keys: KeyRing?) throws -> Set<String> {
        let search = ImageSearch(data: path, keys: keys)
        return Set(
            try search.run(ImageQuery()).map { one in
                "\(one.binding.vrm.text) \(one.binding.captured.milliseconds) \(try search.jpeg(of: one)[3])"
            }
        )
    }

    @Test(
        "what is added while a day is looked through is judged by the same rule, and none of it is lost",
        arguments: 1...60 as ClosedRange<UInt64>
    )
    func added(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let folder = try TemporaryFolder()
        let path = folder.path
        let keys = seed % 2 == 0 ? KeyRing(data: path, .file("\(path)/keys/master.key")) : nil
        let store = try ImageStore("\(path)/images", keys: keys)
        var all: Set<String> = []
        func add(_ count: Int) throws {
            for _ in 0..<count {
                let image = try Self.image(&random)
                try store.append([image], register: Self.register)
                all.insert(Self.line(image))
            }
        }
        try add(random.below(40) + 1)
        if random.chance(perMille: 700) { try store.sync() }
        let going = Set(Self.marks.prefix(random.below(4)))
        var sweep = try #require(
            try ImageSweep(Self.day, in: "\(path)/images", keys: keys) {
                going.contains($0.vrm.text) ? 5 : nil
            }
        )
        try add(random.below(10))
        try sweep.write()
        try add(random.below(10))
        if random.chance(perMille: 300) {
            // What could not be synced is taken back, and other images come in its place.
            try store.discardUnsynced()
            all = try Self.found(path, keys)
            try add(random.below(10))
        }
        if random.chance(perMille: 500) { try store.sync() }
        let purge = try store.finish(sweep)
        let kept = all.filter { !going.contains(String($0.prefix(7))) }
        // What was added is all there, and only looked at where anything goes.
        #expect(purge.isEmpty == (kept.count == all.count))
        #expect(try Self.found(path, keys) == kept)
        let names = try FileManager.default.contentsOfDirectory(atPath: "\(path)/images")
        #expect(names.count == (kept.isEmpty ? 0 : 1), "\(names)")
        // It goes on.
        all = kept
        try add(5)
        try store.sync()
        #expect(try Self.found(path, keys) == all)
        #expect(
            try Self.found(path, keys).count == ImageSearch(data: path, keys: keys).run(ImageQuery()).count
        )
    }

    @Test("what was prepared and never ended changes nothing, and goes with the store's next opening")
    func brokenOff() throws {
        var random = SeededRandom(seed: 7)
        let folder = try TemporaryFolder()
        let path = folder.path
        let keys = KeyRing(data: path, .file("\(path)/keys/master.key"))
        let store = try ImageStore("\(path)/images", keys: keys)
        for _ in 0..<50 { try store.append([try Self.image(&random)], register: Self.register) }
        try store.sync()
        let all = try Self.found(path, keys)
        var sweep = try #require(
            try ImageSweep(Self.day, in: "\(path)/images", keys: keys) { $0.vrm.text == "AB27CDE" ? 0 : nil }
        )
        try sweep.write()
        let names = { try FileManager.default.contentsOfDirectory(atPath: "\(path)/images") }
        #expect(try names().count == 2)
        #expect(try Self.found(path, keys) == all)
        _ = try ImageStore("\(path)/images", keys: keys)
        #expect(try names().count == 1)
        #expect(try Self.found(path, keys) == all)
        #expect(try ImageSweep(Self.day + 1, in: "\(path)/images", keys: keys) { _ in 0 } == nil)
    }
}
