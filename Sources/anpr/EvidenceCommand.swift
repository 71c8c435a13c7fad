import ANPRModel
import Access
import Archive
import ArgumentParser
import Gateway
import SightingExport

/// `anpr evidence`: what was found, for others to rely on.
struct EvidenceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evidence",
        abstract: "Folders of evidence, as query --evidence writes them.",
        subcommands: [Verify.self]
    )

    /// `anpr evidence verify`.
    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract:
                "Say whether a folder is as it was written: which files were altered, added or are missing.",
            discussion: """
                Ends with 1 if anything is wrong. Without --key it tells only that whoever signed the sums saw these files: \
                anyone can sign anew. The node's public key is what retention report shows there.
                """
        )

        @Argument(help: "The folder.")
        var folder: String

        @Option(help: "The node's public key, as kept elsewhere (Base64).")
        var key: String?

        func run() throws {
            guard DataFolder.exists(folder) else {
                Console.note("\(folder): there is no such folder")
                throw CommandInput.unusableInput
            }
            let check = try CommandInput.refusing(folder) { try EvidenceCheck(folder, key: key) }
            for fault in check.faults { try Console.output("\(fault)\n") }
            guard check.faults.isEmpty else {
                Console.note("\(folder): not as it was written")
                throw ExitCode.failure
            }
            try Console.output("good: \(check.count) files, signed by \(check.signer ?? "")\n")
            if key == nil {
                Console.note(
                    "Whether that is the node's key only --key tells, with the key as kept elsewhere."
                )
            }
        }
    }
}

/// Writes the answer to a request as evidence.
struct EvidenceWriting {
    let request: LoggedRequest
    /// The request's record in the audit log.
    let record: AuditLog.Head
    let now: Timestamp
    /// The node's key.
    let key: SigningKey

    /// Writes the folder.
    func write(_ found: ResolvedSightings, to folder: String) throws {
        let catalogue = try Catalogue("\(request.data)/catalogue.sqlite", isReadOnly: true)
        try EvidencePack.write(found, try about(found, catalogue), signedWith: key, to: folder)
        Console.note("\(folder): signed by \(key.publicKey)")
    }

    private func about(_ found: ResolvedSightings, _ catalogue: Catalogue) throws -> EvidenceRequest {
        let applied = try catalogue.lastRetention()?.policy
        let policy = try catalogue.policies().last { $0.version == applied }
        return EvidenceRequest(
            actor: Operator.name,
            at: TimestampWriter.text(now),
            reason: request.why.reason,
            category: request.why.category,
            reference: request.why.reference,
            query: request.request,
            found: found.batch.count,
            approximate: found.approximate.count,
            audit: .init(sequence: record.count, hash: record.hash),
            policy: policy.map { policy in
                EvidenceRequest.Policy(
                    version: policy.version,
                    since: TimestampWriter.text(policy.since),
                    rules: policy.text.split(separator: "\n").map(String.init)
                )
            },
            holdsVersion: try catalogue.activeHolds().version,
            program: .init(
                version: ProgramVersion.text,
                sha256: try? FileDigest.sha256(of: "/proc/self/exe")
            )
        )
    }
}
