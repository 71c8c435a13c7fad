/// Steps none of which holds up those behind it: the first trouble is told once all were tried.
public struct Attempts: Sendable {
    private var trouble: (any Error)?

    /// None yet.
    public init() {}

    /// Takes a step; what it throws is kept for `finish`.
    public mutating func make(_ step: () throws -> Void) {
        do { try step() } catch { note(error) }
    }

    /// Keeps what a step threw.
    public mutating func note(_ error: any Error) { trouble = trouble ?? error }

    /// Whether none has failed.
    public var isGood: Bool { trouble == nil }

    /// Ends them.
    ///
    /// - Throws: what the first of the steps threw that failed.
    public func finish() throws { if let trouble { throw trouble } }
}
