import Compression

/// Some marks in their order, and which parts of an archive have sightings of each: what is looked into first.
///
/// A part is what belongs to one owner: the sightings of one force. Whether there is any sighting of a mark, and where, is told
/// without opening any of them.
public struct MarkPage: Equatable, Sendable {
    /// The most marks in a page.
    public static let countMax = 65_536
    private static let partsMax: UInt64 = 65_536

    /// The marks, ascending, each once.
    public private(set) var keys: [MarkKey] = []
    /// By mark: where its parts end in `parts`.
    private var ends: [Int] = []
    private var parts: [Int] = []

    /// A page without marks.
    public init() {}

    /// Adds a mark behind all others.
    ///
    /// - Parameter parts: those that have sightings of it, ascending; at least one.
    public mutating func append(_ key: MarkKey, parts: [Int]) {
        keys.append(key)
        self.parts += parts
        ends.append(self.parts.count)
    }

    /// The parts that have sightings of the mark at a place.
    public func parts(of place: Int) -> ArraySlice<Int> {
        parts[(place == 0 ? 0 : ends[place - 1])..<ends[place]]
    }

    /// The places of the marks that a part has sightings of.
    ///
    /// - Complexity: O(marks).
    public func places(in part: Int) -> [Int] {
        var places: [Int] = []
        places.reserveCapacity(ends.count)
        var place = 0
        for index in parts.indices {
            if index == ends[place] { place += 1 }
            if parts[index] == part { places.append(place) }
        }
        return places
    }

    /// The parts that have sightings of any mark, ascending.
    public var allParts: [Int] {
        var isThere = [Bool](repeating: false, count: (parts.max() ?? -1) + 1)
        for part in parts { isThere[part] = true }
        return isThere.indices.filter { isThere[$0] }
    }

    /// A number for each part of each mark: twice the part, and for a mark's last one more.
    private var partNumbers: [UInt8] {
        var column = ColumnWriter()
        var start = 0
        for end in ends {
            for place in start..<end { column.put(UInt64(parts[place] << 1 | (place == end - 1 ? 1 : 0))) }
            start = end
        }
        return column.bytes
    }

    /// Counts what the codebook must be made of.
    func count(in counts: inout ByteCounts) { counts.add(numbers: partNumbers, kind: PageKinds.parts) }

    /// The page's bytes, without its first mark, which an index of pages has.
    func encoded(_ packer: inout EntropyPacker) -> [UInt8] {
        var head = ColumnWriter()
        head.put(UInt64(keys.count))
        head.put(UInt64(parts.count))
        var bytes = GapCode.write(keys.map(\.value), behind: head.bytes)
        packer.put(numbers: partNumbers, kind: PageKinds.parts)
        packer.finish(into: &bytes)
        return bytes
    }

    /// Reads only the marks of a page.
    ///
    /// - Returns: the values of their keys, ascending.
    /// - Complexity: O(marks), some 3 ns each.
    static func keys(_ bytes: [UInt8], first: MarkKey) throws(FrameFault) -> [UInt64] {
        try read(bytes, first).keys
    }

    /// Reads a page.
    init(_ bytes: [UInt8], first: MarkKey, _ unpacker: inout EntropyUnpacker) throws(FrameFault) {
        let (values, partCount, start) = try Self.read(bytes, first)
        var numbers: [UInt8] = []
        do throws(CompressionError) {
            try unpacker.begin(bytes, at: start)
            try unpacker.numbers(partCount, kind: PageKinds.parts, lengthMax: 10 * partCount, into: &numbers)
            try unpacker.finish()
        } catch { throw .badPacking }
        keys = values.map(MarkKey.init(value:))
        (parts, ends) = try ColumnReader.read(numbers) { column throws(FrameFault) in
            var (parts, ends): ([Int], [Int]) = ([], [])
            parts.reserveCapacity(partCount)
            ends.reserveCapacity(values.count)
            while !column.isAtEnd {
                let number = Int(try column.number(upTo: Self.partsMax << 1))
                if parts.count > ends.last ?? 0, let last = parts.last, last >= number >> 1 {
                    throw .numberTooLarge
                }
                parts.append(number >> 1)
                if number & 1 == 1 { ends.append(parts.count) }
            }
            return (parts, ends)
        }
        guard ends.count == keys.count, ends.last == parts.count else { throw .columnEnds }
    }

    private static func read(_ bytes: [UInt8], _ first: MarkKey) throws(FrameFault)
        -> (keys: [UInt64], partCount: Int, end: Int)
    {
        let (count, partCount, start) = try ColumnReader.read(bytes) { reader throws(FrameFault) in
            let count = Int(try reader.number(upTo: UInt64(countMax)))
            let partCount = Int(try reader.number(upTo: UInt64(countMax) * 64))
            return (count, partCount, bytes.count - reader.left)
        }
        guard count > 0, partCount >= count,
            let (numbers, end) = GapCode.read(count, first: first.value, bytes, at: start)
        else { throw .columnEnds }
        return (numbers, partCount, end)
    }
}
