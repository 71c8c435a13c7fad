/// Another mark under which the vehicle of a sighting was probably read; one of them is a misread.
public struct SightingVariant: Sendable, Equatable {
    /// The sighting, by its place in its batch.
    public var sighting: Int
    /// The other mark.
    public var vrm: VRM
    /// When the sighting of that mark was opened; with mark and site it makes its id.
    public var opened: Timestamp
    /// Whether that sighting is part of this one now, and its mark one of the alternates; else it stands beside this one,
    /// and names it in turn.
    public var isMerged: Bool

    /// A variant.
    public init(sighting: Int, vrm: VRM, opened: Timestamp, isMerged: Bool) {
        self.sighting = sighting
        self.vrm = vrm
        self.opened = opened
        self.isMerged = isMerged
    }
}
