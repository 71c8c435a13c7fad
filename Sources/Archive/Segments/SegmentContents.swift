public import ANPRModel

/// All that stands in a segment file, amendments and what they amend, in the order of the file.
public struct SegmentContents: Sendable {
    /// The sightings.
    public let batch: SightingBatch
    /// The register that their cameras are named in.
    public let register: CameraRegister

    /// Reads a segment of any version.
    ///
    /// - Returns: `nil` for a file that does not end as a segment does.
    /// - Throws: `StorageError` for one that is damaged, with the place.
    public init?(_ path: String) throws {
        let file = try DataFile(path, .read)
        guard SegmentReader.isSegment(try file.read(8, at: max(0, try file.length() - 8))) else { return nil }
        var reader = try SegmentReader(path)
        var batch = SightingBatch()
        try reader.read(nil, into: &batch)
        self.batch = batch
        register = reader.register
    }
}
