public import ANPRModel

/// Times at sites: what is searched for near the passages of a vehicle.
public struct Surroundings: Sendable, Equatable {
    /// By the site's name.
    let sites: [String: TimeSpans]
    /// Of all sites together.
    let all: TimeSpans

    /// Around moments.
    ///
    /// - Parameter window: how far before and behind each, in milliseconds; not negative.
    public init(_ moments: [(site: String, time: Timestamp)], window: Int64) {
        let spans = { (moments: [(site: String, time: Timestamp)]) in
            TimeSpans(moments.map { $0.time.milliseconds - window...$0.time.milliseconds + window })
        }
        sites = Dictionary(grouping: moments, by: \.site).mapValues(spans)
        all = spans(moments)
    }

    /// Whether any of its times at a site lies between two moments.
    public func contains(_ site: String, _ first: Timestamp, _ last: Timestamp) -> Bool {
        sites[site]?.overlap(first.milliseconds, last.milliseconds) ?? false
    }
}

/// Spans of time in milliseconds, in their order, joined where they meet.
struct TimeSpans: Sendable, Equatable {
    private(set) var begins: [Int64] = []
    private(set) var ends: [Int64] = []

    /// Joins spans, in any order.
    init(_ spans: [ClosedRange<Int64>]) {
        for span in spans.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let end = ends.last, span.lowerBound <= end {
                ends[ends.count - 1] = max(end, span.upperBound)
            } else {
                begins.append(span.lowerBound)
                ends.append(span.upperBound)
            }
        }
    }

    /// Each longer at both ends.
    func widened(before: Int64, behind: Int64) -> TimeSpans {
        TimeSpans(zip(begins, ends).map { $0 - before...$1 + behind })
    }

    /// Whether any lies at least in part between two times.
    ///
    /// - Complexity: O(log spans).
    func overlap(_ from: Int64, _ to: Int64) -> Bool {
        let place = ends.indices.first(from: { ends[$0] >= from })
        return place < begins.count && begins[place] <= to
    }
}
