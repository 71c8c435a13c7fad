public import ANPRModel

/// What is searched for; every condition that is set must hold.
public struct SightingQuery: Sendable, Equatable {
    /// The mark.
    public var mark: MarkPattern?
    /// Sightings that end at or after this.
    public var from: Timestamp?
    /// Sightings that begin at or before this.
    public var to: Timestamp?
    /// The sites' names; none for any site.
    public var sites: [String] = []
    /// Times at sites; sightings at none of those are left out.
    public var around: Surroundings?
    /// A camera that contributed, by name.
    public var camera: String?
    /// A force that contributed, by code.
    public var force: String?
    /// Where the best read's camera stands.
    public var near: Circle?
    /// Where the best read's camera stands.
    public var within: Polygon?
    /// The least confidence of the best read, where that is known.
    public var confidence: Int?

    /// Everything.
    public init() {}

    /// Whether what begins and ends between two times may match, whatever else it is.
    func mayMatch(_ first: Timestamp, _ last: Timestamp, _ reach: SightingReach) -> Bool {
        let (begin, end) = (first.milliseconds - reach.behind, last.milliseconds + reach.before)
        if let from, end < from.milliseconds { return false }
        if let to, begin > to.milliseconds { return false }
        return around?.all.overlap(begin, end) ?? true
    }

    /// Whether all between two times is asked for, as far as time goes.
    func spans(_ first: Timestamp, _ last: Timestamp, _ reach: SightingReach) -> Bool {
        if let from, first.milliseconds - reach.behind < from.milliseconds { return false }
        if let to, last.milliseconds + reach.before > to.milliseconds { return false }
        return around == nil
    }

    /// Whether nothing is asked but a mark, and when.
    var isOnlyMark: Bool {
        var narrowed = self
        (narrowed.mark, narrowed.from, narrowed.to) = (nil, nil, nil)
        return narrowed == SightingQuery()
    }

    /// Whether times don't matter.
    var isAnytime: Bool { from == nil && to == nil && around == nil }

    /// Whether it does not matter which cameras there are.
    var isAnywhere: Bool {
        camera == nil && force == nil && sites.isEmpty && near == nil && within == nil && around == nil
    }

    /// Whether a sighting's own mark is the one searched for.
    func matchesMark(_ index: Int, of batch: SightingBatch) -> Bool {
        mark.map { $0.matches(batch.sightings[index].vrm) } ?? true
    }

    /// Whether the mark of a sighting merged into this one is the one searched for.
    func matchesAlternate(_ index: Int, of batch: SightingBatch) -> Bool {
        guard let mark, !batch.variants.isEmpty else { return false }
        return batch.variants(of: index).contains { $0.isMerged && mark.matches($0.vrm) }
    }

    /// Whether a sighting that matches by its mark does so only by looking like the one searched for.
    func isApproximate(_ index: Int, of batch: SightingBatch) -> Bool {
        !matchesMark(index, of: batch) || mark?.isApproximate(batch.sightings[index].vrm) == true
    }

    /// By camera whether its site can be where it is asked for; `nil` where any can.
    ///
    /// By site, because no amendment moves a sighting to another one, while its best read may become another camera's, and
    /// further cameras and forces may contribute.
    func cameras(of register: CameraRegister) -> [Bool]? {
        if isAnywhere { return nil }
        let isAnySource = camera == nil && force == nil
        let sources = isAnySource ? [] : zip(register.cameras, register.siteOfCamera).filter { isAsked($0.0) }
        let contributing = isAnySource ? nil : Set(sources.map(\.1))
        let named = Set(sites.compactMap { register.site($0) })
        let surrounded = around.map { Set($0.sites.keys.compactMap { register.site($0) }) }
        var wanted: Set<SiteIndex> = []
        for (index, camera) in register.cameras.enumerated() {
            let site = register.siteOfCamera[index]
            guard sites.isEmpty || named.contains(site), surrounded?.contains(site) ?? true,
                contributing?.contains(site) ?? true,
                near?.contains(camera) ?? true,
                within?.contains(camera) ?? true
            else { continue }
            wanted.insert(site)
        }
        return register.siteOfCamera.map(wanted.contains)
    }

    /// Whether the newest version of a sighting is asked for, whatever its mark.
    func matchesRest(_ index: Int, of found: ResolvedSightings) -> Bool {
        let sighting = found.batch.sightings[index]
        let register = found.register
        if let from, sighting.last < from { return false }
        if let to, sighting.first > to { return false }
        if !sites.isEmpty, !sites.contains(register.siteName(of: sighting.camera)) { return false }
        if let around,
            !around.contains(register.siteName(of: sighting.camera), sighting.first, sighting.last)
        {
            return false
        }
        if let near, !near.contains(register.cameras[Int(sighting.camera)]) { return false }
        if let within, !within.contains(register.cameras[Int(sighting.camera)]) { return false }
        if let confidence, sighting.confidence >= 0, Int(sighting.confidence) < confidence { return false }
        guard camera != nil || force != nil else { return true }
        return found.batch.contributions(of: index).contains { part in
            isAsked(register.cameras[Int(part.camera)])
        }
    }

    /// Whether a camera's contribution is asked for, as far as it goes by camera and force.
    private func isAsked(_ source: Camera) -> Bool {
        (camera ?? source.name) == source.name && (force ?? source.force) == source.force
    }
}
