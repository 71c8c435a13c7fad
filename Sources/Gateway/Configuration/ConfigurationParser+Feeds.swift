import FeedDecoding
import Foundation
import Yams

extension ConfigurationParser {
    private static let sources = ["file", "http", "bof2", "tcp", "directory", "stdin"]
    private static let known = [
        "name", "force", "forces", "source", "path", "format", "timeZone", "token", "tokenInQuery",
        "clientCertificate", "bodyMax", "listen", "acknowledge", "done", "rejected", "settle", "camera",
        "dateOrder", "epochIsLocal", "mapping",
    ]

    mutating func parseFeeds(_ node: Node?) {
        for item in reader.items(node, of: "feeds") {
            let members = reader.members(item, of: "a feed", known: Self.known)
            guard let name = reader.text(members["name"], "a feed's name", in: item) else { continue }
            if configuration.feeds.contains(where: { $0.name == name }) {
                reader.note("feed \(name) is there twice", at: item)
            }
            var feed = NodeConfiguration.Feed(name: name, forces: forces(of: name, members, item))
            feed.format = format(of: name, members["format"])
            feed.images = configuration.images
            feed.timeZone = timeZone(of: name, members["timeZone"])
            parseRecords(of: &feed, members, item)
            parseSource(of: &feed, members, item)
            configuration.feeds.append(feed)
        }
    }

    /// What the formats of vendors leave open.
    private func parseRecords(of feed: inout NodeConfiguration.Feed, _ members: [String: Node], _ item: Node)
    {
        let name = feed.name
        feed.camera = members["camera"].flatMap { reader.text($0, "camera of feed \(name)") }
        feed.epochIsLocal = flag(members["epochIsLocal"], "epochIsLocal of feed \(name)")
        if let node = members["dateOrder"], let text = reader.text(node, "dateOrder of feed \(name)") {
            feed.dateOrder = DateOrder(rawValue: text)
            if feed.dateOrder == nil {
                let known = DateOrder.allCases.map(\.rawValue).joined(separator: " or ")
                reader.note("dateOrder of feed \(name) must be \(known)", at: node)
            }
        }
        if let node = members["mapping"] {
            do throws(FeedMapping.Problems) {
                feed.mapping = try FeedMapping(parsing: node.document)
            } catch {
                for text in error.texts { reader.note("mapping of feed \(name): \(text)", at: node) }
            }
        }
        if feed.format == .mapped, members["mapping"] == nil {
            reader.note("mapping of feed \(name) is missing: its format is mapped", at: item)
        }
        if let format = feed.format, format != .ndjson, format != .csv, format != .mapped,
            feed.forces.count > 1
        {
            reader.note(
                "feed \(name): a \(format.rawValue) feed carries no force, so it is of one force",
                at: item
            )
        }
    }

    private func parseSource(of feed: inout NodeConfiguration.Feed, _ members: [String: Node], _ item: Node) {
        let name = feed.name
        let source = members["source"].flatMap { reader.text($0, "source of feed \(name)") } ?? "file"
        guard Self.sources.contains(source) else {
            let known = Self.sources.joined(separator: ", ")
            return reader.note(
                "source of feed \(name): '\(source)' is not known; there are \(known)",
                at: members["source"]
            )
        }
        if source == "file" || source == "directory" {
            feed.path = reader.text(members["path"], "path of feed \(name)", in: item).map(resolved)
        } else if source == "bof2" {
            feed.format = .bof2
        } else if feed.format == nil, members["format"] == nil {
            reader.note("format of feed \(name) is missing: no file name tells it", at: item)
        }
        if source != "http", let node = members["clientCertificate"] {
            reader.note("clientCertificate of feed \(name): only a feed with source http has one", at: node)
        }
        switch source {
        case "http":
            feed.source = .http
            feed.clientCertificate = clientCertificate(of: name, members)
            if members["token"] != nil || members["clientCertificate"] == nil {
                feed.token = token(of: name, members, item)
            }
            if let most = reader.integer(members["bodyMax"], "bodyMax of feed \(name)", 1024...1 << 32) {
                feed.bodyMax = most
            }
        case "bof2":
            feed.source = .bof2
            feed.token = token(of: name, members, item)
        case "tcp":
            guard let address = address(members["listen"], "listen of feed \(name)", in: item) else { return }
            feed.source = .tcp(
                address,
                acknowledges: flag(members["acknowledge"], "acknowledge of feed \(name)")
            )
        case "directory": feed.source = .directory(dropFolder(of: feed, members))
        case "stdin": feed.source = .input
        default: break
        }
    }

    private func flag(_ node: Node?, _ what: String) -> Bool {
        guard let node else { return false }
        if let value = node.bool { return value }
        reader.note("\(what) must be true or false", at: node)
        return false
    }

    private func token(of feed: String, _ members: [String: Node], _ item: Node) -> NodeConfiguration
        .FeedToken?
    {
        guard let node = members["token"] else {
            reader.note("token of feed \(feed) is missing: without one nobody may post to it", at: item)
            return nil
        }
        return hash(node, of: "feed \(feed)").map {
            .init(sha256: $0, isTakenFromQuery: flag(members["tokenInQuery"], "tokenInQuery of feed \(feed)"))
        }
    }

    /// `token: { sha256: … }`: what is kept of a token.
    func hash(_ node: Node, of what: String) -> [UInt8]? {
        let own = reader.members(node, of: "token of \(what)", known: ["sha256"])
        guard let text = reader.text(own["sha256"], "sha256 of \(what)", in: node) else { return nil }
        let digits = text.compactMap(\.hexDigitValue)
        guard text.count == 64, digits.count == 64 else {
            reader.note("sha256 of \(what) must be 64 hexadecimal digits", at: own["sha256"])
            return nil
        }
        return stride(from: 0, to: 64, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    private func clientCertificate(of feed: String, _ members: [String: Node]) -> String? {
        guard let node = members["clientCertificate"] else { return nil }
        if configuration.httpTLS?.trust == nil {
            reader.note(
                "clientCertificate of feed \(feed): http has no tls with trust to hold certificates against",
                at: node
            )
        }
        return reader.text(node, "clientCertificate of feed \(feed)")
    }

    private func dropFolder(of feed: NodeConfiguration.Feed, _ members: [String: Node])
        -> NodeConfiguration.DropFolderRules
    {
        let path = feed.path ?? ""
        let named = { (name: String) in
            members[name].flatMap { reader.text($0, "\(name) of feed \(feed.name)") }.map(resolved)
        }
        return .init(
            done: named("done") ?? path + "/done",
            rejected: named("rejected") ?? path + "/rejected",
            settle: reader.duration(members["settle"], "settle of feed \(feed.name)", 0...3_600_000) ?? 2000
        )
    }

    private func format(of feed: String, _ node: Node?) -> FeedFormat? {
        guard let node, let text = reader.text(node, "format of feed \(feed)") else { return nil }
        if let format = FeedFormat(rawValue: text) { return format }
        let known = FeedFormat.allCases.map(\.rawValue).joined(separator: ", ")
        reader.note("format of feed \(feed): '\(text)' is not known; there are \(known)", at: node)
        return nil
    }

    private func timeZone(of feed: String, _ node: Node?) -> String? {
        guard let node, let text = reader.text(node, "timeZone of feed \(feed)") else { return nil }
        if TimeZone(identifier: text) == nil {
            reader.note("timeZone of feed \(feed): '\(text)' is no zone such as Europe/London", at: node)
        }
        return text
    }

    /// `force: "43"` or `forces: ["43", "44"]`: what a feed may speak for.
    private func forces(of feed: String, _ members: [String: Node], _ item: Node) -> Set<String> {
        var nodes = reader.items(members["forces"], of: "forces of feed \(feed)")
        if let one = members["force"] { nodes.append(one) }
        if nodes.isEmpty { reader.note("feed \(feed) names no force that it may speak for", at: item) }
        var codes: Set<String> = []
        for node in nodes {
            guard let code = reader.text(node, "a force of feed \(feed)") else { continue }
            if !configuration.forces.contains(where: { $0.code == code }) {
                reader.note("feed \(feed): force \(code) is not among the forces", at: node)
            }
            codes.insert(code)
        }
        return codes
    }
}

extension Node {
    /// The node as a tree of documents, which mappings are read from.
    fileprivate var document: DocumentNode {
        if let mapping { return .object(mapping.map { .init($0.key.string ?? "", $0.value.document) }) }
        if let sequence { return .array(sequence.map(\.document)) }
        if null != nil { return .null }
        guard let scalar else { return .null }
        if scalar.style == .plain {
            if let bool { return .boolean(bool) }
            if float != nil { return .number(scalar.string) }
        }
        return .text(scalar.string)
    }
}
