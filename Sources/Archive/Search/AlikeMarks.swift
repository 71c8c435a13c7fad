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
        return keys.place(of: key) != nil
    }
}
