/// Where the pages of a file stand: the first mark of each, and the lengths of its pieces.
public struct PageIndex: Equatable, Sendable {
    /// How many parts each page can have.
    public let partCount: Int
    /// The first mark of each page, ascending; two in a row are equal where a mark goes on over a page's end.
    public private(set) var firsts: [MarkKey] = []
    /// Where the pieces of marks end, counted from the begin of the first one; and those of sightings, page by page and in each
    /// part by part, a part without sightings where the one before it ends.
    private var marksEnds: [Int] = []
    private var rowsEnds: [Int] = []

    /// No pages.
    public init(partCount: Int) { self.partCount = partCount }

    /// How many pages there are.
    public var count: Int { firsts.count }
    /// How long all pieces of marks are together.
    public var marksLength: Int { marksEnds.last ?? 0 }
    /// How long all pieces of sightings are together.
    public var rowsLength: Int { rowsEnds.last ?? 0 }

    /// Adds a page.
    ///
    /// - Parameters:
    ///   - marks: how long the piece of its marks is.
    ///   - rows: for each part how long the piece of its sightings is; 0 where it has none.
    public mutating func append(first: MarkKey, marks: Int, rows: [Int]) {
        precondition(rows.count == partCount)
        firsts.append(first)
        marksEnds.append(marksLength + marks)
        for length in rows { rowsEnds.append(rowsLength + length) }
    }

    /// Where the piece of a page's marks stands among those.
    public func marks(of page: Int) -> Range<Int> { (page == 0 ? 0 : marksEnds[page - 1])..<marksEnds[page] }

    /// Where every so-many-th page ends, and the last.
    public func ends(of pages: Int) -> [Int] {
        stride(from: 0, to: count, by: pages).map { marksEnds[min($0 + pages, count) - 1] }
    }

    /// How long every so many pages are together, and the last ones.
    public func lengths(of pages: Int) -> [Int] {
        var start = 0
        return ends(of: pages).map { end in
            defer { start = end }
            return end - start
        }
    }

    /// Where the piece of the sightings stands that a part has of a page, among those.
    public func rows(of page: Int, part: Int) -> Range<Int> {
        let place = page * partCount + part
        return (place == 0 ? 0 : rowsEnds[place - 1])..<rowsEnds[place]
    }

    /// The pages that can have marks of a range.
    ///
    /// - Complexity: O(log pages).
    public func pages(_ range: ClosedRange<MarkKey>) -> Range<Int> {
        let end = lowerBound { $0 > range.upperBound }
        let start = lowerBound { $0 >= range.lowerBound }
        // What begins before the range can reach into it.
        return max(0, min(start, end) - 1)..<end
    }

    private func lowerBound(_ isReached: (MarkKey) -> Bool) -> Int {
        var (low, high) = (0, firsts.count)
        while low < high {
            let middle = (low + high) / 2
            if isReached(firsts[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// The bytes of it: numbers, for each page how far its first mark is from that of the page before, the length of its marks, and
    /// the lengths of its parts.
    public var encoded: [UInt8] {
        var column = ColumnWriter()
        var previous: UInt64 = 0
        for page in firsts.indices {
            column.put(firsts[page].value - previous)
            previous = firsts[page].value
            column.put(UInt64(marks(of: page).count))
            for part in 0..<partCount { column.put(UInt64(rows(of: page, part: part).count)) }
        }
        return column.bytes
    }

    /// As written by `encoded`.
    public init(_ bytes: [UInt8], partCount: Int) throws(FrameFault) {
        self = try ColumnReader.read(bytes) { column throws(FrameFault) in
            var index = PageIndex(partCount: partCount)
            // A page takes a byte or more for each number, most take two for each of the first ones.
            let countMax = bytes.count / (2 + partCount)
            index.firsts.reserveCapacity(countMax / 2)
            index.marksEnds.reserveCapacity(countMax / 2)
            index.rowsEnds.reserveCapacity(countMax * partCount)
            var (first, marksEnd, rowsEnd): (UInt64, Int, Int) = (0, 0, 0)
            while !column.isAtEnd {
                let (sum, overflow) = first.addingReportingOverflow(try column.number())
                guard !overflow else { throw .numberTooLarge }
                first = sum
                index.firsts.append(MarkKey(value: first))
                marksEnd += Int(try column.number(upTo: UInt64(UInt32.max)))
                index.marksEnds.append(marksEnd)
                for _ in 0..<partCount {
                    rowsEnd += Int(try column.number(upTo: UInt64(Block.payloadMax)))
                    index.rowsEnds.append(rowsEnd)
                }
            }
            return index
        }
    }
}
