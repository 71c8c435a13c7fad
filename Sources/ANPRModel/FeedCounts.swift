/// The accounting of one feed, or of all together.
///
/// `received = accepted + rejected + redelivered` once everything received has been worked off; until then
/// `pending` are the reads taken in but not yet decided.
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

    /// Reads received and not refused whose fate is still open.
    public var pending: UInt64 { received - rejected - accepted - redelivered }

    /// Whether everything received is accounted for.
    public var balances: Bool { received == accepted + rejected + redelivered }

    /// Adds another account to this one.
    public static func += (left: inout FeedCounts, right: FeedCounts) {
        left.received += right.received
        left.accepted += right.accepted
        left.rejected += right.rejected
        left.redelivered += right.redelivered
        left.late += right.late
    }
}
