import ANPRModel

/// What the sightings of one mark tell of its ways: journeys, their legs, and legs that no one vehicle can have made.
///
/// Distances are straight lines over the ground between the cameras of the best reads, so the speeds are the least that were driven.
public struct Journeys: Sendable {
    /// By what journeys are told apart and legs are called too fast.
    public struct Rules: Sendable, Equatable {
        /// After so long without a sighting, in milliseconds, another journey begins.
        public var stop: Int64 = 30 * 60_000
        /// The best speed on any way between two sites, in kilometres an hour of straight line: what is the best time's.
        public var bestSpeed = 130.0
        /// How far the clocks of two cameras may be apart, in milliseconds.
        public var tolerance: Int64 = 5000

        /// A leg is too fast when it took less than this of the best time: less 15 %.
        static let share = 0.85

        /// The usual rules.
        public init() {}
    }

    /// The way from one sighting to the next.
    public struct Leg: Sendable, Equatable {
        /// The row of the sighting that it begins with.
        public var from: Int
        /// The row of the sighting that it ends with.
        public var to: Int
        /// How long it took, between best reads, in milliseconds.
        public var took: Int64
        /// How far it is; `nil` where one of the cameras has no position.
        public var metres: Double?
        /// Whether one vehicle can't have made it: the mark may be on two.
        public var isTooFast: Bool

        /// Kilometres an hour; `nil` where the distance is not known or no time went by.
        public var speed: Double? {
            guard let metres, took > 0 else { return nil }
            return metres / Double(took) * 3600
        }
    }

    /// Sightings with no stop between them.
    public struct Journey: Sendable, Equatable {
        /// The rows of its sightings, the oldest first.
        public var rows: [Int]
        /// The ways between them.
        public var legs: [Leg]

        /// How far it is, as far as that is known.
        public var metres: Double { legs.reduce(0) { $0 + ($1.metres ?? 0) } }
    }

    /// The journeys, the oldest first.
    public let journeys: [Journey]
    /// The ways between one journey and the next: how long it stood, or was not seen.
    public let pauses: [Leg]

    /// All legs that no one vehicle can have made, pauses among them, the oldest first.
    public let tooFast: [Leg]

    /// Of sightings that a search for one mark found; those of other marks (`approximate`) are left out.
    ///
    /// - Complexity: O(sightings · log sightings).
    public init(of found: ResolvedSightings, _ rules: Rules = Rules()) {
        let sightings = found.batch.sightings
        let rows = sightings.indices.filter { !found.approximate.contains($0) }
            .sorted { (sightings[$0].captured, $0) < (sightings[$1].captured, $1) }
        var journeys: [Journey] = []
        var pauses: [Leg] = []
        var tooFast: [Leg] = []
        for row in rows {
            guard let last = journeys.last?.rows.last else {
                journeys.append(Journey(rows: [row], legs: []))
                continue
            }
            let leg = Self.leg(last, row, found, rules)
            if leg.isTooFast { tooFast.append(leg) }
            if leg.took > rules.stop {
                pauses.append(leg)
                journeys.append(Journey(rows: [row], legs: []))
            } else {
                journeys[journeys.count - 1].rows.append(row)
                journeys[journeys.count - 1].legs.append(leg)
            }
        }
        self.journeys = journeys
        self.pauses = pauses
        self.tooFast = tooFast
    }

    private static func leg(_ from: Int, _ to: Int, _ found: ResolvedSightings, _ rules: Rules) -> Leg {
        let (one, other) = (found.batch.sightings[from], found.batch.sightings[to])
        let took = other.captured.milliseconds - one.captured.milliseconds
        let metres = distance(
            found.register.cameras[Int(one.camera)],
            found.register.cameras[Int(other.camera)]
        )
        let best = (metres ?? 0) / rules.bestSpeed * 3600
        return Leg(
            from: from,
            to: to,
            took: took,
            metres: metres,
            isTooFast: Double(took + rules.tolerance) < best * Rules.share
        )
    }

    /// Metres between two cameras; `nil` where one has no position.
    private static func distance(_ one: Camera, _ other: Camera) -> Double? {
        guard one.latitude != Read.noPosition, other.latitude != Read.noPosition else { return nil }
        let place = { (camera: Camera) in (Double(camera.latitude) / 1e7, Double(camera.longitude) / 1e7) }
        return Ground.metres(from: place(one), to: place(other))
    }
}
