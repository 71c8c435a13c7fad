import ANPRModel
import SightingFrames

/// The marks that are taken for one that is searched for, and that one.
struct AlikeMarks: Sendable, Equatable {
    let mark: VRM
    private let shape: LookAlike.Shape
    /// Their keys in order; of a mark with very many none, and all must be looked at.
    let keys: [UInt64]

    /// More than these are not told one by one.
    private static let countMax = 1 << 14

    init(_ mark: VRM) {
        self.mark = mark
        shape = LookAlike.Shape(mark)
        keys = (LookAlike.all(like: mark, countMax: Self.countMax) ?? []).map { MarkKey($0).value }.sorted()
    }

    static func == (left: Self, right: Self) -> Bool { left.mark == right.mark }

    func contains(_ vrm: VRM) -> Bool { vrm == mark || shape.isLike(LookAlike.Shape(vrm)) }

    func contains(_ key: UInt64) -> Bool {
        guard !keys.isEmpty else { return MarkKey(value: key).vrm.map { contains($0) } ?? false }
        var (low, high) = (0, keys.count)
        while low < high {
            let middle = (low + high) / 2
            if keys[middle] < key { low = middle + 1 } else { high = middle }
        }
        return low < keys.count && keys[low] == key
    }

    /// Where they stand in the order of an archive: those that follow one another together.
    var ranges: [ClosedRange<MarkKey>] {
        guard var end = keys.first else { return [MarkPattern.allKeys] }
        var ranges: [ClosedRange<MarkKey>] = []
        var start = end
        for key in keys.dropFirst() {
            if key != end + 1 {
                ranges.append(MarkKey(value: start)...MarkKey(value: end))
                start = key
            }
            end = key
        }
        return ranges + [MarkKey(value: start)...MarkKey(value: end)]
    }
}
