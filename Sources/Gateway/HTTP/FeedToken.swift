import Crypto
import HTTPTypes
import Hummingbird

/// Tells whether a request may post to a feed.
struct FeedGuard: Sendable {
    private let tokens: [String: NodeConfiguration.FeedToken]
    /// The name that a client's certificate must bear, by feed.
    private let certificates: [String: String]

    init(_ feeds: [NodeConfiguration.Feed]) {
        tokens = feeds.reduce(into: [:]) { $0[$1.name] = $1.token }
        certificates = feeds.reduce(into: [:]) { $0[$1.name] = $1.clientCertificate }
    }

    /// The feed of the service whose token has a hash.
    func feed(hash: [UInt8]) -> String? { tokens.first { Self.isSame(hash, $0.value.sha256) }?.key }

    /// Checks what the request comes with: the feed's certificate or its token, one of them is enough.
    ///
    /// - Parameter names: those in the client's certificate.
    /// - Throws: a problem of 401 without anything that is known, of 403 with another feed's.
    func check(_ request: Request, feed: String, from names: Set<String>) throws(Problem) {
        if let certificate = certificates[feed], names.contains(certificate) { return }
        let given = secret(in: request, of: feed)
        let hash = given.map { Array(SHA256.hash(data: Array($0.utf8))) }
        if let hash {
            if let token = tokens[feed], Self.isSame(hash, token.sha256) { return }
            if tokens.values.contains(where: { Self.isSame(hash, $0.sha256) }) {
                throw Self.forbidden("token-of-other-feed", "this token is of another feed")
            }
        }
        if certificates.values.contains(where: names.contains) {
            throw Self.forbidden("certificate-of-other-feed", "this certificate is of another feed")
        }
        if given != nil { throw Self.unauthorized("token-unknown", "this token is not known") }
        guard certificates[feed] != nil else {
            throw Self.unauthorized("token-missing", "this feed needs its bearer token")
        }
        if !names.isEmpty {
            throw Self.forbidden("certificate-unknown", "no feed is of the name in this certificate")
        }
        if tokens[feed] != nil {
            throw Self.unauthorized("token-missing", "this feed needs its bearer token or its certificate")
        }
        throw Self.unauthorized("certificate-missing", "this feed needs its client certificate")
    }

    private static func unauthorized(_ name: String, _ detail: String) -> Problem {
        Problem(status: .unauthorized, name: name, detail: detail)
    }

    private static func forbidden(_ name: String, _ detail: String) -> Problem {
        Problem(status: .forbidden, name: name, detail: detail)
    }

    /// The token that a request brings, from where the feed lets it be.
    private func secret(in request: Request, of feed: String) -> String? {
        if let token = request.headers[.authorization].flatMap(Self.bearer) { return token }
        guard tokens[feed]?.isTakenFromQuery == true else { return nil }
        return request.uri.queryParameters["token"].map(String.init)
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
