import ANPRModel
package import Forwarding

/// How a link to a next node stands, in numbers.
package struct LinkStatus: Sendable {
    /// The next node's address, as configured.
    package var to: String
    /// The address that is connected to, if one is.
    package var connected: String?
    /// What keeps it from being connected.
    package var trouble: String?
    /// What went over it since the start.
    package var traffic = LinkTraffic()
    /// The bytes of all of it.
    package var bytes: Int { traffic.bytes }
    /// Messages sent and connections made since the start.
    package var messages = 0
    package var connections = 0
    /// The sighting before which the next node has everything.
    package var delivered: UInt64 = 0
    /// Sightings that the next node does not have yet.
    package var waiting: UInt64 = 0
    /// What the line may carry now, in bytes a second, if it has a budget.
    package var budget: Int?
    /// Bytes and sightings a second, over the last ten seconds or so.
    package var bytesPerSecond = 0.0
    package var deliveredPerSecond = 0.0
    /// How fast sightings come, over the same time.
    package var arrivedPerSecond = 0.0

    /// Seconds until everything is delivered at the present pace; `nil` when that is not getting nearer.
    package var secondsLeft: Double? {
        guard waiting > 0 else { return 0 }
        let gain = deliveredPerSecond - arrivedPerSecond
        return gain > 0 ? Double(waiting) / gain : nil
    }

    /// Nothing yet.
    package init(to: String) { self.to = to }

    /// As one JSON object.
    package var json: String {
        let left = secondsLeft.map { "\(Int($0.rounded(.up)))" } ?? "null"
        return """
            {"to":\(JSONText.quoted(to)),"connected":\(connected.map(JSONText.quoted) ?? "null"),\
            "trouble":\(connected == nil ? trouble.map(JSONText.quoted) ?? "null" : "null"),"delivered":\(delivered),\
            "waiting":\(waiting),"secondsLeft":\(left),"bytes":\(traffic.bytes),\
            "bytesOfSightings":\(traffic.sightings),"bytesOfCameras":\(traffic.cameras),\
            "bytesOfAlerts":\(traffic.alerts),"bytesOfPatches":\(traffic.patches),\
            "bytesOfOverviews":\(traffic.overviews),"bytesPerSecond":\(Int(bytesPerSecond)),\
            "deliveredPerSecond":\(Int(deliveredPerSecond)),"arrivedPerSecond":\(Int(arrivedPerSecond)),\
            "budgetBytesPerSecond":\(budget.map { "\($0)" } ?? "null"),"connections":\(connections)}
            """
    }
}

/// How fast a number rises, over the last ten seconds or so.
struct RateGauge {
    private var marks: [(at: ContinuousClock.Instant, value: Double)] = []

    private static let span = Duration.seconds(10)

    /// Notes a value.
    mutating func note(_ value: Double, at now: ContinuousClock.Instant) {
        marks.append((now, value))
        while marks.count > 2, now - marks[1].at > Self.span { marks.removeFirst() }
    }

    /// A second's rise.
    var perSecond: Double {
        guard let first = marks.first, let last = marks.last, last.at > first.at else { return 0 }
        return max(0, (last.value - first.value) / ((last.at - first.at) / .seconds(1)))
    }
}
