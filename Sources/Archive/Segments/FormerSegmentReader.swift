import ANPRModel

/// Reads a segment of any version that names its marks itself, as they were written before there were indexes of marks.
final class FormerSegmentReader: Sendable {
    // One of the two is there.
    private let pages: PagedSegmentReader?
    private let frames: FrameSegmentReader?

    /// Whether a file that ends so is a segment.
    static func isSegment(_ end: [UInt8]) -> Bool {
        [PagedSegmentReader.magic, FrameSegmentReader.magic, FrameSegmentReader.magicWithAlternates].contains(
            end
        )
    }

    /// Opens a segment.
    ///
    /// - Parameter prototypes: of others that are open, one of which may serve this one too.
    init(_ path: String, like prototypes: SegmentPrototypes = SegmentPrototypes()) throws {
        let file = try DataFile(path, .read)
        let length = try file.length()
        guard length >= FileEnd.length + 8 else {
            throw StorageError(.damaged, "\(path): too short for a segment")
        }
        switch try file.read(8, at: length - 8) {
        case PagedSegmentReader.magic:
            (pages, frames) = (try PagedSegmentReader(file, like: prototypes), nil)
        case FrameSegmentReader.magic:
            (pages, frames) = (nil, try FrameSegmentReader(file, hasAlternates: false))
        case FrameSegmentReader.magicWithAlternates:
            (pages, frames) = (nil, try FrameSegmentReader(file, hasAlternates: true))
        default: throw StorageError(.damaged, "\(path): no segment's end at byte \(length - 8)")
        }
    }

    /// The cameras that its sightings name.
    var register: CameraRegister { pages?.register ?? frames?.register ?? CameraRegister() }

    /// A part of what a search looks at in a segment, so that several processors can take one each.
    struct Share: Sendable {
        var index = 0
        var count = 1

        /// The part of so many things in a row.
        func range(of all: Int) -> Range<Int> { all * index / count..<all * (index + 1) / count }
    }

    /// Appends the sightings that a query may want, in any version; others may come with them.
    ///
    /// Without a query it appends all.
    ///
    /// - Parameter reach: how far versions of one sighting lie apart in the archive that the segment belongs to.
    func read(
        _ query: SightingQuery?,
        _ reach: SightingReach = .unknown,
        share: Share = Share(),
        into batch: inout SightingBatch
    ) throws {
        let wanted = query.map { WantedSightings($0, register, reach) } ?? WantedSightings()
        try pages?.read(wanted, share, into: &batch)
        // Files of before are few, and read by one.
        if share.index == 0 { try frames?.read(query, into: &batch) }
    }
}
