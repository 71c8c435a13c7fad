import Bandwidth
import Foundation

/// What `anpr bench` writes for machines: what was replayed, what was found, and the targets.
struct BenchDocument: Codable {
    /// Where the reads came from: a profile with its seed, or feeds by name.
    struct Source: Codable {
        var profile: String?
        var seed: UInt64?
        var feeds: [String]?

        /// The source in words.
        var text: String {
            if let profile { return "\(profile), seed \(seed ?? 0)" }
            return feeds?.joined(separator: ", ") ?? ""
        }
    }

    /// How fast the replay ran, comparisons and simulation included: the one part that differs from run to run.
    struct Replay: Codable {
        var seconds: Double
        var readsPerSecond: Double
    }

    var source: Source
    var report: BandwidthReport
    var targets: [BandwidthTargets.Verdict]
    var replay: Replay

    /// Whether all targets are met.
    var isMet: Bool { targets.allSatisfy(\.isMet) }

    /// One JSON object, keys in order of name.
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
