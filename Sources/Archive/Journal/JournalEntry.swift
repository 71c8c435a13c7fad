public import ANPRModel

/// How far a feed was taken in.
public struct FeedProgress: Sendable, Equatable {
    /// Records before the place.
    public var line: UInt64 = 0
    /// Bytes decoded before the place.
    public var offset: UInt64 = 0
    /// Bytes read from the feed so far; those behind `offset` belong to a record that is not whole.
    public var length: UInt64 = 0
    /// The fingerprint of those bytes.
    public var hash: UInt64 = 0

    /// The start of a feed.
    public init(line: UInt64 = 0, offset: UInt64 = 0, length: UInt64 = 0, hash: UInt64 = 0) {
        self.line = line
        self.offset = offset
        self.length = length
        self.hash = hash
    }
}

/// A run of reads of one feed, as it was taken in.
public struct JournalledReads: Sendable, Equatable {
    /// The feed.
    public var feed: FeedIndex
    /// The reads in order of arrival.
    public var reads: [Read]
    /// Details beside them.
    public var details: [ReadDetails]
    /// Records met, good and bad.
    public var received: UInt32
    /// Records refused.
    public var rejected: UInt32
    /// Where the feed stands behind them.
    public var progress: FeedProgress
    /// How long the quarantine file of `quarantineDay` was when their refusals were in it.
    public var quarantineLength: UInt64
    /// The quarantine file, by its day since 1970.
    public var quarantineDay: Int32

    /// Reads of a feed.
    public init(
        feed: FeedIndex,
        reads: [Read],
        details: [ReadDetails] = [],
        received: UInt32,
        rejected: UInt32 = 0,
        progress: FeedProgress = FeedProgress(),
        quarantineLength: UInt64 = 0,
        quarantineDay: Int32 = 0
    ) {
        self.feed = feed
        self.reads = reads
        self.details = details
        self.received = received
        self.rejected = rejected
        self.progress = progress
        self.quarantineLength = quarantineLength
        self.quarantineDay = quarantineDay
    }
}

/// One step of a node's history.
///
/// The node's state is a pure function of its entries, in order.
public enum JournalEntry: Sendable, Equatable {
    /// A run begins and waits for these feeds and senders.
    case start(feeds: [FeedIndex], senders: [FeedIndex])
    /// Reads came in.
    case reads(JournalledReads)
    /// A feed fell silent or ended.
    case feed(FeedIndex, state: UInt8)
    /// The node's register grew by the cameras of a register block.
    case cameras([UInt8])
    /// A sender begins another stream: it counts from `first` and names its cameras anew.
    case stream(sender: FeedIndex, name: String, first: UInt64)
    /// Blocks came in from another node: the bytes as received.
    case blocks(sender: FeedIndex, bytes: [UInt8])
    /// A sender fell silent or ended.
    case sender(FeedIndex, state: UInt8)
    /// What must be known to begin reading here: opaque to the journal.
    case snapshot([UInt8])

    var code: UInt8 {
        switch self {
        case .start: 1
        case .reads: 2
        case .feed: 3
        case .blocks: 4
        case .sender: 5
        case .snapshot: 6
        case .cameras: 7
        case .stream: 8
        }
    }
}
