package import ANPRModel

/// When two sightings of different marks are probably one vehicle, one of them misread.
///
/// At one site, their times no more than 2 s apart, from the same lane or a camera they share, their marks alike
/// (`LookAlike`), and one of them the stronger: it alone is written as a mark of the United Kingdom, or it is clearly more
/// confident; where the two disagree, neither is. Precision before recall: two vehicles made one are worse than one kept
/// twice.
package struct VariantRule: Sendable {
    /// The most milliseconds between the end of one and the start of the other.
    package static let apart: Int64 = 2000
    /// A mark is clearly more confident than another from so many points on.
    package static let confidenceLead = 10
    /// A sighting is paired with no more than so many others.
    package static let pairsMax = 8
    /// A mark read with so much confidence is never rewritten.
    package static let confident: Int8 = 90

    /// A sighting and its contributions.
    package struct Candidate: Sendable {
        package var sighting: Sighting
        package var parts: [Contribution]
        /// What was merged into it before.
        package var alternates: [SightingVariant]
        var isUK: Bool { UKGrammar.accepts(sighting.vrm) }

        package init(_ sighting: Sighting, _ parts: [Contribution], alternates: [SightingVariant] = []) {
            self.sighting = sighting
            self.parts = parts
            self.alternates = alternates
        }
    }

    /// Which of two candidates of one site is the stronger.
    ///
    /// - Returns: whether it is the first; `nil` when they are probably two vehicles, or nobody can tell.
    package static func isFirstStronger(_ one: Candidate, _ other: Candidate, order: [UInt32]) -> Bool? {
        guard
            one.sighting.first.milliseconds - apart <= other.sighting.last.milliseconds,
            other.sighting.first.milliseconds - apart <= one.sighting.last.milliseconds,
            LookAlike.areAlike(one.sighting.vrm, other.sighting.vrm), sharesView(one, other, order)
        else { return nil }
        let grammar = one.isUK == other.isUK ? nil : one.isUK
        let confidence = lead(one.sighting.confidence, other.sighting.confidence)
        switch (grammar, confidence) {
        case (let grammar?, let confidence?): return grammar == confidence ? grammar : nil
        case (let grammar?, nil): return grammar
        case (nil, let confidence): return confidence
        }
    }

    /// Whether a camera saw both, or both were seen in the same lane of the same direction.
    private static func sharesView(_ one: Candidate, _ other: Candidate, _ order: [UInt32]) -> Bool {
        for part in one.parts {
            let rank = order[Int(part.camera)]
            if other.parts.contains(where: { order[Int($0.camera)] == rank }) { return true }
        }
        return one.sighting.lane >= 0 && one.sighting.lane == other.sighting.lane
            && one.sighting.direction == other.sighting.direction
    }

    /// Whether the first confidence is clearly higher; `nil` when neither is, or one is not known.
    private static func lead(_ one: Int8, _ other: Int8) -> Bool? {
        guard one >= 0, other >= 0, abs(Int(one) - Int(other)) >= confidenceLead else { return nil }
        return one > other
    }

    /// Whether a sighting may be folded into a stronger one.
    package static func mayFold(_ weaker: Sighting) -> Bool { weaker.confidence < confident }
}
