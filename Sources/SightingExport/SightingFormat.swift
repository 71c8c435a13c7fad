import ANPRModel
public import Archive

/// How sightings are written down for others.
public enum SightingFormat: String, Sendable, CaseIterable {
    /// A JSON object a line, as everywhere in the engine; all that is known of a sighting.
    case ndjson
    /// A header and a line each, contributions in one field.
    case csv
    /// Apache Parquet, as `SightingExport.docc/Parquet.md` draws it.
    case parquet

    /// Writes sightings in their order.
    ///
    /// - Parameter sink: is given the bytes piece by piece.
    /// - Throws: what `sink` throws; of Parquet also `CompressionError` where zlib has no memory.
    /// - Complexity: O(sightings); text needs room for a piece, Parquet for a group of rows.
    public func write(_ found: ResolvedSightings, to sink: ([UInt8]) throws -> Void) throws {
        switch self {
        case .ndjson: try Self.ndjson(found, to: sink)
        case .csv: try SightingCSV.write(found, to: sink)
        case .parquet: try SightingParquet().write(found, to: sink)
        }
    }

    private static let pieceLength = 60_000

    private static func ndjson(_ found: ResolvedSightings, to sink: ([UInt8]) throws -> Void) throws {
        var writer = SightingNDJSON(register: found.register)
        var text = ByteWriter()
        for index in 0..<found.batch.count {
            let isApproximate = found.approximate.contains(index)
            writer.append(index, of: found.batch, isApproximate: isApproximate, to: &text)
            if text.count > pieceLength { try sink(text.take()) }
        }
        if text.count > 0 { try sink(text.take()) }
    }
}
