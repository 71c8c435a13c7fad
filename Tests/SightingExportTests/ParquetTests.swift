import ANPRModel
import Archive
import Foundation
import Simulation
import SightingExport
import TestSupport
import Testing

/// Sightings as Parquet have the values that they had.
struct ParquetTests {
    private typealias Cell = ParquetReader.Cell

    /// Sightings with and without all that can be absent, names with other letters among them.
    static func sightings(_ count: Int, seed: UInt64) -> ResolvedSightings {
        var random = SeededRandom(seed: seed)
        var found = ResolvedSightings()
        found.register = CameraRegister(
            (0..<12).map { place in
                let name = place == 3 ? "Brücke \"Nord\", 1" : "c\(place)"
                return Camera(force: place % 2 == 0 ? "43" : "44", name: name, site: "SITE-\(place / 2)")
            }
        )
        for row in 0..<count {
            let time = Timestamp(milliseconds: 1_768_000_000_000 + Int64(random.below(1_000_000_000)))
            let mark = "AB\(random.within(27...50))\(["CDE", "XYZ", "FGH"][random.below(3)])"
            let camera = CameraIndex(random.below(12))
            var sighting = Sighting(
                vrm: VRM(mark) ?? VRM(trusted: 0),
                first: time,
                last: Timestamp(milliseconds: time.milliseconds + Int64(random.below(9000))),
                captured: time,
                opened: time,
                camera: camera,
                reads: 0
            )
            sighting.confidence = random.chance(perMille: 100) ? -1 : Int8(random.within(0...100))
            sighting.lane = random.chance(perMille: 400) ? -1 : Int8(random.within(0...63))
            sighting.direction = UInt8(random.below(11))
            let parts = (0..<random.within(1...4)).map { _ in
                Contribution(
                    camera: CameraIndex(random.below(12)),
                    reads: UInt32(random.within(1...(random.chance(perMille: 10) ? 4_000_000_000 : 9))),
                    first: time,
                    confidence: random.chance(perMille: 300) ? -1 : Int8(random.within(0...100))
                )
            }
            sighting.reads = UInt32(min(4_294_967_295, parts.reduce(0) { $0 + Int($1.reads) }))
            found.batch.append(sighting)
            for part in parts { found.batch.append(part) }
            if random.chance(perMille: 50) { found.approximate.insert(row) }
        }
        return found
    }

    static func parquet(_ found: ResolvedSightings, rowsInGroup: Int = 50_000) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try SightingParquet(rowsInGroup: rowsInGroup).write(found) { bytes += $0 }
        return bytes
    }

    private static func number(_ value: Int8) -> Cell? { value < 0 ? nil : .number(Int(value)) }

    @Test(
        "a plain reader finds every value, in groups of any size",
        arguments: [(0, 10), (1, 10), (9, 3), (1000, 1000), (2500, 700), (3000, 50_000)]
    )
    func values(count: Int, rowsInGroup: Int) throws {
        let found = Self.sightings(count, seed: UInt64(count + 1))
        let file = try ParquetReader(try Self.parquet(found, rowsInGroup: rowsInGroup))
        #expect(file.rows == count)
        #expect(file.groups.allSatisfy { $0 <= rowsInGroup } && file.groups.reduce(0, +) == count)
        #expect(file.groups.count == (count + rowsInGroup - 1) / rowsInGroup)
        let sightings = found.batch.sightings
        let cameras = found.register.cameras
        let columns: [(String, Int, (Int) -> Cell?)] = [
            ("vrm", 0, { .text(sightings[$0].vrm.text) }),
            ("site", 0, { .text(found.register.siteName(of: sightings[$0].camera)) }),
            ("first", 0, { .number(Int(sightings[$0].first.milliseconds)) }),
            ("last", 0, { .number(Int(sightings[$0].last.milliseconds)) }),
            ("captured", 0, { .number(Int(sightings[$0].captured.milliseconds)) }),
            ("force", 0, { .text(cameras[Int(sightings[$0].camera)].force) }),
            ("camera", 0, { .text(cameras[Int(sightings[$0].camera)].name) }),
            ("confidence", 1, { Self.number(sightings[$0].confidence) }),
            ("direction", 1, { Direction(rawValue: sightings[$0].direction).map { .text($0.text) } }),
            ("lane", 1, { Self.number(sightings[$0].lane) }),
            ("reads", 0, { .number(Int(sightings[$0].reads)) }),
            ("approximate", 0, { .truth(found.approximate.contains($0)) }),
            ("id", 0, { .text(found.id(of: $0).text) }),
        ]
        for (name, definitionMax, value) in columns {
            let entries = try file.column(name, definitionMax: definitionMax, repetitionMax: 0)
            #expect(entries.map(\.cell) == sightings.indices.map(value), "\(name)")
        }
        let parts: [(String, Int, (Contribution) -> Cell?)] = [
            ("force", 1, { .text(cameras[Int($0.camera)].force) }),
            ("camera", 1, { .text(cameras[Int($0.camera)].name) }),
            ("reads", 1, { .number(Int($0.reads)) }),
            ("first", 1, { .number(Int($0.first.milliseconds)) }),
            ("confidence", 2, { Self.number($0.confidence) }),
        ]
        for (name, definitionMax, value) in parts {
            let path = "contributions.list.element.\(name)"
            let entries = try file.column(path, definitionMax: definitionMax, repetitionMax: 1)
            var lists: [[Cell?]] = []
            for entry in entries {
                if entry.repetition == 0 { lists.append([]) }
                #expect(entry.definition > 0)
                lists[lists.count - 1].append(entry.cell)
            }
            #expect(
                lists == sightings.indices.map { found.batch.contributions(of: $0).map(value) },
                "\(name)"
            )
        }
    }

    @Test("what repeats takes a dictionary; what does not stands plain")
    func dictionaries() throws {
        let found = Self.sightings(2000, seed: 4)
        let file = try ParquetReader(try Self.parquet(found))
        var isInDictionary: [String: Bool] = [:]
        for chunk in file.end[4]?.list.first?[1]?.list ?? [] {
            let name = chunk[3]?[3]?.list.compactMap(\.text).joined(separator: ".") ?? ""
            isInDictionary[name] = chunk[3]?[11] != nil
        }
        #expect(isInDictionary["site"] == true && isInDictionary["camera"] == true)
        #expect(isInDictionary["contributions.list.element.force"] == true)
        #expect(isInDictionary["id"] == false && isInDictionary["first"] == false)
    }

    private static let python = ProcessInfo.processInfo.environment["PARQUET_PYTHON"]

    @Test(
        "pyarrow finds every value, with its checksums; DuckDB, where it is there, the same",
        .enabled(if: python != nil, "PARQUET_PYTHON names no Python that has pyarrow")
    )
    func pyarrow() throws {
        let folder = try TemporaryFolder()
        let found = Self.sightings(5000, seed: 11)
        for rowsInGroup in [5000, 999] {
            let path = "\(folder.path)/\(rowsInGroup).parquet"
            try Data(try Self.parquet(found, rowsInGroup: rowsInGroup)).write(to: URL(fileURLWithPath: path))
            var lines: [UInt8] = []
            try SightingFormat.ndjson.write(found) { lines += $0 }
            try Data(lines).write(to: URL(fileURLWithPath: path + ".ndjson"))
            let errors = path + ".errors"
            let check = try ChildProcess(
                try #require(Self.python),
                ["-c", Self.script, path],
                errors: errors
            )
            #expect(check.wait() == 0, "\((try? String(contentsOfFile: errors, encoding: .utf8)) ?? "")")
        }
    }

    /// Holds a file, as both read it, against the same sightings as NDJSON.
    private static let script = """
        import datetime, json, sys
        import pyarrow.parquet as parquet
        table = parquet.read_table(sys.argv[1], page_checksum_verification=True)
        def text(value):
            if isinstance(value, datetime.datetime):
                value = value.astimezone(datetime.timezone.utc)
                return value.strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (value.microsecond // 1000)
            if isinstance(value, dict): return {k: text(v) for k, v in value.items() if v is not None}
            if isinstance(value, list): return [text(v) for v in value]
            return value
        def plain(row):
            row = text(row)
            if not row["approximate"]: del row["approximate"]
            return row
        expected = [json.loads(line) for line in open(sys.argv[1] + ".ndjson")]
        found = [plain(row) for row in table.to_pylist()]
        assert found == expected, [pair for pair in zip(found, expected) if pair[0] != pair[1]][:1]
        assert str(table.schema.field("captured").type) == "timestamp[ms, tz=UTC]"
        mark = expected[0]["vrm"]
        some = parquet.read_table(sys.argv[1], filters=[("vrm", "=", mark)])
        assert some.num_rows == sum(1 for row in expected if row["vrm"] == mark)
        try:
            import duckdb
        except ImportError:
            sys.exit(0)
        duckdb.sql("SET TimeZone = 'UTC'")
        rows = duckdb.sql(f"SELECT * FROM read_parquet('{sys.argv[1]}')").to_arrow_table()
        again = [plain(row) for row in rows.to_pylist()]
        assert again == expected, [pair for pair in zip(again, expected) if pair[0] != pair[1]][:1]
        few = duckdb.sql(f"SELECT count(*) FROM read_parquet('{sys.argv[1]}') WHERE vrm = '{mark}'").fetchall()[0][0]
        assert few == some.num_rows
        """
}
