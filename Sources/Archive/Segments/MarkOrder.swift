import ANPRModel
import SightingFrames

/// The order of sightings in a segment: by the mark's key, then first, then camera.
enum MarkOrder {
    /// What is known of a row without looking at it again, which would be slow: sorted rows lie all over their batch.
    struct Key: Sendable {
        /// The value of the mark's key.
        var mark: UInt64
        /// The first read's time, in milliseconds.
        var first: Int64
        var row: UInt32
        /// The part that it goes to.
        var part: UInt32
    }

    /// Rows in order.
    ///
    /// Sorted by the key's value a byte at a time from the least, which keeps rows of one mark as they came; those
    /// come in order of time but for late ones, so that little is left to do.
    ///
    /// - Complexity: O(rows), four passes over 24 bytes each, up to eight for marks of other shapes.
    static func sorted(_ rows: [Key], _ sightings: [Sighting]) -> [Key] {
        var keys = rows
        var others = keys.filter { $0.mark >= MarkKey.firstOther.value }
        // By themselves the marks of the current shape have their upper bytes in common.
        if !others.isEmpty { keys.removeAll { $0.mark >= MarkKey.firstOther.value } }
        sort(&keys)
        sort(&others)
        keys += others
        settle(&keys, sightings)
        return keys
    }

    private static func sort(_ keys: inout [Key]) {
        var other = keys
        var counts = [Int](repeating: 0, count: 8 * 256)
        for key in keys {
            for place in 0..<8 { counts[place << 8 | Int(key.mark >> UInt64(8 * place) & 0xFF)] += 1 }
        }
        for place in 0..<8 {
            if counts[place << 8..<(place + 1) << 8].contains(keys.count) { continue }
            var start = 0
            for digit in place << 8..<(place + 1) << 8 {
                let count = counts[digit]
                counts[digit] = start
                start += count
            }
            for key in keys {
                let digit = place << 8 | Int(key.mark >> UInt64(8 * place) & 0xFF)
                other[counts[digit]] = key
                counts[digit] += 1
            }
            swap(&keys, &other)
        }
    }

    /// Moves each row of a mark before those of the same mark that it precedes.
    private static func settle(_ keys: inout [Key], _ sightings: [Sighting]) {
        for start in keys.indices.dropFirst() where keys[start - 1].mark == keys[start].mark {
            let key = keys[start]
            var place = start
            while place > 0, keys[place - 1].mark == key.mark, precedes(key, keys[place - 1], sightings) {
                keys[place] = keys[place - 1]
                place -= 1
            }
            keys[place] = key
        }
    }

    private static func precedes(_ left: Key, _ right: Key, _ sightings: [Sighting]) -> Bool {
        if left.first != right.first { return left.first < right.first }
        return sightings[Int(left.row)].camera < sightings[Int(right.row)].camera
    }
}
