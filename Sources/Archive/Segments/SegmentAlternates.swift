import ANPRModel
import SightingFrames

/// The marks that were merged into sightings of a segment: by them the sightings are found that bear another one.
enum SegmentAlternates {
    /// A packed mark, and the page or frame that has the sighting.
    static let length = 12

    /// The marks that were merged into sightings, in their order, each with where to look.
    ///
    /// - Parameter place: the page or frame of a row of the batch.
    static func bytes(of batch: SightingBatch, place: (Int) -> Int) -> [UInt8] {
        var bytes: [UInt8] = []
        for other in batch.variants.filter(\.isMerged).sorted(by: { $0.vrm < $1.vrm }) {
            LittleEndian.append(other.vrm.packed, to: &bytes)
            LittleEndian.append(UInt32(place(other.sighting)), to: &bytes)
        }
        return bytes
    }

    /// Where to look for sightings into which marks were merged that are wanted.
    static func places(_ bytes: [UInt8], where isWanted: (UInt64) -> Bool) -> Set<Int> {
        var places: Set<Int> = []
        for start in stride(from: 0, to: bytes.count - length + 1, by: length)
        where isWanted(LittleEndian.read(bytes, at: start)) {
            places.insert(Int(LittleEndian.read(bytes, at: start + 8) as UInt32))
        }
        return places
    }
}
