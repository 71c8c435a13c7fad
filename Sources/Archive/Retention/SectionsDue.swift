import ANPRModel

/// Which sections of a day's segments have anything that is past its date, by what is known without reading them.
struct SectionsDue {
    /// A section all of which is past its date.
    struct Dropped {
        var sightings: Int
        /// By force, in their order, the rule that decides about it, and how many contributions it has.
        var contributions: [(rule: Int, count: Int)]
        /// The earliest first read.
        var first: Timestamp
    }

    /// By a segment's contents the sections to look through; `nil` for all of all segments.
    private(set) var sifted: [String: Set<Int>]?
    /// The sections that go as they are.
    private(set) var dropped: [Dropped] = []
    /// By a segment's contents all sections that go, or are written anew; `nil` for all of all segments.
    private(set) var gone: [String: Set<Int>]?
    /// By rule, the earliest first read that it may decide about in the sections that stay unread.
    private(set) var left: [Int: Timestamp] = [:]

    /// Of segments that must be looked through whole.
    init() {}

    /// Of segments that are made of sections.
    ///
    /// - Parameter mayDrop: whether nothing of a section must be looked at before it goes.
    init(
        _ policy: RetentionPolicy,
        _ cutoffs: [Timestamp],
        _ heads: [(contents: String, head: SectionedHead)],
        mayDrop: (SectionedHead.Section) -> Bool
    ) throws {
        var (sifted, gone): ([String: Set<Int>], [String: Set<Int>]) = ([:], [:])
        // A force's data of a day is looked through whole or not at all, so that its key can be destroyed.
        var earliest: [String: Timestamp] = [:]
        for section in heads.flatMap(\.head.sections) where !section.isDropped {
            for force in section.forces {
                earliest[force] = min(earliest[force] ?? section.first, section.first)
            }
        }
        for (contents, head) in heads {
            for (number, section) in head.sections.enumerated() where !section.isDropped {
                guard
                    section.forces.contains(where: {
                        policy.canBeDue($0, from: earliest[$0] ?? section.first, cutoffs)
                    })
                else {
                    for force in section.forces {
                        let first = earliest[force] ?? section.first
                        for rule in policy.rules(of: force) { left[rule] = min(left[rule] ?? first, first) }
                    }
                    continue
                }
                gone[contents, default: []].insert(number)
                let rules = section.forces.map { policy.ruleOfAll($0) }
                let isDue = rules.allSatisfy { rule in rule.map { section.last < cutoffs[$0] } ?? false }
                if isDue, mayDrop(section) {
                    let counts = zip(rules.compactMap(\.self), section.contributions).filter { $1 > 0 }.map {
                        (rule: $0, count: $1)
                    }
                    dropped.append(
                        Dropped(sightings: section.rows, contributions: counts, first: section.first)
                    )
                } else {
                    sifted[contents, default: []].insert(number)
                }
            }
        }
        (self.sifted, self.gone) = (sifted, gone)
    }
}

extension RetentionPolicy {
    /// The rules that can decide about a force's contributions, up to the first that decides about all that are left.
    fileprivate func rules(of force: String) -> [Int] {
        var found: [Int] = []
        for (index, rule) in rules.enumerated()
        where rule.isAboutSightings && (rule.force == nil || rule.force == force) {
            found.append(index)
            if rule.confidenceBelow == nil { break }
        }
        return found
    }

    /// The rule that decides about all contributions of a force; `nil` if it depends, or there is none.
    func ruleOfAll(_ force: String) -> Int? {
        let rules = rules(of: force)
        guard rules.count == 1, let rule = rules.first, self.rules[rule].confidenceBelow == nil else {
            return nil
        }
        return rule
    }

    /// Whether any contribution of a force that was first seen at a time, or later, can be past its date.
    func canBeDue(_ force: String, from first: Timestamp, _ cutoffs: [Timestamp]) -> Bool {
        rules(of: force).contains { first < cutoffs[$0] }
    }
}
