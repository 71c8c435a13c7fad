import Synchronization

/// Something that has happened or has not, told between threads.
public final class Flag: Sendable {
    private let value = Atomic(false)

    /// Nothing has happened.
    public init() {}

    /// Whether it has happened.
    public var isSet: Bool { value.load(ordering: .acquiring) }

    /// It has happened.
    public func set() { value.store(true, ordering: .releasing) }
}
