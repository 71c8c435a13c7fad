public import ANPRModel
import Foundation

/// What sightings would take if every column were coded at its entropy, the columns taken as independent.
///
/// The columns: time since the sighting before; camera; confidence; reads, and where there are several the last and the best
/// read's time after the first; where there are several cameras, of each its place at the site, reads, first time and confidence.
/// Their frequencies are those of all the sightings. A mark that is new in its frame takes the entropy of its characters, each by
/// its place and the mark's shape; one that the frame has had takes as much as it takes to choose among those.
///
/// - Complexity: O(sightings), a microsecond each.
public struct EntropyBound {
    private let batch: SightingBatch
    /// Bytes a sighting of all but the marks.
    private let others: Double
    /// Bits of a mark that is new, by its number of characters.
    private var newMark: [String: Double] = [:]

    /// Works out the entropies.
    public init(_ batch: SightingBatch, _ register: CameraRegister) {
        self.batch = batch
        var columns = Columns()
        columns.count(batch, SitePlaces(register))
        others = columns.bits / 8 / Double(max(1, batch.count))
        countMarks()
    }

    private mutating func countMarks() {
        var characters: [String: [[Character: Int]]] = [:]
        var marks = Set<VRM>()
        for sighting in batch.sightings where marks.insert(sighting.vrm).inserted {
            let text = sighting.vrm.text
            let shape = Self.shape(text)
            var places = characters[shape] ?? [[Character: Int]](repeating: [:], count: text.count)
            for (place, character) in text.enumerated() { places[place][character, default: 0] += 1 }
            characters[shape] = places
        }
        for (shape, places) in characters {
            newMark[shape] = places.reduce(0) {
                $0 + Self.bits(of: $1.values) / Double($1.values.reduce(0, +))
            }
        }
    }

    /// Bits that so many of each value take together.
    static func bits(of counts: some Collection<Int>) -> Double {
        let total = Double(counts.reduce(0, +))
        var bits = 0.0
        for count in counts { bits -= Double(count) * log2(Double(count) / total) }
        return bits
    }

    /// Letters as A, digits as 9.
    private static func shape(_ text: String) -> String { String(text.map { $0.isNumber ? "9" : "A" }) }

    /// Bytes a sighting in frames of so many.
    public func bytes(frame count: Int) -> Double {
        guard batch.count > 0 else { return 0 }
        var bits = 0.0
        var start = 0
        while start < batch.count {
            let end = min(start + count, batch.count)
            var marks = Set<VRM>()
            var repeats = 0
            for sighting in batch.sightings[start..<end] {
                if marks.insert(sighting.vrm).inserted {
                    bits += newMark[Self.shape(sighting.vrm.text)] ?? 0
                } else {
                    repeats += 1
                }
            }
            bits += Double(repeats) * log2(Double(marks.count)) + Self.choice(repeats, end - start)
            start = end
        }
        return others + bits / 8 / Double(batch.count)
    }

    /// Bits that tell which of so many are the ones.
    private static func choice(_ ones: Int, _ count: Int) -> Double {
        let share = Double(ones) / Double(count)
        guard share > 0, share < 1 else { return 0 }
        return -Double(count) * (share * log2(share) + (1 - share) * log2(1 - share))
    }
}

/// How often each value of each column occurs.
private struct Columns {
    private var counts: [String: [Int64: Int]] = [:]

    mutating func count(_ batch: SightingBatch, _ places: SitePlaces) {
        var previous: Timestamp?
        for index in 0..<batch.count {
            let sighting = batch.sightings[index]
            if let previous { add("first", sighting.first.milliseconds - previous.milliseconds) }
            previous = sighting.first
            add("camera", Int64(sighting.camera))
            add("confidence", Int64(sighting.confidence))
            add("reads", Int64(sighting.reads))
            if sighting.reads > 1 {
                add("last", sighting.last.milliseconds - sighting.first.milliseconds)
                add("captured", sighting.captured.milliseconds - sighting.first.milliseconds)
            }
            let parts = batch.contributions(of: index)
            add("parts", Int64(parts.count))
            guard parts.count > 1 else { continue }
            for part in parts {
                add("part.camera", Int64(places.place(of: part.camera)))
                add("part.reads", Int64(part.reads))
                add("part.first", part.first.milliseconds - sighting.first.milliseconds)
                add("part.confidence", Int64(part.confidence))
            }
        }
    }

    private mutating func add(_ column: String, _ value: Int64) {
        counts[column, default: [:]][value, default: 0] += 1
    }

    var bits: Double { counts.values.reduce(0) { $0 + EntropyBound.bits(of: $1.values) } }
}

/// Each camera's place among those of its site.
private struct SitePlaces {
    private var places: [Int] = []

    init(_ register: CameraRegister) {
        var counts: [SiteIndex: Int] = [:]
        for site in register.siteOfCamera {
            places.append(counts[site, default: 0])
            counts[site, default: 0] += 1
        }
    }

    func place(of camera: CameraIndex) -> Int { places[Int(camera)] }
}
