import ANPRModel
import Archive

/// Sightings as a table for a terminal.
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
}
