import Deduplication
import Foundation

/// The part of a configuration that decides what a journal's entries give: kept with the history, because replaying it
/// under other rules would not give what the log already has.
struct HistoryRules: Codable, Equatable {
    var deduplication: DeduplicationRules
    var hasSenders: Bool

    init(_ configuration: NodeConfiguration) {
        deduplication = configuration.deduplication
        hasSenders = configuration.receive != nil
    }

    /// Reads what `text` wrote.
    init?(text: String) {
        guard let rules = try? JSONDecoder().decode(HistoryRules.self, from: Data(text.utf8)) else {
            return nil
        }
        self = rules
    }

    /// The rules as JSON with sorted keys.
    var text: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}
