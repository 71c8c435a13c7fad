public import ANPRModel

/// The camera register as a CSV file: `force,camera,site,lat,lon,direction,lane`, in any order of columns.
///
/// `site`, `lat`, `lon`, `direction` and `lane` may be blank. A file with any fault is refused whole, with all faults
/// named by line.
public enum CameraRegisterFile {
    /// Why a register file was refused.
    public struct Faults: Error, CustomStringConvertible {
        /// Each fault, with its line.
        public var faults: [String]

        /// The faults, one a line.
        public var description: String { faults.joined(separator: "\n") }
    }

    private static let columns = ["force", "camera", "site", "lat", "lon", "direction", "lane"]

    /// Reads a register's cameras in the file's order.
    public static func cameras(_ bytes: [UInt8]) throws(Faults) -> [Camera] {
        guard (try? UTF8Span(validating: bytes.span)) != nil else { throw Faults(faults: ["not UTF-8"]) }
        guard let records = CSVTable.records(bytes) else { throw Faults(faults: ["a quote is never closed"]) }
        guard let header = records.first else { throw Faults(faults: ["empty: a header row is needed"]) }
        var places: [String: Int] = [:]
        for (index, name) in header.values.enumerated() { places[name] = index }
        let missing = ["force", "camera"].filter { places[$0] == nil }
        guard missing.isEmpty else {
            throw Faults(faults: ["line \(header.line): column \(missing.joined(separator: ", ")) is missing"]
            )
        }
        var faults: [String] = []
        var seen: [String: Int] = [:]
        var cameras: [Camera] = []
        for (line, values) in records.dropFirst() {
            func value(_ name: String) -> String {
                places[name].flatMap { $0 < values.count ? values[$0] : nil } ?? ""
            }
            var row = Row(line: line, value: value)
            let camera = row.camera()
            let key = "\(camera.force)\u{0}\(camera.name)"
            if let first = seen[key] {
                row.faults.append(
                    "line \(line): camera \(camera.name) of force \(camera.force) is on line \(first) too"
                )
            }
            seen[key] = line
            faults += row.faults
            cameras.append(camera)
        }
        guard faults.isEmpty else { throw Faults(faults: faults) }
        return cameras
    }

    /// One row, read with all its faults.
    private struct Row {
        let line: Int
        let value: (String) -> String
        var faults: [String] = []

        mutating func camera() -> Camera {
            let force = text("force", required: true)
            let name = text("camera", required: true)
            let site = text("site", required: false)
            let latitude = degrees("lat", limit: 90)
            let longitude = degrees("lon", limit: 180)
            if (latitude == nil) != (longitude == nil) {
                faults.append("line \(line): lat and lon must both be there, or neither")
            }
            return Camera(
                force: force,
                name: name,
                site: site.isEmpty ? nil : site,
                latitude: latitude ?? Read.noPosition,
                longitude: longitude ?? Read.noPosition,
                direction: direction(),
                lane: lane()
            )
        }

        private mutating func text(_ column: String, required: Bool) -> String {
            let text = value(column)
            if required, text.isEmpty { faults.append("line \(line): \(column) is blank") }
            if text.unicodeScalars.count > 64 {
                faults.append("line \(line): \(column) has over 64 characters")
            }
            return text
        }

        private mutating func degrees(_ column: String, limit: Double) -> Int32? {
            let text = value(column)
            guard !text.isEmpty else { return nil }
            let bytes = Array(text.utf8)
            guard let degrees = DecimalText.number(bytes.span, 0..<bytes.count), abs(degrees) <= limit else {
                faults.append("line \(line): \(column) is not a number from -\(Int(limit)) to \(Int(limit))")
                return nil
            }
            return Int32((degrees * 1e7).rounded())
        }

        private mutating func direction() -> Direction? {
            let text = value("direction")
            guard !text.isEmpty else { return nil }
            guard let direction = Direction(text) else {
                faults.append("line \(line): direction is none of N NE E SE S SW W NW towards away")
                return nil
            }
            return direction
        }

        private mutating func lane() -> UInt8? {
            let text = value("lane")
            guard !text.isEmpty else { return nil }
            guard let lane = UInt8(text), lane <= 63 else {
                faults.append("line \(line): lane is not a whole number from 0 to 63")
                return nil
            }
            return lane
        }
    }
}
