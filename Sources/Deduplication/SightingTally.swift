package import ANPRModel

/// What left a node: how many sightings, and what kinds of duplicates they spared.
package struct SightingTally: Sendable, Equatable {
    /// Sightings, amendments not counted.
    package private(set) var sightings = 0
    /// Amendments to sightings given out before.
    package private(set) var amendments = 0
    /// Reads in the sightings as first given out.
    package private(set) var reads = 0
    /// Further reads of a camera that had one already.
    package private(set) var sameCamera = 0
    /// First reads of further cameras of a force that had one already.
    package private(set) var sameSite = 0
    /// First reads of further forces.
    package private(set) var acrossForces = 0

    /// Starts at nothing.
    package init() {}

    /// What was added since an earlier state of this tally.
    package func since(_ earlier: SightingTally) -> SightingTally {
        var difference = self
        difference.sightings -= earlier.sightings
        difference.amendments -= earlier.amendments
        difference.reads -= earlier.reads
        difference.sameCamera -= earlier.sameCamera
        difference.sameSite -= earlier.sameSite
        difference.acrossForces -= earlier.acrossForces
        return difference
    }

    /// Adds sightings on their way out.
    package mutating func add(_ batch: SightingBatch, register: CameraRegister) {
        for index in 0..<batch.count {
            guard batch.sightings[index].revision == 0 else {
                amendments += 1
                continue
            }
            sightings += 1
            reads += Int(batch.sightings[index].reads)
            let parts = batch.range(index)
            if parts.count == 1 {
                sameCamera += Int(batch.sightings[index].reads) - 1
                continue
            }
            var last: ForceIndex?
            // Contributions are ordered by force, so a change of force is a further one.
            for place in parts {
                let part = batch.contributions[place]
                sameCamera += Int(part.reads) - 1
                let force = register.forceOfCamera[Int(part.camera)]
                if let last { if last == force { sameSite += 1 } else { acrossForces += 1 } }
                last = force
            }
        }
    }
}
