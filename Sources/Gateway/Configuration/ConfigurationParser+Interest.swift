import Archive
import Foundation
package import Interest
import Yams

extension NodeConfiguration {
    /// Which vehicles a node looks out for, and whom it tells.
    package struct Interest: Sendable, Equatable {
        /// A list's file.
        package struct List: Sendable, Equatable {
            /// Its name.
            package var name: String
            /// The CSV file.
            package var path: String
            /// Whether marks that look like an entry's are reported too.
            package var takesAlike: Bool
        }

        /// A service that alerts are posted to.
        package struct Webhook: Sendable, Equatable {
            /// Names it for good: under this name it is remembered what it has.
            package var name: String
            /// Where to post.
            package var url: String
            /// The file of the bearer token, if it asks for one.
            package var tokenFile: String?
        }

        /// Who may follow the alerts over HTTP.
        package struct Subscriber: Sendable, Equatable {
            /// The name in the audit log.
            package var name: String
            /// The SHA-256 of the token.
            package var sha256: [UInt8]
        }

        /// The lists.
        package var lists: [List] = []
        /// Where the alert log is kept.
        package var folder = ""
        /// Services that are told.
        package var webhooks: [Webhook] = []
        /// Who may follow.
        package var subscribers: [Subscriber] = []

        /// Reads the lists' files.
        ///
        /// - Throws: what makes a file unusable.
        package func load() throws -> [InterestList] {
            try lists.map { list in
                let entries = try InterestListFile.entries(try DataFile(list.path, .read).contents())
                return InterestList(name: list.name, takesAlike: list.takesAlike, entries: entries)
            }
        }
    }
}

extension ConfigurationParser {
    mutating func parseInterest(_ node: Node) {
        let known = ["lists", "folder", "webhooks", "subscribers"]
        let members = reader.members(node, of: "interest", known: known)
        var interest = NodeConfiguration.Interest()
        interest.folder =
            members["folder"].flatMap { reader.text($0, "folder of interest") }.map(resolved)
            ?? configuration.data + "/alerts"
        interest.lists = reader.items(members["lists"], of: "lists").compactMap(interestList)
        // A node that receives may keep alerts of others only.
        if interest.lists.isEmpty, configuration.receive == nil {
            reader.note("interest names no lists", at: node)
        }
        interest.webhooks = reader.items(members["webhooks"], of: "webhooks").compactMap(webhook)
        interest.subscribers = reader.items(members["subscribers"], of: "subscribers").compactMap(subscriber)
        noteRepeats(interest.lists.map(\.name), "list", node)
        noteRepeats(interest.webhooks.map(\.name), "webhook", node)
        noteRepeats(interest.subscribers.map(\.name), "subscriber", node)
        configuration.interest = interest
    }

    private func noteRepeats(_ names: [String], _ what: String, _ node: Node) {
        for (place, name) in names.enumerated() where names[..<place].contains(name) {
            reader.note("\(what) \(name) is there twice", at: node)
        }
    }

    private func interestList(_ item: Node) -> NodeConfiguration.Interest.List? {
        let members = reader.members(item, of: "a list", known: ["name", "path", "match"])
        guard let name = reader.text(members["name"], "a list's name", in: item),
            let path = reader.text(members["path"], "path of list \(name)", in: item).map(resolved)
        else { return nil }
        let match = members["match"].flatMap { reader.text($0, "match of list \(name)") } ?? "exact"
        if match != "exact", match != "alike" {
            reader.note("match of list \(name) must be exact or alike", at: members["match"])
        }
        let list = NodeConfiguration.Interest.List(name: name, path: path, takesAlike: match == "alike")
        do {
            _ = try InterestListFile.entries(try DataFile(path, .read).contents())
        } catch let error as InterestListFile.Faults {
            for fault in error.faults.prefix(20) { reader.note("list \(name): \(path): \(fault)", at: item) }
        } catch {
            reader.note("list \(name): \(path) can't be read", at: item)
        }
        return list
    }

    private func webhook(_ item: Node) -> NodeConfiguration.Interest.Webhook? {
        let members = reader.members(item, of: "a webhook", known: ["name", "url", "tokenFile"])
        guard let name = reader.text(members["name"], "a webhook's name", in: item),
            let url = reader.text(members["url"], "url of webhook \(name)", in: item)
        else { return nil }
        let parts = URLComponents(string: url)
        guard let scheme = parts?.scheme, ["http", "https"].contains(scheme), parts?.host?.isEmpty == false
        else {
            reader.note("url of webhook \(name) is no http or https address", at: members["url"])
            return nil
        }
        let tokenFile = members["tokenFile"].flatMap { reader.text($0, "tokenFile of webhook \(name)") }
            .map(resolved)
        if let tokenFile, !FileManager.default.isReadableFile(atPath: tokenFile) {
            reader.note("tokenFile of webhook \(name): \(tokenFile) can't be read", at: members["tokenFile"])
        }
        return .init(name: name, url: url, tokenFile: tokenFile)
    }

    private func subscriber(_ item: Node) -> NodeConfiguration.Interest.Subscriber? {
        let members = reader.members(item, of: "a subscriber", known: ["name", "token"])
        guard let name = reader.text(members["name"], "a subscriber's name", in: item) else { return nil }
        guard let token = members["token"] else {
            reader.note("token of subscriber \(name) is missing", at: item)
            return nil
        }
        return hash(token, of: "subscriber \(name)").map { .init(name: name, sha256: $0) }
    }
}
