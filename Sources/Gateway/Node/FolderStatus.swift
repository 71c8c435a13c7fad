import ANPRModel
import Archive
import SightingFrames

/// What a data folder shows of its node, whether it runs or not.
package struct FolderStatus {
    /// The status as one JSON object.
    package let json: String

    /// Looks at a folder; changes nothing.
    package init(_ folder: String) throws {
        let catalogue = try Catalogue("\(folder)/catalogue.sqlite", isReadOnly: true)
        let node = try catalogue.meta("node") ?? ""
        let snapshot = try catalogue.snapshot()
        let logged = try SightingLog.end(
            of: "\(folder)/sightings",
            keys: KeyRing(data: folder, catalogue)
        )
        let links = try catalogue.cursors().filter { $0.name.hasPrefix("forward:") }.map { cursor in
            let to = JSONText.quoted(String(cursor.name.dropFirst(8)))
            return "{\"to\":\(to),\"waiting\":\(logged > cursor.sequence ? logged - cursor.sequence : 0)}"
        }
        let applied = try catalogue.lastRetention().map { JSONText.quoted(TimestampWriter.text($0.at)) }
        json = """
            {"node":\(JSONText.quoted(node)),"isRunning":\(DataLock.holder(of: folder) != nil),"logged":\(logged),\
            "archived":\(snapshot.segments.reduce(0) { $0 + $1.rows }),\
            "archiveBytes":\(snapshot.bytes),"segments":\(snapshot.segments.count),\
            "retentionApplied":\(applied ?? "null"),"holds":\(try catalogue.activeHolds().holds.count),\
            "links":[\(links.joined(separator: ","))]}
            """
    }
}
