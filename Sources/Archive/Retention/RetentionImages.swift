import ANPRModel

/// Who has the images that retention purges.
public protocol ImagePurger {
    /// The days with images, counted from 1970-01-01.
    var days: [Int32] { get }

    /// Removes what is due of a day; the room is free when this returns.
    ///
    /// - Parameters:
    ///   - isDry: whether nothing is to be changed.
    ///   - begin: is given what is about to go, if anything is, before it does; nothing goes where it throws.
    ///   - rule: the rule by which a read's image goes, if it does.
    func purge(
        _ day: Int32,
        isDry: Bool,
        begin: (_ due: ImageStore.Purge) throws -> Void,
        by rule: @escaping @Sendable (ImageBinding) -> Int?
    ) throws -> ImageStore.Purge
}

/// The images of a data folder, as far as retention goes.
public struct RetentionImages {
    let purger: any ImagePurger
    let search: ArchiveSearch
    let site: @Sendable (ImageBinding) -> String?

    /// Images.
    ///
    /// - Parameters:
    ///   - purger: who has them.
    ///   - search: finds the sightings that are held.
    ///   - site: where the camera of an image stands, as far as that is known; what is not known, no hold on sites excludes.
    public init(
        _ purger: any ImagePurger,
        search: ArchiveSearch,
        site: @escaping @Sendable (ImageBinding) -> String?
    ) {
        self.purger = purger
        self.search = search
        self.site = site
    }

    /// Holds, and others for the marks that were merged into sightings held under another one: their images are held, too.
    func withOtherMarks(_ holds: ActiveHolds) throws -> ActiveHolds {
        var all = holds.holds
        for hold in holds.holds where hold.scope.mark != nil {
            var query = SightingQuery()
            (query.mark, query.from, query.to) = (hold.scope.mark, hold.scope.from, hold.scope.to)
            let found = try search.run(query)
            for row in 0..<found.batch.count where holds.contain(row, of: found) {
                all += Self.others(of: row, in: found, hold)
            }
        }
        return ActiveHolds(all, version: holds.version)
    }

    private static func others(of row: Int, in found: ResolvedSightings, _ hold: Hold) -> [Hold] {
        let sighting = found.batch.sightings[row]
        let merged = found.batch.variants(of: row).filter(\.isMerged).map(\.vrm)
        if merged.isEmpty { return [] }
        return (merged + [sighting.vrm]).map { vrm in
            var other = hold
            other.scope = Hold.Scope(
                mark: MarkPattern(vrm.text),
                from: sighting.first,
                to: sighting.last,
                sites: [found.register.siteName(of: sighting.camera)]
            )
            return other
        }
    }
}
