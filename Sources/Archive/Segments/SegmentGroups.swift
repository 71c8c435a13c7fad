import ANPRModel
import Crypto
import Foundation

/// Segments, by what names their marks.
struct SegmentGroups: Sendable {
    /// Segments whose marks are named by one index.
    final class Indexed: Sendable {
        /// The index, below the archive's folder.
        let name: String
        /// By their contents.
        let segments: [String: Catalogue.Segment]
        /// From when until when each of them goes.
        let times: [(first: Timestamp, last: Timestamp)]
        /// What tells these files from all others: of their names' SHA-256 as much as needs no room of its own.
        let identity: String

        init(_ name: String, _ segments: [Catalogue.Segment]) {
            self.name = name
            self.segments = Dictionary(uniqueKeysWithValues: segments.map { ($0.contents, $0) })
            times = segments.map { ($0.first, $0.last) }
            let names = [name] + segments.map { "\($0.name) \($0.contents)" }.sorted()
            let digest = SHA256.hash(data: Array(names.joined(separator: ";").utf8))
            identity = String(Data(digest).base64EncodedString().prefix(15))
        }
    }

    /// In the order of their indexes' names, which begin with days.
    let indexed: [Indexed]
    /// Those that name their marks themselves.
    let former: [Catalogue.Segment]

    /// Groups segments.
    init(_ segments: [Catalogue.Segment]) {
        former = segments.filter(\.marks.isEmpty)
        let groups = Dictionary(grouping: segments.filter { !$0.marks.isEmpty }, by: \.marks)
        indexed = groups.sorted { $0.key < $1.key }.map { Indexed($0.key, $0.value) }
    }
}
