import ANPRModel
public import Archive
import Compression

/// Sightings as an Apache Parquet file, for tools that read columns.
///
/// Times are milliseconds in UTC. What is not known is null. Rows come in groups, each of which a reader can take by itself;
/// every page carries a checksum. The columns and how they are written are drawn in `SightingExport.docc/Parquet.md`.
public struct SightingParquet {
    private let rowsInGroup: Int

    private static let magic = Array("PAR1".utf8)
    private static let path = ["contributions", "list", "element"]

    private static let schema = ParquetField(
        name: "sightings",
        kind: .group([
            ParquetField(name: "vrm", kind: .text),
            ParquetField(name: "site", kind: .text),
            ParquetField(name: "first", kind: .time),
            ParquetField(name: "last", kind: .time),
            ParquetField(name: "captured", kind: .time),
            ParquetField(name: "force", kind: .text),
            ParquetField(name: "camera", kind: .text),
            ParquetField(name: "confidence", kind: .number, repetition: .optional),
            ParquetField(name: "direction", kind: .text, repetition: .optional),
            ParquetField(name: "lane", kind: .number, repetition: .optional),
            ParquetField(name: "reads", kind: .long),
            ParquetField(name: "approximate", kind: .boolean),
            ParquetField(name: "id", kind: .text),
            ParquetField(name: "contributions", kind: .list([list])),
        ])
    )

    private static let list = ParquetField(
        name: "list",
        kind: .group([
            ParquetField(
                name: "element",
                kind: .group([
                    ParquetField(name: "force", kind: .text),
                    ParquetField(name: "camera", kind: .text),
                    ParquetField(name: "reads", kind: .long),
                    ParquetField(name: "first", kind: .time),
                    ParquetField(name: "confidence", kind: .number, repetition: .optional),
                ])
            )
        ]),
        repetition: .repeated
    )

    /// A writer.
    ///
    /// - Parameter rowsInGroup: how many sightings stand in a group; one at least.
    public init(rowsInGroup: Int = 50_000) { self.rowsInGroup = max(1, rowsInGroup) }

    /// Writes a file of sightings in their order.
    ///
    /// - Parameter sink: is given the bytes piece by piece.
    /// - Throws: what `sink` throws, and `CompressionError` where zlib has no memory.
    /// - Complexity: O(sightings) time, room for one group.
    public func write(_ found: ResolvedSightings, to sink: ([UInt8]) throws -> Void) throws {
        let deflater = try Deflater(wrapper: .gzip)
        try sink(Self.magic)
        var length = Self.magic.count
        var groups: [Group] = []
        for start in stride(from: 0, to: found.batch.count, by: rowsInGroup) {
            let rows = start..<min(found.batch.count, start + rowsInGroup)
            var group = Group(rows: rows.count, start: length)
            for column in Self.columns(found, rows) {
                var chunk = try ParquetChunk(column, deflater)
                try sink(chunk.bytes)
                chunk.letGo()
                group.chunks.append((chunk, length))
                length += chunk.length
            }
            groups.append(group)
        }
        let end = Self.end(found.batch.count, groups)
        var tail = end
        tail.put(UInt64(end.count), bytes: 4)
        try sink(tail + Self.magic)
    }

    /// What is remembered of a group of rows.
    private struct Group {
        let rows: Int
        let start: Int
        var chunks: [(chunk: ParquetChunk, start: Int)] = []

        var packed: Int { chunks.reduce(0) { $0 + $1.chunk.length } }
        var plain: Int { chunks.reduce(0) { $0 + $1.chunk.plainLength } }

        init(rows: Int, start: Int) { (self.rows, self.start) = (rows, start) }
    }

    private static func end(_ rows: Int, _ groups: [Group]) -> [UInt8] {
        let fields = schema.flattened
        return ThriftWriter.structure { file in
            file.put(1, 2)
            file.put(2, each: fields) { $1.write(to: &$0) }
            file.put(3, long: rows)
            file.put(4, each: groups) { writer, group in
                writer.put(1, each: group.chunks) { $1.chunk.write(to: &$0, start: $1.start) }
                writer.put(2, long: group.plain)
                writer.put(3, long: group.rows)
                writer.put(5, long: group.start)
                writer.put(6, long: group.packed)
            }
            file.put(6, "anpr")
            // Least and greatest values are by the order of their type: without it readers don't use them.
            file.put(7, each: fields.filter { $0.physical != nil }) { writer, _ in writer.put(1) { _ in } }
        }
    }
}

extension SightingParquet {
    private static func columns(_ found: ResolvedSightings, _ rows: Range<Int>) -> [ParquetColumn] {
        let sightings = found.batch.sightings[rows]
        let register = found.register
        let time = { (name: String, of: KeyPath<Sighting, Timestamp>) in
            ParquetColumn(
                path: [name],
                physical: 2,
                values: .longs(sightings.map { $0[keyPath: of].milliseconds })
            )
        }
        let text = { (name: String, of: (Sighting) -> String) in
            ParquetColumn(path: [name], physical: 6, values: .texts(sightings.map(of)))
        }
        let number = { (name: String, of: (Sighting) -> Int8) in
            let values = sightings.map(of)
            return optional(
                name,
                values.map { $0 >= 0 },
                1,
                .numbers(values.filter { $0 >= 0 }.map(Int32.init))
            )
        }
        let directions = sightings.map { Direction(rawValue: $0.direction) }
        return [
            text("vrm") { $0.vrm.text },
            text("site") { register.siteName(of: $0.camera) },
            time("first", \.first),
            time("last", \.last),
            time("captured", \.captured),
            text("force") { register.cameras[Int($0.camera)].force },
            text("camera") { register.cameras[Int($0.camera)].name },
            number("confidence", \.confidence),
            optional(
                "direction",
                directions.map { $0 != nil },
                6,
                .texts(directions.compactMap(\.self).map(\.text))
            ),
            number("lane", \.lane),
            ParquetColumn(path: ["reads"], physical: 2, values: .longs(sightings.map { Int64($0.reads) })),
            ParquetColumn(
                path: ["approximate"],
                physical: 0,
                values: .booleans(rows.map(found.approximate.contains))
            ),
            ParquetColumn(path: ["id"], physical: 6, values: .texts(rows.map { found.id(of: $0).text })),
        ] + contributions(found, rows)
    }

    private static func optional(
        _ name: String,
        _ isThere: [Bool],
        _ physical: Int,
        _ values: ParquetColumn.Values
    ) -> ParquetColumn {
        ParquetColumn(
            path: [name],
            physical: physical,
            values: values,
            definitions: isThere.map { $0 ? 1 : 0 },
            definitionMax: 1
        )
    }

    /// The columns of the list: a sighting without any contribution, which none is, would be an empty list.
    private static func contributions(_ found: ResolvedSightings, _ rows: Range<Int>) -> [ParquetColumn] {
        var parts: [Contribution] = []
        var repetitions: [UInt32] = []
        var definitions: [UInt32] = []
        for row in rows {
            let own = found.batch.contributions(of: row)
            parts += own
            repetitions += [0] + repeatElement(1, count: max(0, own.count - 1))
            definitions += repeatElement(own.isEmpty ? 0 : 1, count: max(1, own.count))
        }
        let cameras = found.register.cameras
        let column = { (name: String, physical: Int, values: ParquetColumn.Values) in
            ParquetColumn(
                path: path + [name],
                physical: physical,
                values: values,
                definitions: definitions,
                definitionMax: 1,
                repetitions: repetitions
            )
        }
        let known = parts.filter { $0.confidence >= 0 }
        var confidence = column("confidence", 1, .numbers(known.map { Int32($0.confidence) }))
        confidence.definitionMax = 2
        var next = parts.makeIterator()
        confidence.definitions = definitions.map { level in
            guard level > 0, let part = next.next() else { return level }
            return part.confidence >= 0 ? 2 : 1
        }
        return [
            column("force", 6, .texts(parts.map { cameras[Int($0.camera)].force })),
            column("camera", 6, .texts(parts.map { cameras[Int($0.camera)].name })),
            column("reads", 2, .longs(parts.map { Int64($0.reads) })),
            column("first", 2, .longs(parts.map { $0.first.milliseconds })),
            confidence,
        ]
    }
}
