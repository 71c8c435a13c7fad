public import ANPRModel
import Foundation

/// Who travels with a vehicle: the marks that passed the same sites at about the same times, on several of its journeys.
///
/// What counts is on how many journeys two were together, held against how often ordinary traffic would bring that about:
/// each other's own passages of the same sites at the same time of day, together or not. Vehicles that the traffic lights let
/// go together follow one another past a dozen cameras, but on one journey; a bus passes often, but whoever is near.
public struct Convoy: Sendable {
    /// By what others are taken to be together with a vehicle.
    public struct Rules: Sendable, Equatable {
        /// How far apart two may pass a site, before or behind, in milliseconds.
        public var window: Int64 = 60_000
        /// The fewest passages that they must have together.
        public var passagesMin = 3
        /// The fewest journeys on which they must be together.
        public var journeysMin = 2
        /// After so long without a sighting, in milliseconds, another journey begins.
        public var stop: Int64 = 30 * 60_000

        /// The usual rules.
        public init() {}
    }

    /// A mark that was seen beside the one asked for.
    public struct Companion: Sendable, Equatable {
        /// The mark.
        public var vrm: VRM
        /// Passages together, each sighting of either counted once: who stands before a camera passes it once.
        public var passages: Int
        /// Journeys with at least one of those.
        public var journeys: Int
        /// On so many journeys ordinary traffic would have brought the two together.
        ///
        /// Who was never there on other days is taken to have been half a time at each site.
        public var expected: Double
        /// How unlikely so many journeys are by chance: -log10 of the probability, of this one mark.
        public var surprise: Double
        /// Its sightings at the same sites over the whole time, together or not.
        public var own: Int
        /// Whether a camera takes it for the mark asked for: then it may be no other vehicle, but the same one misread.
        public var looksAlike: Bool
        /// The first and last time together.
        public var first: Timestamp, last: Timestamp
    }

    /// The others, the least likely by chance first.
    public private(set) var companions: [Companion] = []
    /// How many passages and journeys of the one asked for were looked at.
    public let passages: Int, journeys: Int
    /// How many marks were near it on one journey, on two and so on: where many were on two, two say nothing.
    public let neighboursByJourneys: [Int]
    /// How many marks with enough passages and journeys were not looked at further, because others had more passages.
    public private(set) var leftOut = 0
    /// How many marks were near it at all.
    public var neighbours: Int { neighboursByJourneys.reduce(0, +) }

    /// Of so many marks at most, those with the most passages together, the whole history is looked up.
    public static let candidatesMax = 200

    /// Looks for companions.
    ///
    /// - Parameters:
    ///   - vehicle: what a search for one mark found; those of other marks (`approximate`) are left out.
    ///   - search: answers a search.
    /// - Complexity: one search by sites and times, and one by the marks of all candidates.
    public init(
        with vehicle: ResolvedSightings,
        _ rules: Rules = Rules(),
        search: (SightingQuery) throws -> ResolvedSightings
    ) rethrows {
        let passages = Self.passages(of: vehicle, stop: rules.stop, window: rules.window)
        self.passages = passages.all.count
        journeys = passages.journeys
        let own = Set(vehicle.batch.sightings.map(\.vrm))
        var together: [VRM: Encounters] = [:]
        let found = passages.all.isEmpty ? ResolvedSightings() : try search(passages.query)
        for sighting in found.batch.sightings where !own.contains(sighting.vrm) {
            let site = found.register.siteName(of: sighting.camera)
            let near = passages.near(site, sighting.captured)
            guard !near.isEmpty else { continue }
            together[sighting.vrm, default: Encounters()].add(near, passages)
        }
        neighboursByJourneys = Self.counts(together.values.map(\.journeys.count))
        let candidates = together.filter {
            $0.value.count >= rules.passagesMin && $0.value.journeys.count >= rules.journeysMin
        }.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
        guard let extent = Self.extent(passages.all) else { return }
        let alike = Set(
            vehicle.batch.sightings.indices.filter { !vehicle.approximate.contains($0) }
                .map { vehicle.batch.sightings[$0].vrm }
        ).map { MarkPattern(alike: $0) }
        let looked = candidates.prefix(Self.candidatesMax)
        leftOut = candidates.count - looked.count
        var query = SightingQuery()
        query.mark = MarkPattern(anyOf: looked.map(\.key))
        query.sites = Set(passages.all.map(\.site)).sorted()
        (query.from, query.to) = (extent.from, extent.to)
        let histories = looked.isEmpty ? ResolvedSightings() : try search(query)
        let ofMark = Dictionary(grouping: histories.batch.sightings, by: \.vrm)
        for (vrm, encounters) in looked {
            let history = (ofMark[vrm] ?? []).map {
                ($0.captured, histories.register.siteName(of: $0.camera))
            }
            var companion = Self.companion(vrm, encounters, history, passages, extent, window: rules.window)
            companion.looksAlike = alike.contains { $0.matches(vrm) }
            companions.append(companion)
        }
        companions.sort { ($1.surprise, $1.passages, $0.vrm) < ($0.surprise, $0.passages, $1.vrm) }
    }

    /// With which passages a mark was seen.
    private struct Encounters {
        private var passages: Set<Int> = []
        private var sightings = 0
        private(set) var journeys: Set<Int> = []
        var first = Timestamp.distantFuture, last = Timestamp.distantPast

        var count: Int { min(passages.count, sightings) }

        /// Adds a sighting of the mark, near these passages.
        mutating func add(_ near: [Int], _ all: Passages) {
            sightings += 1
            for number in near {
                let passage = all.all[number]
                passages.insert(number)
                journeys.insert(passage.journey)
                first = min(first, passage.time)
                last = max(last, passage.time)
            }
        }
    }

    /// How many of the numbers are 1, 2 and so on.
    private static func counts(_ numbers: [Int]) -> [Int] {
        var counts = [Int](repeating: 0, count: numbers.max() ?? 0)
        for number in numbers { counts[number - 1] += 1 }
        return counts
    }

    private static func passages(of vehicle: ResolvedSightings, stop: Int64, window: Int64) -> Passages {
        var rules = Journeys.Rules()
        rules.stop = stop
        let journeys = Journeys(of: vehicle, rules).journeys
        let all = journeys.enumerated().flatMap { number, journey in
            journey.rows.map { row in
                let sighting = vehicle.batch.sightings[row]
                let site = vehicle.register.siteName(of: sighting.camera)
                return Passage(site: site, time: sighting.captured, journey: number)
            }
        }
        return Passages(all, window: window)
    }

    /// Whole days around all passages.
    private static func extent(_ passages: [Passage]) -> (from: Timestamp, to: Timestamp, days: Double)? {
        guard let first = passages.first?.time.day, let last = passages.last?.time.day else { return nil }
        let (from, to) = (Int64(first) * msOfDay, (Int64(last) + 1) * msOfDay - 1)
        return (Timestamp(milliseconds: from), Timestamp(milliseconds: to), Double(last - first + 1))
    }

    private static let msOfDay: Int64 = 86_400_000
    /// Ordinary traffic is taken from so long before and behind the same time of day.
    private static let usualTime: Int64 = 90 * 60_000
    /// That somebody was not seen at a site is no proof that nothing leads there.
    private static let unseen = 0.5

    private static func companion(
        _ vrm: VRM,
        _ encounters: Encounters,
        _ history: [(time: Timestamp, site: String)],
        _ passages: Passages,
        _ extent: (from: Timestamp, to: Timestamp, days: Double),
        window: Int64
    ) -> Companion {
        var times: [String: [(time: Int64, journeys: Set<Int>)]] = [:]
        for (time, site) in history {
            let near = passages.near(site, time)
            times[site, default: []].append((time.milliseconds, Set(near.map { passages.all[$0].journey })))
        }
        // Of each journey: by how many passages ordinary traffic would bring the two together.
        var means = [Double](repeating: 0, count: passages.journeys)
        let share = Double(2 * window) / Double(2 * usualTime) / extent.days
        for passage in passages.all {
            // What this journey itself brought together says nothing of other days.
            let usual = (times[passage.site] ?? []).count {
                isSameTimeOfDay($0.time, passage.time.milliseconds) && !$0.journeys.contains(passage.journey)
            }
            means[passage.journey] += (Double(usual) + unseen) * share
        }
        let expected = means.reduce(0) { $0 + 1 - exp(-$1) }
        return Companion(
            vrm: vrm,
            passages: encounters.count,
            journeys: encounters.journeys.count,
            expected: expected,
            surprise: Chance.surprise(encounters.journeys.count, expected: expected),
            own: times.values.reduce(0) { $0 + $1.count },
            looksAlike: false,
            first: encounters.first,
            last: encounters.last
        )
    }

    private static func isSameTimeOfDay(_ one: Int64, _ other: Int64) -> Bool {
        let apart = abs(one - other) % msOfDay
        return min(apart, msOfDay - apart) <= usualTime
    }
}
