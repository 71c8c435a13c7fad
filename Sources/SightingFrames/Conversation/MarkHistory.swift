import ANPRModel

/// The marks of the sightings that went over a connection last: what both its ends remember.
///
/// Cars come back: of a region's sightings most are of a mark seen within the hour. Such a mark is told as how many sightings
/// ago it last stood, 2 bytes instead of 4.
///
/// - Complexity: O(1) a mark; 8 bytes each, at most `countMax` of them.
struct MarkHistory {
    /// How far back is remembered, in sightings.
    static let countMax = 1 << 20 - 1

    private var marks: [VRM] = []
    private var next = 0

    /// How many are remembered.
    var count: Int { marks.count }

    /// The mark that stood so many sightings ago, 1 for the last.
    @inline(__always)
    func mark(back distance: Int) -> VRM? {
        guard distance >= 1, distance <= marks.count else { return nil }
        let place = next - distance
        return marks[place < 0 ? place + marks.count : place]
    }

    /// Remembers the next one.
    @inline(__always)
    mutating func append(_ vrm: VRM) {
        if marks.count < Self.countMax {
            marks.append(vrm)
            next = marks.count
        } else {
            if next == Self.countMax { next = 0 }
            marks[next] = vrm
            next += 1
        }
    }

    /// The marks of a frame's sightings, which are remembered.
    ///
    /// - Parameter distances: to each mark that went over before, in order.
    mutating func marks(_ count: Int, _ distances: [UInt32], _ columns: inout ColumnReaders)
        throws(FrameFault)
        -> [VRM]
    {
        var reader = MarkReader(columns)
        var recalled = 0
        let marks = try [VRM](capacity: count) { marks throws(FrameFault) in
            for _ in 0..<count {
                var vrm = try reader.next()
                if vrm == nil {
                    vrm = mark(back: Int(distances[recalled]))
                    recalled += 1
                }
                guard let vrm else { throw .badMark }
                append(vrm)
                marks.append(vrm)
            }
        }
        reader.giveBack(&columns)
        return marks
    }
}
