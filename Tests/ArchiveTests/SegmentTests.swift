import ANPRModel
import Archive
import Compression
import Foundation
import TestSupport
import Testing

/// Segments of every version that was ever written are read as they were then.
struct SegmentTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(
        path: "Fixtures"
    )

    private static func lines(_ name: String) throws -> [Substring] {
        let inflater = try Inflater(.gzip)
        inflater.feed(Array(try Data(contentsOf: folder.appending(path: name))))
        var text: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = try unsafe piece.withUnsafeMutableBytes { try unsafe inflater.read(into: $0) }
            if count == 0 { return String(decoding: text, as: UTF8.self).split(separator: "\n") }
            text += piece[0..<count]
        }
    }

    private static func lines(_ batch: SightingBatch, _ register: CameraRegister) -> [Substring] {
        var writer = SightingNDJSON(register: register)
        var out = ByteWriter()
        for row in 0..<batch.count { writer.append(row, of: batch, to: &out) }
        return String(decoding: out.take(), as: UTF8.self).split(separator: "\n")
    }

    @Test("a segment of every version reads as it did then", arguments: ["segment1", "segment2", "segment3"])
    func fixtures(name: String) throws {
        let found = try #require(try SegmentContents(Self.folder.appending(path: "\(name).segment").path))
        let expected = try Self.lines("\(name).ndjson.gz")
        #expect(difference(Self.lines(found.batch, found.register), expected) == nil)
        #expect(expected.count > 1500)
        #expect(found.batch.variants.isEmpty == false)
    }

    @Test(
        "an archive of segments of sections and indexes of marks reads as it did then",
        arguments: ["archive4", "archive5", "archive6"]
    )
    func archive(name: String) throws {
        let folder = try TemporaryFolder()
        let data = "\(folder.path)/data"
        try FileManager.default.copyItem(atPath: Self.folder.appending(path: name).path, toPath: data)
        let expected = try Self.lines("\(name).ndjson.gz").sorted()
        #expect(expected.count > 2000)
        let files = try FileManager.default.contentsOfDirectory(atPath: "\(data)/archive/2026-11-16")
        let segment = try #require(files.first { $0.hasSuffix(".segment") })
        let index = try #require(files.first { $0.hasSuffix(".marks") })
        let end = try Data(contentsOf: URL(fileURLWithPath: "\(data)/archive/2026-11-16/\(segment)")).suffix(
            8
        )
        #expect(String(decoding: end, as: UTF8.self) == "ANPRSEG\(name.suffix(1))")
        let found = try #require(try SegmentContents("\(data)/archive/2026-11-16/\(segment)"))
        #expect(difference(Self.lines(found.batch, found.register).sorted(), expected) == nil)
        #expect(found.batch.variants.isEmpty == false)
        let marks = try #require(try MarkIndexContents("\(data)/archive/2026-11-16/\(index)")).marks
        #expect(Set(marks).isSuperset(of: found.batch.sightings.map(\.vrm)))
        var query = SightingQuery()
        query.from = .earliest
        let all = try ArchiveSearch(data: data).run(query)
        #expect(Self.lines(all.batch, all.register).sorted() == expected)
        // And mark by mark, as an index leads there.
        let search = ArchiveSearch(data: data)
        for vrm in Set(all.batch.sightings.map(\.vrm)).sorted().prefix(100) {
            let rows = (0..<all.batch.count).filter { row in
                all.batch.sightings[row].vrm == vrm
                    || all.batch.variants(of: row).contains { $0.vrm == vrm }
            }
            query.mark = MarkPattern(vrm.text)
            let own = try search.run(query)
            #expect(own.batch.count == rows.count)
            #expect(Set(Self.lines(own.batch, own.register)).isSubset(of: Set(expected)))
        }
    }

    /// Indexes were of seven days once, so that one leads into two or three of the spans that there are now.
    @Test("an index of a week goes on leading to its days, and goes with them")
    func week() throws {
        let folder = try TemporaryFolder()
        let data = "\(folder.path)/data"
        try FileManager.default.copyItem(
            atPath: Self.folder.appending(path: "archive5-week").path,
            toPath: data
        )
        let catalogue = try Catalogue("\(data)/catalogue.sqlite")
        func archiver() throws -> Archiver {
            try Archiver("\(data)/archive", log: "\(data)/sightings", catalogue: catalogue, indexDays: 4)
        }
        func found() throws -> [PlainSighting] {
            var query = SightingQuery()
            query.from = .earliest
            let found = try ArchiveSearch(data: data).run(query)
            return PlainSighting.list(found.batch, in: found.register)
        }
        func daysByIndex() throws -> [Int] {
            let segments = try catalogue.snapshot().segments
            return Dictionary(grouping: segments, by: \.marks).values.map { Set($0.map(\.day)).count }
                .sorted()
        }
        let expected = try Self.lines("archive5-week.ndjson.gz").sorted()
        var query = SightingQuery()
        query.from = .earliest
        let all = try ArchiveSearch(data: data).run(query)
        #expect(Self.lines(all.batch, all.register).sorted() == expected)
        #expect(try daysByIndex().contains(7))
        let before = try catalogue.snapshot()
        try archiver().merge()
        #expect(try catalogue.snapshot().segments.map(\.marks) == before.segments.map(\.marks))
        // Day after day goes, and the index of the week leads to those that are left.
        var left = try found()
        for day in Set(before.segments.map(\.day)).sorted() {
            let now = Timestamp(milliseconds: (Int64(day) + 1) * 86_400_000)
            let policy = RetentionPolicy([RetentionRule(text: "all", keep: .span(0))])
            let retention = Retention(archiver: try archiver(), catalogue: catalogue, policy: policy)
            _ = try retention.apply(now: now)
            try archiver().merge()
            left.removeAll { sighting in sighting.parts.allSatisfy { $0.first < now.milliseconds } }
            #expect(Set(try found()) == Set(left))
        }
        #expect(try catalogue.snapshot().indexes.isEmpty)
    }

    @Test("what is no segment is told from what is a damaged one")
    func others() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/x"
        try Data("ANPRSEG9, and more".utf8).write(to: URL(fileURLWithPath: path))
        #expect(try SegmentContents(path) == nil)
        try Data("short ANPRSEG3".utf8).write(to: URL(fileURLWithPath: path))
        #expect(throws: StorageError.self) { try SegmentContents(path) }
        try Data((String(repeating: "long enough ", count: 9) + "ANPRSEG3").utf8).write(
            to: URL(fileURLWithPath: path)
        )
        #expect(throws: StorageError.self) { try SegmentContents(path) }
    }
}
