import ANPRModel
public import Archive

/// Sightings as CSV (RFC 4180, line feeds alone).
///
/// `approximate` is `yes` or empty; contributions are `force/camera:reads`, separated by spaces.
public enum SightingCSV {
    private static let header =
        "vrm,site,first,last,captured,force,camera,confidence,direction,lane,reads,contributions,approximate\n"
    private static let pieceRows = 500

    /// Writes a header and a line for each sighting.
    ///
    /// - Parameter sink: is given the bytes piece by piece.
    public static func write(_ found: ResolvedSightings, to sink: ([UInt8]) throws -> Void) throws {
        var text = header
        for row in 0..<found.batch.count {
            text += fields(row, of: found).map(quoted).joined(separator: ",") + "\n"
            if row % pieceRows == pieceRows - 1 {
                try sink(Array(text.utf8))
                text = ""
            }
        }
        if !text.isEmpty { try sink(Array(text.utf8)) }
    }

    private static func fields(_ row: Int, of found: ResolvedSightings) -> [String] {
        let sighting = found.batch.sightings[row]
        let camera = found.register.cameras[Int(sighting.camera)]
        let parts = found.batch.contributions(of: row).map { part in
            let source = found.register.cameras[Int(part.camera)]
            return "\(source.force)/\(source.name):\(part.reads)"
        }
        return [
            sighting.vrm.text,
            camera.site,
            TimestampWriter.text(sighting.first),
            TimestampWriter.text(sighting.last),
            TimestampWriter.text(sighting.captured),
            camera.force,
            camera.name,
            sighting.confidence >= 0 ? "\(sighting.confidence)" : "",
            Direction(rawValue: sighting.direction)?.text ?? "",
            sighting.lane >= 0 ? "\(sighting.lane)" : "",
            "\(sighting.reads)",
            parts.joined(separator: " "),
            found.approximate.contains(row) ? "yes" : "",
        ]
    }

    /// A field, in quotes where it needs them.
    public static func quoted(_ field: String) -> String {
        // By bytes, as fields are many and few need any.
        let isSpecial = { (byte: UInt8) in byte == 0x22 || byte == 0x2C || byte == 0x0A || byte == 0x0D }
        guard field.utf8.contains(where: isSpecial) else { return field }
        return "\"" + field.replacing("\"", with: "\"\"") + "\""
    }
}
