public import ANPRModel

extension DocumentNode {
    /// How many items an array written as `name[index]` may have.
    private static let indexMax = 255

    /// Parses lines of `path=value`, such as `Events[0].TrafficCar.Lane=1`, to the tree that the paths describe.
    ///
    /// A line of one word without `=` is a member of that name that is true.
    public init(keyValue bytes: [UInt8]) throws(ReadRefusal) {
        guard (try? UTF8Span(validating: bytes.span)) != nil else { throw .badUTF8 }
        self = .object([])
        var lines = 0
        for line in bytes.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
            let line = String(decoding: line, as: UTF8.self)
            guard line.contains(where: { $0 != " " && $0 != "\t" }) else { continue }
            lines += 1
            guard lines <= 5000 else { throw .malformed }
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 1 {
                guard parts[0].allSatisfy({ $0.isLetter || $0.isNumber }) else { throw .malformed }
                set([.member(String(parts[0]))][...], .boolean(true))
            } else {
                guard let path = DocumentPath(String(parts[0])), !path.steps.isEmpty, !path.isAbsolute else {
                    throw .malformed
                }
                guard path.steps.count <= Self.depthMax else { throw .nestedTooDeeply }
                guard set(path.steps[...], .text(String(parts[1]))) else { throw .malformed }
            }
        }
        guard lines > 0 else { throw .malformed }
    }

    /// Sets what stands at a path, making objects and arrays on the way.
    ///
    /// - Returns: whether the path goes through nothing but objects and arrays.
    @discardableResult
    private mutating func set(_ steps: ArraySlice<DocumentPath.Step>, _ value: DocumentNode) -> Bool {
        guard let step = steps.first else {
            self = value
            return true
        }
        switch (step, self) {
        case (.member(let name), .object(var members)):
            let place = members.lastIndex { $0.name == name } ?? members.count
            if place == members.count { members.append(Member(name, Self.empty(before: steps.dropFirst()))) }
            guard members[place].value.set(steps.dropFirst(), value) else { return false }
            self = .object(members)
            return true
        case (.item(let index), .array(var items)):
            guard index <= Self.indexMax else { return false }
            while items.count < index { items.append(.null) }
            if items.count == index { items.append(.null) }
            if items[index] == .null { items[index] = Self.empty(before: steps.dropFirst()) }
            guard items[index].set(steps.dropFirst(), value) else { return false }
            self = .array(items)
            return true
        default: return false
        }
    }

    private static func empty(before steps: ArraySlice<DocumentPath.Step>) -> DocumentNode {
        switch steps.first {
        case .member: .object([])
        case .item, .each: .array([])
        case nil: .null
        }
    }
}
