import Archive
import Foundation
import Yams

extension ConfigurationParser {
    /// Reads `encryption`: `off`, or where the master key comes from.
    mutating func parseEncryption(_ node: Node) {
        if let text = node.scalar?.string {
            switch text {
            case "off", "false": configuration.isEncrypted = false
            case "on", "true": break
            default:
                reader.note("encryption: '\(text)' is not known; there are on, off and masterKey", at: node)
            }
            return
        }
        let members = reader.members(node, of: "encryption", known: ["masterKey"])
        guard let key = members["masterKey"] else {
            return reader.note("encryption: masterKey is missing", at: node)
        }
        let sources = reader.members(key, of: "masterKey", known: ["file", "command"])
        switch (sources["file"], sources["command"]) {
        case (let file?, nil):
            configuration.masterKey = reader.text(file, "file of masterKey").map { .file(absolute($0)) }
        case (nil, let command?):
            configuration.masterKey = reader.text(command, "command of masterKey").map { .command($0) }
        default: reader.note("masterKey takes a file or a command", at: key)
        }
    }

    /// A path that other processes find too, from wherever they run.
    private func absolute(_ path: String) -> String {
        let resolved = resolved(path)
        return resolved.hasPrefix("/") ? resolved : "\(FileManager.default.currentDirectoryPath)/\(resolved)"
    }
}
