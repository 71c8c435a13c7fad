import Compression

/// A column of a group of rows as it is written: a dictionary where that is shorter, and a page of values, each packed by gzip.
struct ParquetChunk {
    /// The pages with their heads, until they are let go.
    private(set) var bytes: [UInt8] = []
    /// How long they are.
    private(set) var length = 0
    /// How long they would be without gzip.
    private(set) var plainLength = 0
    /// How long the dictionary's page is with its head; `nil` where there is none.
    private var dictionaryLength: Int?
    private let path: [String]
    private let physical: Int
    private let count: Int
    private let present: Int
    private let extremes: (least: [UInt8], greatest: [UInt8])?

    private enum Encoding {
        static let plain = 0
        static let runs = 3
        static let dictionary = 8
    }

    private static let gzip = 2
    private static let dictionaryPage = 2

    /// Writes a column.
    init(_ column: ParquetColumn, _ deflater: Deflater) throws(CompressionError) {
        (path, physical, count, present) = (column.path, column.physical, column.count, column.present)
        extremes = Self.extremes(column.values)
        let dictionary = Self.dictionary(column.values)
        if let dictionary {
            try putPage(dictionary.page, kind: Self.dictionaryPage, deflater) { head in
                head.put(7) { page in
                    page.put(1, dictionary.count)
                    page.put(2, Encoding.plain)
                }
            }
            dictionaryLength = length
        }
        let values = dictionary?.indexes ?? Self.plain(column.values)
        try putPage(Self.levels(of: column) + values, kind: 0, deflater) { head in
            head.put(5) { page in
                page.put(1, column.count)
                page.put(2, dictionary == nil ? Encoding.plain : Encoding.dictionary)
                page.put(3, Encoding.runs)
                page.put(4, Encoding.runs)
            }
        }
    }

    /// Lets the pages go once they are written; what the file's end says of them is kept.
    mutating func letGo() { bytes = [] }

    /// Writes what the file's end says of it.
    ///
    /// - Parameter start: where it begins in the file.
    func write(to writer: inout ThriftWriter, start: Int) {
        writer.put(2, long: 0)
        writer.put(3) { about in
            about.put(1, physical)
            let encodings =
                dictionaryLength == nil ? [Encoding.plain] : [Encoding.plain, Encoding.dictionary]
            about.put(2, each: encodings + [Encoding.runs])
            about.put(3, each: path)
            about.put(4, Self.gzip)
            about.put(5, long: count)
            about.put(6, long: plainLength)
            about.put(7, long: length)
            about.put(9, long: start + (dictionaryLength ?? 0))
            if dictionaryLength != nil { about.put(11, long: start) }
            about.put(12) { statistics in
                statistics.put(3, long: count - present)
                guard let extremes else { return }
                statistics.put(5, extremes.greatest)
                statistics.put(6, extremes.least)
            }
        }
    }

    private mutating func putPage(
        _ plain: [UInt8],
        kind: Int,
        _ deflater: Deflater,
        _ details: (inout ThriftWriter) -> Void
    ) throws(CompressionError) {
        var packed: [UInt8] = []
        try deflater.pack(plain, into: &packed)
        let head = ThriftWriter.structure { head in
            head.put(1, kind)
            head.put(2, plain.count)
            head.put(3, packed.count)
            head.put(4, Int(Int32(bitPattern: Checksum.crc32(packed))))
            details(&head)
        }
        bytes += head + packed
        length = bytes.count
        plainLength += head.count + plain.count
    }

    /// Repetition and definition levels, each with its length before it, where the column has them.
    private static func levels(of column: ParquetColumn) -> [UInt8] {
        var bytes: [UInt8] = []
        if !column.repetitions.isEmpty { bytes += levels(column.repetitions, max: 1) }
        if !column.definitions.isEmpty { bytes += levels(column.definitions, max: column.definitionMax) }
        return bytes
    }

    private static func levels(_ levels: [UInt32], max greatest: Int) -> [UInt8] {
        let runs = LevelRuns.encode(levels, width: LevelRuns.width(of: greatest))
        var bytes: [UInt8] = []
        bytes.put(UInt64(runs.count), bytes: 4)
        return bytes + runs
    }

    private static func plain(_ values: ParquetColumn.Values) -> [UInt8] {
        var bytes: [UInt8] = []
        switch values {
        case .booleans(let all):
            bytes = [UInt8](repeating: 0, count: (all.count + 7) / 8)
            for (place, value) in all.enumerated() where value { bytes[place / 8] |= 1 << UInt8(place % 8) }
        case .numbers(let all):
            for value in all { bytes.put(UInt64(UInt32(bitPattern: value)), bytes: 4) }
        case .longs(let all):
            for value in all { bytes.put(UInt64(bitPattern: value), bytes: 8) }
        case .texts(let all):
            for value in all { put(value, to: &bytes) }
        }
        return bytes
    }

    private static func put(_ text: String, to bytes: inout [UInt8]) {
        bytes.put(UInt64(text.utf8.count), bytes: 4)
        bytes += text.utf8
    }

    /// The texts that differ, and of each value which it is; `nil` where writing them out takes no more.
    private static func dictionary(_ values: ParquetColumn.Values) -> (
        page: [UInt8], count: Int, indexes: [UInt8]
    )? {
        guard case .texts(let all) = values, !all.isEmpty else { return nil }
        var known: [String: UInt32] = [:]
        var page: [UInt8] = []
        var plainLength = 0
        let indexes = all.map { text in
            plainLength += 4 + text.utf8.count
            if let index = known[text] { return index }
            let index = UInt32(known.count)
            known[text] = index
            put(text, to: &page)
            return index
        }
        let width = LevelRuns.width(of: known.count - 1)
        guard page.count + all.count * width / 8 < plainLength else { return nil }
        return (page, known.count, [UInt8(width)] + LevelRuns.encode(indexes, width: width))
    }

    /// The least and the greatest value as they are written, text by its bytes; none of truths, which say nothing by it.
    private static func extremes(_ values: ParquetColumn.Values) -> (least: [UInt8], greatest: [UInt8])? {
        switch values {
        case .booleans: return nil
        case .numbers(let all):
            guard let least = all.min(), let greatest = all.max() else { return nil }
            return (plain(.numbers([least])), plain(.numbers([greatest])))
        case .longs(let all):
            guard let least = all.min(), let greatest = all.max() else { return nil }
            return (plain(.longs([least])), plain(.longs([greatest])))
        case .texts(let all):
            let isBefore = { (one: String, other: String) in one.utf8.lexicographicallyPrecedes(other.utf8) }
            guard let least = all.min(by: isBefore), let greatest = all.max(by: isBefore) else { return nil }
            return (Array(least.utf8), Array(greatest.utf8))
        }
    }
}
