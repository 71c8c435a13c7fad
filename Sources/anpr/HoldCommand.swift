import ANPRModel
import Access
import Archive
import ArgumentParser
import Foundation

/// `anpr hold`: legal holds, which beat every retention rule.
struct HoldCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold",
        abstract: "Legal holds: what they are about stays, whatever retention says, until they are released.",
        subcommands: [Add.self, Release.self, List.self]
    )

    /// `anpr hold add`.
    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add",
            abstract: "Place a hold. It is in force at once, whether the node runs or not.",
            discussion: "Every condition that is given must hold; one at least is needed."
        )

        @Option(help: "Sightings of this mark; ? stands for one character and * for any number.")
        var vrm: String?

        @Option(help: "Sightings that end at or after this time (RFC 3339, or a date).")
        var from: MomentArgument?

        @Option(help: "Sightings that begin at or before this time (RFC 3339, or a date).")
        var to: MomentArgument?

        @Option(help: "Sightings at this site; may be given several times.")
        var site: [String] = []

        @Option(help: "Who answers for it. By default who places it.")
        var owner: String?

        @Option(help: "When somebody has to say whether it is still needed (a date).")
        var review: MomentArgument

        @OptionGroup var why: ReasonOptions

        @OptionGroup var node: DataOption

        func run() throws {
            let folder = try node.folder()
            var scope = Hold.Scope(from: from?.time, to: to?.time, sites: site)
            if let vrm {
                guard let mark = MarkPattern(vrm) else {
                    throw ValidationError("The mark takes 1 to 12 of A-Z and 0-9, with ? and *.")
                }
                scope.mark = mark
            }
            guard scope.isLimited else {
                throw ValidationError("Say what to hold: a mark, a time or a site.")
            }
            guard let reference = why.reference, !reference.isEmpty else {
                throw ValidationError("--reference is needed: the case or operation that the hold serves.")
            }
            var request = LoggedRequest(
                data: folder,
                action: .hold,
                why: why,
                request: HoldText.request(scope)
            )
            request.request["hold"] = "add"
            request.request["review"] = review.text
            try request.demandReason()
            // On record first: no hold stands that nobody answers for.
            try request.note(1)
            let hold = try Catalogue("\(folder)/catalogue.sqlite").place(
                Hold(
                    reference: reference,
                    owner: owner ?? Operator.name,
                    reason: why.reason,
                    review: review.time,
                    scope: scope,
                    placed: Operator.now
                )
            )
            try Console.output("hold \(hold.id)\n")
        }
    }

    /// `anpr hold release`.
    struct Release: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "release",
            abstract: "End a hold: what it was about goes when its time is up."
        )

        @Argument(help: "Its number.")
        var number: Int64

        @OptionGroup var why: ReasonOptions

        @OptionGroup var node: DataOption

        func run() throws {
            let folder = try node.folder()
            let request = LoggedRequest(
                data: folder,
                action: .hold,
                why: why,
                request: ["hold": "release \(number)"]
            )
            try request.demandReason()
            // On record first: what it held may be gone a moment later.
            try request.note(1)
            let release = Hold.Release(at: Operator.now, by: Operator.name, reason: why.reason)
            guard try Catalogue("\(folder)/catalogue.sqlite").release(number, release) else {
                Console.note("There is no hold \(number) in force.")
                throw ExitCode.failure
            }
            try Console.output("hold \(number) released\n")
        }
    }

    /// `anpr hold list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "The holds in force, and those to be reviewed first."
        )

        @Flag(help: "Released ones, too.")
        var all = false

        @Option(help: "How to write them.")
        var format: Format = .text

        @OptionGroup var why: ReasonOptions

        @OptionGroup var node: DataOption

        enum Format: String, ExpressibleByArgument, CaseIterable {
            case text, ndjson
        }

        func run() throws {
            let folder = try node.folder()
            let request = LoggedRequest(data: folder, action: .hold, why: why, request: ["hold": "list"])
            try request.demandReason()
            let holds = try Catalogue("\(folder)/catalogue.sqlite", isReadOnly: true).holds()
                .filter { all || $0.release == nil }
                .sorted { ($0.review, $0.id) < ($1.review, $1.id) }
            try request.note(holds.count)
            let now = Operator.now
            for hold in holds {
                try Console.output(format == .text ? HoldText.text(hold, now: now) : try HoldText.json(hold))
            }
            if holds.isEmpty { Console.note("Nothing is held.") }
        }
    }
}

/// A hold in writing.
enum HoldText {
    /// For people.
    static func text(_ hold: Hold, now: Timestamp) -> String {
        let date = { (time: Timestamp) in String(TimestampWriter.text(time).prefix(10)) }
        var lines = ["hold \(hold.id) for \(hold.reference), \(hold.owner): \(hold.reason)"]
        lines.append("  \(scope(hold.scope))")
        let isDue = hold.release == nil && hold.review <= now
        lines.append("  placed \(date(hold.placed)), review \(date(hold.review))\(isDue ? " (due)" : "")")
        if let release = hold.release {
            lines.append("  released \(date(release.at)) by \(release.by): \(release.reason)")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// What a hold is about, as it goes on record.
    static func request(_ scope: Hold.Scope) -> [String: String] {
        var request: [String: String] = [:]
        request["vrm"] = scope.mark?.text
        request["from"] = scope.from.map { TimestampWriter.text($0) }
        request["to"] = scope.to.map { TimestampWriter.text($0) }
        if !scope.sites.isEmpty { request["sites"] = scope.sites.joined(separator: " ") }
        return request
    }

    private static func scope(_ scope: Hold.Scope) -> String {
        var parts: [String] = []
        if let mark = scope.mark { parts.append(mark.text) }
        if !scope.sites.isEmpty { parts.append("at " + scope.sites.joined(separator: " or ")) }
        if let from = scope.from { parts.append("from \(TimestampWriter.text(from))") }
        if let to = scope.to { parts.append("to \(TimestampWriter.text(to))") }
        return parts.joined(separator: ", ")
    }

    private struct Line: Encodable {
        var hold: Int64
        var reference: String
        var owner: String
        var reason: String
        var review: String
        var placed: String
        var vrm: String?
        var from: String?
        var to: String?
        var sites: [String]?
        var released: String?
        var releasedBy: String?
        var releaseReason: String?
    }

    /// For machines: a JSON object and a line feed.
    static func json(_ hold: Hold) throws -> String {
        let time = { (time: Timestamp?) in time.map { TimestampWriter.text($0) } }
        let line = Line(
            hold: hold.id,
            reference: hold.reference,
            owner: hold.owner,
            reason: hold.reason,
            review: TimestampWriter.text(hold.review),
            placed: TimestampWriter.text(hold.placed),
            vrm: hold.scope.mark?.text,
            from: time(hold.scope.from),
            to: time(hold.scope.to),
            sites: hold.scope.sites.isEmpty ? nil : hold.scope.sites,
            released: time(hold.release?.at),
            releasedBy: hold.release?.by,
            releaseReason: hold.release?.reason
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(line), as: UTF8.self) + "\n"
    }
}
