import HTTPTypes
import Hummingbird
import Synchronization

/// The feeds that take posts, and who may post to them; changes when the configuration is read again.
final class FeedTable: Sendable {
    private struct State {
        var feeds: [String: FeedIntake] = [:]
        var access = FeedGuard([])
    }

    private let state = Mutex(State())

    /// Takes over other feeds; posts in work are not touched.
    func replace(_ feeds: [FeedIntake]) {
        let access = FeedGuard(feeds.map(\.feed))
        let named = feeds.reduce(into: [:]) { $0[$1.feed.name] = $1 }
        state.withLock { $0 = State(feeds: named, access: access) }
    }

    /// The feed of a post.
    ///
    /// - Throws: a problem when there is none, or the request may not post to it.
    func intake(_ name: String, for request: Request) throws(Problem) -> FeedIntake {
        let (intake, access) = state.withLock { ($0.feeds[name], $0.access) }
        guard let intake else {
            throw Problem(status: .notFound, name: "feed-unknown", detail: "there is no such feed here")
        }
        try access.check(request, feed: name)
        return intake
    }
}
