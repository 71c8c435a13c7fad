/// What a replay found; its properties are the keys of the JSON that `anpr bench --format json` writes.
///
/// Rates are in bits a second, times in seconds or RFC 3339, shares between 0 and 1; figures that are no whole numbers are
/// rounded. What does not apply is left out. Keys may be added, none changes its meaning.
public struct BandwidthReport: Sendable, Equatable, Codable {
    /// The line.
    public struct Line: Sendable, Equatable, Codable {
        /// Its rate.
        public var bitsPerSecond: Int
        /// Whether it speaks TLS.
        public var isEncrypted: Bool
        /// How long sightings may wait for others to go with them.
        public var delayMaxSeconds: Double
    }

    /// The reads as they came, in event time.
    public struct Traffic: Sendable, Equatable, Codable {
        /// When the first came.
        public var from: String?
        /// When the last came.
        public var to: String?
        /// The time between, at least one second.
        public var seconds: Double
        /// Good reads a second, on average.
        public var readsPerSecond: Double
        /// The most good reads in one second.
        public var busiestSecondReads: Int
        /// That second.
        public var busiestSecondAt: String?
        /// About how many reads a day has, where it is known or the feeds cover 20 hours and more.
        public var readsPerDay: Int?
    }

    /// The account of all feeds: `received` is the sum of the next three.
    public struct Reads: Sendable, Equatable, Codable {
        /// Records met.
        public var received: Int
        /// Reads that count in some sighting.
        public var accepted: Int
        /// Records refused.
        public var rejected: Int
        /// Reads that were there before.
        public var redelivered: Int
        /// Reads that arrived behind the watermark, whatever became of them.
        public var late: Int
    }

    /// What reads that are no sighting of their own were; all but `redelivered` add up to accepted less sightings.
    public struct Duplicates: Sendable, Equatable, Codable {
        /// The same read sent again.
        public var redelivered: Int
        /// Further frames of a camera that had the vehicle already.
        public var sameCamera: Int
        /// First frames of further cameras of a force that had it: lanes, front and rear.
        public var sameSite: Int
        /// First frames of further forces at a site they share.
        public var acrossForces: Int
        /// Reads that amended a sighting given out before.
        public var late: Int
    }

    /// How much of the line was taken.
    public struct Use: Sendable, Equatable, Codable {
        /// On average over the traffic's time, or the longer one that the line took for it.
        public var mean: Double
        /// Within the busiest second, wherever it begins; the cameras, which go once at the start, not counted.
        public var busiestSecond: Double
        /// When that second ended.
        public var busiestSecondAt: String?
        /// In the busiest minute by the clock.
        public var busiestMinute: Double
        /// That minute.
        public var busiestMinuteAt: String?
        /// The share of the line that its busiest second left.
        public var headroomSecond: Double
        /// The share of the line that its busiest minute left.
        public var headroomMinute: Double
    }

    /// How long sightings waited from leaving the deduplicator until the last of their frame was over the line.
    public struct Wait: Sendable, Equatable, Codable {
        /// On average.
        public var meanSeconds: Double
        /// What 99 of 100 waited at most, rounded up to a tenth of a second.
        public var mostSeconds: Double
        /// The longest.
        public var longestSeconds: Double
    }

    /// What it takes to catch up after the line was down for the busiest hour.
    public struct CatchUp: Sendable, Equatable, Codable {
        /// How long the line was down.
        public var outageSeconds: Double
        /// Sightings that waited then.
        public var sightings: Int
        /// What they take of the line, in frames as large as a message takes.
        public var bytes: Int
        /// How long it takes, with the traffic going on; absent if it takes more than 31 days.
        public var seconds: Double?
    }

    /// The most traffic that the line carries.
    public struct Capacity: Sendable, Equatable, Codable {
        /// Steady reads a second at this traffic's bytes a read.
        public var readsPerSecond: Double
        /// The same, a day.
        public var readsPerDay: Int
        /// Steady reads a day in frames as large as a message takes, which a full line sends.
        public var readsPerDayFull: Int
        /// By how much this traffic can grow, as it is, until its busiest minute takes all of the line.
        public var growth: Double
        /// Reads a day of this shape, where reads a day are known.
        public var readsPerDayShaped: Int?
    }

    /// What the forces would send if each joined its own reads and sent them by itself, in the same form.
    public struct Alone: Sendable, Equatable, Codable {
        /// How many forces sent any.
        public var forces: Int
        /// Sightings of all of them.
        public var sightings: Int
        /// Bytes of all their lines.
        public var bytes: Int
        /// The share of those bytes that joining across forces saves.
        public var saved: Double
    }

    /// The same reads sent in another form.
    public struct Comparison: Sendable, Equatable, Codable {
        /// `ndjson`, `gzip`, `gzipFile` or `bof2Compact`.
        public var form: String
        /// Good reads sent.
        public var reads: Int
        /// Bytes of the lines.
        public var bytes: Int
        /// Bytes a read.
        public var bytesPerRead: Double
        /// How many times the bytes a read of this line.
        public var times: Double
    }

    /// The line.
    public var line: Line
    /// The traffic.
    public var traffic: Traffic
    /// The account of the reads.
    public var reads: Reads
    /// Duplicates by kind.
    public var duplicates: Duplicates
    /// Sightings given out, amendments not counted.
    public var sightings: Int
    /// Amendments to sightings given out before.
    public var amendments: Int
    /// Frames they went in.
    public var frames: Int
    /// What the line carried, by what it was for.
    public var bytes: LineBytes
    /// All of it.
    public var bytesTotal: Int
    /// Acknowledgements, which go the other way and take nothing of the line.
    public var bytesReturned: Int
    /// All bytes for each sighting.
    public var bytesPerSighting: Double
    /// The frames' bytes alone for each sighting or amendment.
    public var frameBytesPerSighting: Double
    /// All bytes for each sighting or amendment in frames as large as a message takes.
    public var fullBytesPerSighting: Double
    /// All bytes for each good read.
    public var bytesPerRead: Double
    /// How much of the line was taken.
    public var use: Use
    /// How long sightings waited.
    public var wait: Wait
    /// After an outage.
    public var catchUp: CatchUp
    /// The most the line carries.
    public var capacity: Capacity
    /// Each force by itself.
    public var alone: Alone
    /// Other forms.
    public var comparisons: [Comparison]
}
