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
    /// What is past its date of refused records, which their owner deletes.
    private var refused: [RetentionOutcome]
    /// Its trouble, if there was any.
    package var attempts = Attempts()

    /// A pass that begins.
    package init(_ policy: RetentionPolicy, now: Timestamp) {
        self.policy = policy
        self.now = now
        outcomes = policy.outcomes(now: now)
        refused = outcomes
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

    /// Deletes alerts and audit records that are past their date.
    ///
    /// - Parameter keys: the node's own, under which alerts are that it writes.
    mutating func purgeRecords(_ configuration: NodeConfiguration, _ keys: KeyRing, _ catalogue: Catalogue) {
        let (policy, now) = (policy, now)
        do {
            let holds = try catalogue.activeHolds()
            let records = RecordRetention(configuration, policy, keys, holds, now: now)
            purgeRecords(configuration, catalogue) { outcomes in
                try records.planOwn(into: &outcomes)
            } _: { outcomes, attempts in
                records.purge(into: &outcomes, &attempts)
            }
        } catch { attempts.note(error) }
    }

    /// Counts the refused records that are past their date, beside their owner.
    mutating func planRefused(_ configuration: NodeConfiguration, _ keys: KeyRing) {
        RecordRetention.planRefused(policy, configuration.data, keys, into: &refused)
    }

    /// Deletes refused records that are past their date, for their owner, on record as they were counted before.
    mutating func purgeRefused(
        _ configuration: NodeConfiguration,
        _ quarantine: Quarantine,
        _ catalogue: Catalogue
    ) {
        let (policy, refused) = (policy, refused)
        purgeRecords(configuration, catalogue) {
            $0 = refused
        } _: {
            RecordRetention.purge(quarantine, policy, into: &$0, &$1)
        }
    }

    /// Deletes records, and notes in the catalogue what is about to go, and what went.
    ///
    /// - Parameters:
    ///   - plan: counts what is about to go.
    ///   - work: counts what it deletes, also where it has trouble.
    private mutating func purgeRecords(
        _ configuration: NodeConfiguration,
        _ catalogue: Catalogue,
        _ plan: (_ outcomes: inout [RetentionOutcome]) throws -> Void,
        _ work: (_ outcomes: inout [RetentionOutcome], _ attempts: inout Attempts) throws -> Void
    ) {
        var own = policy.outcomes(now: now)
        do {
            // Who can't put it on record does not begin.
            let recorder = try PurgeRecorder(configuration, catalogue, self)
            var due = own
            // What can't be counted can't be deleted, and is told then.
            try? plan(&due)
            let begun = try catalogue.begin(try recorder.records(of: due, at: now))
            try work(&own, &attempts)
            try catalogue.end(begun, try recorder.records(of: own, at: now))
        } catch { attempts.note(error) }
        for rule in own.indices where own[rule].records > 0 {
            outcomes[rule].add(own[rule].records, at: own[rule].oldest)
        }
    }
}
