import ANPRModel
import Archive

extension NodeService {
    /// The cameras of a feed whose clocks are off, by name.
    func offsets(of gauges: NodeGauges.Feed) -> [NodeStatus.Clock] {
        gauges.clocks.offsets().map { offset in
            let camera = core.state.register.cameras[Int(offset.camera)]
            return .init(force: camera.force, camera: camera.name, ahead: Double(offset.ahead) / 1000)
        }
    }
}

/// How far those have come who read the sighting log and the alert log.
extension NodeService {
    /// The node's name.
    package var name: String { core.configuration.node }

    /// How long things are kept, and how often that is looked at, in milliseconds.
    var retention: (policy: RetentionPolicy, every: Int64) {
        (core.configuration.retention, core.configuration.retentionEvery)
    }

    /// Lets go what the archive and all other readers of the log have.
    func letGo() throws { try core.letGo() }

    /// Deletes what is past its date beside archive and images.
    func purgeRest(_ pass: RetentionPass) -> RetentionPass {
        settle()
        var pass = pass
        core.purgeRest(&pass)
        return pass
    }

    /// Notes what the next node has.
    package func delivered(to forward: String, before sequence: UInt64) throws {
        try core.delivered(to: forward, before: sequence)
    }

    /// Where those who look out for vehicles of interest go on.
    package func alertCursor() throws -> UInt64 { try core.alertCursor() }

    /// Notes that all sightings before one were held against the lists.
    package func alerted(before sequence: UInt64) throws { try core.alerted(before: sequence) }

    /// The first alert that a next node does not have yet.
    ///
    /// - Parameter first: where one begins that was never sent anything.
    package func forwardedAlerts(to forward: String, otherwise first: UInt64) throws -> UInt64 {
        let name = "alerts:\(forward)"
        if let known = try core.catalogue.cursors().first(where: { $0.name == name }) {
            return known.sequence
        }
        try core.catalogue.setCursor(name, first)
        return first
    }

    /// Notes that a next node has all alerts before one.
    package func forwarded(alertsBefore sequence: UInt64, to forward: String) throws {
        try core.catalogue.setCursor("alerts:\(forward)", sequence)
    }

    /// The alert that a webhook is told next.
    ///
    /// - Parameter first: where one begins that was never told anything.
    package func webhookCursor(_ name: String, otherwise first: UInt64) throws -> UInt64 {
        if let known = try core.catalogue.cursors().first(where: { $0.name == "webhook:\(name)" }) {
            return known.sequence
        }
        try told(name, before: first)
        return first
    }

    /// The alert that each webhook is told next, by its name.
    package func webhooks() throws -> [(name: String, next: UInt64)] {
        try core.catalogue.cursors().filter { $0.name.hasPrefix("webhook:") }
            .map { (String($0.name.dropFirst(8)), $0.sequence) }
    }

    /// Notes what a webhook was told.
    package func told(_ name: String, before sequence: UInt64) throws {
        try core.catalogue.setCursor("webhook:\(name)", sequence)
    }
}
