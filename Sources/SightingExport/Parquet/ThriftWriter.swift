/// Writes Thrift's compact protocol: what Parquet says of itself is written in it.
struct ThriftWriter {
    /// The types of fields and elements.
    private enum Kind: UInt8 {
        case yes = 1
        case no = 2
        case short = 4
        case number = 5
        case long = 6
        case binary = 8
        case list = 9
        case structure = 12
    }

    private(set) var bytes: [UInt8] = []
    /// The number of the field written last, of each structure that is open.
    private var fields = [0]

    /// A structure by itself.
    static func structure(_ body: (inout ThriftWriter) -> Void) -> [UInt8] {
        var writer = ThriftWriter()
        body(&writer)
        writer.bytes.append(0)
        return writer.bytes
    }

    /// A truth.
    mutating func put(_ field: Int, _ value: Bool) { begin(field, value ? .yes : .no) }

    /// A number of 32 bits.
    mutating func put(_ field: Int, _ value: Int) { put(field, .number, value) }

    /// A number of 16 bits.
    mutating func put(_ field: Int, short value: Int) { put(field, .short, value) }

    /// A number of 64 bits.
    mutating func put(_ field: Int, long value: Int) { put(field, .long, value) }

    /// Bytes.
    mutating func put(_ field: Int, _ value: [UInt8]) {
        begin(field, .binary)
        put(binary: value)
    }

    /// Text.
    mutating func put(_ field: Int, _ value: String) { put(field, Array(value.utf8)) }

    /// A structure.
    mutating func put(_ field: Int, _ body: (inout ThriftWriter) -> Void) {
        begin(field, .structure)
        nest(body)
    }

    /// A list of structures.
    mutating func put<Element>(
        _ field: Int,
        each elements: [Element],
        _ body: (inout ThriftWriter, Element) -> Void
    ) {
        begin(field, .list, of: .structure, count: elements.count)
        for element in elements { nest { body(&$0, element) } }
    }

    /// A list of numbers of 32 bits.
    mutating func put(_ field: Int, each numbers: [Int]) {
        begin(field, .list, of: .number, count: numbers.count)
        for number in numbers { put(zigzag: number) }
    }

    /// A list of texts.
    mutating func put(_ field: Int, each texts: [String]) {
        begin(field, .list, of: .binary, count: texts.count)
        for text in texts { put(binary: Array(text.utf8)) }
    }

    private mutating func put(_ field: Int, _ kind: Kind, _ value: Int) {
        begin(field, kind)
        put(zigzag: value)
    }

    /// A field's head: how much further its number is than the last one's, where that fits.
    private mutating func begin(_ field: Int, _ kind: Kind) {
        let step = field - fields[fields.count - 1]
        fields[fields.count - 1] = field
        if (1...15).contains(step) {
            bytes.append(UInt8(step << 4) | kind.rawValue)
        } else {
            bytes.append(kind.rawValue)
            put(zigzag: field)
        }
    }

    private mutating func begin(_ field: Int, _ kind: Kind, of element: Kind, count: Int) {
        begin(field, kind)
        if count < 15 {
            bytes.append(UInt8(count << 4) | element.rawValue)
        } else {
            bytes.append(0xF0 | element.rawValue)
            bytes.put(variable: UInt64(count))
        }
    }

    private mutating func nest(_ body: (inout ThriftWriter) -> Void) {
        fields.append(0)
        body(&self)
        fields.removeLast()
        bytes.append(0)
    }

    private mutating func put(binary value: [UInt8]) {
        bytes.put(variable: UInt64(value.count))
        bytes += value
    }

    private mutating func put(zigzag value: Int) {
        bytes.put(variable: UInt64(bitPattern: Int64(value << 1 ^ value >> 63)))
    }
}

extension [UInt8] {
    /// Appends a number seven bits at a time, the lowest first; all bytes but the last have their highest bit set.
    mutating func put(variable value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }

    /// Appends a number's lowest bytes, the lowest first.
    mutating func put(_ value: UInt64, bytes count: Int) {
        for place in 0..<count { append(UInt8(truncatingIfNeeded: value >> UInt64(8 * place))) }
    }
}
