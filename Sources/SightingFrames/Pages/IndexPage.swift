public import Compression

/// Some marks in their order, and in which parts of an archive each has runs: what is looked into first.
///
/// A part is what goes together: the sightings of one day that the same forces have contributed to. In each part sightings stand
/// in the order of marks, and those of one mark are a run; a mark with very many has several, one behind the other. A page knows
/// how many runs stand before it in each part, so that it tells not only which parts have sightings of a mark, but where.
public struct IndexPage: Equatable, Sendable {
    /// The most marks, and the most runs, in a page.
    public static let countMax = 65_536
    /// The most parts of an archive's index.
    public static let partsMax = 65_536

    /// The values of the marks' keys, ascending, each once.
    public private(set) var keys: [UInt64] = []
    /// By part: how many runs stand before the page.
    public let starts: [Int]
    /// By mark: where its runs end in `parts`.
    private var ends: [Int] = []
    /// By run its part, ascending for each mark.
    private var parts: [Int] = []

    /// A page without marks.
    public init(starts: [Int]) { self.starts = starts }

    /// How many runs it has.
    public var count: Int { parts.count }

    /// What it has of some parts, renumbered.
    ///
    /// - Parameters:
    ///   - numbers: by part its number there, ascending; `nil` where it is left out.
    ///   - count: how many parts there are with those numbers.
    public func part(_ numbers: [Int?], count: Int) -> IndexPage {
        var own = [Int](repeating: 0, count: count)
        for (start, number) in zip(starts, numbers) {
            if let number { own[number] = start }
        }
        var page = IndexPage(starts: own)
        page.keys.reserveCapacity(keys.count)
        page.ends.reserveCapacity(keys.count)
        page.parts.reserveCapacity(parts.count)
        var place = 0
        for (key, end) in zip(keys, ends) {
            let before = page.parts.count
            while place < end {
                if let number = numbers[parts[place]] { page.parts.append(number) }
                place += 1
            }
            guard page.parts.count > before else { continue }
            page.keys.append(key)
            page.ends.append(page.parts.count)
        }
        return page
    }

    /// Adds a run behind all others.
    ///
    /// - Parameters:
    ///   - key: the value of the mark's key: that of the run before it, or a greater one.
    ///   - part: not below that of the run before it, if that has the same mark.
    public mutating func append(_ key: UInt64, part: Int) {
        if keys.last == key {
            ends[ends.count - 1] += 1
        } else {
            keys.append(key)
            ends.append(parts.count + 1)
        }
        parts.append(part)
    }

    /// Goes through all runs.
    ///
    /// - Parameter body: is given the place of the mark, the part, and the run's number in that.
    public func forEachRun(_ body: (_ place: Int, _ part: Int, _ number: Int) throws -> Void) rethrows {
        var next = starts
        var place = 0
        for index in parts.indices {
            if index == ends[place] { place += 1 }
            let part = parts[index]
            try body(place, part, next[part])
            next[part] += 1
        }
    }

    /// A number for each run: twice how far its part is from that of the run before, and for a mark's last one more.
    private var numbers: [UInt8] {
        var column = ColumnWriter()
        var start = 0
        for end in ends {
            var previous = 0
            for place in start..<end {
                column.put(UInt64(parts[place] - previous) << 1 | (place == end - 1 ? 1 : 0))
                previous = parts[place]
            }
            start = end
        }
        return column.bytes
    }

    /// Counts what the codebook must be made of.
    public func count(in counts: inout ByteCounts) { counts.add(numbers: numbers, kind: 0) }

    /// How many kinds of bytes its codebook has.
    public static let kinds = 2

    /// The page's bytes, without its first mark, which is told elsewhere.
    ///
    /// - Parameter expected: by part how many runs a reader takes to stand before the page; what is near takes few bytes.
    public func encoded(expected: [Int], _ packer: inout EntropyPacker) -> [UInt8] {
        var head = ColumnWriter()
        for (start, expected) in zip(starts, expected) { head.put(signed: Int64(start - expected)) }
        head.put(UInt64(keys.count))
        head.put(UInt64(parts.count))
        var bytes = GapCode.write(keys, behind: head.bytes)
        packer.put(numbers: numbers, kind: 0)
        packer.finish(into: &bytes)
        return bytes
    }

    /// What stands before the parts of a page's runs.
    public struct Marks: Sendable {
        /// The values of the marks' keys, ascending.
        public let keys: [UInt64]
        fileprivate let head: Head
        /// Where the parts begin.
        fileprivate let end: Int
    }

    /// Reads only the marks of a page.
    ///
    /// - Complexity: O(marks), some 3 ns each, and as much for each part.
    public static func marks(_ bytes: [UInt8], first: MarkKey, expected: [Int]) throws(FrameFault) -> Marks {
        let head = try head(bytes, expected)
        guard let (keys, end) = GapCode.read(head.marks, first: first.value, bytes, at: head.end) else {
            throw .columnEnds
        }
        return Marks(keys: keys, head: head, end: end)
    }

    /// Reads only by part how many runs stand before a page.
    public static func starts(_ bytes: [UInt8], expected: [Int]) throws(FrameFault) -> [Int] {
        try head(bytes, expected).starts
    }

    /// Reads a page.
    ///
    /// - Complexity: O(runs), some 10 ns each.
    public init(
        _ bytes: [UInt8],
        first: MarkKey,
        expected: [Int],
        _ unpacker: inout EntropyUnpacker
    ) throws(FrameFault) {
        try self.init(Self.marks(bytes, first: first, expected: expected), bytes, &unpacker)
    }

    /// Reads the rest of a page whose marks were read.
    ///
    /// - Parameter bytes: as they were read from.
    public init(_ marks: Marks, _ bytes: [UInt8], _ unpacker: inout EntropyUnpacker) throws(FrameFault) {
        keys = marks.keys
        starts = marks.head.starts
        var (parts, ends): ([Int], [Int]) = ([], [])
        parts.reserveCapacity(marks.head.runs)
        ends.reserveCapacity(marks.head.marks)
        try Self.forEachRun(marks, bytes, &unpacker) { _, part, isLast in
            parts.append(part)
            if isLast { ends.append(parts.count) }
        }
        (self.parts, self.ends) = (parts, ends)
    }

    /// The runs of the mark at a place, each with its part and its number in it, of a page whose marks were read.
    ///
    /// What stands behind them is not looked at.
    ///
    /// - Parameter bytes: as they were read from.
    /// - Complexity: O(runs of the page up to those), some 4 ns each.
    public static func runs(
        of place: Int,
        _ marks: Marks,
        _ bytes: [UInt8],
        _ unpacker: inout EntropyUnpacker
    ) throws(FrameFault) -> [(part: Int, number: Int)] {
        guard let numbers = try shortNumbers(through: place, marks, bytes, &unpacker) else {
            return try runsAmongAll(of: place, marks, bytes, &unpacker)
        }
        var next = marks.head.starts
        var runs: [(part: Int, number: Int)] = []
        var nexts = next.mutableSpan
        var (mark, part) = (0, 0)
        let span = numbers.span
        for index in span.indices {
            let number = span[index]
            part += Int(number >> 1)
            guard part < nexts.count else { throw .numberTooLarge }
            if mark == place { runs.append((part, nexts[part])) }
            nexts[part] += 1
            guard number & 1 == 1 else { continue }
            if mark == place { return runs }
            (mark, part) = (mark + 1, 0)
        }
        throw .columnEnds
    }

    /// So many numbers are unpacked at once where it is not known how many are needed.
    private static let unpackedAtOnce = 64

    /// The numbers of runs up to the last one of the mark at a place; some behind them may come with them.
    ///
    /// - Returns: `nil` if one has more than a byte: what is behind its first one stands behind the first ones of all.
    private static func shortNumbers(
        through place: Int,
        _ marks: Marks,
        _ bytes: [UInt8],
        _ unpacker: inout EntropyUnpacker
    ) throws(FrameFault) -> [UInt8]? {
        do throws(CompressionError) { try unpacker.begin(bytes, at: marks.end) } catch { throw .badPacking }
        var numbers: [UInt8] = []
        numbers.reserveCapacity(marks.head.runs)
        var marksLeft = place + 1
        while marksLeft > 0, numbers.count < marks.head.runs {
            let start = numbers.count
            unpacker.bytes(min(unpackedAtOnce, marks.head.runs - start), kind: 0, into: &numbers)
            var (any, ends): (UInt8, Int) = (0, 0)
            let span = numbers.span
            for index in start..<span.count {
                any |= span[index]
                ends &+= Int(span[index] & 1)
            }
            if any >= 0x80 { return nil }
            marksLeft -= ends
        }
        return numbers
    }

    private static func runsAmongAll(
        of place: Int,
        _ marks: Marks,
        _ bytes: [UInt8],
        _ unpacker: inout EntropyUnpacker
    ) throws(FrameFault) -> [(part: Int, number: Int)] {
        var next = marks.head.starts
        var runs: [(part: Int, number: Int)] = []
        try forEachRun(marks, bytes, &unpacker) { mark, part, _ in
            if mark == place { runs.append((part, next[part])) }
            next[part] += 1
        }
        return runs
    }

    /// Goes through the runs of a page whose marks were read.
    ///
    /// - Parameter body: is given the place of the mark, the part, and whether it is the mark's last run.
    @inline(__always)
    private static func forEachRun(
        _ marks: Marks,
        _ bytes: [UInt8],
        _ unpacker: inout EntropyUnpacker,
        _ body: (_ place: Int, _ part: Int, _ isLast: Bool) -> Void
    ) throws(FrameFault) {
        let head = marks.head
        var numbers: [UInt8] = []
        do throws(CompressionError) {
            try unpacker.begin(bytes, at: marks.end)
            try unpacker.numbers(head.runs, kind: 0, lengthMax: 10 * head.runs, into: &numbers)
            try unpacker.finish()
        } catch { throw .badPacking }
        let partCount = head.starts.count
        let (place, isWhole) = try ColumnReader.read(numbers) { column throws(FrameFault) in
            var (place, part) = (0, 0)
            var isLast = true
            while !column.isAtEnd {
                let number = Int(try column.number(upTo: UInt64(Self.partsMax) << 1))
                part += number >> 1
                guard part < partCount else { throw .numberTooLarge }
                isLast = number & 1 == 1
                body(place, part, isLast)
                if isLast { (place, part) = (place + 1, 0) }
            }
            return (place, isLast)
        }
        guard place == marks.keys.count, isWhole else { throw .columnEnds }
    }

    fileprivate struct Head: Sendable {
        var starts: [Int]
        var marks: Int
        var runs: Int
        var end: Int
    }

    private static func head(_ bytes: [UInt8], _ expected: [Int]) throws(FrameFault) -> Head {
        try ColumnReader.read(bytes) { reader throws(FrameFault) in
            var starts: [Int] = []
            starts.reserveCapacity(expected.count)
            for near in expected {
                let folded = try reader.number(upTo: UInt64(UInt32.max) << 1)
                let start = near + Int(Int64(bitPattern: folded >> 1) ^ -Int64(bitPattern: folded & 1))
                guard start >= 0 else { throw .numberTooLarge }
                starts.append(start)
            }
            let marks = Int(try reader.number(upTo: UInt64(countMax)))
            let runs = Int(try reader.number(upTo: UInt64(countMax)))
            guard marks > 0, runs >= marks else { throw .columnEnds }
            return Head(starts: starts, marks: marks, runs: runs, end: bytes.count - reader.left)
        }
    }
}
