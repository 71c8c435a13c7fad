import Forwarding
import Foundation

/// Lets bytes go as a line's budget has it: one account for all that one line carries, whatever the connection.
actor LinePacer {
    private var budget: LinkBudget
    private let rates: LinkRates
    private let zone: TimeZone
    private let began = ContinuousClock.now
    private var rate: Int

    /// A pacer.
    ///
    /// - Parameters:
    ///   - rates: what the line carries, by the time of day in `zone`.
    ///   - isEncrypted: whether TLS adds its records.
    init(_ rates: LinkRates, zone: TimeZone, isEncrypted: Bool) {
        self.rates = rates
        self.zone = zone
        rate = rates.bitsPerSecond(minute: Self.minute(zone))
        budget = LinkBudget(bitsPerSecond: rate, isEncrypted: isEncrypted)
    }

    /// What the line carries now.
    var bytesPerSecond: Int {
        useRate()
        return budget.bytesPerSecond
    }

    /// The most bytes to give it at once.
    var pieceMax: Int { budget.pieceMax }

    /// Returns when so many bytes, no more than `pieceMax`, may go; they count as gone then.
    func pass(_ count: Int) async throws {
        useRate()
        while case let wait = budget.delay(count, at: now), wait > 0 {
            try await Task.sleep(for: .nanoseconds(wait))
        }
        budget.sent(count, at: now)
    }

    /// What passed last has left, and with it what went by itself.
    func left(_ departure: LineQueue.Departure) {
        let now = now
        budget.left(at: now, wasHeldUp: departure.wasHeldUp)
        budget.went(departure.besides, at: now)
    }

    /// So many bytes went by themselves.
    func went(_ count: Int) { budget.went(count, at: now) }

    private func useRate() {
        let due = rates.bitsPerSecond(minute: Self.minute(zone))
        guard due != rate else { return }
        rate = due
        budget.use(bitsPerSecond: due)
    }

    private static func minute(_ zone: TimeZone) -> Int {
        let date = Date()
        let seconds = Int(date.timeIntervalSince1970) + zone.secondsFromGMT(for: date)
        return seconds / 60 % 1440
    }

    /// Nanoseconds since the pacer was made.
    private var now: Int64 { (ContinuousClock.now - began).nanoseconds }
}

extension Duration {
    /// The whole of it in nanoseconds.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
