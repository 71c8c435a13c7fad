public import ANPRModel
import FeedDecoding
public import Simulation

/// The reads of simulated feeds, decoded.
public struct DecodedFeeds: Sendable {
    /// Each feed's reads in order of arrival.
    public private(set) var reads: [[Read]] = []

    /// Decodes every feed in its own format.
    public init(_ simulated: SimulatedFeeds, _ register: CameraRegister) {
        for (index, member) in simulated.profile.members.enumerated() {
            reads.append(FeedBytes.decode(simulated.feeds[index], member.format, register).reads)
        }
    }
}
