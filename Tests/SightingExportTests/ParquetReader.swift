import Compression

/// A plain reader of the Parquet files that the engine writes, made from the format's own description and not from the writer.
struct ParquetReader {
    /// A value of a column; `nil` where it is null.
    enum Cell: Hashable {
        case truth(Bool)
        case number(Int)
        case text(String)
    }

    /// A value with how deep it repeats, and how much of its path is there.
    struct Entry {
        var repetition: Int
        var definition: Int
        var cell: Cell?
    }

    struct Wrong: Error {
        let what: String
    }

    private let bytes: [UInt8]
    /// What the file says of itself.
    let end: ThriftReader.Value
    /// How many rows each group has.
    let groups: [Int]

    init(_ bytes: [UInt8]) throws {
        let magic = Array("PAR1".utf8)
        guard bytes.count > 12, Array(bytes.prefix(4)) == magic, Array(bytes.suffix(4)) == magic else {
            throw Wrong(what: "it does not begin and end as a file should")
        }
        self.bytes = bytes
        let length = Self.number(bytes, bytes.count - 8, 4)
        var reader = ThriftReader(bytes, at: bytes.count - 8 - length)
        end = try reader.structure()
        guard reader.place == bytes.count - 8 else { throw Wrong(what: "the end's length") }
        groups = end[4]?.list.compactMap { $0[3]?.number } ?? []
    }

    /// How many rows the file says it has.
    var rows: Int { end[3]?.number ?? -1 }

    /// The entries of a column, by its path with dots between, and the greatest levels of definition and repetition.
    func column(_ path: String, definitionMax: Int, repetitionMax: Int) throws -> [Entry] {
        try (end[4]?.list ?? []).flatMap { group in
            let chunk = group[1]?.list.first { chunk in
                chunk[3]?[3]?.list.compactMap(\.text).joined(separator: ".") == path
            }
            guard let about = chunk?[3] else { throw Wrong(what: "no column \(path)") }
            let entries = try entries(about, definitionMax, repetitionMax)
            try check(entries, about)
            return entries
        }
    }

    private func entries(_ about: ThriftReader.Value, _ definitionMax: Int, _ repetitionMax: Int) throws
        -> [Entry]
    {
        guard let type = about[1]?.number, let start = about[9]?.number, let count = about[5]?.number else {
            throw Wrong(what: "a column's description")
        }
        var dictionary: [Cell]?
        var length = 0
        if let place = about[11]?.number {
            let (head, page, pageLength) = try self.page(place)
            guard head[1]?.number == 2, let values = head[7]?[1]?.number else {
                throw Wrong(what: "dictionary")
            }
            dictionary = try Self.plain(page, 0, type, values)
            guard place + pageLength == start else { throw Wrong(what: "dictionary's length") }
            length = pageLength
        }
        let (head, page, pageLength) = try self.page(start)
        guard head[1]?.number == 0, head[5]?[1]?.number == count else { throw Wrong(what: "count of values") }
        guard length + pageLength == about[7]?.number else { throw Wrong(what: "length of the column") }
        var place = 0
        let repetitions = Self.levels(page, &place, repetitionMax, count)
        let definitions = Self.levels(page, &place, definitionMax, count)
        let present = definitions.count { $0 == definitionMax }
        var cells: [Cell]
        switch head[5]?[2]?.number {
        case 0: cells = try Self.plain(page, place, type, present)
        case 8:
            guard let dictionary else { throw Wrong(what: "no dictionary") }
            let width = Int(page[place])
            cells = Self.runs(page, place + 1, page.count, width, present).map { dictionary[$0] }
        default: throw Wrong(what: "encoding")
        }
        cells.reverse()
        return zip(repetitions, definitions).map { repetition, definition in
            let cell = definition == definitionMax ? cells.popLast() : nil
            return Entry(repetition: repetition, definition: definition, cell: cell)
        }
    }

    /// Holds the column's nulls and extremes against its values.
    private func check(_ entries: [Entry], _ about: ThriftReader.Value) throws {
        let cells = entries.compactMap(\.cell)
        guard let statistics = about[12], statistics[3]?.number == entries.count - cells.count else {
            throw Wrong(what: "count of nulls")
        }
        guard let least = statistics[6]?.bytes, let greatest = statistics[5]?.bytes else { return }
        let isGood = cells.allSatisfy { cell in
            switch cell {
            case .truth: false
            case .number(let value): (Self.signed(least)...Self.signed(greatest)).contains(value)
            case .text(let text):
                !text.utf8.lexicographicallyPrecedes(least) && !greatest.lexicographicallyPrecedes(text.utf8)
            }
        }
        guard isGood else { throw Wrong(what: "least or greatest value") }
    }

    /// A page's head, its bytes unpacked, and how long both are in the file.
    private func page(_ start: Int) throws -> (head: ThriftReader.Value, page: [UInt8], length: Int) {
        var reader = ThriftReader(bytes, at: start)
        let head = try reader.structure()
        guard let plain = head[2]?.number, let packed = head[3]?.number else { throw Wrong(what: "page") }
        let body = Array(bytes[reader.place..<reader.place + packed])
        guard head[4]?.number == Int(Int32(bitPattern: Checksum.crc32(body))) else {
            throw Wrong(what: "CRC")
        }
        let inflater = try Inflater(.gzip)
        inflater.feed(body)
        var page = [UInt8](repeating: 0, count: plain + 1)
        let count = try unsafe page.withUnsafeMutableBytes { try unsafe inflater.read(into: $0) }
        guard count == plain, inflater.isFinished else { throw Wrong(what: "length of a page") }
        page.removeLast()
        return (head, page, reader.place - start + packed)
    }

    private static func levels(_ page: [UInt8], _ place: inout Int, _ max: Int, _ count: Int) -> [Int] {
        if max == 0 { return [Int](repeating: 0, count: count) }
        let length = number(page, place, 4)
        defer { place += 4 + length }
        return runs(page, place + 4, place + 4 + length, max == 1 ? 1 : 2, count)
    }

    /// Runs of one value, and values in bits.
    private static func runs(_ page: [UInt8], _ start: Int, _ end: Int, _ width: Int, _ count: Int) -> [Int] {
        var values: [Int] = []
        var place = start
        while values.count < count, place < end {
            var (head, shift) = (0, 0)
            repeat {
                head |= Int(page[place] & 0x7F) << shift
                shift += 7
                place += 1
            } while page[place - 1] >= 0x80
            if head & 1 == 0 {
                values += repeatElement(number(page, place, (width + 7) / 8), count: head >> 1)
                place += (width + 7) / 8
            } else {
                for value in 0..<(head >> 1) * 8 {
                    let bits = (0..<width).map { bit in
                        let at = value * width + bit
                        return Int(page[place + at / 8] >> UInt8(at % 8) & 1) << bit
                    }
                    values.append(bits.reduce(0, |))
                }
                place += (head >> 1) * width
            }
        }
        return Array(values.prefix(count))
    }

    private static func plain(_ page: [UInt8], _ start: Int, _ type: Int, _ count: Int) throws -> [Cell] {
        var place = start
        let cells = try (0..<count).map { index -> Cell in
            switch type {
            case 0: return .truth(page[start + index / 8] >> UInt8(index % 8) & 1 == 1)
            case 1, 2:
                defer { place += 4 * type }
                return .number(signed(page[place..<place + 4 * type]))
            case 6:
                let length = number(page, place, 4)
                defer { place += 4 + length }
                return .text(String(decoding: page[place + 4..<place + 4 + length], as: UTF8.self))
            default: throw Wrong(what: "type \(type)")
            }
        }
        guard type == 0 || place == page.count else { throw Wrong(what: "bytes behind the values") }
        return cells
    }

    private static func number(_ bytes: [UInt8], _ place: Int, _ count: Int) -> Int {
        bytes[place..<place + count].reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    private static func signed(_ bytes: some BidirectionalCollection<UInt8>) -> Int {
        let value = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return bytes.count == 4
            ? Int(Int32(truncatingIfNeeded: value)) : Int(Int64(bitPattern: value))
    }
}
