public import ANPRModel

/// The marks that were seen at several of some places, each within its own time.
public struct CommonVehicles: Sendable {
    /// A mark and where it was.
    public struct Vehicle: Sendable, Equatable {
        /// The mark.
        public var vrm: VRM
        /// The places, by their numbers in the request.
        public var places: Set<Int>
        /// Its sightings at all of them.
        public var sightings: Int
        /// The first and last of those.
        public var first: Timestamp, last: Timestamp
    }

    /// Those seen at enough places: of more places first, then by mark.
    public let vehicles: [Vehicle]
    /// How many sightings were looked at.
    public let sightings: Int

    /// Looks for marks that are common to places.
    ///
    /// - Parameters:
    ///   - places: what finds the sightings of each.
    ///   - placesMin: at how many of them a mark must have been; by default all.
    ///   - search: answers a search.
    /// - Complexity: a search for each place; memory for the marks of all of them.
    public init(
        at places: [SightingQuery],
        placesMin: Int? = nil,
        search: (SightingQuery) throws -> ResolvedSightings
    ) rethrows {
        var vehicles: [VRM: Vehicle] = [:]
        var count = 0
        for (number, place) in places.enumerated() {
            let found = try search(place)
            count += found.batch.count
            for sighting in found.batch.sightings {
                let time = sighting.captured
                let none = Vehicle(vrm: sighting.vrm, places: [], sightings: 0, first: time, last: time)
                vehicles[sighting.vrm, default: none].add(number, time)
            }
        }
        sightings = count
        let least = placesMin ?? places.count
        self.vehicles = vehicles.values.filter { $0.places.count >= least }
            .sorted { ($1.places.count, $0.vrm) < ($0.places.count, $1.vrm) }
    }
}

extension CommonVehicles.Vehicle {
    fileprivate mutating func add(_ place: Int, _ time: Timestamp) {
        places.insert(place)
        sightings += 1
        first = min(first, time)
        last = max(last, time)
    }
}
