import ANPRModel

/// The rules by which reads and sightings become one: which is best, and what is added up.
extension Sighting {
    /// Adds a read that belongs to this sighting and was not in it.
    @inline(__always)
    mutating func join(_ read: Read, order: [UInt32]) {
        first = min(first, read.captured)
        last = max(last, read.captured)
        reads += 1
        if isBeaten(by: read.confidence, read.captured, read.camera, order) { takeBest(read) }
    }

    /// Takes over what a copy of a read that is already in this sighting has better than the copy it has.
    ///
    /// Of equal reads the highest confidence is kept, then the least (direction, lane); speed comes last, so that any
    /// order of arrival ends the same.
    ///
    /// - Returns: whether anything changed.
    mutating func takeCopy(_ read: Read, order: [UInt32]) -> Bool {
        let isBest = captured == read.captured && order[Int(camera)] == order[Int(read.camera)]
        if isBest, confidence == read.confidence {
            let mine = (direction, lane, speed)
            guard (read.direction, read.lane, read.speed) < mine else { return false }
            takeBest(read)
            return true
        }
        guard isBeaten(by: read.confidence, read.captured, read.camera, order) else { return false }
        takeBest(read)
        return true
    }

    /// Tells whether a candidate is better: by confidence, then the earlier, then the lower (force, camera).
    @inline(__always)
    func isBeaten(
        by otherConfidence: Int8,
        _ otherCaptured: Timestamp,
        _ otherCamera: CameraIndex,
        _ order: [UInt32]
    ) -> Bool {
        if otherConfidence != confidence { return otherConfidence > confidence }
        if otherCaptured != captured { return otherCaptured < captured }
        return order[Int(otherCamera)] < order[Int(camera)]
    }

    @inline(__always)
    private mutating func takeBest(_ read: Read) {
        captured = read.captured
        camera = read.camera
        confidence = read.confidence
        direction = read.direction
        lane = read.lane
        speed = read.speed
    }

    /// Takes another sighting's best read.
    mutating func takeBest(of other: Sighting) {
        captured = other.captured
        camera = other.camera
        confidence = other.confidence
        direction = other.direction
        lane = other.lane
        speed = other.speed
    }
}

/// Contributions of one sighting as they are gathered, ordered by (force, camera).
struct ContributionList: Sendable {
    private(set) var parts: [Contribution] = []

    init(_ parts: some Sequence<Contribution> = EmptyCollection()) {
        self.parts = Array(parts)
    }

    /// Unites a contribution with what its camera already has: reads summed, the earliest first, the best confidence.
    @inline(__always)
    mutating func unite(_ part: Contribution, order: [UInt32]) {
        let rank = order[Int(part.camera)]
        var place = parts.count
        while place > 0 {
            let other = order[Int(parts[place - 1].camera)]
            if other == rank {
                parts[place - 1].reads = UInt32(clamping: UInt64(parts[place - 1].reads) + UInt64(part.reads))
                parts[place - 1].first = min(parts[place - 1].first, part.first)
                parts[place - 1].confidence = max(parts[place - 1].confidence, part.confidence)
                return
            }
            if other < rank { break }
            place -= 1
        }
        parts.insert(part, at: place)
    }

    /// Raises a camera's best confidence to that of a better copy of one of its reads.
    ///
    /// - Returns: whether it was lower.
    mutating func raise(_ camera: CameraIndex, to confidence: Int8, order: [UInt32]) -> Bool {
        let rank = order[Int(camera)]
        guard let place = parts.firstIndex(where: { order[Int($0.camera)] == rank }),
            parts[place].confidence < confidence
        else { return false }
        parts[place].confidence = confidence
        return true
    }

    mutating func removeAll() {
        parts.removeAll(keepingCapacity: true)
    }
}
