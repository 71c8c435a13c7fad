/// The accounting of one feed, or of all together.
///
/// `received = accepted + rejected + redelivered` at all times: a read counts as accepted when it comes in, and as
/// redelivered instead once it turns out to be a copy.
public struct FeedCounts: Equatable, Sendable {
    /// Records met, good or bad; blank lines are not records.
    public var received: UInt64 = 0
    /// Reads that count in some sighting.
    public var accepted: UInt64 = 0
    /// Records refused, each with a reason in quarantine.
    public var rejected: UInt64 = 0
    /// Reads that were there before.
    public var redelivered: UInt64 = 0
    /// Reads that arrived behind the watermark, whatever became of them.
    public var late: UInt64 = 0

    /// Starts at nothing.
    public init() {}

    /// Whether everything received is accounted for.
    public var balances: Bool { received == accepted &+ rejected &+ redelivered }

    /// What came to this account since an earlier state of it, modulo 2^64.
    ///
    /// `accepted` can have gone down: a read taken in before turns out to be a copy now. `signed` tells it rightly.
    public func less(_ earlier: FeedCounts) -> FeedCounts {
        var difference = self
        difference.received &-= earlier.received
        difference.accepted &-= earlier.accepted
        difference.rejected &-= earlier.rejected
        difference.redelivered &-= earlier.redelivered
        difference.late &-= earlier.late
        return difference
    }

    /// A count of a difference as what it is, below nothing too.
    public static func signed(_ count: UInt64) -> Int { Int(Int64(bitPattern: count)) }

    /// Adds another account, or a difference of two, to this one.
    public static func += (left: inout FeedCounts, right: FeedCounts) {
        left.received &+= right.received
        left.accepted &+= right.accepted
        left.rejected &+= right.rejected
        left.redelivered &+= right.redelivered
        left.late &+= right.late
    }
}
