import ANPRModel
import Access
import Archive
import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle

/// `GET /v1/alerts`: alerts as server-sent events, to those the configuration names, with a reason.
///
/// Each event's id is the alert's number in the node's log; a client that comes back with `Last-Event-ID` misses none.
/// Who followed, why, and how many alerts were given out is in the audit log: when it begins, and when it ends.
struct AlertStream: Sendable {
    let alerts: AlertService
    let subscribers: SubscriberTable

    /// Who follows, and why: the same in each record of the audit log.
    private struct Follower: Sendable {
        var name: String
        var reason: String
        var category: String?
        var reference: String?
        var first: UInt64?

        /// A reason that says nothing is none.
        var hasReason: Bool { reason.split(separator: " ").joined().count >= 3 }

        func record(_ step: String, count: Int = 0) -> AuditRecord {
            AuditRecord(
                at: TimestampWriter.text(
                    Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
                ),
                actor: "subscriber \(name)",
                action: .disclose,
                reason: reason,
                category: category,
                reference: reference,
                request: ["alerts": step, "from": first.map { "\($0)" } ?? "now"],
                count: count,
                outcome: hasReason ? .allowed : .refused
            )
        }
    }

    func answer(_ request: Request) async -> Response {
        do throws(Problem) {
            let follower = try follower(request)
            try await log(follower.record("begins"))
            guard follower.hasReason else {
                throw Problem(
                    status: .forbidden,
                    name: "reason-missing",
                    detail: "alerts are shown for a reason: give it as X-Reason; this attempt was logged"
                )
            }
            let start: UInt64
            if let first = follower.first { start = first } else { start = await alerts.published }
            return Response(
                status: .ok,
                headers: [.contentType: "text/event-stream", .cacheControl: "no-store"],
                body: ResponseBody { writer in try await follow(from: start, follower, &writer) }
            )
        } catch {
            return error.response
        }
    }

    private func log(_ record: AuditRecord) async throws(Problem) {
        do {
            try await alerts.record(record)
        } catch {
            throw Problem(
                status: .serviceUnavailable,
                name: "not-audited",
                detail: "the audit log can't be written, so nothing is shown",
                retryAfter: 10
            )
        }
    }

    private func follower(_ request: Request) throws(Problem) -> Follower {
        Follower(
            name: try subscribers.name(request),
            reason: request.header("x-reason") ?? "",
            category: request.header("x-category"),
            reference: request.header("x-reference"),
            first: try Self.lastID(request).map { $0 + 1 }
        )
    }

    private static func lastID(_ request: Request) throws(Problem) -> UInt64? {
        guard let text = request.header("last-event-id") else { return nil }
        guard let id = UInt64(text), id < .max else {
            throw Problem(status: .badRequest, name: "bad-event-id", detail: "Last-Event-ID is no number")
        }
        return id
    }

    @concurrent
    private func follow(from first: UInt64, _ follower: Follower, _ writer: inout any ResponseBodyWriter)
        async throws
    {
        var count = 0
        do {
            try await write(from: first, &count, &writer)
        } catch {
            try await alerts.record(follower.record("ends", count: count))
            throw error
        }
        try await alerts.record(follower.record("ends", count: count))
        try await writer.finish(nil)
    }

    @concurrent
    private func write(from first: UInt64, _ count: inout Int, _ writer: inout any ResponseBodyWriter)
        async throws
    {
        var reader = AlertLogReader(alerts.folder, keys: alerts.keys, from: first)
        let (bells, ring) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let follower = Task { [alerts] in
            for await _ in await alerts.follow() { ring.yield() }
            ring.finish()
        }
        // A node that stops doesn't wait for those who only listen.
        let end = Task {
            try await gracefulShutdown()
            ring.finish()
        }
        defer {
            follower.cancel()
            end.cancel()
        }
        for await _ in bells {
            let lines = try reader.read(before: await alerts.published)
            var text = lines.isEmpty ? ":\n\n" : ""
            for line in lines {
                text += "id: \(line.sequence)\nevent: alert\ndata: "
                text += String(decoding: line.text, as: UTF8.self) + "\n\n"
            }
            try await writer.write(ByteBuffer(string: text))
            count += lines.count
            // There may be more than was read at once.
            if !lines.isEmpty { ring.yield() }
        }
    }
}

extension Request {
    /// The value of a header that has no constant.
    ///
    /// - Parameter name: in lower case.
    func header(_ name: String) -> String? { headers.first { $0.name.canonicalName == name }?.value }
}
