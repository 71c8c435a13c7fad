import ANPRModel
import FeedDecoding
import Gateway

/// Clock readings in London around the changes of 2026, and the moments they mean.
enum LocalTimeZoneCase {
    static let london = LocalTimeZone.named("Europe/London")

    /// `nil` where clocks never showed it, or twice.
    static let cases: [(String, String?)] = [
        ("2026-01-15T12:00:00Z", "2026-01-15T12:00:00.000Z"),
        ("2026-07-15T12:00:00Z", "2026-07-15T11:00:00.000Z"),
        ("2026-03-29T00:59:59Z", "2026-03-29T00:59:59.000Z"),
        ("2026-03-29T01:00:00Z", nil),
        ("2026-03-29T01:59:59Z", nil),
        ("2026-03-29T02:00:00Z", "2026-03-29T01:00:00.000Z"),
        ("2026-10-25T00:59:59Z", "2026-10-24T23:59:59.000Z"),
        ("2026-10-25T01:00:00Z", nil),
        ("2026-10-25T01:59:59Z", nil),
        ("2026-10-25T02:00:00Z", "2026-10-25T02:00:00.000Z"),
    ]

    static func moment(_ zone: LocalTimeZone, _ local: String) -> String? {
        guard case .moment(let reading) = TimestampReader.read(local) else { return nil }
        return zone.moment(reading).map(TimestampWriter.text)
    }
}
