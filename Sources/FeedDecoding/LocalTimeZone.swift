public import ANPRModel

/// A time zone as a table of its changes, for feeds that send local times.
public struct LocalTimeZone: Sendable, Equatable {
    /// From one moment on, clocks stand this far east of UTC.
    public struct Change: Sendable, Equatable {
        /// The moment, UTC.
        public var from: Timestamp
        /// Milliseconds east of UTC from then on.
        public var offset: Int64

        /// A change of offset.
        public init(from: Timestamp, offset: Int64) {
            self.from = from
            self.offset = offset
        }
    }

    private let changes: [Change]

    /// A zone from its changes in order of time; the first stands for all time before it, too.
    public init(_ changes: [Change]) {
        self.changes = changes
    }

    /// The one moment at which clocks in the zone showed `local`.
    ///
    /// - Parameter local: a clock reading, as if it were UTC.
    /// - Returns: `nil` when clocks never showed it, or did so twice: a time is never guessed.
    public func moment(_ local: Timestamp) -> Timestamp? {
        var found: Timestamp?
        for (index, change) in changes.enumerated() {
            let candidate = Timestamp(milliseconds: local.milliseconds - change.offset)
            let starts = index == 0 ? Timestamp.distantPast : change.from
            let ends = index + 1 < changes.count ? changes[index + 1].from : .distantFuture
            guard candidate >= starts, candidate < ends else { continue }
            guard found == nil else { return nil }
            found = candidate
        }
        return found
    }
}
