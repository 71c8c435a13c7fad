public import ANPRModel
import Glibc

/// What is searched for; every condition that is set must hold.
public struct SightingQuery: Sendable, Equatable {
    /// A circle on the ground.
    public struct Circle: Sendable, Equatable {
        /// Degrees.
        public var latitude: Double
        /// Degrees.
        public var longitude: Double
        /// Metres.
        public var radius: Double

        /// A circle.
        public init(latitude: Double, longitude: Double, radius: Double) {
            self.latitude = latitude
            self.longitude = longitude
            self.radius = radius
        }

        /// Whether a camera stands inside, on a sphere of 6,371 km.
        func contains(_ camera: Camera) -> Bool {
            guard camera.latitude != Read.noPosition else { return false }
            let toRadians = Double.pi / 180
            let north = Double(camera.latitude) / 1e7 * toRadians
            let here = latitude * toRadians
            let across = (Double(camera.longitude) / 1e7 - longitude) * toRadians
            let up = north - here
            let chord = sin(up / 2) * sin(up / 2) + cos(here) * cos(north) * sin(across / 2) * sin(across / 2)
            return 2 * 6_371_000 * asin(min(1, chord.squareRoot())) <= radius
        }
    }

    /// The mark.
    public var mark: MarkPattern?
    /// Sightings that end at or after this.
    public var from: Timestamp?
    /// Sightings that begin at or before this.
    public var to: Timestamp?
    /// The site's name.
    public var site: String?
    /// A camera that contributed, by name.
    public var camera: String?
    /// A force that contributed, by code.
    public var force: String?
    /// Where the best read's camera stands.
    public var near: Circle?

    /// Everything.
    public init() {}

    /// Whether a sighting's own mark is the one searched for.
    func matchesMark(_ index: Int, of batch: SightingBatch) -> Bool {
        mark.map { $0.matches(batch.sightings[index].vrm) } ?? true
    }

    /// Whether the mark of a sighting merged into this one is the one searched for.
    func matchesAlternate(_ index: Int, of batch: SightingBatch) -> Bool {
        guard let mark, !batch.variants.isEmpty else { return false }
        return batch.variants(of: index).contains { $0.isMerged && mark.matches($0.vrm) }
    }

    /// Whether the newest version of a sighting is asked for, whatever its mark.
    func matchesRest(_ index: Int, of found: ResolvedSightings) -> Bool {
        let sighting = found.batch.sightings[index]
        let register = found.register
        if let from, sighting.last < from { return false }
        if let to, sighting.first > to { return false }
        if let site, register.siteName(of: sighting.camera) != site { return false }
        if let near, !near.contains(register.cameras[Int(sighting.camera)]) { return false }
        guard camera != nil || force != nil else { return true }
        return found.batch.contributions(of: index).contains { part in
            let source = register.cameras[Int(part.camera)]
            return (camera ?? source.name) == source.name && (force ?? source.force) == source.force
        }
    }
}
