/// Sightings in order, with their contributions and the other marks of their vehicles flattened beside them.
///
/// Every sighting has at least one contribution; they are ordered by (force, camera).
public struct SightingBatch: Sendable {
    /// The sightings.
    public private(set) var sightings: [Sighting] = []
    /// The contributions of all of them, each sighting's together.
    public private(set) var contributions: [Contribution] = []

    /// The other marks of their vehicles, in the order of the sightings they belong to; few have any.
    public private(set) var variants: [SightingVariant] = []

    /// An empty batch.
    public init() {}

    /// How many sightings there are.
    public var count: Int { sightings.count }
    /// Whether there is none.
    public var isEmpty: Bool { sightings.isEmpty }

    /// Starts a sighting; its contributions follow by `append(_: Contribution)`.
    public mutating func append(_ sighting: Sighting) {
        var sighting = sighting
        sighting.contributionStart = UInt32(contributions.count)
        sighting.contributionCount = 0
        sightings.append(sighting)
    }

    /// Adds a contribution to the sighting appended last.
    public mutating func append(_ contribution: Contribution) {
        contributions.append(contribution)
        sightings[sightings.count - 1].contributionCount += 1
    }

    /// Adds another mark of the vehicle of the sighting appended last.
    public mutating func append(_ vrm: VRM, opened: Timestamp, isMerged: Bool) {
        variants.append(
            SightingVariant(sighting: sightings.count - 1, vrm: vrm, opened: opened, isMerged: isMerged)
        )
    }

    /// Appends sightings and their contributions in place, as something that reads them knows them.
    ///
    /// - Parameters:
    ///   - sightingsMax: no more sightings are appended.
    ///   - contributionsMax: no more contributions are appended.
    ///   - fill: appends both; where a sighting's contributions start is counted from the first one appended here.
    /// - Throws: what `fill` throws; the batch is then as it was.
    package mutating func append<Failure: Error>(
        sightingsMax: Int,
        contributionsMax: Int,
        _ fill: (inout OutputSpan<Sighting>, inout OutputSpan<Contribution>) throws(Failure) -> Void
    ) throws(Failure) {
        let (first, firstPart) = (sightings.count, contributions.count)
        do {
            try Self.append(&sightings, sightingsMax, &contributions, contributionsMax, fill)
        } catch {
            sightings.removeLast(sightings.count - first)
            contributions.removeLast(contributions.count - firstPart)
            throw error
        }
        guard firstPart > 0 else { return }
        for place in first..<sightings.count { sightings[place].contributionStart += UInt32(firstPart) }
    }

    private static func append<Failure: Error>(
        _ sightings: inout [Sighting],
        _ sightingsMax: Int,
        _ contributions: inout [Contribution],
        _ contributionsMax: Int,
        _ fill: (inout OutputSpan<Sighting>, inout OutputSpan<Contribution>) throws(Failure) -> Void
    ) throws(Failure) {
        try sightings.append(addingCapacity: sightingsMax) { rows throws(Failure) in
            try contributions.append(addingCapacity: contributionsMax) { parts throws(Failure) in
                try fill(&rows, &parts)
            }
        }
    }

    /// Adds other marks of the vehicles of sightings that stand from one on, in their order.
    ///
    /// - Parameter first: what their sightings are counted from.
    package mutating func append(_ others: [SightingVariant], from first: Int) {
        for var other in others {
            other.sighting += first
            variants.append(other)
        }
    }

    /// Appends a sighting of another batch with all that belongs to it.
    public mutating func append(_ index: Int, of other: SightingBatch) {
        appendBare(index, of: other)
        guard !other.variants.isEmpty else { return }
        for variant in other.variants(of: index) {
            append(variant.vrm, opened: variant.opened, isMerged: variant.isMerged)
        }
    }

    /// Appends a sighting of another batch with its contributions only.
    @inline(__always)
    private mutating func appendBare(_ index: Int, of other: SightingBatch) {
        var sighting = other.sightings[index]
        let start = Int(sighting.contributionStart)
        sighting.contributionStart = UInt32(contributions.count)
        sightings.append(sighting)
        for place in start..<start + Int(sighting.contributionCount) {
            contributions.append(other.contributions[place])
        }
    }

    /// Appends sightings of another batch that stand together there, with all that belongs to them.
    public mutating func append(_ range: Range<Int>, of other: SightingBatch) {
        guard let last = range.last else { return }
        let start = sightings.count
        let parts = other.contributionStart(range.lowerBound)..<other.range(last).upperBound
        let base = contributions.count - parts.lowerBound
        sightings.append(contentsOf: other.sightings[range])
        contributions.append(contentsOf: other.contributions[parts])
        for index in start..<sightings.count {
            sightings[index].contributionStart = UInt32(Int(sightings[index].contributionStart) + base)
        }
        for var variant in other.variants(of: range) {
            variant.sighting += start - range.lowerBound
            variants.append(variant)
        }
    }

    /// Appends another batch.
    public mutating func append(contentsOf other: SightingBatch) { append(0..<other.count, of: other) }

    /// Where a sighting's contributions stand in `contributions`.
    @inlinable
    public func range(_ index: Int) -> Range<Int> {
        let start = contributionStart(index)
        return start..<start + contributionCount(index)
    }

    /// Where a sighting's contributions start.
    public func contributionStart(_ index: Int) -> Int { Int(sightings[index].contributionStart) }

    /// How many contributions a sighting has.
    public func contributionCount(_ index: Int) -> Int { Int(sightings[index].contributionCount) }

    /// A sighting's contributions.
    public func contributions(of index: Int) -> ArraySlice<Contribution> { contributions[range(index)] }

    /// The other marks of a sighting's vehicle.
    ///
    /// - Complexity: O(log variants).
    public func variants(of index: Int) -> ArraySlice<SightingVariant> { variants(of: index..<index + 1) }

    /// The other marks of the vehicles of sightings that stand together.
    ///
    /// - Complexity: O(log variants).
    public func variants(of range: Range<Int>) -> ArraySlice<SightingVariant> {
        variants.isEmpty
            ? [] : variants[firstVariant(from: range.lowerBound)..<firstVariant(from: range.upperBound)]
    }

    private func firstVariant(from index: Int) -> Int {
        var low = 0
        var high = variants.count
        while low < high {
            let middle = (low + high) / 2
            if variants[middle].sighting < index { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Sightings in another order.
    ///
    /// - Parameter order: the positions to take, each at most once.
    public func reordered(_ order: [Int]) -> SightingBatch {
        var result = SightingBatch()
        result.reserve(order.count, contributions: contributions.count)
        guard !variants.isEmpty else {
            for index in order { result.appendBare(index, of: self) }
            return result
        }
        var hasVariants = [Bool](repeating: false, count: count)
        for variant in variants { hasVariants[variant.sighting] = true }
        for index in order {
            if hasVariants[index] {
                result.append(index, of: self)
            } else {
                result.appendBare(index, of: self)
            }
        }
        return result
    }

    /// Some of the sightings, in their order there.
    ///
    /// - Complexity: O(rows), where few have other marks.
    public func picked(_ rows: ArraySlice<UInt32>) -> SightingBatch {
        var result = SightingBatch()
        result.reserve(rows.count, contributions: rows.count * 3 / 2)
        if variants.isEmpty {
            for row in rows { result.appendBare(Int(row), of: self) }
        } else {
            for row in rows { result.append(Int(row), of: self) }
        }
        return result
    }

    /// Puts amendments behind all sightings that are told for the first time; else the order stays as it is.
    ///
    /// An amendment comes after what it amends in any case, so this changes nothing but who waits for whom.
    public mutating func putAmendmentsLast() {
        guard let first = sightings.firstIndex(where: { $0.revision > 0 }),
            sightings[first...].contains(where: { $0.revision == 0 })
        else { return }
        let order = sightings.indices.filter { sightings[$0].revision == 0 }
        self = reordered(order + sightings.indices.filter { sightings[$0].revision > 0 })
    }

    /// Replaces one sighting's own fields, not its contributions.
    public mutating func update(_ index: Int, _ change: (inout Sighting) -> Void) {
        let start = sightings[index].contributionStart
        let count = sightings[index].contributionCount
        change(&sightings[index])
        sightings[index].contributionStart = start
        sightings[index].contributionCount = count
    }

    /// Rewrites each contribution's camera and each sighting's, for another register.
    public mutating func renumberCameras(_ indexes: [CameraIndex]) {
        for place in sightings.indices { sightings[place].camera = indexes[Int(sightings[place].camera)] }
        for place in contributions.indices {
            contributions[place].camera = indexes[Int(contributions[place].camera)]
        }
    }

    /// Makes room.
    public mutating func reserve(_ sightings: Int, contributions: Int) {
        self.sightings.reserveCapacity(sightings)
        self.contributions.reserveCapacity(contributions)
    }

    /// Removes the sightings that stand from one on, and keeps their room.
    package mutating func removeAll(from index: Int) {
        guard index < count else { return }
        contributions.removeSubrange(contributionStart(index)...)
        variants.removeSubrange(firstVariant(from: index)...)
        sightings.removeSubrange(index...)
    }

    /// Empties the batch and keeps its room.
    public mutating func removeAll() {
        sightings.removeAll(keepingCapacity: true)
        contributions.removeAll(keepingCapacity: true)
        variants.removeAll(keepingCapacity: true)
    }
}
