/// What a line may carry, by the time of day.
public struct LinkRates: Sendable, Equatable {
    /// A rate and when it holds.
    public struct Entry: Sendable, Equatable {
        /// The first minute of the day it holds in, and the first it holds in no more; `nil` for the whole day.
        ///
        /// From a later to an earlier one is over midnight.
        public var minutes: (from: Int, to: Int)?
        /// Bits a second.
        public var bitsPerSecond: Int

        /// A rate.
        ///
        /// - Parameter minutes: each 0 to 1,440.
        public init(minutes: (from: Int, to: Int)? = nil, bitsPerSecond: Int) {
            self.minutes = minutes
            self.bitsPerSecond = bitsPerSecond
        }

        /// Whether two say the same.
        public static func == (left: Entry, right: Entry) -> Bool {
            left.bitsPerSecond == right.bitsPerSecond && left.minutes?.from == right.minutes?.from
                && left.minutes?.to == right.minutes?.to
        }

        func holds(_ minute: Int) -> Bool {
            guard let (from, to) = minutes else { return true }
            return from <= to ? minute >= from && minute < to : minute >= from || minute < to
        }
    }

    /// The first that holds counts; the last holds all day.
    public let entries: [Entry]

    /// Rates by the time of day.
    ///
    /// - Returns: `nil` unless the last holds the whole day.
    public init?(_ entries: [Entry]) {
        guard let last = entries.last, last.minutes == nil else { return nil }
        self.entries = entries
    }

    /// One rate for the whole day.
    public init(bitsPerSecond: Int) { entries = [Entry(bitsPerSecond: bitsPerSecond)] }

    /// The rate in a minute of the day.
    public func bitsPerSecond(minute: Int) -> Int {
        entries.first { $0.holds(minute) }?.bitsPerSecond ?? entries[entries.count - 1].bitsPerSecond
    }
}
