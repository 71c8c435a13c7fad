import ANPRModel

/// Finds where a mark stood last among those that went over a connection; what it misses costs bytes, not correctness.
///
/// - Complexity: O(1) a mark; 4 MB, and 8 bytes for each of the marks remembered.
struct MarkFinder {
    private var history = MarkHistory()
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
