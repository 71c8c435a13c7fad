import ANPRModel
import Access
import Archive
import ArgumentParser
import Gateway

/// `anpr retention`: what would go, what goes, what went.
struct RetentionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retention",
        abstract: "What retention rules would delete, deleting it, and what they have deleted.",
        subcommands: [Plan.self, Apply.self, Report.self]
    )

    /// `anpr retention plan`.
    struct Plan: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "plan",
            abstract: "Say what is past its date, by rule, and what is held; delete nothing.",
            discussion: "Of what is in the archive: a running node files what it takes in before it deletes."
        )

        @OptionGroup var node: ConfigurationOption

        @Option(help: "Plan as of this time instead of now.")
        var asOf: MomentArgument?

        func run() throws {
            let retention = try FolderRetention(try node.read())
            try Console.output(text(try retention.plan(now: asOf?.time ?? Operator.now), "would go"))
        }
    }

    /// `anpr retention apply`.
    struct Apply: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "apply",
            abstract: "Delete what is past its date, and record it. A running node does so by itself."
        )

        @OptionGroup var node: ConfigurationOption

        func run() throws {
            let configuration = try node.read()
            let core = try NodeCore(configuration)
            let pass = core.applyRetention(now: Operator.now)
            // What went is on record, whatever did not.
            var attempts = pass.attempts
            attempts.make {
                try RetentionCommand.audit(pass.outcomes, data: configuration.data, actor: Operator.name)
            }
            attempts.make { try Console.output(text(pass.outcomes, "went")) }
            try attempts.finish()
        }
    }

    /// `anpr retention report`.
    struct Report: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "report",
            abstract: "What went under which rule, what is held, and whether anything is overdue.",
            discussion:
                "Ends with 1 if anything that is past its date is still there, or a record was altered."
        )

        @OptionGroup var node: ConfigurationOption

        @Option(help: "Report as of this time instead of now.")
        var asOf: MomentArgument?

        @Option(help: "The node's public key, as kept elsewhere: its records are held against it.")
        var key: String?

        func run() throws {
            let report = RetentionReport(
                try FolderRetention(try node.read()),
                now: asOf?.time ?? Operator.now
            )
            let (text, isGood) = try report.text(key: key)
            try Console.output(text)
            if !isGood { throw ExitCode.failure }
        }
    }

    /// Logs what was deleted, by rule.
    static func audit(_ outcomes: [RetentionOutcome], data: String, actor: String) throws {
        for outcome in outcomes where outcome.isAny {
            try Operator.audit(data).append(AuditRecord(outcome, actor: actor, at: Operator.now))
        }
    }

    private static func text(_ outcomes: [RetentionOutcome], _ verb: String) -> String {
        if outcomes.isEmpty { return "There are no retention rules: everything is kept.\n" }
        return outcomes.map { outcome in
            let oldest = outcome.oldest.map { ", oldest \(TimestampWriter.text($0))" } ?? ""
            let records = outcome.records > 0 ? ", \(NumberText.grouped(outcome.records)) records" : ""
            let held =
                outcome.held > 0 ? "; \(NumberText.grouped(outcome.held)) more are held" : ""
            return """
                \(outcome.rule): \(NumberText.grouped(outcome.contributions)) contributions \(verb), \
                \(NumberText.grouped(outcome.sightings)) sightings whole, \
                \(NumberText.grouped(outcome.images)) images\(records); before \
                \(TimestampWriter.text(outcome.cutoff))\(oldest)\(held)

                """
        }.joined()
    }
}

/// How retention stands, for people.
struct RetentionReport {
    private let retention: FolderRetention
    private let now: Timestamp

    init(_ retention: FolderRetention, now: Timestamp) {
        self.retention = retention
        self.now = now
    }

    /// The report, and whether nothing is overdue and no record altered.
    func text(key: String?) throws -> (text: String, isGood: Bool) {
        var lines = try policy() + went() + held()
        let overdue = try retention.overdue(now: now)
        for outcome in overdue {
            let oldest = outcome.oldest.map { ", the oldest of \(TimestampWriter.text($0))" } ?? ""
            lines.append(
                """
                ALARM: \(NumberText.grouped(outcome.contributions)) contributions, \
                \(NumberText.grouped(outcome.images)) images and \
                \(NumberText.grouped(outcome.records)) records are past their date under '\(outcome.rule)'\(oldest)
                """
            )
        }
        if overdue.isEmpty { lines.append("Nothing is overdue.") }
        let faults = try retention.faults(key: key)
        lines += faults.map { "ALARM: purge \($0.number): \($0.reason)" }
        let signed = try retention.purges.count { $0.signed != nil }
        if faults.isEmpty, signed > 0 {
            lines.append(
                "\(NumberText.grouped(signed)) records of purges, all as signed by \(try key ?? retention.publicKey)."
            )
        }
        return (lines.joined(separator: "\n") + "\n", overdue.isEmpty && faults.isEmpty)
    }

    private func policy() throws -> [String] {
        let applied =
            try retention.applied.map { "last applied \(TimestampWriter.text($0))" } ?? "never applied"
        guard let policy = try retention.policies.last else { return ["No policy was ever applied."] }
        return ["Policy \(policy.version), since \(TimestampWriter.text(policy.since)); \(applied)."]
            + policy.text.split(separator: "\n").map { "  \($0)" }
    }

    private func went() throws -> [String] {
        var rules: [String] = []
        var sums: [String: Sum] = [:]
        for purge in try retention.purges {
            if sums[purge.rule] == nil { rules.append(purge.rule) }
            sums[purge.rule, default: Sum()].add(purge)
        }
        let lines = try pending() + rules.compactMap { rule in sums[rule].map { "\(rule): \($0.text)" } }
        return lines.isEmpty ? ["Nothing was ever deleted."] : lines
    }

    /// What has begun to go.
    private func pending() throws -> [String] {
        let begun = try retention.begun
        if begun == 0 { return [] }
        let what = begun == 1 ? "1 purge has" : "\(NumberText.grouped(begun)) purges have"
        return ["\(what) begun and not ended: under way, or broken off, which the next pass puts on record."]
    }

    /// What went by one rule.
    private struct Sum {
        private var (contributions, sightings, images, records) = (0, 0, 0, 0)
        private var brokenOff = (purges: 0, images: 0, records: 0)
        private var last: Timestamp?

        mutating func add(_ purge: Catalogue.Purge) {
            last = [last, purge.at].compactMap(\.self).max()
            // Nobody knows how much of what it counts went then; what did not is counted by a later one.
            if let record = purge.signed?.record, record.isBrokenOff == true {
                brokenOff.purges += 1
                brokenOff.images += record.images
                brokenOff.records += record.records ?? 0
                return
            }
            contributions += purge.contributions
            sightings += purge.sightings
            images += purge.signed?.record.images ?? 0
            records += purge.signed?.record.records ?? 0
        }

        var text: String {
            let records = records > 0 ? ", \(NumberText.grouped(records)) records" : ""
            let brokenOff =
                brokenOff.purges > 0
                ? """
                ; \(NumberText.grouped(brokenOff.purges)) more broken off, of up to \
                \(NumberText.grouped(brokenOff.images)) images and \(NumberText.grouped(brokenOff.records)) records
                """ : ""
            return """
                \(NumberText.grouped(contributions)) contributions, \(NumberText.grouped(sightings)) \
                sightings whole, \(NumberText.grouped(images)) images\(records) have gone, last \
                \(last.map(TimestampWriter.text) ?? "")\(brokenOff)
                """
        }
    }

    private func held() throws -> [String] {
        let active = try retention.holds.filter { $0.release == nil }
        if active.isEmpty { return ["Nothing is held."] }
        let due = active.filter { $0.review <= now }
        let review = due.isEmpty ? "" : "; to be reviewed: " + due.map { "\($0.id)" }.joined(separator: ", ")
        let count = active.count == 1 ? "1 legal hold" : "\(NumberText.grouped(active.count)) legal holds"
        return ["\(count)\(review)."]
    }
}
