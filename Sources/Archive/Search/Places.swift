import ANPRModel
import Glibc

extension SightingQuery {
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
            let (north, east) = (Double(camera.latitude) / 1e7, Double(camera.longitude) / 1e7)
            return Ground.metres(from: (latitude, longitude), to: (north, east)) <= radius
        }
    }

    /// A piece of the ground between corners, its edges straight on a map of degrees; no wider than half the earth.
    public struct Polygon: Sendable, Equatable {
        /// A corner, in degrees.
        public struct Corner: Sendable, Equatable {
            var latitude: Double
            var longitude: Double
        }

        let corners: [Corner]

        /// Reads corners, three at least, as `LATITUDE,LONGITUDE` with spaces between.
        public init?(_ text: String) {
            var corners: [Corner] = []
            for part in text.split(separator: " ") {
                let numbers = part.split(separator: ",", omittingEmptySubsequences: false).compactMap {
                    Double($0)
                }
                guard numbers.count == 2, abs(numbers[0]) <= 90, abs(numbers[1]) <= 180 else { return nil }
                corners.append(Corner(latitude: numbers[0], longitude: numbers[1]))
            }
            guard corners.count >= 3 else { return nil }
            self.corners = corners
        }

        /// Whether a camera stands inside: an edge crosses the line that goes east from it an odd number of times.
        func contains(_ camera: Camera) -> Bool {
            guard camera.latitude != Read.noPosition else { return false }
            let (north, east) = (Double(camera.latitude) / 1e7, Double(camera.longitude) / 1e7)
            var isInside = false
            for (one, other) in zip(corners, corners.dropFirst() + corners.prefix(1))
            where (one.latitude > north) != (other.latitude > north) {
                let share = (north - one.latitude) / (other.latitude - one.latitude)
                if east < one.longitude + share * (other.longitude - one.longitude) { isInside.toggle() }
            }
            return isInside
        }
    }
}

/// The ground, as a sphere of 6,371 km.
enum Ground {
    /// The straight way between two places in degrees, north and east.
    static func metres(from one: (Double, Double), to other: (Double, Double)) -> Double {
        let toRadians = Double.pi / 180
        let (up, across) = ((other.0 - one.0) * toRadians / 2, (other.1 - one.1) * toRadians / 2)
        let chord =
            sin(up) * sin(up) + cos(one.0 * toRadians) * cos(other.0 * toRadians) * sin(across) * sin(across)
        return 2 * 6_371_000 * asin(min(1, chord.squareRoot()))
    }
}
