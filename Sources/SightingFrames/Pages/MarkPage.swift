import Compression

/// Some marks in their order, and which parts of a file have sightings of each, as files of before have them.
///
/// A part is what belongs to one force. `IndexPage` is what is written now.
public struct MarkPage: Equatable, Sendable {
    /// The most marks in a page.
    public static let countMax = 65_536
    private static let partsMax: UInt64 = 65_536

    /// The marks, ascending, each once.
    public private(set) var keys: [MarkKey] = []
    /// By mark: where its parts end in `parts`.
    private var ends: [Int] = []
    private var parts: [Int] = []

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
