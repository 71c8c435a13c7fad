import ANPRModel
import Archive

/// Sightings as a table for a terminal, or as CSV.
enum SightingTable {
    private static let titles = [
        "captured (UTC)", "vrm", "site", "camera", "dir", "lane", "conf", "reads", "seen by",
    ]

    /// A table with its columns aligned; `~` marks what was read under another mark.
    static func text(_ found: ResolvedSightings) -> String {
        guard !found.batch.isEmpty else { return "" }
        return TextTable.text([titles] + (0..<found.batch.count).map { row($0, found) })
    }

    private static func row(_ index: Int, _ found: ResolvedSightings) -> [String] {
        let sighting = found.batch.sightings[index]
        let register = found.register
        var forces: [String] = []
        for part in found.batch.contributions(of: index) {
            let force = register.cameras[Int(part.camera)].force
            if forces.last != force { forces.append(force) }
        }
        var time = TimestampWriter.text(sighting.captured)
        time = time.replacing("T", with: " ").replacing("Z", with: "")
        return [
            time,
            (found.approximate.contains(index) ? "~" : "") + sighting.vrm.text,
            register.siteName(of: sighting.camera),
            register.cameras[Int(sighting.camera)].name,
            Direction(rawValue: sighting.direction)?.text ?? "-",
            sighting.lane >= 0 ? "\(sighting.lane)" : "-",
            sighting.confidence >= 0 ? "\(sighting.confidence)" : "-",
            "\(sighting.reads)",
            forces.joined(separator: "+"),
        ]
    }

    /// CSV with a header row; `approximate` is `yes` or empty; contributions as `force/camera:reads`, separated by spaces.
    static func csv(_ found: ResolvedSightings) -> String {
        var text =
            "vrm,site,first,last,captured,force,camera,confidence,direction,lane,reads,contributions,approximate\n"
        let register = found.register
        for index in 0..<found.batch.count {
            let sighting = found.batch.sightings[index]
            let camera = register.cameras[Int(sighting.camera)]
            let parts = found.batch.contributions(of: index).map { part in
                let source = register.cameras[Int(part.camera)]
                return "\(source.force)/\(source.name):\(part.reads)"
            }
            let fields = [
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
                found.approximate.contains(index) ? "yes" : "",
            ]
            text += fields.map(quoted).joined(separator: ",") + "\n"
        }
        return text
    }

    /// A field of CSV.
    static func quoted(_ field: String) -> String {
        guard field.contains(where: { "\",\r\n".contains($0) }) else { return field }
        return "\"" + field.replacing("\"", with: "\"\"") + "\""
    }
}
