public import ANPRModel

/// Sightings under one register, each only in its newest version.
public struct ResolvedSightings: Sendable {
    /// The sightings.
    public var batch: SightingBatch
    /// The register their cameras are named in.
    public var register: CameraRegister

    /// No sightings.
    public init() {
        batch = SightingBatch()
        register = CameraRegister()
    }

    /// Takes sightings as they are.
    init(_ batch: SightingBatch, _ register: CameraRegister) {
        self.batch = batch
        self.register = register
    }

    /// Keeps of each identity the version amended last.
    init(newestOf all: SightingBatch, _ register: CameraRegister) {
        var newest: [Identity: Int] = [:]
        newest.reserveCapacity(all.count)
        for index in 0..<all.count {
            let sighting = all.sightings[index]
            let identity = Identity(
                vrm: sighting.vrm,
                site: register.siteOfCamera[Int(sighting.camera)],
                opened: sighting.opened
            )
            if let other = newest[identity], all.sightings[other].revision >= sighting.revision { continue }
            newest[identity] = index
        }
        self.register = register
        batch = newest.count == all.count ? all : all.reordered(newest.values.sorted())
    }

    private struct Identity: Hashable {
        var vrm: VRM
        var site: SiteIndex
        var opened: Timestamp
    }
}
