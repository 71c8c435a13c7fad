/// Thrift's compact protocol, as little of it as a Parquet file takes.
struct ThriftReader {
    /// A value of any kind.
    indirect enum Value {
        case truth(Bool)
        case number(Int)
        case binary([UInt8])
        case list([Value])
        case structure([Int: Value])

        var number: Int? { if case .number(let value) = self { value } else { nil } }
        var truth: Bool? { if case .truth(let value) = self { value } else { nil } }
        var list: [Value] { if case .list(let values) = self { values } else { [] } }
        var bytes: [UInt8]? { if case .binary(let value) = self { value } else { nil } }
        var text: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

        subscript(_ field: Int) -> Value? {
            if case .structure(let fields) = self { fields[field] } else { nil }
        }
    }

    struct Malformed: Error {}

    private let bytes: [UInt8]
    private(set) var place: Int

    init(_ bytes: [UInt8], at place: Int) { (self.bytes, self.place) = (bytes, place) }

    /// Reads a structure up to its stop.
    mutating func structure() throws -> Value {
        var fields: [Int: Value] = [:]
        var last = 0
        while true {
            let head = try byte()
            if head == 0 { return .structure(fields) }
            last = head >> 4 == 0 ? try zigzag() : last + Int(head >> 4)
            guard fields.updateValue(try value(head & 15), forKey: last) == nil else { throw Malformed() }
        }
    }

    private mutating func value(_ kind: UInt8) throws -> Value {
        switch kind {
        case 1: return .truth(true)
        case 2: return .truth(false)
        case 3: return .number(Int(Int8(bitPattern: try byte())))
        case 4, 5, 6: return .number(try zigzag())
        case 8:
            let count = Int(try variable())
            guard place + count <= bytes.count else { throw Malformed() }
            defer { place += count }
            return .binary(Array(bytes[place..<place + count]))
        case 9:
            let head = try byte()
            let count = head >> 4 == 15 ? Int(try variable()) : Int(head >> 4)
            return .list(try (0..<count).map { _ in try value(head & 15) })
        case 12: return try structure()
        default: throw Malformed()
        }
    }

    private mutating func byte() throws -> UInt8 {
        guard place < bytes.count else { throw Malformed() }
        defer { place += 1 }
        return bytes[place]
    }

    private mutating func variable() throws -> UInt64 {
        var (value, shift) = (UInt64(0), UInt64(0))
        while true {
            let next = try byte()
            value |= UInt64(next & 0x7F) << shift
            if next < 0x80 { return value }
            shift += 7
        }
    }

    private mutating func zigzag() throws -> Int {
        let value = try variable()
        return Int(bitPattern: UInt(value >> 1)) ^ -Int(value & 1)
    }
}
