public import ANPRModel

/// The columns of a list of vehicles of interest, in the order of the record that in-car readers take.
public enum InterestColumn: String, CaseIterable, Sendable {
    case vrm, make, model, colour, action, warnings, reason, nim, information, force, weed, pncId, marking,
        cad
    case instructions, source
}

/// A vehicle of interest: a line of a list.
public struct InterestEntry: Sendable, Equatable {
    /// The mark looked for.
    public let vrm: VRM
    /// The moment from which the entry no longer holds: the end of its weed date in UTC; `nil` for none.
    public let weeded: Timestamp?
    /// The texts by column; short by those that are blank at the end.
    private let texts: [String]

    init(vrm: VRM, weeded: Timestamp?, texts: [String]) {
        self.vrm = vrm
        self.weeded = weeded
        self.texts = texts
    }

    /// The text of a column; blank if the list says nothing.
    public func text(_ column: InterestColumn) -> String {
        guard let place = InterestColumn.allCases.firstIndex(of: column), place < texts.count else {
            return ""
        }
        return texts[place]
    }

    /// The columns that say something, by name.
    public var members: [String: String] {
        var members: [String: String] = [:]
        for (column, text) in zip(InterestColumn.allCases, texts) where !text.isEmpty {
            members[column.rawValue] = text
        }
        return members
    }
}

/// A list of vehicles of interest.
public struct InterestList: Sendable, Equatable {
    /// Its name, unique in the node.
    public var name: String
    /// Whether marks that cameras take for an entry's are reported too.
    public var takesAlike: Bool
    /// Its entries, in the list's order.
    public var entries: [InterestEntry]

    /// A list.
    public init(name: String, takesAlike: Bool, entries: [InterestEntry]) {
        self.name = name
        self.takesAlike = takesAlike
        self.entries = entries
    }
}
