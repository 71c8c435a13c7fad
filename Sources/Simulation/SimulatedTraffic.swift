public import ANPRModel

/// One vehicle passing one site: what really happened.
public struct TruePassage: Sendable {
    /// The vehicle's mark.
    public var vrm: String
    /// The site's name.
    public var site: String
    /// When it passed the middle of the site.
    public var time: Timestamp
}

/// A read as a camera sends it, before it is written in a format.
struct SimulatedRead: Sendable {
    var passage: Int
    var member: Int
    var site: Int
    var camera: Int
    var vrm: String
    var captured: Int64
    var arrival: Int64
    var confidence: Int?
    /// Tenths of km/h.
    var speed: Int?
}

/// Drives vehicles through a network and lets its cameras read them.
struct SimulatedTraffic {
    /// 2026-11-16T06:00:00Z, a Monday.
    static let start: Int64 = 1_794_808_800_000

    let network: SimulatedNetwork
    var random: SeededRandom
    private(set) var passages: [TruePassage] = []
    private(set) var reads: [SimulatedRead] = []
    private var vehicles: [String] = []
    /// So many of them, from the first on, make half of all journeys; 0 where all make as many.
    private var regulars = 0
    /// Each site's cameras by member, in the members' order.
    private let ownCameras: [[[Int]]]

    init(network: SimulatedNetwork, random: SeededRandom) {
        self.network = network
        self.random = random
        ownCameras = network.sites.map { site in
            let members = Set(site.cameras.map(\.member)).sorted()
            return members.map { member in
                site.cameras.indices.filter { site.cameras[$0].member == member }
            }
        }
    }

    /// Forgets the reads and passages made so far, and keeps their room.
    mutating func forget() {
        passages.removeAll(keepingCapacity: true)
        reads.removeAll(keepingCapacity: true)
    }

    /// Makes about `count` reads.
    ///
    /// - Parameter duration: the time they are spread over, in milliseconds; else half an hour or, for many, what gives
    ///   about 280 a second.
    mutating func run(count: Int, duration: Int64?) {
        let duration = duration ?? max(1_800_000, Int64(count) * 1000 / 280)
        addFleet(for: count)
        while reads.count < count { drive(from: Self.start, duration: duration, end: Self.start + duration) }
    }

    /// Brings the vehicles that as many reads are likely to be of.
    mutating func addFleet(for count: Int) {
        addFleet(of: max(200, count / 12), regulars: 0)
    }

    /// Brings so many vehicles, of which the first ones make half of all journeys.
    mutating func addFleet(of count: Int, regulars: Int) {
        vehicles = (0..<count).map { _ in Self.mark(&random) }
        self.regulars = regulars
    }

    /// One journey through a few sites.
    ///
    /// - Parameters:
    ///   - start: the earliest that it begins, in milliseconds since 1970.
    ///   - duration: how much later it may begin.
    ///   - end: no site is passed from then on.
    mutating func drive(from start: Int64, duration: Int64, end: Int64) {
        let isRegular = regulars > 0 && random.chance(perMille: 500)
        let vehicle = vehicles[random.below(isRegular ? regulars : vehicles.count)]
        var site = random.below(network.sites.count)
        var time = start + Int64(random.below(Int(duration)))
        for _ in 0..<random.within(1...5) where time < end {
            pass(vehicle, site, time)
            if random.chance(perMille: 4) { park(vehicle, site, time) }
            site = random.one(of: network.sites[site].neighbours)
            time += Int64(random.within(45_000...900_000))
        }
    }

    /// One passage: each camera that looks may see it, in one frame or several.
    private mutating func pass(_ vehicle: String, _ site: Int, _ time: Int64) {
        let passage = passages.count
        let name = network.sites[site].name
        passages.append(TruePassage(vrm: vehicle, site: name, time: Timestamp(milliseconds: time)))
        for own in ownCameras[site] {
            let main = random.one(of: own)
            guard random.chance(perMille: 960) else { continue }
            look(passage, vehicle, site, main, time)
            for other in own where other != main {
                let overlap = network.sites[site].cameras[other].isRear ? 450 : 120
                if random.chance(perMille: overlap) { look(passage, vehicle, site, other, time) }
            }
        }
    }

    /// A vehicle that stands before a camera for a minute or two.
    private mutating func park(_ vehicle: String, _ site: Int, _ time: Int64) {
        var moment = time + 1500
        for _ in 0..<random.within(10...40) {
            moment += Int64(random.within(1500...6000))
            look(passages.count - 1, vehicle, site, 0, moment)
        }
    }

    /// The frames of one camera of one passage.
    private mutating func look(_ passage: Int, _ vehicle: String, _ site: Int, _ index: Int, _ time: Int64) {
        let camera = network.sites[site].cameras[index]
        var moment =
            time + Int64(camera.skew)
            + Int64(camera.isRear ? random.within(500...2200) : random.within(-250...250))
        let frames = random.chance(perMille: 600) ? 1 : random.within(2...4)
        for _ in 0..<frames {
            let isMisread = random.chance(perMille: 25)
            let confidence = isMisread ? random.within(35...80) : random.within(78...99)
            let read = SimulatedRead(
                passage: passage,
                member: camera.member,
                site: site,
                camera: index,
                vrm: isMisread ? Self.misread(vehicle, &random) : vehicle,
                captured: moment,
                arrival: moment + delay(),
                confidence: camera.hasConfidence ? confidence : nil,
                speed: random.chance(perMille: 100) ? random.within(150...1300) : nil
            )
            reads.append(read)
            if random.chance(perMille: 5) { redeliver(read) }
            moment += Int64(random.within(80...700))
        }
    }

    /// Mostly under two seconds; now and then up to 100, inside a lateness of two minutes.
    private mutating func delay() -> Int64 {
        switch random.below(1000) {
        case 0..<2: Int64(random.within(10_000...100_000))
        case 2..<40: Int64(random.within(2000...30_000))
        default: Int64(random.within(100...2000))
        }
    }

    /// The same read sent again, sometimes refined to a higher confidence, now or minutes later.
    private mutating func redeliver(_ read: SimulatedRead) {
        var copy = read
        copy.arrival += Int64(
            random.chance(perMille: 700) ? random.within(100...20_000) : random.within(60_000...400_000)
        )
        // What comes after the sighting has closed is an exact copy, as retransmissions are.
        if copy.arrival - read.captured < 60_000, let confidence = read.confidence,
            random.chance(perMille: 300)
        {
            copy.confidence = min(99, confidence + random.within(0...4))
        }
        reads.append(copy)
    }

    private static let tags = Array("ABCDEFGHJKLMNOPRSTUVWXY")
    private static let tails = Array("ABCDEFGHJKLMNOPRSTUVWXYZ")
    private static let oldLetters = Array("ABCDEFGHKLMNPRSTUVWXY")
    private static let swaps: [Character: Character] = [
        "0": "O", "O": "0", "1": "I", "I": "1", "5": "S", "S": "5", "8": "B", "B": "8", "2": "Z",
        "Z": "2",
        "6": "G", "G": "6", "D": "0", "Q": "0", "L": "1",
    ]

    /// A mark of the current shape with an age identifier that is not in issue.
    static func mark(_ random: inout SeededRandom) -> String {
        if random.chance(perMille: 15) { return oldMark(&random) }
        let age = random.chance(perMille: 500) ? random.within(27...50) : random.within(77...99)
        var text = String([random.one(of: tags), random.one(of: tags)])
        text += String(age)
        for _ in 0..<3 { text.append(random.one(of: tails)) }
        return text
    }

    /// Marks of other shapes, of kinds that can't be on the road: Q marks of invented tails, and made-up foreign ones.
    private static func oldMark(_ random: inout SeededRandom) -> String {
        var text = random.chance(perMille: 500) ? "Q" : "ZZ"
        text += String(random.within(100...999))
        for _ in 0..<(text.count > 4 ? 4 : 3) { text.append(random.one(of: oldLetters)) }
        return text
    }

    /// A mark with one look-alike character or an edge lost.
    private static func misread(_ mark: String, _ random: inout SeededRandom) -> String {
        var characters = Array(mark)
        let places = characters.indices.filter { swaps[characters[$0]] != nil }
        if let place = places.isEmpty ? nil : random.one(of: places), random.chance(perMille: 800) {
            characters[place] = swaps[characters[place]] ?? characters[place]
        } else if random.chance(perMille: 500) {
            characters.removeFirst()
        } else {
            characters.removeLast()
        }
        return String(characters)
    }
}
