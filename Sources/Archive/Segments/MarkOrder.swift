import ANPRModel

/// The order of sightings in a segment: by mark, then first, then camera.
enum MarkOrder {
    private struct Key {
        var vrm: UInt64
        var row: UInt32
    }

    /// Rows of a batch in order.
    ///
    /// Sorted by the mark's packed value a byte at a time from the least, which keeps rows of one mark as they came; those
    /// come in order of time but for late ones, so that little is left to do.
    ///
    /// - Complexity: O(rows), eight passes over 16 bytes each.
    static func sort(_ rows: [UInt32], of batch: SightingBatch) -> [Int] {
        var keys = rows.map { Key(vrm: batch.sightings[Int($0)].vrm.packed, row: $0) }
        var other = keys
        var counts = [Int](repeating: 0, count: 8 * 256)
        for key in keys {
            for place in 0..<8 { counts[place << 8 | Int(key.vrm >> UInt64(8 * place) & 0xFF)] += 1 }
        }
        for place in 0..<8 {
            var start = 0
            for digit in place << 8..<(place + 1) << 8 {
                let count = counts[digit]
                counts[digit] = start
                start += count
            }
            for key in keys {
                let digit = place << 8 | Int(key.vrm >> UInt64(8 * place) & 0xFF)
                other[counts[digit]] = key
                counts[digit] += 1
            }
            swap(&keys, &other)
        }
        var order = keys.map { Int($0.row) }
        settle(&order, batch.sightings)
        return order
    }

    /// Moves each row of a mark before those of the same mark that it precedes.
    private static func settle(_ order: inout [Int], _ sightings: [Sighting]) {
        for start in order.indices.dropFirst() {
            let row = order[start]
            var place = start
            while place > 0, precedes(sightings[row], sightings[order[place - 1]]) {
                order[place] = order[place - 1]
                place -= 1
            }
            order[place] = row
        }
    }

    /// Whether one sighting stands before another.
    static func precedes(_ left: Sighting, _ right: Sighting) -> Bool {
        if left.vrm != right.vrm { return left.vrm < right.vrm }
        if left.first != right.first { return left.first < right.first }
        return left.camera < right.camera
    }
}
