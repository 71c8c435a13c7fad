import ANPRModel

/// The marks of the sightings that went over a connection last: what both its ends remember.
///
/// Cars come back: of a region's sightings most are of a mark seen within the hour. Such a mark is told as how many sightings
/// ago it last stood, 2 bytes instead of 4.
///
/// - Complexity: O(1) a mark; 8 bytes each, at most `countMax` of them.
struct MarkHistory {
    /// How far back is remembered, in sightings.
    static let countMax = 1 << 20

    private var marks: [VRM] = []
    private var next = 0

    /// How many are remembered.
    var count: Int { marks.count }

    /// The mark that stood so many sightings ago, 1 for the last.
    func mark(back distance: Int) -> VRM? {
        guard distance >= 1, distance <= marks.count else { return nil }
        let place = next - distance
        return marks[place < 0 ? place + marks.count : place]
    }

    /// Remembers the next one.
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
}

/// Finds a mark in the history again; what it misses costs bytes, not correctness.
///
/// - Complexity: O(1); 4 MB.
struct MarkFinder {
    private(set) var history = MarkHistory()
    /// Four places a bucket: the number of the sighting that had the mark last, from 1, cut to 32 bits; 0 for none.
    private var places = [UInt32](repeating: 0, count: 4 << bucketBits)
    private var sightings: UInt32 = 0

    private static let bucketBits = 18

    /// Remembers a sighting's mark.
    ///
    /// - Returns: how many sightings ago it stood before, if that is remembered.
    mutating func append(_ vrm: VRM) -> Int? {
        let hash = vrm.packed &* 0x9E37_79B9_7F4A_7C15
        let bucket = Int(hash >> UInt64(64 - Self.bucketBits)) * 4
        var oldest = bucket
        var found: Int?
        for place in bucket..<bucket + 4 {
            let distance = age(place)
            if places[place] != 0, history.mark(back: distance) == vrm {
                found = distance
                oldest = place
                break
            }
            if places[place] == 0 || (places[oldest] != 0 && distance > age(oldest)) { oldest = place }
        }
        history.append(vrm)
        sightings &+= 1
        places[oldest] = sightings == 0 ? 1 : sightings
        return found
    }

    private func age(_ place: Int) -> Int { Int(sightings &- places[place]) + 1 }
}
