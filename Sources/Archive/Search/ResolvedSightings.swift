public import ANPRModel

/// Sightings under one register, each only in its newest version.
public struct ResolvedSightings: Sendable {
    /// The sightings.
    public var batch: SightingBatch
    /// The register their cameras are named in.
    public var register: CameraRegister
    /// The rows, of a search for a mark, that were read under another one and are probably of the same vehicle.
    public var approximate: Set<Int> = []

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

    /// Keeps of each identity the version amended last, with the other marks that any version knows.
    init(newestOf all: SightingBatch, _ register: CameraRegister) {
        let newest = NewestRows(of: all, register).rows
        self.register = register
        guard newest.count < all.count else {
            batch = all
            return
        }
        batch = all.reordered(newest)
        // What amends a sighting says nothing of the misreads that were found when it was given out.
        guard !all.variants.isEmpty else { return }
        let variants = Dictionary(grouping: all.variants) { Row($0.sighting, of: all, register) }
        batch = batch.replacingVariants { variants[Row($0, of: batch, register)] ?? [] }
    }

    /// The id of a sighting.
    public func id(of row: Int) -> SightingID {
        let sighting = batch.sightings[row]
        let site = register.siteOfCamera[Int(sighting.camera)]
        return SightingID(vrm: sighting.vrm, siteHash: register.siteHash[Int(site)], first: sighting.opened)
    }

    /// The first so many of them, which of a search's answer are the newest.
    public func newest(_ count: Int) -> ResolvedSightings { part(0..<min(count, batch.count)) }

    /// Adds others behind them.
    mutating func append(_ other: ResolvedSightings) {
        var (batch, union) = (other.batch, RegisterUnion())
        _ = union.indexes(of: register)
        batch.renumberCameras(union.indexes(of: other.register))
        register = union.register
        approximate.formUnion(other.approximate.map { $0 + self.batch.count })
        self.batch.append(contentsOf: batch)
    }

    /// Some of them that stand together.
    func part(_ rows: Range<Int>) -> ResolvedSightings {
        guard rows.count < batch.count else { return self }
        var part = ResolvedSightings(batch.reordered(Array(rows)), register)
        part.approximate = Set(approximate.filter(rows.contains).map { $0 - rows.lowerBound })
        return part
    }

    /// An identity under one register.
    private struct Row: Hashable {
        var vrm: VRM
        var site: SiteIndex
        var opened: Timestamp

        init(_ row: Int, of batch: SightingBatch, _ register: CameraRegister) {
            let sighting = batch.sightings[row]
            vrm = sighting.vrm
            site = register.siteOfCamera[Int(sighting.camera)]
            opened = sighting.opened
        }
    }

    /// The same sightings, none naming one that is gone.
    func without(_ gone: Set<SightingIdentity>) -> ResolvedSightings {
        guard !batch.variants.isEmpty, !gone.isEmpty else { return self }
        var kept = self
        kept.batch = batch.replacingVariants { row in
            let site = register.siteName(of: batch.sightings[row].camera)
            return batch.variants(of: row).filter {
                $0.isMerged || !gone.contains(SightingIdentity(vrm: $0.vrm, site: site, opened: $0.opened))
            }
        }
        return kept
    }
}

/// What tells one sighting from all others, under any register.
struct SightingIdentity: Hashable, Sendable {
    var vrm: VRM
    var site: String
    var opened: Timestamp

    init(vrm: VRM, site: String, opened: Timestamp) {
        self.vrm = vrm
        self.site = site
        self.opened = opened
    }

    init(_ row: Int, of batch: SightingBatch, _ register: CameraRegister) {
        let sighting = batch.sightings[row]
        self.init(vrm: sighting.vrm, site: register.siteName(of: sighting.camera), opened: sighting.opened)
    }
}

extension SightingBatch {
    /// The same sightings with other variants, each once, in the order of mark and time.
    func replacingVariants(_ variants: (Int) -> [SightingVariant]) -> SightingBatch {
        var batch = SightingBatch()
        batch.reserve(count, contributions: contributions.count)
        for row in 0..<count {
            batch.append(sightings[row])
            for part in contributions(of: row) { batch.append(part) }
            var last: SightingVariant?
            for var other in variants(row).sorted(by: { ($0.vrm, $0.opened) < ($1.vrm, $1.opened) }) {
                other.sighting = row
                if other != last { batch.append(other.vrm, opened: other.opened, isMerged: other.isMerged) }
                last = other
            }
        }
        return batch
    }
}
