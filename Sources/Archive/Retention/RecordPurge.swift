public import ANPRModel

/// What went, or would, of alerts and refused records, by the place of the rule.
public struct RecordPurge: Sendable, Equatable {
    /// How many.
    public private(set) var counts: [Int: Int] = [:]
    /// A moment that none of them is older than.
    public private(set) var oldest: [Int: Timestamp] = [:]

    /// Nothing.
    public init() {}

    mutating func add(_ count: Int, by rule: Int, at time: Timestamp?) {
        guard count > 0 else { return }
        counts[rule, default: 0] += count
        oldest[rule] = [oldest[rule], time].compactMap(\.self).min()
    }
}
