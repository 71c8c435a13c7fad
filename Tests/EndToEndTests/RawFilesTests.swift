import ANPRModel
import Archive
import Foundation
import TestSupport
import Testing

/// What is left on disk of what retention let go: nothing, whichever file is looked into.
struct RawFilesTests {
    /// Looks for marks in every file of a data folder: in segments in what they unpack to, in all files as text and as the
    /// eight bytes of a packed mark, in either order.
    private struct Search {
        let data: String

        /// The files, within the folder, that have a mark.
        func files(with mark: String) throws -> Set<String> {
            let vrm = try #require(VRM(mark))
            let packed = (0..<8).map { UInt8(truncatingIfNeeded: vrm.packed >> (8 * $0)) }
            let needles = [Data(mark.utf8), Data(packed), Data(packed.reversed())]
            var found: Set<String> = []
            for name in try FileManager.default.subpathsOfDirectory(atPath: data) {
                let path = "\(data)/\(name)"
                guard let bytes = FileManager.default.contents(atPath: path), !bytes.isEmpty else { continue }
                if needles.contains(where: { bytes.range(of: $0) != nil }) { found.insert(name) }
                if name.hasSuffix(".segment") {
                    let contents = try #require(try SegmentContents(path))
                    if contents.batch.sightings.contains(where: { $0.vrm == vrm }) { found.insert(name) }
                    if contents.batch.variants.contains(where: { $0.vrm == vrm }) { found.insert(name) }
                }
                if name.hasSuffix(".marks") {
                    if try #require(try MarkIndexContents(path)).marks.contains(vrm) { found.insert(name) }
                }
            }
            return found
        }
    }

    private static func read(_ force: String, _ vrm: String, _ time: Date) -> String {
        let text = time.ISO8601Format(.init(includingFractionalSeconds: true))
        return
            #"{"force":"\#(force)","camera":"\#(force)-1","vrm":"\#(vrm)","captured":"\#(text)","confidence":90}"#
            + "\n"
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
            (0..<3).map { Self.read("43", "AB27CDE", old + Double($0) / 4) }.joined()
            + Self.read("43", "AB27CDF", old + 1) + Self.read("43", "AB29CDE", recent)
        _ = try scratch.write(first, "a.ndjson")
        _ = try scratch.write(Self.read("44", "AB28CDE", recent), "b.ndjson")
        let config = try scratch.write(
            """
            node: north
            data: \(data)
            forces: [{ code: "43" }, { code: "44" }]
            cameras: cameras.csv
            deduplication: { variants: merge }
            feeds:
              - { name: a, force: "43", path: a.ndjson }
              - { name: b, force: "44", path: b.ndjson }
            retention: [{ when: { force: "44" }, keep: 1d }, { keep: 6mo }]
            """,
            "north.yaml"
        )
        _ = try Program.succeed(["ingest", "--config", config])
        let search = Search(data: data)
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
        let report = try Program.run(["retention", "report", "--config", config])
        #expect(report.status == 0, "\(report.output)")
    }
}
