public import FeedDecoding

/// A collaboration of forces that can be simulated.
public struct SimulationProfile: Sendable {
    /// One force and its feed.
    public struct Member: Sendable {
        /// The force's code.
        public var code: String
        /// The force's name.
        public var name: String
        /// How many sites it has to itself.
        public var sites: Int
        /// How its feed is written.
        public var format: FeedFormat
        /// Whether the feed is gzip.
        public var isGzip: Bool
        /// Where about it lies: degrees north and east.
        public var place: (latitude: Double, longitude: Double)

        /// The force's name as used in file names.
        public var slug: String { name.lowercased().split(separator: " ").joined(separator: "-") }
        /// The feed's file name.
        public var fileName: String { "\(slug).\(format.rawValue)\(isGzip ? ".gz" : "")" }
    }

    /// The name on the command line and of the folder.
    public var name: String
    /// What it stands for, in a sentence.
    public var story: String
    /// The forces.
    public var members: [Member]
    /// Pairs of members, by place, with the number of border sites that both see.
    public var borders: [(one: Int, other: Int, sites: Int)]
    /// Whether each force runs a gateway of its own, so that the archive joins what they share.
    public var hasGatewayEach: Bool
    /// The line to the archive, as in configuration.
    public var link: String

    /// Every profile there is.
    public static let all: [SimulationProfile] = [
        SimulationProfile(
            name: "thames-valley-hampshire",
            story: "Two forces with one gateway: border cameras are seen by both and sent on once.",
            members: [
                Member(
                    code: "43",
                    name: "Thames Valley",
                    sites: 40,
                    format: .ndjson,
                    isGzip: true,
                    place: (51.75, -1.25)
                ),
                Member(
                    code: "44",
                    name: "Hampshire",
                    sites: 40,
                    format: .csv,
                    isGzip: false,
                    place: (51.05, -1.30)
                ),
            ],
            borders: [(0, 1, 16)],
            hasGatewayEach: false,
            link: "2Mbit/s"
        ),
        SimulationProfile(
            name: "east-midlands",
            story: "Five forces on one infrastructure.",
            members: [
                Member(
                    code: "33",
                    name: "Leicestershire",
                    sites: 30,
                    format: .ndjson,
                    isGzip: false,
                    place: (52.63, -1.13)
                ),
                Member(
                    code: "31",
                    name: "Nottinghamshire",
                    sites: 30,
                    format: .csv,
                    isGzip: true,
                    place: (53.10, -1.00)
                ),
                Member(
                    code: "30",
                    name: "Derbyshire",
                    sites: 30,
                    format: .ndjson,
                    isGzip: true,
                    place: (53.00, -1.55)
                ),
                Member(
                    code: "32",
                    name: "Lincolnshire",
                    sites: 20,
                    format: .csv,
                    isGzip: false,
                    place: (53.20, -0.40)
                ),
                Member(
                    code: "34",
                    name: "Northamptonshire",
                    sites: 30,
                    format: .ndjson,
                    isGzip: true,
                    place: (52.27, -0.88)
                ),
            ],
            borders: [(0, 1, 6), (0, 2, 5), (1, 2, 6), (1, 3, 5), (0, 4, 6), (0, 3, 3)],
            hasGatewayEach: false,
            link: "64kbit/s"
        ),
        SimulationProfile(
            name: "south-east-network",
            story: "Three forces that bought one public services network together, over one line.",
            members: [
                Member(
                    code: "44",
                    name: "Hampshire",
                    sites: 35,
                    format: .ndjson,
                    isGzip: true,
                    place: (51.05, -1.30)
                ),
                Member(
                    code: "43",
                    name: "Thames Valley",
                    sites: 35,
                    format: .ndjson,
                    isGzip: false,
                    place: (51.75, -1.25)
                ),
                Member(
                    code: "45",
                    name: "Surrey",
                    sites: 30,
                    format: .csv,
                    isGzip: true,
                    place: (51.25, -0.45)
                ),
            ],
            borders: [(0, 1, 10), (0, 2, 8), (1, 2, 8)],
            hasGatewayEach: false,
            link: "1Mbit/s"
        ),
        SimulationProfile(
            name: "multi-force-shared-service",
            story:
                "Two equal partners far apart, each with a gateway and its own data, and a third that joins.",
            members: [
                Member(
                    code: "07",
                    name: "Cheshire",
                    sites: 40,
                    format: .ndjson,
                    isGzip: true,
                    place: (53.20, -2.60)
                ),
                Member(
                    code: "34",
                    name: "Northamptonshire",
                    sites: 35,
                    format: .csv,
                    isGzip: false,
                    place: (52.27, -0.88)
                ),
                Member(
                    code: "21",
                    name: "Staffordshire",
                    sites: 30,
                    format: .ndjson,
                    isGzip: false,
                    place: (52.90, -2.10)
                ),
            ],
            borders: [(0, 2, 10)],
            hasGatewayEach: true,
            link: "512kbit/s"
        ),
    ]
}
