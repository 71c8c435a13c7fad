public import ANPRModel

/// Feeds like real ones, from a seed: the register, each force's feed as bytes, and the true passages.
///
/// The same profile, count, seed and garbage give the same bytes on every machine.
public struct SimulatedFeeds: Sendable {
    /// The collaboration.
    public let profile: SimulationProfile
    /// The register's cameras, in the order of the file.
    public let cameras: [Camera]
    /// Each member's feed, in the members' order.
    public private(set) var feeds: [[UInt8]] = []
    /// What really passed.
    public let passages: [TruePassage]
    /// Good records written, of all feeds.
    public private(set) var readCount = 0
    /// Bad records written, of all feeds.
    public private(set) var garbageCount = 0

    /// Simulates.
    ///
    /// - Parameters:
    ///   - profile: the collaboration.
    ///   - reads: about how many reads to make.
    ///   - seed: names the feeds.
    ///   - garbagePerMille: how many bad records to mix in for a thousand good ones.
    ///   - duration: the time that the reads are spread over, in milliseconds; else what suits their number.
    public init(
        _ profile: SimulationProfile,
        reads: Int,
        seed: UInt64,
        garbagePerMille: Int = 1,
        duration: Int64? = nil
    ) {
        self.profile = profile
        var random = SeededRandom(seed: seed)
        let network = SimulatedNetwork(profile, random: &random)
        cameras = network.cameras
        var traffic = SimulatedTraffic(network: network, random: random)
        traffic.run(count: reads, duration: duration)
        passages = traffic.passages
        random = traffic.random
        var byMember = [[SimulatedRead]](repeating: [], count: profile.members.count)
        for read in traffic.reads { byMember[read.member].append(read) }
        for (member, var own) in byMember.enumerated() {
            own.sort { ($0.arrival, $0.captured, $0.vrm) < ($1.arrival, $1.captured, $1.vrm) }
            Self.resendBatches(&own, &random)
            var writer = SimulatedRecordWriter(
                profile.members[member].format,
                network: network,
                member: member
            )
            for read in own {
                if random.below(1000) < garbagePerMille {
                    writer.writeGarbage(&random)
                    garbageCount += 1
                }
                writer.write(read, &random)
                readCount += 1
            }
            feeds.append(writer.bytes)
        }
    }

    /// Now and then a batch is sent again after a lost acknowledgement.
    private static func resendBatches(_ reads: inout [SimulatedRead], _ random: inout SeededRandom) {
        guard reads.count > 400 else { return }
        for _ in 0..<max(1, reads.count / 20_000) {
            let start = random.below(reads.count - 300)
            let batch = reads[start..<start + random.within(20...80)]
            reads.insert(contentsOf: batch, at: start + 100 + random.below(150))
        }
    }
}
