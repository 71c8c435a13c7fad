import HTTPTypes
import Hummingbird
import Synchronization

/// The feeds that take posts, and who may post to them; changes when the configuration is read again.
final class FeedTable: Sendable {
    private struct State {
        var feeds: [String: FeedIntake] = [:]
        var access = FeedGuard([])
        /// Those of the capture service.
        var captures = FeedGuard([])
    }

    private let state = Mutex(State())

    /// Takes over other feeds; posts in work are not touched.
    func replace(_ feeds: [FeedIntake]) {
        let posted = feeds.filter { $0.feed.source == .http }
        let captured = feeds.filter { $0.feed.source == .bof2 }
        let named = feeds.reduce(into: [:]) { $0[$1.feed.name] = $1 }
        let new = State(
            feeds: named,
            access: FeedGuard(posted.map(\.feed)),
            captures: FeedGuard(captured.map(\.feed))
        )
        state.withLock { $0 = new }
    }

    /// The feed of captures signed with a secret of this hash.
    func captureFeed(hash: [UInt8]) -> FeedIntake? {
        state.withLock { state in state.captures.feed(hash: hash).flatMap { state.feeds[$0] } }
    }

    /// The feed of a post.
    ///
    /// - Parameter names: those in the client's certificate.
    /// - Throws: a problem when there is none, or the request may not post to it.
    func intake(_ name: String, for request: Request, from names: Set<String>) throws(Problem) -> FeedIntake {
        let (intake, access) = state.withLock { ($0.feeds[name], $0.access) }
        guard let intake, intake.feed.source == .http else {
            throw Problem(status: .notFound, name: "feed-unknown", detail: "there is no such feed here")
        }
        try access.check(request, feed: name, from: names)
        return intake
    }
}
