import ANPRModel
import Archive
import Deduplication
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// What the node says of itself: whether it is ready, and its numbers, but never a mark.
struct StatusPages: Sendable {
    let node: NodeService
    /// The data folder.
    let data: String
    let alerts: AlertService?
    let budget: IntakeBudget
    let forwarders: [Forwarder]

    /// Answers `GET /readyz`.
    func ready() async -> Response {
        guard let trouble = await node.trouble else { return .json("{\"status\":\"ready\"}") }
        return Problem(status: .serviceUnavailable, name: "not-ready", detail: trouble, retryAfter: 5)
            .response
    }

    /// Answers `GET /metrics`, as Prometheus reads it.
    func metrics() async -> Response {
        var metrics = MetricsText(await node.status, intakeUsed: budget.used, intakeMax: budget.whole)
        if let alerts {
            metrics.alerts(
                raised: await alerts.raised,
                next: await alerts.published,
                webhooks: (try? await node.webhooks()) ?? []
            )
        }
        metrics.links(await links)
        let (policy, every) = await node.retention
        if !policy.rules.isEmpty {
            // Not asked of the archive's owner, who may be at work for long.
            let catalogue = try? Catalogue("\(data)/catalogue.sqlite", isReadOnly: true)
            metrics.retention(applied: try? catalogue?.lastRetention()?.at, every: every, now: Self.now)
        }
        let text = metrics.text
        return Response(
            status: .ok,
            headers: [.contentType: "text/plain; version=0.0.4"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text))
        )
    }

    /// Answers `GET /v1/status`.
    func json() async -> Response { .json(await node.status.json(links: await links)) }

    private static var now: Timestamp {
        Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
    }

    private var links: [LinkStatus] {
        get async {
            var links: [LinkStatus] = []
            for forwarder in forwarders { links.append(await forwarder.status) }
            return links
        }
    }
}
