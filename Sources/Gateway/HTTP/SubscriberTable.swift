import Crypto
import HTTPTypes
import Hummingbird
import Synchronization

/// Who may follow the alerts, as configured now.
final class SubscriberTable: Sendable {
    private let subscribers: Mutex<[NodeConfiguration.Interest.Subscriber]>

    init(_ subscribers: [NodeConfiguration.Interest.Subscriber]) { self.subscribers = Mutex(subscribers) }

    /// Takes over those of a configuration that was read again.
    func replace(_ subscribers: [NodeConfiguration.Interest.Subscriber]) {
        self.subscribers.withLock { $0 = subscribers }
    }

    /// Whose token a request carries.
    ///
    /// - Throws: a problem of 401 without a token that is known.
    func name(_ request: Request) throws(Problem) -> String {
        guard let token = request.headers[.authorization].flatMap(FeedGuard.bearer) else {
            throw Problem(status: .unauthorized, name: "token-missing", detail: "this needs a bearer token")
        }
        let hash = Array(SHA256.hash(data: Array(token.utf8)))
        let found = subscribers.withLock { all in all.first { FeedGuard.isSame(hash, $0.sha256) }?.name }
        guard let found else {
            throw Problem(status: .unauthorized, name: "token-unknown", detail: "this token is not known")
        }
        return found
    }
}
