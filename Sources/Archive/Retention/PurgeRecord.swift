public import ANPRModel
import Foundation

/// What a purge says of itself, for good: it tells no marks.
public struct PurgeRecord: Codable, Sendable, Equatable {
    /// The node that purged.
    public var node: String
    /// When, UTC.
    public var at: String
    /// The version of the policy.
    public var policy: Int
    /// The rule, as configured.
    public var rule: String
    /// What was captured before this was past its date, UTC.
    public var before: String
    /// The day of what went, if it is of one.
    public var day: String?
    /// Sightings that went whole.
    public var sightings: Int
    /// Contributions that went.
    public var contributions: Int
    /// Images that went.
    public var images: Int
    /// Alerts, refused records and audit records that went; older records don't say.
    public var records: Int?
    /// Contributions past their date that a legal hold kept.
    public var held: Int
    /// Whether the purge was begun and did not end, killed or in trouble; others don't say.
    ///
    /// Of what it counts some, all or none went then, and what did not with a later one.
    public var isBrokenOff: Bool?
}

/// A purge's record as it is kept.
public struct SignedPurge: Sendable, Equatable {
    /// The record, for what the catalogue itself counts.
    public var record: PurgeRecord
    /// The record as a JSON object: what is signed.
    public var text: String
    /// The signature; empty where the node signs nothing.
    public var signature: String

    /// A record as it was kept; `nil` for a text that is none.
    public init?(text: String, signature: String) {
        guard let record = try? JSONDecoder().decode(PurgeRecord.self, from: Data(text.utf8)) else {
            return nil
        }
        (self.record, self.text, self.signature) = (record, text, signature)
    }

    init(_ record: PurgeRecord, sign: (String) throws -> String) throws {
        self.record = record
        text = try record.text()
        signature = try sign(text)
    }
}

extension PurgeRecord {
    /// As a JSON object: what is signed.
    func text() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}

/// Makes the records of purges.
public struct PurgeRecorder: Sendable {
    private let node: String
    private let policy: Int
    private let sign: @Sendable (String) throws -> String

    /// A recorder.
    ///
    /// - Parameters:
    ///   - policy: the version of the policy that is applied.
    ///   - sign: the signature of a text; by default none.
    public init(
        node: String = "",
        policy: Int = 0,
        sign: @escaping @Sendable (String) throws -> String = { _ in "" }
    ) {
        (self.node, self.policy, self.sign) = (node, policy, sign)
    }

    /// The records of what went, one for each rule by which anything did.
    ///
    /// - Parameter day: the day of what went, if it is of one.
    public func records(of outcomes: [RetentionOutcome], at now: Timestamp, day: Int32? = nil) throws
        -> [SignedPurge]
    {
        try outcomes.filter(\.isAny).map { outcome in
            let date = day.map { Timestamp(milliseconds: Int64($0) * 86_400_000) }
            let record = PurgeRecord(
                node: node,
                at: TimestampWriter.text(now),
                policy: policy,
                rule: outcome.rule,
                before: TimestampWriter.text(outcome.cutoff),
                day: date.map { String(TimestampWriter.text($0).prefix(10)) },
                sightings: outcome.sightings,
                contributions: outcome.contributions,
                images: outcome.images,
                records: outcome.records > 0 ? outcome.records : nil,
                held: outcome.held
            )
            return try SignedPurge(record, sign: sign)
        }
    }

    /// The record of a purge that was begun, and of which nobody knows how far it came.
    func brokenOff(_ record: PurgeRecord) throws -> SignedPurge {
        var record = record
        record.isBrokenOff = true
        return try SignedPurge(record, sign: sign)
    }
}
