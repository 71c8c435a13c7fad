extension FeedMapping {
    /// What is wrong with a mapping that configuration gives.
    public struct Problems: Error, Equatable, CustomStringConvertible {
        /// Each problem, with the key it is at.
        public var texts: [String]

        /// The problems, one a line.
        public var description: String { texts.joined(separator: "\n") }
    }

    /// Reads a mapping from a tree, as configuration gives it; `Formats` lists the keys.
    public init(parsing tree: DocumentNode) throws(Problems) {
        var reader = MappingReader()
        let mapping = reader.mapping(tree)
        guard reader.problems.isEmpty, let mapping else { throw Problems(texts: reader.problems) }
        self = mapping
    }
}

/// Reads a mapping and notes all that is wrong with it.
private struct MappingReader {
    private(set) var problems: [String] = []

    mutating func mapping(_ tree: DocumentNode) -> FeedMapping? {
        let known = [
            "container", "delimiter", "columns", "records", "ignoreDocuments", "ignoreRecords", "noPlate",
            "epochIsLocal", "fields",
        ]
        guard let members = object(tree, at: "mapping", keys: known) else { return nil }
        var mapping = FeedMapping(containers: containers(members), fields: fields(members["fields"]))
        if let records = members["records"] { mapping.records = paths(records, at: "records") }
        mapping.ignoredDocuments = predicates(members["ignoreDocuments"], at: "ignoreDocuments")
        mapping.ignoredRecords = predicates(members["ignoreRecords"], at: "ignoreRecords")
        if let words = members["noPlate"] { mapping.noPlate = texts(words, at: "noPlate") }
        switch members["epochIsLocal"] {
        case nil: break
        case .boolean(let isLocal): mapping.epochIsLocal = isLocal
        default: problems.append("epochIsLocal: true or false is needed")
        }
        return mapping
    }

    // MARK: - Parts of a mapping

    private mutating func containers(_ members: [String: DocumentNode]) -> [FeedMapping.Container] {
        guard let node = members["container"] else {
            problems.append("container: is missing; there are json, xml, key-value, csv, pipe")
            return []
        }
        return texts(node, at: "container").compactMap { name in
            switch name {
            case "json": return .json
            case "xml": return .xml
            case "key-value": return .keyValue
            case "csv":
                let delimiter = Array((members["delimiter"]?.word ?? ",").utf8)
                guard delimiter.count == 1, delimiter[0] < 0x80, !"\"\r\n".utf8.contains(delimiter[0]) else {
                    problems.append("delimiter: one ASCII character is needed, and no quote or line end")
                    return nil
                }
                return .csv(delimiter: delimiter[0])
            case "pipe":
                let columns = members["columns"].map { texts($0, at: "columns") } ?? []
                if columns.count < 2 { problems.append("columns: pipe needs the names of its columns") }
                return .pipe(columns: columns)
            default:
                problems.append(
                    "container: '\(name)' is not known; there are json, xml, key-value, csv, pipe"
                )
                return nil
            }
        }
    }

    private mutating func fields(_ node: DocumentNode?) -> [String: [FieldSource]] {
        guard let node, let members = object(node, at: "fields", keys: FeedMapping.fieldNames) else {
            if node == nil { problems.append("fields: is missing") }
            return [:]
        }
        for name in ["vrm", "captured"] where members[name] == nil {
            problems.append("fields.\(name): is missing; no record would be a read")
        }
        var fields: [String: [FieldSource]] = [:]
        for (name, node) in members.sorted(by: { $0.key < $1.key }) {
            var sources: [FieldSource] = []
            for (place, item) in items(node).enumerated() {
                if let source = source(item, at: "fields.\(name)[\(place)]") { sources.append(source) }
            }
            fields[name] = sources
        }
        return fields
    }

    private mutating func source(_ node: DocumentNode, at place: String) -> FieldSource? {
        if case .text(let text) = node { return path(text, at: place).map { FieldSource(.first([$0])) } }
        let known = [
            "path", "join", "separator", "constant", "scale", "percentOrPerMille", "degrees", "words", "time",
            "unit", "utc", "pattern", "if",
        ]
        guard let members = object(node, at: place, keys: known) else { return nil }
        let origin: FieldSource.Origin
        switch (members["path"], members["join"], members["constant"]) {
        case (let node?, nil, nil): origin = .first(paths(node, at: "\(place).path"))
        case (nil, let node?, nil):
            origin = .joined(
                paths(node, at: "\(place).join"),
                separator: members["separator"]?.word ?? " "
            )
        case (nil, nil, let node?): origin = .constant(node.word ?? "")
        default:
            problems.append("\(place): exactly one of path, join and constant is needed")
            return nil
        }
        let condition = members["if"].flatMap { predicate($0, at: "\(place).if") }
        return FieldSource(origin, transform(members, at: place), if: condition)
    }

    private mutating func transform(_ members: [String: DocumentNode], at place: String)
        -> FieldSource.Transform
    {
        let given = ["scale", "percentOrPerMille", "degrees", "words", "time"].filter { members[$0] != nil }
        guard given.count < 2 else {
            problems.append("\(place): only one of \(given.joined(separator: ", ")) can be")
            return .asIs
        }
        guard let name = given.first, let node = members[name] else { return .asIs }
        switch name {
        case "scale":
            guard let factor = node.word.flatMap(Double.init), factor.isFinite, factor > 0 else {
                problems.append("\(place).scale: a number over 0 is needed")
                return .asIs
            }
            return .scaled(factor)
        case "words":
            guard case .object(let pairs) = node else {
                problems.append("\(place).words: words and what they become are needed")
                return .asIs
            }
            return .words(Dictionary(pairs.map { ($0.name, $0.value.word ?? "") }) { _, last in last })
        case "time": return time(node, members, at: place).map(FieldSource.Transform.time) ?? .asIs
        default:
            if node != .boolean(true) { problems.append("\(place).\(name): true is needed, or no such key") }
            return name == "degrees" ? .degrees : .percentOrPerMille
        }
    }

    private mutating func time(_ node: DocumentNode, _ members: [String: DocumentNode], at place: String)
        -> TimeFormat?
    {
        switch node.word {
        case "iso": return .iso
        case "epoch":
            let name = members["unit"]?.word ?? TimeFormat.Unit.byMagnitude.rawValue
            guard let unit = TimeFormat.Unit(rawValue: name) else {
                let known = TimeFormat.Unit.allCases.map(\.rawValue).joined(separator: ", ")
                problems.append("\(place).unit: '\(name)' is not known; there are \(known)")
                return nil
            }
            return members["utc"] == .boolean(true) ? .utcEpoch(unit) : .epoch(unit)
        case "pattern":
            guard let node = members["pattern"] else {
                problems.append("\(place).pattern: is missing")
                return nil
            }
            return .patterns(texts(node, at: "\(place).pattern"))
        default:
            problems.append("\(place).time: there are iso, epoch, pattern")
            return nil
        }
    }

    private mutating func predicates(_ node: DocumentNode?, at place: String) -> [MappingPredicate] {
        guard let node else { return [] }
        var found: [MappingPredicate] = []
        for (index, item) in items(node).enumerated() {
            if let predicate = predicate(item, at: "\(place)[\(index)]") { found.append(predicate) }
        }
        return found
    }

    private mutating func predicate(_ node: DocumentNode, at place: String) -> MappingPredicate? {
        let tests = ["equals", "differs", "exists", "missing"]
        guard let members = object(node, at: place, keys: ["path"] + tests) else { return nil }
        let given = tests.filter { members[$0] != nil }
        guard let path = members["path"], given.count == 1, let test = members[given[0]] else {
            problems.append("\(place): path and one of \(tests.joined(separator: ", ")) are needed")
            return nil
        }
        let found = paths(path, at: "\(place).path")
        switch given[0] {
        case "equals": return MappingPredicate(found, .equals(texts(test, at: "\(place).equals")))
        case "differs": return MappingPredicate(found, .differs(texts(test, at: "\(place).differs")))
        default:
            if test != .boolean(true) {
                problems.append("\(place).\(given[0]): true is needed, or no such key")
            }
            return MappingPredicate(found, given[0] == "exists" ? .exists : .missing)
        }
    }

    // MARK: - Values

    private mutating func object(_ node: DocumentNode, at place: String, keys: [String]) -> [String:
        DocumentNode]?
    {
        guard case .object(let members) = node else {
            problems.append("\(place): keys and values are needed")
            return nil
        }
        for member in members where !keys.contains(member.name) {
            problems.append(
                "\(place): '\(member.name)' is not known; there are \(keys.joined(separator: ", "))"
            )
        }
        return Dictionary(members.map { ($0.name, $0.value) }) { _, last in last }
    }

    private func items(_ node: DocumentNode) -> [DocumentNode] {
        if case .array(let items) = node { return items }
        return [node]
    }

    private mutating func texts(_ node: DocumentNode, at place: String) -> [String] {
        items(node).compactMap { item in
            if case .object = item {} else if let word = item.word { return word }
            problems.append("\(place): a text or a list of texts is needed")
            return nil
        }
    }

    private mutating func paths(_ node: DocumentNode, at place: String) -> [DocumentPath] {
        var found: [DocumentPath] = []
        for text in texts(node, at: place) {
            if let path = path(text, at: place) { found.append(path) }
        }
        if found.isEmpty { problems.append("\(place): a path is needed") }
        return found
    }

    private mutating func path(_ text: String, at place: String) -> DocumentPath? {
        guard let path = DocumentPath(text) else {
            problems.append("\(place): '\(text)' is no path")
            return nil
        }
        return path
    }
}
