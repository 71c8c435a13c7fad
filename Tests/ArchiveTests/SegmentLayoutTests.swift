import ANPRModel
import Archive
import Compression
import Foundation
import Simulation
import TestSupport
import Testing

/// An index tells where the sections of its segments stand, so that a mark's sightings are read and nothing else.
struct SegmentLayoutTests {
    private static let firstDay: Int64 = 20_000
    private static let dayLength: Int64 = 86_400_000
    private let register = SmallRegister.make(sites: 3, forces: ["43", "45"], camerasEach: 1)

    /// Days of which each section has many pieces.
    private struct Archived {
        let folder: TemporaryFolder
        var path: String { folder.path }
        let catalogue: Catalogue
        let archiver: Archiver
        var marks: [VRM] = []

        init(_ register: CameraRegister, days: Int, perDay: Int, isOn: Bool, isMerged: Bool = true) throws {
            folder = try TemporaryFolder()
            let path = folder.path
            catalogue = try Catalogue("\(path)/catalogue.sqlite")
            let keys = isOn ? nil : KeyRing(data: path, .file("\(path)/keys/master.key"), isOn: false)
            archiver = try Archiver(
                "\(path)/archive",
                log: "\(path)/sightings",
                catalogue: catalogue,
                keys: keys,
                indexDays: 4
            )
            var random = SeededRandom(seed: 7)
            let letters = Array("ABCDEFGHJK")
            var filed: UInt64 = 0
            for day in 0..<days {
                var batch = SightingBatch()
                let start = (SegmentLayoutTests.firstDay + Int64(day)) * SegmentLayoutTests.dayLength
                for number in 0..<perDay {
                    let first = Timestamp(milliseconds: start + Int64(number) * 2000)
                    let text = (0..<3).map { _ in random.one(of: letters) }
                    guard let vrm = VRM("\(text[0])A\(27 + random.below(20))\(text[1])B\(text[2])") else {
                        continue
                    }
                    if marks.count < 40 { marks.append(vrm) }
                    let camera = CameraIndex(random.below(register.count))
                    batch.append(Sighting(opening: Read(vrm.text, at: first.milliseconds, by: camera)))
                    batch.append(Contribution(camera: camera, reads: 1, first: first, confidence: 90))
                }
                try archiver.take(batch, first: filed, register: register)
                filed += UInt64(batch.count)
            }
            try archiver.archiveGathered(register)
            if isMerged { try archiver.merge() }
        }

        func found(_ pattern: String) throws -> [PlainSighting] {
            try found { $0.mark = MarkPattern(pattern) }
        }

        func found(_ change: (inout SightingQuery) -> Void) throws -> [PlainSighting] {
            var query = SightingQuery()
            change(&query)
            let found = try ArchiveSearch(data: path).run(query)
            return PlainSighting.list(found.batch, in: found.register).sorted { $0.first < $1.first }
        }

        func all() throws -> [PlainSighting] { try found { $0.from = .earliest } }

        /// Has segments say that they are not encrypted, with the checksum that fits.
        func forge() throws {
            for segment in try catalogue.snapshot().segments {
                let file = URL(fileURLWithPath: "\(path)/archive/\(segment.name)")
                var bytes = [UInt8](try Data(contentsOf: file))
                let end = bytes.count - 24
                let length = (0..<4).reduce(0) { $0 | Int(bytes[end + 8 + $1]) << (8 * $1) }
                let day = (0..<4).map { UInt8(truncatingIfNeeded: segment.day >> (8 * Int32($0))) }
                for place in end - length..<end - 12
                where Array(bytes[place..<place + 4]) == day && bytes[place + 8] == 2 && bytes[place + 9] == 0
                {
                    for number in place + 4..<place + 8 { bytes[number] = 0 }
                }
                let checksum = Checksum.crc32(Array(bytes[end - length..<end]))
                for place in 0..<4 {
                    bytes[end + 12 + place] = UInt8(truncatingIfNeeded: checksum >> (8 * UInt32(place)))
                }
                try Data(bytes).write(to: file)
            }
        }

        /// Spoils the ends of segments: the last of what they say of themselves.
        func spoilEnds() throws -> [String] {
            let names = try catalogue.snapshot().segments.map(\.name)
            for name in names {
                let handle = try FileHandle(forUpdating: URL(fileURLWithPath: "\(path)/archive/\(name)"))
                let end = try handle.seekToEnd()
                try handle.seek(toOffset: end - 64)
                try handle.write(contentsOf: Data(repeating: 0x55, count: 64))
                try handle.close()
            }
            return names
        }
    }

    @Test("marks' sightings are those of a plain scan, over many pieces", arguments: [true, false])
    func scan(isOn: Bool) throws {
        let archived = try Archived(register, days: 2, perDay: 30_000, isOn: isOn)
        let all = try archived.all()
        #expect(all.count == 60_000)
        for vrm in archived.marks {
            let expected = all.filter { $0.vrm == vrm.text }
            #expect(try archived.found(vrm.text) == expected && !expected.isEmpty)
        }
        #expect(
            try archived.found("AA3?AB*")
                == all.filter { $0.vrm.hasPrefix("AA3") && $0.vrm.dropFirst(4).hasPrefix("AB") }
        )
    }

    @Test(
        "a mark's sightings are read without what segments say of themselves; who looks through a segment is told"
    )
    func ends() throws {
        let archived = try Archived(register, days: 2, perDay: 30_000, isOn: true)
        let all = try archived.all()
        let names = try archived.spoilEnds()
        for vrm in archived.marks {
            #expect(try archived.found(vrm.text) == all.filter { $0.vrm == vrm.text })
        }
        let error = #expect(throws: StorageError.self) { try archived.all() }
        #expect(error?.code == .damaged)
        #expect(names.contains { error?.description.contains($0) ?? false })
    }

    @Test(
        "where nothing is encrypted, a segment says which one it is before a mark's sightings are read of it"
    )
    func clear() throws {
        let archived = try Archived(register, days: 2, perDay: 3000, isOn: false)
        _ = try archived.spoilEnds()
        #expect(throws: StorageError.self) { try archived.found(archived.marks[0].text) }
    }

    @Test(
        "segments that say of themselves that they are not encrypted do not have their marks written in the clear"
    )
    func forged() throws {
        let archived = try Archived(register, days: 8, perDay: 300, isOn: true, isMerged: false)
        let before = try archived.catalogue.snapshot().indexes.map(\.name)
        try archived.forge()
        let error = #expect(throws: StorageError.self) { try archived.archiver.merge() }
        #expect(
            error?.code == .damaged && error?.description.contains("names other keys than its index") == true
        )
        #expect(try archived.catalogue.snapshot().indexes.map(\.name) == before)
        // The marks are found, as indexes lead there.
        #expect(try archived.found(archived.marks[0].text).isEmpty == false)
    }

    // MARK: - The layout by itself

    private static let keys = (0..<30).compactMap { number in
        var position = 0
        return DataKeyName([0x20, 0x4E, 0, 0, 1 + UInt8(number), 0, 0, 0, 2, 0, 0x34, 0x33], at: &position)
    }

    private static func layout(_ random: inout SeededRandom) -> [UInt8] {
        var bytes = (0..<32).map { _ in UInt8(random.below(256)) }
        func put(_ number: Int) {
            var rest = number
            while rest >= 0x80 {
                bytes.append(UInt8(rest & 0x7F) | 0x80)
                rest >>= 7
            }
            bytes.append(UInt8(rest))
        }
        for number in [random.below(9000), random.below(9000), 64, 8] { put(number) }
        let numbers = [0] + (1..<20).filter { _ in random.chance(perMille: 300) }
        put(numbers.count)
        for number in numbers {
            put(number)
            put(1)
            put(random.below(keys.count))
            let pieces = (0..<random.within(1...5)).map { _ in random.within(100...4000) }
            put(pieces.count * 512 - random.below(500))
            put(pieces.reduce(0, +))
            put(random.within(20...300))
            var lengths: [UInt8] = []
            for piece in pieces {
                lengths += piece < 0x80 ? [UInt8(piece)] : [UInt8(piece & 0x7F) | 0x80, UInt8(piece >> 7)]
            }
            put(lengths.count)
            bytes += lengths
        }
        return bytes
    }

    @Test(
        "a layout reads as it was written, and nothing else reads as one",
        arguments: 1...20 as ClosedRange<UInt64>
    )
    func layout(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let bytes = Self.layout(&random)
        var position = 0
        let layout = try #require(SegmentLayout(bytes, at: &position, Self.keys))
        #expect(position == bytes.count && layout.encoded(Self.keys) == bytes)
        // Sections stand one behind the other, and close up where one is dropped.
        for dropped in [[], Set(layout.sections.keys.filter { _ in random.chance(perMille: 500) })] {
            let left = layout.without(dropped)
            #expect(Set(left.sections.keys) == Set(layout.sections.keys).subtracting(dropped))
            var start = layout.registerLength + layout.codebookLength
            for number in left.sections.keys.sorted() {
                let section = try #require(left.sections[number])
                #expect(section.start == start)
                start += section.pagesLength + section.tableLength
                let ends = try #require(section.ends(pageRuns: 64, piecePages: 8))
                #expect(ends.last == section.pagesLength && ends == ends.sorted())
                #expect(section.ends(pageRuns: 1, piecePages: 8) == nil)
            }
        }
        for length in 0..<bytes.count {
            var position = 0
            #expect(SegmentLayout(Array(bytes[..<length]), at: &position, Self.keys) == nil)
        }
        for _ in 0..<300 {
            var hurt = bytes
            hurt[random.below(hurt.count)] ^= UInt8(1 << random.below(8))
            var position = 0
            guard let read = SegmentLayout(hurt, at: &position, Self.keys) else { continue }
            #expect(read != layout && position <= hurt.count)
            for section in read.sections.values {
                let ends = section.ends(pageRuns: read.pageRuns, piecePages: read.piecePages)
                #expect(ends.map { $0.last == section.pagesLength && $0 == $0.sorted() } ?? true)
            }
        }
    }
}
