public import ANPRModel
public import Simulation

/// Reads that try the engine: few marks, few sites, many equal times, absent confidences, copies that differ.
public struct RandomReads: Sendable {
    /// What is made.
    public struct Shape: Sendable {
        /// How many reads, copies not counted.
        public var count = 1500
        /// The span of captured times in milliseconds.
        public var span = 120_000
        /// Captured times are multiples of this many milliseconds, so that many are equal.
        public var grain = 250
        /// How many of a thousand reads are delivered again.
        public var copiesPerMille = 150
        /// The most milliseconds from capture to arrival.
        public var delayMax = 20_000
        /// How many marks.
        public var marks = 6

        /// The usual shape.
        public init() {}
    }

    /// The cameras.
    public let register: CameraRegister
    /// Each force's reads, in order of arrival.
    public private(set) var feeds: [[Read]]
    private var random: SeededRandom

    /// Makes reads of a seed.
    public init(seed: UInt64, _ shape: Shape = Shape()) {
        register = SmallRegister.make(sites: 3, forces: ["43", "45", "7"], camerasEach: 2)
        random = SeededRandom(seed: seed)
        feeds = []
        var arriving = register.forces.map { _ in [(arrival: Int64, read: Read)]() }
        let marks = (0..<shape.marks).map { _ in Self.mark(&random) }
        for _ in 0..<shape.count {
            let read = original(shape, marks)
            let feed = Int(read.feed)
            arriving[feed].append((read.captured.milliseconds + delay(shape), read))
            while random.chance(perMille: shape.copiesPerMille) {
                let copy = copy(of: read)
                arriving[feed].append((copy.captured.milliseconds + delay(shape), copy))
            }
        }
        feeds = arriving.map { own in own.sorted { $0.arrival < $1.arrival }.map(\.read) }
    }

    /// All reads in their plain form.
    public var plain: [PlainRead] { feeds.joined().map { PlainRead($0, in: register) } }

    /// A mark of the current shape with an age identifier that is not in issue.
    public static func mark(_ random: inout SeededRandom) -> String {
        let letters = Array("ABCDEFGHJKLMNOPRSTUVWXY").map(String.init)
        let age = random.chance(perMille: 500) ? random.within(27...50) : random.within(77...99)
        let tail = (0..<3).map { _ in random.one(of: letters) }.joined()
        return random.one(of: letters) + random.one(of: letters) + String(age) + tail
    }

    private mutating func original(_ shape: Shape, _ marks: [String]) -> Read {
        let camera = CameraIndex(random.below(register.count))
        let time = 1_794_808_800_000 + Int64(random.below(shape.span / shape.grain) * shape.grain)
        var read = Read(random.one(of: marks), at: time, by: camera)
        read.feed = FeedIndex(register.forceOfCamera[Int(camera)])
        vary(&read)
        return read
    }

    /// The same read again, as it was or with something changed.
    private mutating func copy(of read: Read) -> Read {
        var copy = read
        if random.chance(perMille: 700) { vary(&copy) }
        return copy
    }

    /// Few values of everything, so that ties are common.
    private mutating func vary(_ read: inout Read) {
        read.confidence = random.one(of: [-1, -1, 0, 80, 80, 81, 100])
        read.direction = random.one(of: [
            0, Direction.east.rawValue, Direction.west.rawValue, Direction.away.rawValue,
        ])
        read.lane = random.one(of: [-1, 0, 1, 63])
        read.speed = random.one(of: [0, 0, 1, 501])
    }

    private mutating func delay(_ shape: Shape) -> Int64 { Int64(random.below(shape.delayMax + 1)) }
}
