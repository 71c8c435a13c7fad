/// Who did what, why, and what came of it.
public struct AuditRecord: Codable, Sendable, Equatable {
    /// What is logged; the classes of section 62 of the Data Protection Act 2018 and what a node does by itself.
    public enum Action: String, Codable, Sendable {
        /// Data was searched (consultation).
        case search
        /// Reads were taken in (collection).
        case ingest
        /// Sightings of several forces were joined (combination).
        case combine
        /// Data was given to another system (disclosure).
        case disclose
        /// Data was deleted (erasure).
        case purge
        /// A legal hold was placed, released or looked at.
        case hold
    }

    /// Whether it was done.
    public enum Outcome: String, Codable, Sendable {
        case allowed
        case refused
    }

    /// Its place in the log, from 1.
    public internal(set) var sequence: UInt64 = 0
    /// When, UTC.
    public var at: String
    /// The person or service.
    public var actor: String
    /// What was done.
    public var action: Action
    /// Why, in the actor's words.
    public var reason: String
    /// The kind of investigation, if told.
    public var category: String?
    /// The case or operation, if told.
    public var reference: String?
    /// What was asked, as typed.
    public var request: [String: String]
    /// How much was found, taken in or deleted.
    public var count: Int
    /// Whether it was done.
    public var outcome: Outcome
    /// The hash of the record before, in hexadecimal; of the first, zeros.
    public internal(set) var previous = ""
    /// The hash of this record.
    public internal(set) var hash = ""

    /// A record; its place and hashes are given when it is logged.
    public init(
        at: String,
        actor: String,
        action: Action,
        reason: String,
        category: String? = nil,
        reference: String? = nil,
        request: [String: String] = [:],
        count: Int,
        outcome: Outcome = .allowed
    ) {
        self.at = at
        self.actor = actor
        self.action = action
        self.reason = reason
        self.category = category
        self.reference = reference
        self.request = request
        self.count = count
        self.outcome = outcome
    }
}
