import Logging

/// Says once when a camera's clock is found to be off, and once when it no longer is.
struct ClockWatch {
    private var known: Set<String> = []
    private var rounds = 0

    /// Clocks are looked at each so many rounds, every half minute.
    private static let every = 60

    /// Whether it is time to look again; called each round.
    mutating func isDue() -> Bool {
        rounds += 1
        return rounds % Self.every == 0
    }

    /// Looks at a node's status.
    mutating func look(_ status: NodeStatus, _ logger: Logger) {
        var off: Set<String> = []
        for feed in status.feeds {
            for clock in feed.clocks {
                let name = "\(feed.name) \(clock.force)/\(clock.camera)"
                off.insert(name)
                guard !known.contains(name) else { continue }
                logger.warning(
                    "a camera's clock is off",
                    metadata: [
                        "feed": "\(feed.name)", "force": "\(clock.force)", "camera": "\(clock.camera)",
                        "aheadSeconds": "\(clock.ahead)",
                    ]
                )
            }
        }
        for name in known.subtracting(off) {
            logger.notice("a camera's clock is right again, or silent", metadata: ["camera": "\(name)"])
        }
        known = off
    }
}
