public import ANPRModel

/// Traffic with the shape of a working day, read by read as its feeds bring it.
///
/// Drives the same vehicles through the same network as `SimulatedFeeds` does, but holds only what is under way: an
/// hour of it. There are no bad records. The same profile, volume, seed and times give the same reads on every machine.
public struct SimulatedDay: Sendable {
    /// How much traffic begins in each hour from midnight, in thousandths of a mean hour.
    ///
    /// Two peaks of a working day. The busiest hour has three times the mean: the lower end of the three to five times
    /// that lines are planned for. Journeys take some of it into the next hour.
    public static let hours = [
        100, 70, 60, 70, 150, 450, 1100, 2100, 2600, 1300, 1000, 950,
        1000, 1000, 1100, 1500, 2300, 3000, 1900, 1000, 550, 350, 220, 130,
    ]
    /// The middle of the busiest hour, in milliseconds after midnight.
    public static let busiest: Int64 = 17 * 3_600_000 + 1_800_000
    /// How much event time one step brings, in milliseconds.
    public static let step: Int64 = 100
    /// 2026-11-16T00:00:00Z, a Monday.
    public static let midnight = Timestamp(milliseconds: SimulatedTraffic.start - 6 * 3_600_000)

    private static let minute: Int64 = 60_000
    /// Journeys last up to an hour, and what arrives of them late some minutes more.
    private static let warmUpMinutes: Int64 = 66

    private struct Arrival: Sendable {
        var at: Int64
        var member: Int
        var read: Read

        /// A total order, so that the same reads always come in the same one.
        var key: (Int64, Int64, UInt64, UInt32, Int8) {
            (at, read.captured.milliseconds, read.vrm.packed, read.camera, read.confidence)
        }
    }

    /// The register's cameras; a read's camera is its place here.
    public let cameras: [Camera]
    /// How many feeds there are, one for each member.
    public let feedCount: Int
    private let journeysPerDay: Double
    private let start: Int64
    private let end: Int64
    private let firstCamera: [Int]
    private var traffic: SimulatedTraffic
    /// When the minute that is given out begins.
    private var minuteStart: Int64
    /// What arrives in that minute, and how much of it was given out.
    private var current: [Arrival] = []
    private var given = 0
    /// What arrives in the minutes behind it, by minute.
    private var later: [[Arrival]] = []
    private var clock: Int64
    private var journeysDue = 0.0

    /// Prepares traffic.
    ///
    /// - Parameters:
    ///   - profile: the collaboration.
    ///   - readsPerDay: about how many reads a whole day has; at least 1.
    ///   - seed: names the traffic.
    ///   - from: where to begin, in milliseconds after midnight; cut to whole minutes.
    ///   - duration: how much to bring, in milliseconds; day follows day in the same shape.
    ///   - vehicles: how many there are, a twentieth of which make half of all journeys, as over a year; by default as many as
    ///     fit a day, all alike.
    public init(
        _ profile: SimulationProfile,
        readsPerDay: Int,
        seed: UInt64,
        from: Int64 = 0,
        duration: Int64 = 86_400_000,
        vehicles: Int? = nil
    ) {
        var random = SeededRandom(seed: seed)
        let network = SimulatedNetwork(profile, random: &random)
        cameras = network.cameras
        feedCount = profile.members.count
        var firsts: [Int] = []
        var count = 0
        for site in network.sites {
            firsts.append(count)
            count += site.cameras.count
        }
        firstCamera = firsts
        traffic = SimulatedTraffic(network: network, random: random)
        if let vehicles {
            traffic.addFleet(of: max(20, vehicles), regulars: max(1, vehicles / 20))
        } else {
            traffic.addFleet(for: readsPerDay)
        }
        journeysPerDay = Double(readsPerDay) / Self.readsPerJourney(traffic)
        start = Self.midnight.milliseconds + from / Self.minute * Self.minute
        end = start + duration
        minuteStart = start - Self.warmUpMinutes * Self.minute
        clock = minuteStart
        // What arrives before the start belongs to journeys that were under way; it warms up and is passed over.
        while minuteStart < start { beginMinute() }
        clock = start
    }

    /// The share of a day's journeys that begin within a time.
    ///
    /// - Parameters:
    ///   - from: in milliseconds after midnight.
    ///   - duration: in milliseconds; over a day gives more than 1.
    public static func share(from: Int64, duration: Int64) -> Double {
        let first = Int(from / minute)
        let minutes = first..<first + Int(duration / minute)
        return minutes.reduce(0.0) { $0 + Double(hours[$1 % 1440 / 60]) } / 1000 / 1440
    }

    /// Brings the next step's reads.
    ///
    /// - Parameter feeds: emptied, then filled with each feed's reads in their order of arrival.
    /// - Returns: when the step ends, or `nil` when the time is over.
    /// - Complexity: O(reads); no allocation but where a minute has more than any before.
    public mutating func next(into feeds: inout [[Read]]) -> Timestamp? {
        while feeds.count < feedCount { feeds.append([]) }
        for feed in feeds.indices { feeds[feed].removeAll(keepingCapacity: true) }
        guard clock < end else { return nil }
        if clock >= minuteStart { beginMinute() }
        clock = min(clock + Self.step, end)
        while given < current.count, current[given].at < clock {
            feeds[current[given].member].append(current[given].read)
            given += 1
        }
        return Timestamp(milliseconds: clock)
    }

    /// Makes the journeys that begin in the next minute, and orders what arrives in it.
    private mutating func beginMinute() {
        let minuteOfDay = Int((minuteStart - Self.midnight.milliseconds) / Self.minute % 1440 + 1440) % 1440
        journeysDue += journeysPerDay * Double(Self.hours[minuteOfDay / 60]) / 1000 / 1440
        while journeysDue >= 1 {
            traffic.drive(from: minuteStart, duration: Self.minute, end: end)
            journeysDue -= 1
        }
        for read in traffic.reads { schedule(read) }
        traffic.forget()
        if later.isEmpty { later.append([]) }
        current.removeAll(keepingCapacity: true)
        swap(&current, &later[0])
        // The room of the minute before last serves the next one to be scheduled.
        later.append(later.removeFirst())
        given = 0
        current.sort { $0.key < $1.key }
        resendBatches()
        minuteStart += Self.minute
    }

    private mutating func schedule(_ read: SimulatedRead) {
        guard let vrm = VRM(read.vrm) else { return }
        let index = firstCamera[read.site] + read.camera
        var made = Read(
            vrm: vrm,
            captured: Timestamp(milliseconds: read.captured),
            camera: CameraIndex(index)
        )
        made.confidence = read.confidence.map { Int8($0) } ?? -1
        made.speed = read.speed.map { UInt16($0 + 1) } ?? 0
        made.direction = cameras[index].direction?.rawValue ?? 0
        made.lane = cameras[index].lane.map { Int8($0) } ?? -1
        add(Arrival(at: max(read.arrival, minuteStart), member: read.member, read: made))
    }

    private mutating func add(_ arrival: Arrival) {
        let place = Int((arrival.at - minuteStart) / Self.minute)
        while later.count <= place { later.append([]) }
        later[place].append(arrival)
    }

    /// Now and then a batch is sent again in the next minute, after a lost acknowledgement: one for 20,000 reads.
    private mutating func resendBatches() {
        let next = minuteStart + Self.minute
        for member in 0..<feedCount {
            guard traffic.random.below(20_000) < current.count / feedCount else { continue }
            let own = current.filter { $0.member == member }
            guard own.count > 100 else { continue }
            let first = traffic.random.below(own.count - 80)
            let at = next + Int64(traffic.random.below(5000))
            for arrival in own[first..<first + traffic.random.within(20...80)] {
                // The minute that was taken out of `later` is the current one: the next stands first.
                later[0].append(Arrival(at: at, member: member, read: arrival.read))
            }
        }
    }

    /// How many reads a journey has on average, by two thousand of them.
    private static func readsPerJourney(_ traffic: SimulatedTraffic) -> Double {
        var trial = traffic
        let count = 2000
        for _ in 0..<count { trial.drive(from: SimulatedTraffic.start, duration: minute, end: .max) }
        return max(1, Double(trial.reads.count) / Double(count))
    }
}
