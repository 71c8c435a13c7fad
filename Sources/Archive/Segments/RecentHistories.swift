package import ANPRModel
import Synchronization

/// What segments have of the marks that were asked for lately, for who asks the same search for one of them again.
///
/// Files of an archive never change, so what was read and checked once stays true for as long as the catalogue names them; of those
/// that it names no more, everything is let go. What is kept are the histories that were asked for since half of the room was
/// last used up, and before that since it was the time before.
package final class RecentHistories: Sendable {
    /// What the segments of one index have of a mark, in every version, each under the register it was written with.
    package typealias Found = [(batch: SightingBatch, register: CameraRegister)]

    private struct History {
        /// By the numbers of indexes and their segments.
        private(set) var found: [Int: Found] = [:]
        /// About how many bytes that takes.
        private(set) var bytes = 0

        mutating func put(_ new: Found, _ group: Int) {
            remove(group)
            found[group] = new
            bytes += Self.bytes(new)
        }

        mutating func remove(_ group: Int) {
            bytes -= found.removeValue(forKey: group).map(Self.bytes) ?? 0
        }

        private static func bytes(_ found: Found) -> Int {
            found.reduce(groupBytes) { bytes, one in
                bytes + batchBytes + one.batch.sightings.capacity * MemoryLayout<Sighting>.stride
                    + one.batch.contributions.capacity * MemoryLayout<Contribution>.stride
                    + one.batch.variants.capacity * MemoryLayout<SightingVariant>.stride
            }
        }

        /// What a place in a table takes, and what arrays and a register that others have take besides what is in them.
        private static let groupBytes = 64
        private static let batchBytes = 256
    }

    private struct State {
        var young: [VRM: History] = [:]
        var old: [VRM: History] = [:]
        var youngBytes = 0
        /// What the catalogue names, by what tells it from all else.
        var numbers: [String: Int] = [:]
        var next = 0

        mutating func take(_ vrm: VRM) -> History? {
            if let known = young.removeValue(forKey: vrm) {
                youngBytes -= known.bytes
                return known
            }
            return old.removeValue(forKey: vrm)
        }

        /// - Returns: what made room for it, to be freed where nobody waits for that.
        mutating func put(_ history: History, of vrm: VRM, halfMax: Int) -> [VRM: History] {
            guard history.bytes <= halfMax else { return [:] }
            var gone: [VRM: History] = [:]
            if youngBytes + history.bytes > halfMax {
                (gone, old, young, youngBytes) = (old, young, [:], 0)
            }
            young[vrm] = history
            youngBytes += history.bytes
            return gone
        }
    }

    private let state = Mutex(State())
    private let halfMax: Int

    /// Nothing yet.
    ///
    /// - Parameter bytesMax: about how many bytes all of them take together; none that takes more than half of that is kept.
    package init(bytesMax: Int) { halfMax = bytesMax / 2 }

    /// What each of some groups is known to have of a mark; `nil` where that is not known.
    package func known(_ vrm: VRM, _ groups: [String]) -> [Found?] {
        let (known, _) = state.withLock { state -> ([Found?], [VRM: History]) in
            guard let history = state.take(vrm) else { return (groups.map { _ in nil }, [:]) }
            let gone = state.put(history, of: vrm, halfMax: halfMax)
            return (groups.map { group in state.numbers[group].flatMap { history.found[$0] } }, gone)
        }
        return known
    }

    /// Keeps what groups were found to have of a mark, as far as the catalogue still names them.
    package func keep(_ found: [(group: String, found: Found)], of vrm: VRM) {
        _ = state.withLock { state -> [VRM: History] in
            var history = state.take(vrm) ?? History()
            for (group, found) in found {
                if let number = state.numbers[group] { history.put(found, number) }
            }
            return history.found.isEmpty ? [:] : state.put(history, of: vrm, halfMax: halfMax)
        }
    }

    /// Lets go of what is of other groups than these, and from now on keeps what is of these.
    ///
    /// - Complexity: O(histories) for each group that is gone.
    package func keep(only groups: Set<String>) {
        state.withLock { state in
            let gone = state.numbers.filter { !groups.contains($0.key) }
            for name in gone.keys { state.numbers[name] = nil }
            for name in groups where state.numbers[name] == nil {
                state.numbers[name] = state.next
                state.next += 1
            }
            guard !gone.isEmpty else { return }
            Self.remove(gone.values, from: &state.young)
            Self.remove(gone.values, from: &state.old)
            state.youngBytes = state.young.values.reduce(0) { $0 + $1.bytes }
        }
    }

    private static func remove(_ groups: some Collection<Int>, from histories: inout [VRM: History]) {
        var place = histories.startIndex
        // In place: as indices and keys they would be copied.
        while place < histories.endIndex {
            for group in groups { histories.values[place].remove(group) }
            histories.formIndex(after: &place)
        }
        histories = histories.filter { !$0.value.found.isEmpty }
    }
}
