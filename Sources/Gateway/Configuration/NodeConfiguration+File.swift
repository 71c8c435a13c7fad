import ANPRModel
import Archive
import Deduplication
import FeedDecoding
import Forwarding
import Foundation
import Yams

/// Why a configuration was refused: everything that is wrong with it.
package struct ConfigurationRefused: Error, CustomStringConvertible {
    /// The file.
    package var path: String
    /// Each problem, in order of lines.
    package var problems: [ConfigurationProblem]

    /// The problems, one a line.
    package var description: String { problems.map { "\(path): \($0)" }.joined(separator: "\n") }
}

extension NodeConfiguration {
    /// Reads a configuration file; paths in it are relative to its folder.
    ///
    /// - Throws: `ConfigurationRefused` with all problems at once.
    package static func read(_ path: String) throws -> NodeConfiguration {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ConfigurationRefused(path: path, problems: [.init(line: 0, text: "can't be read")])
        }
        let folder = path.contains("/") ? String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) : "."
        let reader = ConfigurationReader()
        var parser = ConfigurationParser(reader: reader, folder: folder.isEmpty ? "/" : folder)
        do {
            guard let text = String(validating: data, as: UTF8.self), let root = try Yams.compose(yaml: text)
            else {
                throw ConfigurationRefused(
                    path: path,
                    problems: [.init(line: 0, text: "empty, or not UTF-8")]
                )
            }
            parser.parse(root)
        } catch let error as YamlError {
            throw ConfigurationRefused(path: path, problems: [Self.problem(error)])
        }
        guard reader.problems.isEmpty else {
            throw ConfigurationRefused(path: path, problems: reader.problems.sorted { $0.line < $1.line })
        }
        parser.configuration.path = path
        return parser.configuration
    }

    static func problem(_ error: YamlError) -> ConfigurationProblem {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            ConfigurationProblem(line: mark.line, text: "not YAML: \(problem)")
        default: ConfigurationProblem(line: 0, text: "not YAML: \(error)")
        }
    }
}

extension NodeConfiguration {
    /// Reads a camera register.
    ///
    /// - Throws: `CameraRegisterFile.Faults`, or that it can't be read.
    static func register(_ path: String) throws -> [Camera] {
        try CameraRegisterFile.cameras(try DataFile(path, .read).contents())
    }
}

/// Turns the YAML tree into a configuration, one section a function.
struct ConfigurationParser {
    let reader: ConfigurationReader
    let folder: String
    var configuration = NodeConfiguration()

    mutating func parse(_ root: Node) {
        let known = [
            "node", "data", "forces", "cameras", "feeds", "deduplication", "forward", "receive", "retention",
            "retentionEvery", "http", "interest", "images", "encryption",
        ]
        let members = reader.members(root, of: "the configuration", known: known)
        configuration.node = reader.text(members["node"], "node", in: root) ?? ""
        configuration.data = reader.text(members["data"], "data", in: root).map(resolved) ?? ""
        if let cameras = members["cameras"] {
            configuration.cameras = reader.text(cameras, "cameras").map(resolved)
        }
        if let http = members["http"] { parseHTTP(http) }
        parseForces(members["forces"])
        if let images = members["images"] { parseImages(images) }
        if let encryption = members["encryption"] { parseEncryption(encryption) }
        parseFeeds(members["feeds"])
        if let node = members["deduplication"] { parseDeduplication(node) }
        for item in reader.items(members["forward"], of: "forward") { parseForward(item) }
        if let node = members["receive"] { parseReceive(node) }
        if let node = members["retention"] { parseRetention(node) }
        configuration.retentionEvery =
            reader.duration(members["retentionEvery"], "retentionEvery", 1000...2_678_400_000)
            ?? configuration.retentionEvery
        if let node = members["interest"] { parseInterest(node) }
        checkWhole(root)
    }

    func resolved(_ path: String) -> String { path.hasPrefix("/") ? path : "\(folder)/\(path)" }

    private func checkWhole(_ root: Node) {
        let takesFeeds = !configuration.feeds.isEmpty || !configuration.forces.isEmpty
        if takesFeeds, configuration.cameras == nil {
            reader.note("cameras is missing: a node with feeds needs a register", at: root)
        }
        if !takesFeeds, configuration.receive == nil {
            reader.note("nothing comes in: there are no feeds and no receive", at: root)
        }
        if let cameras = configuration.cameras { checkRegister(cameras, root) }
        for feed in configuration.feeds {
            if feed.source == .http || feed.source == .bof2, configuration.http == nil {
                reader.note("feed \(feed.name): it comes over HTTP, but there is no http section", at: root)
            }
            if let path = feed.path, !FileManager.default.fileExists(atPath: path) {
                reader.note("feed \(feed.name): \(path) is not there", at: root)
            }
        }
    }

    private mutating func parseHTTP(_ node: Node) {
        let members = reader.members(node, of: "http", known: ["listen", "intakeMax", "tls"])
        configuration.http = address(members["listen"], "listen of http", in: node)
        configuration.httpTLS = tls(members["tls"], of: "http", needsTrust: false)
        if let most = reader.integer(members["intakeMax"], "intakeMax", 1 << 20...1 << 40) {
            configuration.intakeMax = most
        }
    }

    private mutating func parseImages(_ node: Node) {
        let members = reader.members(node, of: "images", known: ["keep", "plateMax", "overviewMax"])
        let lengths = 1...(8 << 20)
        var rules = NodeConfiguration.imagesDefault
        rules.plateMax = reader.integer(members["plateMax"], "plateMax", lengths) ?? rules.plateMax
        rules.overviewMax =
            reader.integer(members["overviewMax"], "overviewMax", lengths) ?? rules.overviewMax
        switch members["keep"].map({ reader.text($0, "keep of images") ?? "all" }) ?? "all" {
        case "all": break
        case "plate": rules.overviewMax = 0
        case "none": rules = ImageRules()
        case let other:
            reader.note(
                "keep of images: '\(other)' is not known; there are all, plate, none",
                at: members["keep"]
            )
        }
        configuration.images = rules
    }

    /// An address to listen on.
    func address(_ node: Node?, _ what: String, in parent: Node) -> NodeConfiguration.Address? {
        guard let text = reader.text(node, what, in: parent) else { return nil }
        guard let address = address(text) else {
            reader.note("\(what): '\(text)' is no address such as 127.0.0.1:8080", at: node)
            return nil
        }
        return .init(host: address.host, port: address.port)
    }

    private func checkRegister(_ path: String, _ root: Node) {
        do {
            _ = try NodeConfiguration.register(path)
        } catch let error as CameraRegisterFile.Faults {
            for fault in error.faults { reader.note("cameras: \(path): \(fault)", at: root) }
        } catch {
            reader.note("cameras: \(path) can't be read", at: root)
        }
    }

    private mutating func parseForces(_ node: Node?) {
        for item in reader.items(node, of: "forces") {
            let members = reader.members(item, of: "a force", known: ["code", "name"])
            guard let code = reader.text(members["code"], "a force's code", in: item) else { continue }
            if configuration.forces.contains(where: { $0.code == code }) {
                reader.note("force \(code) is there twice", at: item)
            }
            let name = members["name"].flatMap { reader.text($0, "a force's name") } ?? code
            configuration.forces.append(.init(code: code, name: name))
        }
    }

    private mutating func parseDeduplication(_ node: Node) {
        let known = [
            "idleAfter", "window", "gap", "lateness", "reconcile", "reconcileCount", "futureSkew", "variants",
            "sites",
        ]
        let members = reader.members(node, of: "deduplication", known: known)
        let day: Int64 = 86_400_000
        var rules = configuration.deduplication
        rules.window = window(members, "deduplication") ?? rules.window
        if let lateness = reader.duration(members["lateness"], "lateness", 0...day) {
            rules.lateness = lateness
        }
        if let idle = reader.duration(members["idleAfter"], "idleAfter", 100...day) {
            configuration.idleAfter = idle
        }
        if let reconcile = reader.duration(members["reconcile"], "reconcile", 0...(31 * day)) {
            rules.reconcile = reconcile
        }
        if let count = reader.integer(members["reconcileCount"], "reconcileCount", 1000...1_000_000_000) {
            rules.reconcileCount = count
        }
        if let skew = reader.duration(members["futureSkew"], "futureSkew", 0...day) {
            configuration.futureSkew = skew
        }
        if let node = members["variants"] {
            let text = reader.text(node, "variants") ?? ""
            if let variants = VariantMode(rawValue: text) {
                rules.variants = variants
            } else {
                reader.note("variants: is off, link or merge, not '\(text)'", at: node)
            }
        }
        if let sites = members["sites"], let mapping = sites.mapping {
            for (key, value) in mapping {
                guard let site = key.string else { continue }
                let own = reader.members(value, of: "site \(site)", known: ["window", "gap"])
                rules.sites[site] = window(own, "site \(site)") ?? rules.window
            }
        }
        if rules.reconcile < rules.lateness {
            reader.note("reconcile must be no shorter than lateness", at: node)
        }
        configuration.deduplication = rules
    }

    private func window(_ members: [String: Node], _ what: String) -> DeduplicationRules.Window? {
        let hour: Int64 = 3_600_000
        let window = reader.duration(members["window"], "window of \(what)", 0...hour)
        let gap = reader.duration(members["gap"], "gap of \(what)", 0...hour)
        guard window != nil || gap != nil else { return nil }
        return DeduplicationRules.Window(window: window ?? DeduplicationRules().window.window, gap: gap)
    }

    func address(_ text: String) -> (host: String, port: Int)? {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port), colon > text.startIndex
        else { return nil }
        return (String(text[..<colon]), port)
    }

    private mutating func parseRetention(_ node: Node) {
        var rules: [RetentionRule] = []
        let problems = reader.problems.count
        for item in reader.items(node, of: "retention") {
            let members = reader.members(item, of: "a retention rule", known: ["when", "keep"])
            guard let keep = period(members["keep"], item) else { continue }
            var rule = RetentionRule(text: "", keep: keep)
            if let when = members["when"] { parseCondition(when, &rule) }
            rule.text = Self.describe(rule, members["keep"]?.string ?? "")
            rules.append(rule)
        }
        if rules.last?.isOpen != true {
            reader.note(
                "retention needs a last rule without a condition, so that nothing is kept for ever",
                at: node
            )
        } else if reader.problems.count == problems, rules.dropLast().contains(where: \.isOpen) {
            reader.note(
                "retention: a rule without a condition decides about all; none behind it counts",
                at: node
            )
        }
        configuration.retention = RetentionPolicy(rules)
    }

    private func parseCondition(_ node: Node, _ rule: inout RetentionRule) {
        let members = reader.members(node, of: "when", known: ["class", "force", "confidenceBelow"])
        if let value = members["class"], let text = reader.text(value, "class") {
            rule.dataClass = RetentionRule.DataClass(rawValue: text)
            if rule.dataClass == nil {
                let known = RetentionRule.DataClass.allCases.map(\.rawValue).joined(separator: ", ")
                reader.note("class: '\(text)' is not known; there are \(known)", at: value)
            }
        }
        rule.force = members["force"].flatMap { reader.text($0, "force") }
        rule.confidenceBelow = reader.integer(members["confidenceBelow"], "confidenceBelow", 1...100)
        if let dataClass = rule.dataClass, [.quarantine, .audit].contains(dataClass),
            rule.force != nil || rule.confidenceBelow != nil
        {
            reader.note("class \(dataClass.rawValue): it has no force and no confidence to go by", at: node)
        }
    }

    private func period(_ node: Node?, _ item: Node) -> RetentionPeriod? {
        guard let text = reader.text(node, "keep", in: item) else { return nil }
        if text.hasSuffix("mo"), let months = Int(text.dropLast(2)), (1...1200).contains(months) {
            return .months(months)
        }
        if let span = DurationText.milliseconds(text), span > 0 { return .span(span) }
        reader.note("keep: '\(text)' is no duration such as 7d or 12mo", at: node)
        return nil
    }

    private static func describe(_ rule: RetentionRule, _ keep: String) -> String {
        var conditions: [String] = []
        if let dataClass = rule.dataClass { conditions.append("class \(dataClass.rawValue)") }
        if let force = rule.force { conditions.append("force \(force)") }
        if let limit = rule.confidenceBelow { conditions.append("confidence below \(limit)") }
        return "keep \(keep)" + (conditions.isEmpty ? "" : " when " + conditions.joined(separator: ", "))
    }
}
