import Foundation

/// What evidence says of the request that it answers: `request.json` in its folder.
public struct EvidenceRequest: Codable, Sendable, Equatable {
    /// The record of the request in the node's audit log, written before the evidence.
    public struct Audit: Codable, Sendable, Equatable {
        /// Its place in the log, from 1.
        public var sequence: UInt64
        /// Its hash, by which `audit verify --count --hash` knows whether the log still has it.
        public var hash: String

        /// A record's place and hash.
        public init(sequence: UInt64, hash: String) { (self.sequence, self.hash) = (sequence, hash) }
    }

    /// The version of the retention policy that was applied last: what it let go before could not be found.
    public struct Policy: Codable, Sendable, Equatable {
        /// Its number, from 1.
        public var version: Int
        /// Since when it is in force, UTC.
        public var since: String
        /// Its rules in order.
        public var rules: [String]

        /// A version.
        public init(version: Int, since: String, rules: [String]) {
            (self.version, self.since, self.rules) = (version, since, rules)
        }
    }

    /// The program that answered.
    public struct Program: Codable, Sendable, Equatable {
        /// Its version.
        public var version: String
        /// The SHA-256 of its executable, in hexadecimal, where that could be read.
        public var sha256: String?

        /// A program.
        public init(version: String, sha256: String?) { (self.version, self.sha256) = (version, sha256) }
    }

    /// Who asked.
    public var actor: String
    /// When, UTC.
    public var at: String
    /// Why, in the actor's words.
    public var reason: String
    /// The kind of investigation, if told.
    public var category: String?
    /// The case or operation, if told.
    public var reference: String?
    /// What was asked, as typed.
    public var query: [String: String]
    /// How many sightings there are.
    public var found: Int
    /// How many of them were read under another mark than the one searched for.
    public var approximate: Int
    /// The record of it in the audit log.
    public var audit: Audit
    /// The retention policy, if one was ever applied.
    public var policy: Policy?
    /// How often legal holds had been placed or released.
    public var holdsVersion: Int64
    /// The program that answered.
    public var program: Program

    /// A request.
    public init(
        actor: String,
        at: String,
        reason: String,
        category: String?,
        reference: String?,
        query: [String: String],
        found: Int,
        approximate: Int,
        audit: Audit,
        policy: Policy?,
        holdsVersion: Int64,
        program: Program
    ) {
        self.actor = actor
        self.at = at
        self.reason = reason
        self.category = category
        self.reference = reference
        self.query = query
        self.found = found
        self.approximate = approximate
        self.audit = audit
        self.policy = policy
        self.holdsVersion = holdsVersion
        self.program = program
    }

    /// As it is written: for people, its keys in order.
    func text() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }
}
