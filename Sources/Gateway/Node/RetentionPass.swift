package import ANPRModel
package import Archive

/// What a pass of retention did so far.
package struct RetentionPass: Sendable {
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
        self.now = now
        outcomes = policy.outcomes(now: now)
    }
}
