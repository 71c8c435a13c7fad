import Synchronization

/// Wakes whoever sends over a link when there may be something to send; any number of rings before it looks are one.
final class LinkBell: Sendable {
    private let listener = Mutex<AsyncStream<Void>.Continuation?>(nil)

    /// Wakes the listener, if there is one.
    func ring() { listener.withLock { _ = $0?.yield() } }

    /// The rings from now on, one already; whoever listened before hears no more.
    func listen() -> AsyncStream<Void> {
        let (rings, continuation) = AsyncStream.makeStream(
            of: Void.self,
            bufferingPolicy: .bufferingNewest(1)
        )
        continuation.yield()
        listener.withLock { before in
            before?.finish()
            before = continuation
        }
        return rings
    }
}
