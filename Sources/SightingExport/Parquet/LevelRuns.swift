/// Writes small numbers as Parquet's mixture of runs: one value repeated, or eight and eight in as few bits as they need.
struct LevelRuns {
    private let width: Int
    private(set) var bytes: [UInt8] = []
    /// What waits to be written in bits.
    private var waiting: [UInt32] = []

    /// The numbers of a column.
    ///
    /// - Parameter width: how many bits the greatest needs, 1 to 32.
    static func encode(_ values: [UInt32], width: Int) -> [UInt8] {
        var runs = LevelRuns(width: width)
        runs.take(values)
        return runs.bytes
    }

    /// How many bits numbers up to one need; 1 at least, as not all readers take 0.
    static func width(of greatest: Int) -> Int { max(1, Int.bitWidth - greatest.leadingZeroBitCount) }

    private init(width: Int) { self.width = width }

    private mutating func take(_ values: [UInt32]) {
        var place = 0
        while place < values.count {
            let value = values[place]
            var end = place + 1
            while end < values.count, values[end] == value { end += 1 }
            // Bits come in eights: a run begins where those that wait are full.
            let missing = (8 - waiting.count % 8) % 8
            if end - place >= missing + 8 {
                waiting += repeatElement(value, count: missing)
                writeBits()
                writeRun(of: value, count: end - place - missing)
            } else {
                waiting += repeatElement(value, count: end - place)
            }
            place = end
        }
        // Readers know how many there are.
        waiting += repeatElement(0, count: (8 - waiting.count % 8) % 8)
        writeBits()
    }

    private mutating func writeRun(of value: UInt32, count: Int) {
        bytes.put(variable: UInt64(count) << 1)
        bytes.put(UInt64(value), bytes: (width + 7) / 8)
    }

    private mutating func writeBits() {
        if waiting.isEmpty { return }
        bytes.put(variable: UInt64(waiting.count / 8) << 1 | 1)
        var (word, filled) = (UInt64(0), 0)
        for value in waiting {
            word |= UInt64(value) << UInt64(filled)
            filled += width
            while filled >= 8 {
                bytes.append(UInt8(truncatingIfNeeded: word))
                word >>= 8
                filled -= 8
            }
        }
        waiting.removeAll(keepingCapacity: true)
    }
}
