import ANPRModel
import Archive
import Deduplication
import Foundation
import Simulation
import SightingFrames
import TestSupport
import Testing

/// Searches for what looks like a mark, by area, and what is counted of what they find.
struct LookAlikeSearchTests {
    /// An archive of sightings of these marks, a second apart, at sites in turn.
    private struct Filled {
        let folder: TemporaryFolder
        let register: CameraRegister

        init(_ marks: [String], _ cameras: [Camera]) throws {
            folder = try TemporaryFolder()
            register = CameraRegister(cameras)
            let catalogue = try Catalogue("\(folder.path)/catalogue.sqlite")
            let archiver = try Archiver(
                "\(folder.path)/archive",
                log: "\(folder.path)/sightings",
                catalogue: catalogue
            )
            var batch = SightingBatch()
            for (place, mark) in marks.enumerated() {
                let camera = CameraIndex(place % cameras.count)
                let time = Timestamp(milliseconds: 1_700_000_000_000 + Int64(place) * 1000)
                batch.append(
                    Sighting(
                        vrm: try #require(VRM(mark)),
                        first: time,
                        last: time,
                        captured: time,
                        opened: time,
                        camera: camera,
                        reads: 1
                    )
                )
                batch.append(Contribution(camera: camera, reads: 1, first: time, confidence: 90))
            }
            try archiver.take(batch, first: 0, register: register)
            try archiver.archiveGathered(register)
        }

        func run(_ change: (inout SightingQuery) -> Void) throws -> ResolvedSightings {
            var query = SightingQuery()
            change(&query)
            return try ArchiveSearch(data: folder.path).run(query)
        }
    }

    /// A mark of few different characters, so that many are alike.
    private static func mark(_ random: inout SeededRandom) -> String {
        let characters = Array("0ODB81AZ")
        return String((0..<random.within(4...9)).map { _ in random.one(of: characters) })
    }

    @Test(
        "all marks like one are found, and only they, told apart from itself",
        arguments: [1, 2, 3] as [UInt64]
    )
    func alike(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var marks =
            (0..<1500).map { _ in Self.mark(&random) } + (0..<300).map { _ in "AB27CD\(random.below(10))" }
        marks += [
            "AB27CDE", "A827CDE", "AB27ODE", "A827CD", "B27CDE", "XAB27CDE", "AB27CDEX", "AB27CD", "AC27CDE",
        ]
        let filled = try Filled(marks, [Camera(force: "43", name: "a", site: "S1")])
        for mark in ["AB27CDE", "AB27CD"] + (0..<40).map({ _ in random.one(of: marks) }) {
            let asked = try #require(VRM(mark))
            let found = try filled.run { $0.mark = MarkPattern(alike: asked) }
            let expected = marks.filter { other in
                VRM(other).map { $0 == asked || LookAlike.areAlike($0, asked) } ?? false
            }
            #expect(found.batch.sightings.map(\.vrm.text).sorted() == expected.sorted(), "\(mark)")
            for (row, sighting) in found.batch.sightings.enumerated() {
                #expect(found.approximate.contains(row) == (sighting.vrm != asked))
            }
        }
    }

    @Test("the marks like one, told one by one, are those that are alike; too many are not told")
    func all() throws {
        var random = SeededRandom(seed: 4)
        for _ in 0..<60 {
            let mark = try #require(VRM(Self.mark(&random)))
            guard let all = LookAlike.all(like: mark, countMax: 100_000) else {
                #expect(mark.utf8.count > 6)
                continue
            }
            #expect(Set(all).count == all.count && all.contains(mark))
            #expect(all.allSatisfy { $0 == mark || LookAlike.areAlike($0, mark) })
            let other = try #require(VRM(Self.mark(&random)))
            #expect(all.contains(other) == (other == mark || LookAlike.areAlike(other, mark)))
        }
        #expect(LookAlike.all(like: try #require(VRM("000000000000")), countMax: 1 << 14) == nil)
        #expect(LookAlike.all(like: try #require(VRM("X")), countMax: 9) == [try #require(VRM("X"))])
    }

    /// The rule said once more, in the plainest way.
    private static func matches(_ text: Substring, _ pattern: Substring) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        if first == "*" {
            return matches(text, pattern.dropFirst()) || (!text.isEmpty && matches(text.dropFirst(), pattern))
        }
        guard let own = text.first, first == "?" || first == own else { return false }
        return matches(text.dropFirst(), pattern.dropFirst())
    }

    @Test(
        "? and * anywhere find what they stand for, of marks of any shape",
        arguments: [1, 2, 3] as [UInt64]
    )
    func patterns(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let letters = Array("ABC"), digits = Array("27")
        var marks = (0..<800).map { _ in
            String("LLDDLLL".map { $0 == "L" ? random.one(of: letters) : random.one(of: digits) })
        }
        marks += (0..<300).map { _ in
            String((0..<random.within(1...12)).map { _ in random.one(of: letters + digits) })
        }
        let filled = try Filled(marks, [Camera(force: "43", name: "a", site: "S1")])
        for _ in 0..<120 {
            var pattern = Array(random.one(of: marks))
            for _ in 0..<random.within(1...4) {
                let place = random.below(pattern.count)
                switch random.below(4) {
                case 0: pattern[place] = "*"
                case 1: pattern.insert("*", at: place)
                case 2: pattern[place] = random.one(of: letters + digits)
                default: pattern[place] = "?"
                }
            }
            let text = String(pattern)
            guard let mark = MarkPattern(text) else { continue }
            let found = try filled.run { $0.mark = mark }
            let expected = marks.filter { Self.matches($0[...], text[...]) }
            #expect(found.batch.sightings.map(\.vrm.text).sorted() == expected.sorted(), "\(text)")
        }
    }

    /// Cameras on a grid of a tenth of a degree.
    private static let grid = (0..<25).map { (place: Int32) in
        let (north, east): (Int32, Int32) = (place / 5, place % 5)
        return Camera(
            force: "43",
            name: "c\(place)",
            site: "S\(place)",
            latitude: 515_000_000 + north * 1_000_000,
            longitude: -12_000_000 + east * 1_000_000
        )
    }

    @Test("an area with any number of corners, also one that bends inwards")
    func areas() throws {
        let filled = try Filled((0..<25).map { "AB27CD\($0 % 10)" }, Self.grid)
        let cases = [
            ("51.45,-1.25 51.75,-1.25 51.75,-0.95 51.45,-0.95", [0, 1, 2, 5, 6, 7, 10, 11, 12]),
            // An L: without the upper right part.
            (
                "51.45,-1.25 51.75,-1.25 51.75,-1.15 51.55,-1.15 51.55,-0.95 51.45,-0.95",
                [0, 1, 2, 5, 10]
            ),
            ("51.45,-1.25 51.66,-1.25 51.45,-1.04", [0, 1, 5]),
        ]
        for (text, expected) in cases {
            let area = try #require(SightingQuery.Polygon(text))
            let found = try filled.run { $0.within = area }
            let sites = found.batch.sightings.map { filled.register.siteName(of: $0.camera) }
            #expect(sites.sorted() == expected.map { "S\($0)" }.sorted(), "\(text)")
        }
        for text in ["", "51,1 52,2", "51,1 52,2 91,0", "51,1 52,2 x,0", "51,1 52,2 3"] {
            #expect(SightingQuery.Polygon(text) == nil, "\(text)")
        }
    }

    @Test("what is found is counted by mark, site, day and force, with the first and the last of each")
    func summaries() throws {
        let cameras = [
            Camera(force: "43", name: "a", site: "S1"), Camera(force: "44", name: "b", site: "S2"),
        ]
        let filled = try Filled(["AB27CDE", "A827CDE", "AB27CDE", "AB27CDE", "XY28XYZ"], cameras)
        let mark = try #require(VRM("AB27CDE"))
        let found = try filled.run { $0.mark = MarkPattern(alike: mark) }
        let marks = SightingSummary(of: found, by: .vrm).groups
        #expect(marks.map(\.value) == ["AB27CDE", "A827CDE"] && marks.map(\.sightings) == [3, 1])
        #expect(marks.map(\.isApproximate) == [false, true])
        #expect(marks[0].first.milliseconds == 1_700_000_000_000)
        #expect(marks[0].last.milliseconds == 1_700_000_003_000)
        #expect(SightingSummary(of: found, by: .site).groups.map(\.value) == ["S1", "S2"])
        #expect(SightingSummary(of: found, by: .force).groups.map(\.sightings) == [2, 2])
        #expect(SightingSummary(of: found, by: .day).groups.map(\.value) == ["2023-11-14"])
        #expect(SightingSummary(of: found, by: .weekday).groups.map(\.value) == ["2 Tue"])
        #expect(SightingSummary(of: found, by: .hour).groups.map(\.value) == ["22:00"])
        #expect(found.newest(2).batch.sightings.map(\.vrm.text) == ["AB27CDE", "AB27CDE"])
        #expect(found.newest(3).approximate == [2])
    }
}
