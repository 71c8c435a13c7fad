package import ANPRModel
import Synchronization

/// What segments have of the marks that were asked for lately, for who asks for one of them again: for the next page of an answer, for
/// the vehicle's journeys, or as a colleague does.
///
/// Files of an archive never change, so what was read and checked once stays true for as long as the catalogue names them; of those
/// that it names no more, everything is let go. What is kept are the histories that were asked for since half of the room was
/// last used up, and before that since it was the time before.
package final class RecentHistories: Sendable {
    /// What the segments of one index have of a mark, in every version, each under the register it was written with.
    package typealias Found = [(batch: SightingBatch, register: CameraRegister)]

    private struct History {
        /// By what tells an index and its segments from all others.
        var found: [String: Found] = [:]
        /// About how many bytes that takes.
        var bytes = 0

        mutating func put(_ new: Found, of group: String) {
            remove(group)
            found[group] = new
            bytes += Self.bytes(new)
        }

        mutating func remove(_ group: String) {
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
        /// What the catalogue names.
        var groups: Set<String> = []

        mutating func take(_ vrm: VRM) -> History? {
            if let known = young.removeValue(forKey: vrm) {
                youngBytes -= known.bytes
                return known
            }
            return old.removeValue(forKey: vrm)
        }

        mutating func put(_ history: History, of vrm: VRM, halfMax: Int) {
            if youngBytes + history.bytes > halfMax { (old, young, youngBytes) = (young, [:], 0) }
            young[vrm] = history
            youngBytes += history.bytes
        }
    }

    private let state = Mutex(State())
    private let halfMax: Int

    /// Nothing yet.
    ///
    /// - Parameter bytesMax: about how many bytes all of them take together; the last of a half can go beyond it if it takes more than
    ///   a half by itself.
    package init(bytesMax: Int) { halfMax = bytesMax / 2 }

    /// What is known of a mark, by group.
    package func known(_ vrm: VRM) -> [String: Found] {
        state.withLock { state in
            guard let history = state.take(vrm) else { return [:] }
            state.put(history, of: vrm, halfMax: halfMax)
            return history.found
        }
    }

    /// Keeps what groups were found to have of a mark, as far as the catalogue still names them.
    package func keep(_ found: [String: Found], of vrm: VRM) {
        state.withLock { state in
            var history = state.take(vrm) ?? History()
            for (group, found) in found where state.groups.contains(group) { history.put(found, of: group) }
            if !history.found.isEmpty { state.put(history, of: vrm, halfMax: halfMax) }
        }
    }

    /// Lets go of what is of other groups than these, and from now on keeps what is of these.
    ///
    /// - Complexity: O(histories) for each group that is gone.
    package func keep(only groups: Set<String>) {
        state.withLock { state in
            let gone = state.groups.subtracting(groups)
            state.groups = groups
            guard !gone.isEmpty else { return }
            let without = { (history: History) in
                var history = history
                for group in gone { history.remove(group) }
                return history.found.isEmpty ? nil : history
            }
            state.young = state.young.compactMapValues(without)
            state.old = state.old.compactMapValues(without)
            state.youngBytes = state.young.values.reduce(0) { $0 + $1.bytes }
        }
    }
}
