import ANPRModel
import Archive
import Foundation
import TestSupport
import Testing

/// Searches by who contributed, where segments know different cameras.
struct ContributorSearchTests {
    private static let start: Int64 = 1_700_000_000_000

    /// A sighting, each camera of which gave one read.
    private static func append(
        _ mark: String,
        _ cameras: [CameraIndex],
        after milliseconds: Int64,
        revision: UInt16 = 0,
        to batch: inout SightingBatch
    ) throws {
        let time = Timestamp(milliseconds: start + milliseconds)
        var sighting = Sighting(
            vrm: try #require(VRM(mark)),
            first: time,
            last: time,
            captured: time,
            opened: time,
            camera: try #require(cameras.first),
            reads: UInt32(cameras.count)
        )
        sighting.revision = revision
        batch.append(sighting)
        for camera in cameras {
            batch.append(Contribution(camera: camera, reads: 1, first: time, confidence: 90))
        }
    }

    /// What is asked for, and what is found: mark, site and revision, oldest first.
    struct Case: Sendable, CustomTestStringConvertible {
        var force: String?
        var camera: String?
        var site: String?
        var mark: String?
        var found: [String]

        var testDescription: String {
            [force, camera, site, mark].map { $0 ?? "any" }.joined(separator: " ")
        }
    }

    static let cases = [
        Case(force: "43", found: ["AB27CDE S 1"]),
        Case(camera: "C", found: ["AB27CDE S 1"]),
        Case(force: "44", found: ["AB27CDE S 1", "AB27CDE T 0", "AB28CDE U 0"]),
        Case(camera: "D", found: ["AB27CDE S 1", "AB28CDE U 0"]),
        Case(force: "44", camera: "D", found: ["AB27CDE S 1", "AB28CDE U 0"]),
        Case(force: "44", camera: "E", found: ["AB27CDE T 0"]),
        // Both have the sighting, but no camera is both.
        Case(force: "43", camera: "D", found: []),
        Case(force: "45", camera: "D", found: []),
        Case(force: "45", found: []),
        Case(camera: "NONE", found: []),
        Case(force: "43", site: "T", found: []),
        Case(force: "44", site: "T", found: ["AB27CDE T 0"]),
        Case(force: "43", mark: "AB27CDE", found: ["AB27CDE S 1"]),
        Case(camera: "C", mark: "AB28CDE", found: []),
        Case(camera: "D", mark: "AB2*", found: ["AB27CDE S 1", "AB28CDE U 0"]),
    ]

    @Test(
        "a camera that joins later, one that moves, and two of one name: each finds its own",
        arguments: cases
    )
    func registers(of asked: Case) throws {
        let folder = try TemporaryFolder()
        let archiver = try Archiver(
            "\(folder.path)/archive",
            log: "\(folder.path)/sightings",
            catalogue: try Catalogue("\(folder.path)/catalogue.sqlite")
        )
        var register = CameraRegister([
            Camera(force: "44", name: "D", site: "S"), Camera(force: "44", name: "E", site: "T"),
            Camera(force: "45", name: "D", site: "T"),
        ])
        var filed: UInt64 = 0
        func file(_ batch: SightingBatch) throws {
            try archiver.take(batch, first: filed, register: register)
            try archiver.archiveGathered(register)
            filed += UInt64(batch.count)
        }
        var batch = SightingBatch()
        try Self.append("AB27CDE", [0], after: 0, to: &batch)
        try Self.append("AB27CDE", [1], after: 600_000, to: &batch)
        try file(batch)
        let joined = register.register([Camera(force: "43", name: "C", site: "S")])
        batch = SightingBatch()
        try Self.append("AB27CDE", joined + [0], after: 0, revision: 1, to: &batch)
        try file(batch)
        let moved = register.register([Camera(force: "44", name: "D", site: "U")])
        batch = SightingBatch()
        try Self.append("AB28CDE", moved, after: 1_200_000, to: &batch)
        try file(batch)
        for isMerged in [false, true] {
            if isMerged { try archiver.merge() }
            var query = SightingQuery()
            (query.force, query.camera) = (asked.force, asked.camera)
            query.sites = asked.site.map { [$0] } ?? []
            query.mark = asked.mark.flatMap { MarkPattern($0) }
            let found = try ArchiveSearch(data: folder.path).run(query)
            let texts = found.batch.sightings.map { sighting in
                "\(sighting.vrm.text) \(found.register.siteName(of: sighting.camera)) \(sighting.revision)"
            }
            #expect(texts.reversed() == asked.found, "merged: \(isMerged)")
        }
    }
}
