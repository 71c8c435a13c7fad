import ANPRModel
import Archive
import Gateway

/// An image of a sighting that is not here and may be at a gateway.
private struct MissingImage {
    var kind: ImageKind
    /// Which cameras may have it under which marks: those of the best read first.
    var places: [(camera: [String], vrm: VRM)]
    var times: ClosedRange<Timestamp>

    /// What people call it; no mark.
    var text: String { "the \(kind.name) image of \(TimestampWriter.text(times.lowerBound))" }
}

/// Images that are at a gateway.
extension ImageCommand.Request {
    /// So many are asked for at once.
    private static let bringMax = 16

    /// Has the daemon ask the gateways for what is asked for and not here, and waits until it is stored.
    ///
    /// - Parameter patience: how long to wait in all, in milliseconds.
    /// - Returns: what was not to be had, for people.
    func bring(_ patience: Int64) throws -> [String] {
        // Without a reason nobody is asked; the search says so.
        guard why.isEnough else { return [] }
        let folder = try node.folder()
        // A node that takes no links has nobody to ask.
        let catalogue = try Catalogue("\(folder)/catalogue.sqlite", isReadOnly: true)
        guard try !catalogue.sources("sender").isEmpty else { return [] }
        let missing = try missing(folder)
        guard !missing.isEmpty else { return [] }
        guard DataLock.holder(of: folder) != nil else {
            return ["No daemon runs in this folder, so no gateway was asked."]
        }
        guard missing.count <= Self.bringMax else {
            return [
                "\(NumberText.grouped(missing.count)) images are not here; up to \(Self.bringMax) are asked for at once: "
                    + "name a sighting or a kind."
            ]
        }
        let clock = ContinuousClock()
        let deadline = clock.now + .milliseconds(patience)
        var troubles: [String] = []
        for one in missing {
            let left = max(.zero, deadline - clock.now) / .milliseconds(1)
            if let trouble = bring(one, Int64(left), folder) { troubles.append(trouble) }
        }
        return troubles
    }

    /// Has one brought.
    ///
    /// - Returns: why it was not.
    private func bring(_ missing: MissingImage, _ patience: Int64, _ folder: String) -> String? {
        var reason = "no gateway has it"
        for place in missing.places {
            let request = ImageRequest(
                missing.kind,
                force: place.camera[0],
                camera: place.camera[1],
                vrm: place.vrm,
                times: missing.times,
                patience: patience,
                reason: why.reason,
                category: why.category,
                reference: why.reference
            )
            do {
                let answer = try ControlClient.ask(ControlRequest(image: request), data: folder)
                if answer.isStored == true { return nil }
                if let error = answer.error { return "Not brought: \(missing.text): \(error)." }
                reason = answer.missing ?? reason
            } catch {
                return "Not brought: \(missing.text): \(error)."
            }
        }
        return "Not brought: \(missing.text): \(reason)."
    }

    /// What is asked for and not here.
    private func missing(_ folder: String) throws -> [MissingImage] {
        let search = ImageSearch(data: folder, keys: try KeyRing(data: folder))
        return try sightings(folder).flatMap { reads -> [MissingImage] in
            let first = max(reads.from, from?.time ?? reads.from)
            let last = min(reads.to, to?.time ?? reads.to)
            let cameras = reads.cameras.filter { name in
                (force ?? name[0]) == name[0] && (camera ?? name[1]) == name[1]
            }
            guard first <= last, !cameras.isEmpty else { return [] }
            var query = ImageQuery()
            query.marks = reads.marks
            query.from = first
            query.to = last
            query.cameras = cameras
            let here = Set(try search.run(query).map(\.binding.kind))
            let order = cameras.sorted { left, right in
                let isBest = (left == reads.best.camera, right == reads.best.camera)
                return isBest.0 != isBest.1 ? isBest.0 : left.lexicographicallyPrecedes(right)
            }
            let marks = reads.marks.sorted { left, right in
                (left == reads.best.vrm ? 0 : 1, left) < (right == reads.best.vrm ? 0 : 1, right)
            }
            let places = order.flatMap { camera in marks.map { (camera: camera, vrm: $0) } }
            return (kind.map { [$0.kind] } ?? ImageKind.allCases).filter { !here.contains($0) }.map {
                MissingImage(kind: $0, places: places, times: first...last)
            }
        }
    }

    /// The sightings whose images are asked for, where they are few enough to be meant one by one.
    private func sightings(_ folder: String) throws -> [SightingFinder.Reads] {
        let pattern = vrm.flatMap { MarkPattern($0) }
        guard image == nil else { return [] }
        if let sighting {
            let finder = SightingFinder(data: folder, mark: pattern, from: from?.time, to: to?.time)
            return try finder.find(sighting.lowercased()).map { [$0] } ?? []
        }
        guard pattern?.exact != nil || (camera != nil && from != nil && to != nil) else { return [] }
        var query = SightingQuery()
        query.mark = pattern
        query.from = from?.time
        query.to = to?.time
        query.camera = camera
        query.force = force
        let found = try ArchiveSearch(data: folder).run(query)
        return (0..<found.batch.count).compactMap { row in
            var reads = SightingFinder.Reads(row, of: found)
            // Of a sighting found by a mark that was merged into it only that mark's images are meant.
            if let pattern { reads.marks = reads.marks.filter(pattern.matches) }
            return reads.marks.isEmpty ? nil : reads
        }
    }
}
