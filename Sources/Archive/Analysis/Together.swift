import ANPRModel
import Foundation

/// Where a vehicle passed, for those that look for others beside it.
struct Passage: Sendable, Equatable {
    var site: String
    var time: Timestamp
    /// Which of its journeys it belongs to, from 0.
    var journey: Int
}

/// The passages of one vehicle, by which its neighbours are looked for.
struct Passages: Sendable {
    /// In the order of time.
    let all: [Passage]
    /// By site: the passages there, in the order of time.
    private let bySite: [String: [Int]]
    /// How far apart two vehicles may pass a site, in milliseconds.
    private let window: Int64

    init(_ all: [Passage], window: Int64) {
        self.all = all
        self.window = window
        bySite = Dictionary(grouping: all.indices, by: { all[$0].site })
    }

    /// Those that lie at most the window from a moment at a site.
    func near(_ site: String, _ time: Timestamp) -> [Int] {
        guard let there = bySite[site] else { return [] }
        let earliest = time.milliseconds - window
        let first = there.indices.first(from: { all[there[$0]].time.milliseconds >= earliest })
        return Array(there[first...].prefix { all[$0].time.milliseconds <= time.milliseconds + window })
    }

    /// What finds all that can be near one of them.
    var query: SightingQuery {
        var query = SightingQuery()
        query.around = Surroundings(all.map { ($0.site, $0.time) }, window: window)
        return query
    }

    /// How many journeys there are.
    var journeys: Int { (all.last?.journey ?? -1) + 1 }
}

/// How unlikely so many coincidences are.
enum Chance {
    /// The probability that a Poisson variable comes to `count` or more, as -log10; 0 where it is certain.
    ///
    /// - Parameter expected: its mean, not negative. A mean of 0 counts as one in a billion.
    static func surprise(_ count: Int, expected: Double) -> Double {
        guard count > 0 else { return 0 }
        let mean = max(expected, 1e-9)
        // The terms from `count` on, each as a part of the first.
        var sum = 1.0
        var term = 1.0
        var number = Double(count) + 1
        while term > sum * 1e-12, number < Double(count) + 10_000 {
            term *= mean / number
            sum += term
            number += 1
        }
        var first = -mean
        for factor in 1...count { first += log(mean / Double(factor)) }
        return max(0, -(first + log(sum)) / log(10))
    }
}
