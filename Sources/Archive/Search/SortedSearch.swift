extension Range<Int> {
    /// The first number for which something holds that then holds for all behind it; the range's end if it holds for none.
    ///
    /// - Complexity: O(log count).
    @inline(__always)
    func first(from holds: (Int) -> Bool) -> Int {
        var (low, high) = (lowerBound, upperBound)
        while low < high {
            let middle = low + (high - low) / 2
            if holds(middle) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

extension [UInt64] {
    /// Of ascending numbers the place of the first that is not below one.
    func lowerBound(_ number: UInt64) -> Int { indices.first(from: { self[$0] >= number }) }

    /// Of ascending numbers the place of one.
    func place(of number: UInt64) -> Int? {
        let place = lowerBound(number)
        return place < count && self[place] == number ? place : nil
    }
}
