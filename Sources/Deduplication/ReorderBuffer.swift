package import ANPRModel

/// What a `ReorderBuffer` can hold.
package protocol Timed {
    /// The time by which it is put in order.
    var time: Timestamp { get }
}

extension Read: Timed {
    /// When it was captured.
    package var time: Timestamp { captured }
}

/// Puts what arrives out of order into order of time.
///
/// A ring of buckets of 1,024 ms takes what lies within 70 minutes of the oldest; what lies further ahead waits aside
/// in buckets of 70 minutes. A bucket is sorted when it is drained, so an insertion is an append.
///
/// - Complexity: O(1) an insertion; draining n elements O(n log n) at the worst, O(n) where they come dense.
package struct ReorderBuffer<Element: Timed & Sendable>: Sendable {
    private static var widthBits: Int64 { 10 }
    private static var ringBits: Int64 { 12 }
    private static var ringCount: Int64 { 1 << ringBits }

    private var ring = [[Element]](repeating: [], count: Int(ringCount))
    /// The number of the bucket that is drained next; the ring holds this one and the 4,095 after it.
    private var base: Int64?
    /// The bucket drained last, to which `base` returns when all is drained: what comes next may lie in it.
    private var lastDrained: Int64?
    /// What lies beyond the ring, and all there is before the first draining, by bucket number shifted by `ringBits`.
    private var beyond: [Int64: [Element]] = [:]
    /// The earliest of what lay beyond, latest first, on its way into the ring, and its number in `beyond`.
    private var near: [Element] = []
    private var nearNumber = Int64.min
    private var beyondCount = 0
    /// Emptied buckets, to be used again.
    private var spare: [[Element]] = []
    private var ringed = 0
    private var sorter = BucketSorter()

    /// An empty buffer.
    package init() {}

    /// How many elements wait.
    package var count: Int { ringed + beyondCount }

    /// Adds an element that must not lie behind what was drained.
    package mutating func insert(_ element: Element) {
        let bucket = element.time.milliseconds >> Self.widthBits
        guard let base, bucket < base + Self.ringCount else {
            insertBeyond(element, bucket >> Self.ringBits)
            return
        }
        precondition(bucket >= base, "an element behind what was drained")
        put(element, bucket)
    }

    private mutating func insertBeyond(_ element: Element, _ number: Int64) {
        beyondCount += 1
        guard !near.isEmpty, number <= nearNumber else {
            beyond[number, default: []].append(element)
            return
        }
        // Latest first; before its equals, which then leave before it.
        var low = 0
        var high = near.count
        while low < high {
            let middle = (low + high) / 2
            if near[middle].time > element.time { low = middle + 1 } else { high = middle }
        }
        near.insert(element, at: low)
    }

    /// Changes the first element for which `change` returns true, of those that wait within `margin` of a time.
    ///
    /// - Complexity: O(what waits in the buckets of that span).
    package mutating func update(near time: Timestamp, margin: Int64, _ change: (inout Element) -> Bool)
        -> Bool
    {
        let first = (time.milliseconds - margin) >> Self.widthBits
        let last = (time.milliseconds + margin) >> Self.widthBits
        for bucket in first...last where updateRing(bucket, change) { return true }
        for place in near.indices where abs(near[place].time.milliseconds - time.milliseconds) <= margin {
            if change(&near[place]) { return true }
        }
        for number in first >> Self.ringBits...last >> Self.ringBits {
            for place in (beyond[number] ?? []).indices where change(&beyond[number, default: []][place]) {
                return true
            }
        }
        return false
    }

    private mutating func updateRing(_ bucket: Int64, _ change: (inout Element) -> Bool) -> Bool {
        guard let base, bucket >= base, bucket < base + Self.ringCount else { return false }
        let slot = Int(bucket & (Self.ringCount - 1))
        for place in ring[slot].indices where change(&ring[slot][place]) { return true }
        return false
    }

    /// Takes out the next elements that lie before `limit`, at most a bucket, in order of time.
    ///
    /// Give the array back with `recycle` when it is worked off.
    ///
    /// - Returns: the elements, and the time before which now all was taken out; `nil` when nothing lies before `limit`.
    package mutating func next(before limit: Timestamp) -> (elements: [Element], end: Timestamp)? {
        guard limit > .distantPast else { return nil }
        let last = limit.milliseconds >> Self.widthBits
        while count > 0 {
            if base == nil || ringed == 0 {
                // Nothing in the ring: go on at the earliest of what waits aside.
                guard let least = beyondLeast(), least < limit else { break }
                base = max(base ?? .min, least.milliseconds >> Self.widthBits)
                takeIn()
            }
            guard let bucket = base, bucket <= last else { break }
            guard bucket < last else { return takePart(bucket, before: limit) }
            let elements = takeWhole(bucket)
            base = bucket + 1
            if beyondCount > 0 { takeIn() }
            if !elements.isEmpty {
                lastDrained = bucket
                return (elements, Timestamp(milliseconds: (bucket + 1) << Self.widthBits))
            }
        }
        if limit == .distantFuture { base = lastDrained ?? base } else { skip(to: last) }
        return nil
    }

    /// Takes an array back, for its room.
    package mutating func recycle(_ elements: consuming [Element]) {
        guard spare.count < 64 else { return }
        elements.removeAll(keepingCapacity: true)
        spare.append(elements)
    }

    /// With nothing left before `bucket`, moves the ring there, so that it holds what comes next.
    private mutating func skip(to bucket: Int64) {
        guard ringed == 0, bucket > base ?? .min else { return }
        base = bucket
        if beyondCount > 0 { takeIn() }
    }

    private mutating func put(_ element: Element, _ bucket: Int64) {
        let slot = Int(bucket & (Self.ringCount - 1))
        if ring[slot].capacity == 0, let empty = spare.popLast() { ring[slot] = empty }
        ring[slot].append(element)
        ringed += 1
    }

    /// The earliest time beyond the ring.
    private mutating func beyondLeast() -> Timestamp? {
        loadNear()
        return near.last?.time
    }

    /// Moves what now lies inside the ring into it.
    private mutating func takeIn() {
        guard let base else { return }
        while true {
            loadNear()
            guard let element = near.last else { return }
            let bucket = element.time.milliseconds >> Self.widthBits
            guard bucket < base + Self.ringCount else { return }
            near.removeLast()
            beyondCount -= 1
            put(element, bucket)
        }
    }

    private mutating func loadNear() {
        guard near.isEmpty, let number = beyond.keys.min(), let elements = beyond.removeValue(forKey: number)
        else {
            return
        }
        // Taken from the end: of equal times the first that came must stand last.
        near = elements.reversed().sorted { $0.time > $1.time }
        nearNumber = number
    }

    private mutating func takeWhole(_ bucket: Int64) -> [Element] {
        let slot = Int(bucket & (Self.ringCount - 1))
        var elements: [Element] = []
        swap(&elements, &ring[slot])
        ringed -= elements.count
        sorter.sort(&elements)
        return elements
    }

    private mutating func takePart(_ bucket: Int64, before limit: Timestamp) -> (
        elements: [Element], end: Timestamp
    )? {
        let slot = Int(bucket & (Self.ringCount - 1))
        guard ring[slot].contains(where: { $0.time < limit }) else { return nil }
        var early: [Element] = []
        var rest: [Element] = []
        for element in ring[slot] {
            if element.time < limit { early.append(element) } else { rest.append(element) }
        }
        ring[slot] = rest
        ringed -= early.count
        sorter.sort(&early)
        return (early, limit)
    }
}

/// Sorts the elements of one bucket by time; equal times keep their order.
package struct BucketSorter: Sendable {
    private var counts = [UInt32](repeating: 0, count: 1025)

    /// Makes a sorter.
    package init() {}

    /// Sorts elements that all lie in one bucket.
    package mutating func sort(_ elements: inout [some Timed]) {
        if elements.count < 48 {
            insertionSort(&elements)
        } else {
            countingSort(&elements)
        }
    }

    private func insertionSort(_ elements: inout [some Timed]) {
        guard elements.count > 1 else { return }
        for index in 1..<elements.count {
            let element = elements[index]
            var place = index
            while place > 0, elements[place - 1].time > element.time {
                elements[place] = elements[place - 1]
                place -= 1
            }
            elements[place] = element
        }
    }

    /// One counter for each millisecond of the bucket.
    private mutating func countingSort<Element: Timed>(_ elements: inout [Element]) {
        for index in counts.indices { counts[index] = 0 }
        for element in elements { counts[Int(element.time.milliseconds & 1023) + 1] += 1 }
        for index in 1..<counts.count { counts[index] += counts[index - 1] }
        var order = [UInt32](repeating: 0, count: elements.count)
        for (index, element) in elements.enumerated() {
            let millisecond = Int(element.time.milliseconds & 1023)
            order[Int(counts[millisecond])] = UInt32(index)
            counts[millisecond] += 1
        }
        let unsorted = elements
        for (place, index) in order.enumerated() { elements[place] = unsorted[Int(index)] }
    }
}
