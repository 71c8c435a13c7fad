import ANPRModel
import Archive
import Foundation
import TestSupport
import Testing

/// What is left on disk of what retention let go: nothing, whichever file is looked into.
struct RawFilesTests {
    /// Looks for marks in every file of a data folder: in what it unpacks to, opened by the keys that are left; as text, also in
    /// base 64, and as the eight bytes of a packed mark, in either order.
    private struct Search {
        let data: String
        /// Whether only what is on disk is looked at, without any key.
        var isRaw = false

        private static func needles(_ vrm: VRM) -> [Data] {
            let packed = (0..<8).map { UInt8(truncatingIfNeeded: vrm.packed >> (8 * $0)) }
            // The three ways a text can lie in base 64: so many of the digits are its own.
            let coded = [0, 2, 3].enumerated().map { shift, own in
                let text = String(repeating: "x", count: shift) + vrm.text
                return Data(Data(text.utf8).base64EncodedString().dropFirst(own).prefix(8).utf8)
            }
            return [Data(vrm.text.utf8), Data(packed), Data(packed.reversed())] + coded
        }

        /// The files, within the folder, that have a mark.
        func files(with mark: String) throws -> Set<String> {
            let vrm = try #require(VRM(mark))
            let needles = Self.needles(vrm)
            let keys = try KeyRing(data: data)
            var found: Set<String> = []
            for name in try FileManager.default.subpathsOfDirectory(atPath: data) {
                let path = "\(data)/\(name)"
                guard let raw = FileManager.default.contents(atPath: path), !raw.isEmpty else { continue }
                let isSealed = !isRaw && raw.starts(with: Data("ANPRSEAL".utf8))
                let bytes = isSealed ? Data(try SealedFile(path, .read, keys).contents()) : raw
                if needles.contains(where: { bytes.range(of: $0) != nil }) { found.insert(name) }
                if isRaw { continue }
                if name.hasSuffix(".segment") {
                    let contents = try #require(try SegmentContents(path))
                    if contents.batch.sightings.contains(where: { $0.vrm == vrm }) { found.insert(name) }
                    if contents.batch.variants.contains(where: { $0.vrm == vrm }) { found.insert(name) }
                }
                if name.hasSuffix(".marks") {
                    if try #require(try MarkIndexContents(path)).marks.contains(vrm) { found.insert(name) }
                }
            }
            if !isRaw, try isLogged(vrm, keys) { found.insert("sightings/") }
            return found
        }

        /// Whether the sighting log has a mark.
        private func isLogged(_ vrm: VRM, _ keys: KeyRing) throws -> Bool {
            let parts = DataFolder.names(in: "\(data)/sightings").filter { $0.hasSuffix(".sightings") }
            let first = try #require(parts.first.flatMap { UInt64($0.dropLast(10)) })
            var reader = SightingLogReader("\(data)/sightings", keys: keys, from: first)
            while let run = try reader.read() {
                if run.batch.sightings.contains(where: { $0.vrm == vrm }) { return true }
                if run.batch.variants.contains(where: { $0.vrm == vrm }) { return true }
            }
            return false
        }
    }

    private static func read(_ force: String, _ vrm: String, _ time: Date, _ more: String = "") -> String {
        let text = time.ISO8601Format(.init(includingFractionalSeconds: true))
        return
            #"{"force":"\#(force)","camera":"\#(force)-1","vrm":"\#(vrm)","captured":"\#(text)","confidence":90\#(more)}"#
            + "\n"
    }

    /// An image in which the mark of its read can be found.
    private static func image(_ vrm: String) -> String {
        let jpeg = Data([0xFF, 0xD8, 0xFF]) + Data(vrm.utf8) + Data(repeating: 1, count: 300)
        return #","plateImage":"\#(jpeg.base64EncodedString())""#
    }

    @Test("of a purged mark no file has anything, and of one that stays, what its force may keep")
    func grep() throws {
        let scratch = try Scratch()
        let data = "\(scratch.path)/data"
        let now = Date()
        let (old, recent) = (now - 300 * 86400, now - 3 * 86400)
        _ = try scratch.write("force,camera,site\n43,43-1,S1\n44,44-1,S1\n", "cameras.csv")
        // AB27CDF is AB27CDE misread: merged into it. AB28CDE is another force's too, whose time is up sooner.
        let first =
            (0..<3).map { Self.read("43", "AB27CDE", old + Double($0) / 4, Self.image("AB27CDE")) }.joined()
            + Self.read("43", "AB27CDF", old + 1)
            + Self.read("43", "AB29CDE", recent, Self.image("AB29CDE"))
            // Of a camera that is not known, and so kept as it came.
            + Self.read("43", "AB31CDE", recent).replacing("43-1", with: "43-9")
        _ = try scratch.write(first, "a.ndjson")
        _ = try scratch.write("vrm\nAB29CDE\n", "wanted.csv")
        _ = try scratch.write(Self.read("44", "AB28CDE", recent), "b.ndjson")
        let config = try scratch.write(
            """
            node: north
            data: \(data)
            forces: [{ code: "43" }, { code: "44" }]
            cameras: cameras.csv
            deduplication: { variants: merge }
            interest: { lists: [{ name: wanted, path: wanted.csv }] }
            feeds:
              - { name: a, force: "43", path: a.ndjson }
              - { name: b, force: "44", path: b.ndjson }
            retention: [{ when: { force: "44" }, keep: 1d }, { keep: 6mo }]
            """,
            "north.yaml"
        )
        _ = try Program.succeed(["ingest", "--config", config])
        let search = Search(data: data)
        let raw = Search(data: data, isRaw: true)
        let marks = ["AB27CDE", "AB27CDF", "AB28CDE", "AB29CDE", "AB31CDE"]
        for mark in marks { #expect(try raw.files(with: mark).isEmpty, "\(mark)") }
        let recentFiles = try search.files(with: "AB29CDE")
        for folder in ["journal", "alerts", "images"] {
            #expect(recentFiles.contains { $0.hasPrefix("\(folder)/") }, "\(recentFiles)")
        }
        #expect(try search.files(with: "AB31CDE").contains { $0.hasPrefix("quarantine/") })
        // The journal lets go whole files: what lies beside the reads of the last day, with the next day's.
        #expect(try search.files(with: "AB27CDE").allSatisfy { $0.hasPrefix("journal/") })
        #expect(try search.files(with: "AB29CDE").contains { $0.hasSuffix(".segment") })
        #expect(try search.files(with: "AB29CDE").contains { $0.hasPrefix("journal/") })

        _ = try scratch.write(first + Self.read("43", "AB30CDE", now - 3600), "a.ndjson")
        _ = try Program.succeed(["ingest", "--config", config])
        for gone in ["AB27CDE", "AB27CDF", "AB28CDE"] {
            #expect(try search.files(with: gone).isEmpty, "\(gone)")
        }
        #expect(try search.files(with: "AB29CDE").contains { $0.hasSuffix(".segment") })
        for mark in marks + ["AB30CDE"] { #expect(try raw.files(with: mark).isEmpty, "\(mark)") }
        try FileKeys.expectNoneAstray(data)
        let report = try Program.run(["retention", "report", "--config", config])
        #expect(report.status == 0, "\(report.output)")
    }
}
