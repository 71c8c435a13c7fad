public import ANPRModel
import SightingFrames

/// All that stands in a segment file, amendments and what they amend, in the order of the file.
public struct SegmentContents: Sendable {
    /// The sightings.
    public let batch: SightingBatch
    /// The register that their cameras are named in.
    public let register: CameraRegister

    /// Reads a segment of any version.
    ///
    /// One that does not name its marks itself is read with the index that does, and the keys that open both: in the data folder that
    /// it belongs to.
    ///
    /// - Returns: `nil` for a file that does not end as a segment does.
    /// - Throws: `StorageError` for one that is damaged, with the place.
    public init?(_ path: String) throws {
        let file = try DataFile(path, .read)
        let end = try file.read(8, at: max(0, try file.length() - 8))
        var all = SightingBatch()
        if FormerSegmentReader.isSegment(end) {
            let reader = try FormerSegmentReader(path)
            try reader.read(nil, into: &all)
            (batch, register) = (all, reader.register)
            return
        }
        guard SectionedHead.magics.contains(end) else { return nil }
        let place = try ArchivePlace(path)
        guard let segment = try place.catalogue.snapshot().segments.first(where: { $0.name == place.name })
        else {
            throw StorageError(.mismatch, "\(path): not in the catalogue of \(place.data)")
        }
        let files = SegmentFiles("\(place.data)/archive")
        let read = try files.read(SegmentGroups([segment]), nil, keys: place.keys).first
        (batch, register) = (read?.batch ?? all, read?.register ?? CameraRegister())
    }
}

/// All marks that stand in a file that leads to sightings.
public struct MarkIndexContents: Sendable {
    /// The marks, and those that were merged into sightings, ascending by their keys.
    public let marks: [VRM]

    /// Reads an index of marks, in the data folder that it belongs to.
    ///
    /// - Returns: `nil` for a file that does not end as an index does.
    /// - Throws: `StorageError` for one that is damaged, with the place.
    public init?(_ path: String) throws {
        let file = try DataFile(path, .read)
        let end = try file.read(8, at: max(0, try file.length() - 8))
        guard MarkIndexCover.magics.contains(end) else { return nil }
        let index = try MarkIndexReader(file, try ArchivePlace(path).keys)
        let numbers: [Int?] = index.head.parts.indices.map(\.self)
        let keys =
            try index.runs(numbers).map(\.key) + index.alternates(numbers).flatMap { [$0.key, $0.own] }
        marks = Set(keys).sorted().compactMap { MarkKey(value: $0).vrm }
    }
}

/// Where a file of an archive lies.
private struct ArchivePlace {
    let data: String
    /// Below the archive's folder.
    let name: String
    let catalogue: Catalogue
    let keys: KeyRing

    init(_ path: String) throws {
        let places = DataFolder.paths(to: path).map {
            $0.split(separator: "/", omittingEmptySubsequences: false)
        }
        // As it was named, where an archive is a link to another disk.
        let isPlace = { (parts: [Substring]) in
            parts.count > 3 && parts[parts.count - 3] == "archive"
                && DataFolder.exists(parts.dropLast(3).joined(separator: "/") + "/catalogue.sqlite")
        }
        guard let parts = places.first(where: isPlace) else {
            throw StorageError(
                .mismatch,
                "\(path): not in the archive of a data folder, without which it can't be read"
            )
        }
        data = parts.dropLast(3).joined(separator: "/")
        name = parts.suffix(2).joined(separator: "/")
        catalogue = try Catalogue("\(data)/catalogue.sqlite", isReadOnly: true)
        keys = try KeyRing(data: data, catalogue)
    }
}
