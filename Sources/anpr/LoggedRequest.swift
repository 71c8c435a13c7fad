import ANPRModel
import Access
import ArgumentParser

/// What somebody asks of a data folder, and why: on record before anything comes of it.
struct LoggedRequest {
    /// The data folder; of a file that lies in none, the folder of the log it goes on record in.
    let data: String
    let action: AuditRecord.Action
    let why: ReasonOptions
    /// What is asked for, as it was given.
    var request: [String: String]
    /// Where it goes on record, if not in the data folder's own log.
    var log: AuditLog? = nil

    /// Refuses what gives no reason; that goes on record too.
    func demandReason() throws {
        guard !why.isEnough else { return }
        try note(0, .refused)
        Console.note("Refused: --reason says nothing. The attempt was logged.")
        throw ExitCode.failure
    }

    /// Puts on record, on disk, how much came of it.
    ///
    /// If this fails, nothing may be shown.
    ///
    /// - Parameter now: when it is done.
    /// - Returns: the log's head, which is this record.
    @discardableResult
    func note(_ count: Int, _ outcome: AuditRecord.Outcome = .allowed, at now: Timestamp = Operator.now)
        throws -> AuditLog.Head
    {
        let record = AuditRecord(
            at: TimestampWriter.text(now),
            actor: Operator.name,
            action: action,
            reason: why.reason,
            category: why.category,
            reference: why.reference,
            request: request,
            count: count,
            outcome: outcome
        )
        return try (log ?? Operator.audit(data)).append(record)
    }
}

extension MomentArgument {
    /// As it is put on record.
    var text: String { TimestampWriter.text(time) }
}
