import ANPRModel

/// When in the day something usually is, UTC.
public struct UsualTime: Sendable, Equatable {
    /// Milliseconds after midnight: the time from which all are nearest in sum, around the clock; of several the earliest in the day.
    public var time: Int64
    /// Half of all are so near to it, in milliseconds, or nearer.
    public var spread: Int64

    /// Of times of day, one of which it is.
    ///
    /// - Returns: `nil` of none.
    /// - Complexity: O(times · log times).
    init?(of times: [Int64]) {
        guard !times.isEmpty else { return nil }
        let sorted = times.sorted()
        time = Self.median(sorted)
        let usual = time
        let apart = sorted.map { DayCircle.distance($0, usual) }.sorted()
        spread = apart[(apart.count - 1) / 2]
    }

    /// The time with the least sum of distances, by sums of all that lie up to half a day ahead of each.
    private static func median(_ times: [Int64]) -> Int64 {
        let count = times.count
        let twice = times + times.map { $0 + DayCircle.length }
        var sums: [Int64] = [0]
        for time in twice { sums.append(sums[sums.count - 1] + time) }
        var (best, least) = (times[0], Int64.max)
        var end = 0
        for start in 0..<count {
            end = max(end, start)
            while end < start + count, twice[end] - twice[start] <= DayCircle.length / 2 { end += 1 }
            let ahead = sums[end] - sums[start] - Int64(end - start) * twice[start]
            let behind =
                Int64(start + count - end) * (twice[start] + DayCircle.length)
                - (sums[start + count] - sums[end])
            if ahead + behind < least { (best, least) = (times[start], ahead + behind) }
        }
        return best
    }
}

/// The day as a circle of milliseconds.
enum DayCircle {
    static let length: Int64 = 86_400_000

    /// Milliseconds after midnight.
    static func time(of moment: Timestamp) -> Int64 {
        moment.milliseconds - Int64(moment.day) * length
    }

    /// How far apart two times of day are, the shorter way round.
    static func distance(_ one: Int64, _ other: Int64) -> Int64 {
        let apart = abs(one - other)
        return min(apart, length - apart)
    }

    /// Parts what lies on the circle where there is nothing for longer than a time; where there is no such gap all is one part.
    static func parts<Element>(_ all: [Element], apart: Int64, _ time: (Element) -> Int64) -> [[Element]] {
        let sorted = all.sorted { time($0) < time($1) }
        guard let first = sorted.first, let last = sorted.last else { return [] }
        var parts: [[Element]] = [[first]]
        for (before, element) in zip(sorted, sorted.dropFirst()) {
            if time(element) - time(before) > apart { parts.append([]) }
            parts[parts.count - 1].append(element)
        }
        // Past midnight the last goes on with the first.
        if parts.count > 1, time(first) + length - time(last) <= apart {
            parts[0] = parts.removeLast() + parts[0]
        }
        return parts
    }
}

/// Days of the week, Monday first; as all times here, UTC.
public enum Weekday {
    /// Their names, three letters each.
    public static let names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]

    /// The place in the week of a day counted from 1970-01-01, which was a Thursday.
    public static func of(day: Int32) -> Int { Int((day % 7 + 10) % 7) }
}
