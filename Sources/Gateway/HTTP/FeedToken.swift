import Crypto
import HTTPTypes
import Hummingbird

/// Tells whether a request may post to a feed.
struct FeedGuard: Sendable {
    private let tokens: [String: NodeConfiguration.FeedToken]

    init(_ feeds: [NodeConfiguration.Feed]) {
        tokens = feeds.reduce(into: [:]) { $0[$1.name] = $1.token }
    }

    /// The feed of the service whose token has a hash.
    func feed(hash: [UInt8]) -> String? { tokens.first { Self.isSame(hash, $0.value.sha256) }?.key }

    /// Checks the request's token.
    ///
    /// - Throws: a problem of 401 without a token that is known, of 403 with another feed's.
    func check(_ request: Request, feed: String) throws(Problem) {
        guard let token = tokens[feed] else { return }
        var given = request.headers[.authorization].flatMap(Self.bearer)
        if given == nil, token.isTakenFromQuery {
            given = request.uri.queryParameters["token"].map(String.init)
        }
        guard let given else {
            throw Problem(
                status: .unauthorized,
                name: "token-missing",
                detail: "this feed needs its bearer token"
            )
        }
        let hash = Array(SHA256.hash(data: Array(given.utf8)))
        if Self.isSame(hash, token.sha256) { return }
        if tokens.values.contains(where: { Self.isSame(hash, $0.sha256) }) {
            throw Problem(
                status: .forbidden,
                name: "token-of-other-feed",
                detail: "this token is of another feed"
            )
        }
        throw Problem(status: .unauthorized, name: "token-unknown", detail: "this token is not known")
    }

    static func bearer(_ header: String) -> String? {
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return String(parts[1])
    }

    /// Compares without telling by the time it takes where they differ.
    static func isSame(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(0) { $0 | $1.0 ^ $1.1 } == 0
    }
}
