import ANPRModel

/// Finds where a mark stood last among those that went over a connection; what it misses costs bytes, not correctness.
///
/// - Complexity: O(1) a mark, two memory accesses of no order; 8 MB, and 8 bytes for each of the marks remembered.
struct MarkFinder {
    private var history = MarkHistory()
    /// Four places a bucket: part of a mark's hash above the number, from 1, of the sighting that had the mark last, cut to
    /// 32 bits; 0 for none.
    private var places = [UInt64](repeating: 0, count: 4 << bucketBits)
    private var sightings: UInt32 = 0

    private static let bucketBits = 18

    /// Remembers a sighting's mark.
    ///
    /// - Returns: how many sightings ago it stood before, if that is remembered.
    mutating func append(_ vrm: VRM) -> Int? {
        let hash = vrm.packed &* 0x9E37_79B9_7F4A_7C15
        let bucket = Int(hash >> UInt64(64 - Self.bucketBits)) * 4
        let tag = hash >> 14 & 0xFFFF_FFFF
        let next = sightings &+ 1
        var oldest = bucket
        var ageMax: UInt32 = 0
        var found: Int?
        for place in bucket..<bucket + 4 {
            let entry = places[place]
            let number = UInt32(truncatingIfNeeded: entry)
            let age = number == 0 ? .max : next &- number
            // Few marks but the one looked for have its tag: the history is asked in vain next to never.
            if entry >> 32 == tag, number != 0, history.mark(back: Int(age)) == vrm {
                found = Int(age)
                oldest = place
                break
            }
            if age > ageMax { (oldest, ageMax) = (place, age) }
        }
        history.append(vrm)
        sightings = next
        places[oldest] = tag << 32 | UInt64(next == 0 ? 1 : next)
        return found
    }
}
