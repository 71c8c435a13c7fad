package import ANPRModel
package import Archive

/// What a pass of retention does, and did so far.
package struct RetentionPass: Sendable {
    /// The rules that it applies from its beginning to its end, whatever is configured meanwhile.
    package let policy: RetentionPolicy
    /// The moment as of which things are past their date.
    package let now: Timestamp
    /// What went, by rule, in the policy's order.
    package var outcomes: [RetentionOutcome]
    /// Whether anything went from segments, or may have in a pass that was broken off.
    package var isAnyGone = false
    /// Its trouble, if there was any.
    package var attempts = Attempts()

    /// A pass that begins.
    package init(_ policy: RetentionPolicy, now: Timestamp) {
        self.policy = policy
        self.now = now
        outcomes = policy.outcomes(now: now)
    }

    /// Deletes what is past its date from segments and images.
    ///
    /// What was to be filed before, and has not been, is trouble that it has by then.
    mutating func purge(_ retention: Retention, _ catalogue: Catalogue) throws {
        let isAgain = try catalogue.beginRetention()
        var outcomes = outcomes
        let isAllFiled = attempts.isGood
        attempts.make { try retention.apply(now: now, into: &outcomes, isAllFiled: isAllFiled) }
        self.outcomes = outcomes
        isAnyGone = isAgain || outcomes.contains { $0.contributions > 0 }
    }

    /// Deletes records, and notes in the catalogue what went.
    ///
    /// - Parameter work: counts what it deletes, also where it has trouble.
    mutating func purgeRecords(
        _ recorder: PurgeRecorder,
        _ catalogue: Catalogue,
        _ work: (_ outcomes: inout [RetentionOutcome], _ attempts: inout Attempts) -> Void
    ) {
        var own = policy.outcomes(now: now)
        var attempts = attempts
        work(&own, &attempts)
        for rule in own.indices where own[rule].records > 0 {
            outcomes[rule].add(own[rule].records, at: own[rule].oldest)
        }
        attempts.make { try catalogue.note(try recorder.records(of: own, at: now)) }
        self.attempts = attempts
    }
}
