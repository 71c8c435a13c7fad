/// The columns of a frame to be read, one behind the other in one buffer.
struct ColumnBytes {
    private(set) var bytes: [UInt8] = []
    private var ranges = ByColumn<Range<Int>>(repeating: 0..<0)

    /// No columns.
    init() {
        precondition(FrameColumn.allCases.count == ranges.count)
    }

    /// Columns of a frame that stands alone: their lengths, then the columns.
    ///
    /// - Parameter bytes: as unpacked.
    init(unpacked bytes: [UInt8], flags: UInt16) throws(FrameFault) {
        self.init()
        self.bytes = bytes
        let stored = FrameColumn.stored(flags: flags)
        var lengths = ByColumn<Int>(repeating: 0)
        var start = try ColumnReader.read(bytes) { head throws(FrameFault) in
            for place in stored.indices { lengths[place] = Int(try head.number(upTo: UInt64(bytes.count))) }
            return bytes.count - head.left
        }
        for (place, column) in stored.enumerated() {
            guard lengths[place] <= bytes.count - start else { throw .badPacking }
            ranges[column.rawValue] = start..<start + lengths[place]
            start += lengths[place]
        }
        guard start == bytes.count else { throw .badPacking }
    }

    /// Where a column's bytes stand.
    subscript(_ column: FrameColumn) -> Range<Int> { ranges[column.rawValue] }

    /// Removes all columns and keeps their room.
    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        for place in ranges.indices { ranges[place] = 0..<0 }
    }

    /// Adds a column: what is appended.
    @inline(__always)
    mutating func append<Failure: Error>(
        _ column: FrameColumn,
        _ fill: (inout [UInt8]) throws(Failure) -> Void
    ) throws(Failure) {
        let start = bytes.count
        try fill(&bytes)
        ranges[column.rawValue] = start..<bytes.count
    }

    /// Reads two columns.
    @inline(__always)
    func read(
        _ one: FrameColumn,
        _ other: FrameColumn,
        _ body: (_ one: inout ColumnReader, _ other: inout ColumnReader) throws(FrameFault) -> Void
    ) throws(FrameFault) {
        try unsafe bytes.withUnsafeBufferPointer { buffer throws(FrameFault) in
            var reader = unsafe ColumnReader(buffer, self[one])
            var otherReader = unsafe ColumnReader(buffer, self[other])
            try body(&reader, &otherReader)
        }
    }

    /// Reads columns.
    @inline(__always)
    func read<Result>(_ body: (inout ColumnReaders) throws(FrameFault) -> Result) throws(FrameFault) -> Result
    {
        try unsafe bytes.withUnsafeBufferPointer { buffer throws(FrameFault) in
            var readers = unsafe ColumnReaders(buffer, ranges)
            return try body(&readers)
        }
    }
}

/// The readers of a frame's columns.
struct ColumnReaders {
    private var all: ByColumn<ColumnReader>

    fileprivate init(_ buffer: UnsafeBufferPointer<UInt8>, _ ranges: ByColumn<Range<Int>>) {
        all = InlineArray { unsafe ColumnReader(buffer, ranges[$0]) }
    }

    subscript(_ column: FrameColumn) -> ColumnReader {
        @inline(__always) get { all[column.rawValue] }
        @inline(__always) set { all[column.rawValue] = newValue }
    }

    /// Whether all columns have been read to their ends.
    var areAtEnd: Bool {
        for place in all.indices where !all[place].isAtEnd { return false }
        return true
    }
}
