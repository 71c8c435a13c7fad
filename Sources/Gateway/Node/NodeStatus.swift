package import ANPRModel
package import Deduplication
import FeedDecoding

/// How a running node stands, in numbers.
package struct NodeStatus: Sendable {
    /// A camera whose clock is off.
    package struct Clock: Sendable, Equatable {
        /// The owning force's code.
        package var force: String
        /// The camera's name.
        package var camera: String
        /// By how many seconds it is ahead; negative when it is behind.
        package var ahead: Double
    }

    /// One feed.
    package struct Feed: Sendable {
        /// Its name.
        package var name: String
        /// Its account since the data folder was begun or this run took it up.
        package var counts = FeedCounts()
        /// What came since the node was started.
        package var gauges = NodeGauges.Feed()
        /// Its cameras whose clocks are off, the worst first.
        package var clocks: [Clock] = []
        /// Seconds since anything came; `nil` when the node waits for it no more.
        package var silence: Double?
    }

    /// The node's name.
    package var node: String
    /// Each live feed.
    package var feeds: [Feed] = []
    /// What left.
    package var tally = SightingTally()
    /// How far, in milliseconds of event time, what has left is behind what has come.
    package var lag: Int64 = 0
    /// Reads waiting for their turn, and sightings still open.
    package var waiting: (reads: Int, sightings: Int) = (0, 0)
    /// Sightings that wait for the log.
    package var unlogged = 0
    /// The number that the next sighting gets.
    package var logged: UInt64 = 0
    /// Syncs of the journal.
    package var syncs = DurationHistogram()
    /// What keeps reads from being taken.
    package var trouble: String?

    /// So many clocks of a feed are named.
    private static let clocksMax = 20

    /// The status as one JSON object.
    package func json(links: [LinkStatus]) -> String {
        let feeds = feeds.map { feed in
            let counts = feed.counts
            let refused = feed.gauges.refused.sorted { $0.key.name < $1.key.name }
                .map { "\"\($0.key.name)\":\($0.value)" }
            let clocks = feed.clocks.prefix(Self.clocksMax).map { clock in
                "{\"force\":\(JSONText.quoted(clock.force)),\"camera\":\(JSONText.quoted(clock.camera)),"
                    + "\"aheadSeconds\":\(clock.ahead)}"
            }
            return """
                {"feed":\(JSONText.quoted(feed.name)),"received":\(counts.received),"accepted":\(counts.accepted),\
                "rejected":\(counts.rejected),"redelivered":\(counts.redelivered),"late":\(counts.late),\
                "silentSeconds":\(feed.silence.map { "\(Int($0))" } ?? "null"),"refused":{\(refused.joined(separator: ","))},\
                "clocksOff":\(feed.clocks.count),"clocks":[\(clocks.joined(separator: ","))]}
                """
        }
        return """
            {"node":\(JSONText.quoted(node)),"ready":\(trouble == nil),\
            "trouble":\(trouble.map(JSONText.quoted) ?? "null"),"sightings":\(tally.sightings),\
            "amendments":\(tally.amendments),"lagMilliseconds":\(lag),"waitingReads":\(waiting.reads),\
            "openSightings":\(waiting.sightings),"unlogged":\(unlogged),"logged":\(logged),\
            "links":[\(links.map(\.json).joined(separator: ","))],\
            "feeds":[\(feeds.joined(separator: ","))]}
            """
    }
}
