public import ANPRModel

/// The sites and cameras of a simulated collaboration.
public struct SimulatedNetwork: Sendable {
    /// A camera and its habits.
    struct SimulatedCamera: Sendable {
        var camera: Camera
        var member: Int
        /// How far its clock is off, in milliseconds.
        var skew: Int
        /// Whether it sends a confidence.
        var hasConfidence: Bool
        /// Whether it looks at what drives away, and so sees a vehicle later.
        var isRear: Bool
    }

    struct Site: Sendable {
        var name: String
        var cameras: [SimulatedCamera]
        /// Sites that traffic goes on to.
        var neighbours: [Int] = []
    }

    var sites: [Site] = []

    /// All cameras, in the order of the register file.
    public var cameras: [Camera] { sites.flatMap { $0.cameras.map(\.camera) } }

    /// Lays out the sites of a profile.
    init(_ profile: SimulationProfile, random: inout SeededRandom) {
        for (index, member) in profile.members.enumerated() {
            for _ in 0..<member.sites { addSite([index], profile, &random) }
        }
        for border in profile.borders {
            for _ in 0..<border.sites { addSite([border.one, border.other], profile, &random) }
        }
        for index in sites.indices {
            sites[index].neighbours = (0..<3).map { _ in random.below(sites.count) }
        }
    }

    private mutating func addSite(_ owners: [Int], _ profile: SimulationProfile, _ random: inout SeededRandom)
    {
        let number = sites.count
        let name = "SITE-" + String(repeating: "0", count: 4 - String(number).count) + String(number)
        let place = profile.members[owners[0]].place
        // A site of one camera needs no name of its own in the register.
        let isUnnamed = owners.count == 1 && random.chance(perMille: 60)
        let latitude = Int32((place.latitude * 1e7).rounded()) + Int32(random.within(-25_000...25_000)) * 100
        let longitude =
            Int32((place.longitude * 1e7).rounded()) + Int32(random.within(-40_000...40_000)) * 100
        var cameras: [SimulatedCamera] = []
        for owner in owners {
            let code = profile.members[owner].code
            for lane in 1...(isUnnamed ? 1 : random.within(1...3)) {
                let camera = Camera(
                    force: code,
                    name: "\(code)-\(name.suffix(4))-\(lane)",
                    site: isUnnamed ? nil : name,
                    latitude: latitude,
                    longitude: longitude,
                    direction: random.one(of: [.north, .east, .south, .west, .northEast, .southWest]),
                    lane: UInt8(lane)
                )
                cameras.append(
                    SimulatedCamera(
                        camera: camera,
                        member: owner,
                        skew: random.within(-400...400),
                        hasConfidence: !random.chance(perMille: 40),
                        isRear: random.chance(perMille: 250)
                    )
                )
            }
        }
        sites.append(Site(name: cameras[0].camera.site, cameras: cameras))
    }
}
