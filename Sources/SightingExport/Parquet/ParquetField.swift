/// A node of a file's schema: a column, or a group of them.
struct ParquetField: Sendable {
    /// What a column holds.
    enum Kind: Sendable {
        case boolean
        /// Whole numbers of 32 bits, with a sign.
        case number
        /// Whole numbers of 64 bits, with a sign.
        case long
        /// Milliseconds since 1970, UTC.
        case time
        /// Text in UTF-8.
        case text
        /// Fields that belong together.
        case group([ParquetField])
        /// A list: the field is repeated, inside a group that says so.
        case list([ParquetField])
    }

    /// How often a value occurs in what it belongs to.
    enum Repetition: Int, Sendable {
        case required = 0
        case optional = 1
        case repeated = 2
    }

    let name: String
    let kind: Kind
    var repetition = Repetition.required

    /// The number of the type that values are written in; none for groups.
    var physical: Int? {
        switch kind {
        case .boolean: 0
        case .number: 1
        case .long, .time: 2
        case .text: 6
        case .group, .list: nil
        }
    }

    /// What lies below it.
    var children: [ParquetField] {
        switch kind {
        case .group(let fields): fields
        case .list(let fields): fields
        default: []
        }
    }

    /// The field and all below it, each before what belongs to it: how a file lists them.
    var flattened: [ParquetField] { [self] + children.flatMap(\.flattened) }

    /// Writes the field's element of the schema.
    func write(to writer: inout ThriftWriter) {
        if let physical { writer.put(1, physical) }
        writer.put(3, repetition.rawValue)
        writer.put(4, name)
        if !children.isEmpty { writer.put(5, children.count) }
        switch kind {
        case .text:
            writer.put(6, 0)
            writer.put(10) { $0.put(1) { _ in } }
        case .time:
            writer.put(6, 9)
            writer.put(10) { logical in
                logical.put(8) { time in
                    time.put(1, true)
                    time.put(2) { $0.put(1) { _ in } }
                }
            }
        case .list:
            writer.put(6, 3)
            writer.put(10) { $0.put(3) { _ in } }
        case .boolean, .number, .long, .group: break
        }
    }
}

/// A column of a group of rows.
struct ParquetColumn {
    /// Its values without those that are absent.
    enum Values {
        case booleans([Bool])
        case numbers([Int32])
        case longs([Int64])
        case texts([String])
    }

    /// The names from the root down.
    let path: [String]
    /// The number of the type that its values are written in.
    let physical: Int
    /// The values that there are.
    var values: Values
    /// Of each value, absent ones among them, how much of its path is there; empty where all always is.
    var definitions: [UInt32] = []
    /// The greatest definition level.
    var definitionMax = 0
    /// Of each value how deep it repeats what is before it; empty where nothing repeats.
    var repetitions: [UInt32] = []

    /// How many values there are, absent ones among them.
    var count: Int { definitions.isEmpty ? present : definitions.count }

    /// How many values are there.
    var present: Int {
        switch values {
        case .booleans(let all): all.count
        case .numbers(let all): all.count
        case .longs(let all): all.count
        case .texts(let all): all.count
        }
    }
}
