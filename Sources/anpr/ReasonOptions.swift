import ArgumentParser

/// Why somebody wants to see data, as every command asks that shows any.
struct ReasonOptions: ParsableArguments {
    @Option(help: "Why: a sentence that will be read by an auditor. Required.")
    var reason: String

    @Option(help: "The kind of investigation.")
    var category: String?

    @Option(help: "The case or operation.")
    var reference: String?

    /// Whether the reason says anything: three characters that are no spaces.
    var isEnough: Bool { reason.split(separator: " ").joined().count >= 3 }
}
