import Forwarding
import Foundation
import Yams

/// The sections about links: where sightings go, and whose come.
extension ConfigurationParser {
    mutating func parseForward(_ node: Node) {
        let known = ["to", "tls", "budget", "zone", "maxDelay", "patches"]
        let members = reader.members(node, of: "forward", known: known)
        let tls = tls(members["tls"], of: "forward", needsTrust: true, takesServerName: true)
        let texts: [String] =
            if let list = members["to"]?.sequence {
                list.compactMap { reader.text($0, "to") }
            } else {
                [reader.text(members["to"], "to", in: node)].compactMap(\.self)
            }
        var addresses: [NodeConfiguration.Address] = []
        for text in texts {
            guard let address = address(text) else {
                reader.note("to: '\(text)' is no address such as archive.example:7700", at: members["to"])
                continue
            }
            addresses.append(.init(host: address.host, port: address.port))
        }
        if let list = members["to"]?.sequence, list.isEmpty {
            reader.note("to names no address", at: members["to"])
        }
        guard !addresses.isEmpty else { return }
        var forward = NodeConfiguration.Forward(addresses: addresses, tls: tls)
        forward.budget = members["budget"].flatMap(budget)
        if let zone = members["zone"], let text = reader.text(zone, "zone") {
            if let known = TimeZone(identifier: text) {
                forward.zone = known
            } else {
                reader.note("zone: '\(text)' is no zone such as Europe/London", at: zone)
            }
        }
        forward.maxDelay = reader.duration(members["maxDelay"], "maxDelay", 0...3_600_000) ?? forward.maxDelay
        if let patches = members["patches"] { forward.pushesPatches = pushesPatches(patches) }
        configuration.forward.append(forward)
    }

    /// Whether patches go unasked: when the line is idle, or never.
    private func pushesPatches(_ node: Node) -> Bool {
        let text = reader.text(node, "patches")
        if let text, text != "idle", text != "asked" {
            reader.note("patches: '\(text)' is not known; there are idle and asked", at: node)
        }
        return text == "idle"
    }

    /// One rate, or a list of rates by the time of day of which the last holds the rest of it.
    private func budget(_ node: Node) -> LinkRates? {
        let range = LinkBudget.bitsPerSecondMin...100_000_000_000
        guard node.sequence != nil else {
            return reader.rate(node, "budget", range).map(LinkRates.init(bitsPerSecond:))
        }
        var entries: [LinkRates.Entry] = []
        for item in reader.items(node, of: "budget") {
            let members = reader.members(item, of: "a budget", known: ["from", "to", "rate"])
            if members["rate"] == nil { reader.note("rate of a budget is missing", at: item) }
            guard let rate = reader.rate(members["rate"], "rate", range) else { continue }
            guard members["from"] != nil || members["to"] != nil else {
                entries.append(.init(bitsPerSecond: rate))
                continue
            }
            guard let from = minute(members["from"], "from", item), let to = minute(members["to"], "to", item)
            else { continue }
            entries.append(.init(minutes: (from, to), bitsPerSecond: rate))
        }
        let rates = LinkRates(entries)
        if rates == nil {
            reader.note("budget needs a last rate without from and to, for the rest of the day", at: node)
        }
        return rates
    }

    /// A time of day such as 07:30, in minutes.
    private func minute(_ node: Node?, _ what: String, _ parent: Node) -> Int? {
        guard let text = reader.text(node, "\(what) of a budget", in: parent) else { return nil }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.count == 2 && $0.allSatisfy(\.isNumber) }),
            let hour = Int(parts[0]), let minute = Int(parts[1]), minute < 60, hour * 60 + minute <= 1440
        else {
            reader.note("\(what): '\(text)' is no time of day such as \"07:30\" (in quotes)", at: node)
            return nil
        }
        return hour * 60 + minute
    }

    mutating func parseReceive(_ node: Node) {
        let members = reader.members(node, of: "receive", known: ["listen", "idleAfter", "gateways", "tls"])
        let text = reader.text(members["listen"], "listen", in: node) ?? ""
        let address = address(text)
        if address == nil, members["listen"] != nil {
            reader.note("listen: '\(text)' is no address such as 127.0.0.1:7700", at: members["listen"])
        }
        var gateways: [NodeConfiguration.Receive.Gateway] = []
        for item in reader.items(members["gateways"], of: "gateways") {
            let own = reader.members(item, of: "a gateway", known: ["node", "forces"])
            guard let name = reader.text(own["node"], "a gateway's node", in: item) else { continue }
            let forces = reader.items(own["forces"], of: "forces of gateway \(name)")
                .compactMap { reader.text($0, "a force of gateway \(name)") }
            if forces.isEmpty {
                reader.note("gateway \(name) names no force that it may speak for", at: item)
            }
            gateways.append(.init(node: name, forces: Set(forces)))
        }
        if gateways.isEmpty { reader.note("receive names no gateways that may connect", at: node) }
        configuration.receive = .init(
            host: address?.host ?? "",
            port: address?.port ?? 0,
            idleAfter: reader.duration(members["idleAfter"], "idleAfter") ?? 30_000,
            gateways: gateways,
            tls: tls(members["tls"], of: "receive", needsTrust: true)
        )
    }
}
