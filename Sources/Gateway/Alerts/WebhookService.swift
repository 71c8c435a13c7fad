import Archive
import Foundation
import FoundationNetworking
import Logging
import NIOCore
import ServiceLifecycle

/// Posts each alert to a service, in order, until it has it: at least once, under a key by which it can tell a repeat.
struct WebhookService: Service {
    let webhook: NodeConfiguration.Interest.Webhook
    let alerts: AlertService
    let node: NodeService
    let logger: Logger

    private enum Outcome {
        case taken
        /// It will never take this one.
        case refused(Int)
        case later(String)
    }

    private static let timeout: TimeInterval = 10
    private static let waitMax = Duration.seconds(30)
    /// After so many it is noted what the service has; a restart repeats no more than these.
    private static let noteEvery = 64

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown {
                do {
                    try await self.deliver()
                } catch let error as StorageError {
                    // Feeds and the other webhooks go on; this one goes on from its place when the daemon is started again.
                    logger.error(
                        "webhook ended",
                        metadata: ["webhook": "\(webhook.name)", "why": "\(error)"]
                    )
                }
                // The alerts stop before those who tell them: one that returned now would seem to have failed.
                try await gracefulShutdown()
            }
        } catch is CancellationError {}
    }

    /// The first alert that the service is told; settled when this is called first.
    func cursor() async throws -> UInt64 {
        try await node.webhookCursor(webhook.name, otherwise: await alerts.published)
    }

    private func deliver() async throws {
        let token = try webhook.tokenFile.map { path in
            String(decoding: try DataFile(path, .read).contents(), as: UTF8.self)
                .trimmingCharacters(in: .whitespacesAndNewlines)
        }
        let session = URLSession(configuration: .ephemeral)
        // Not cancelled: a session whose task is cancelled just when its answer comes can bring the process down.
        defer { session.finishTasksAndInvalidate() }
        var reader = AlertLogReader(alerts.folder, keys: alerts.keys, from: try await cursor())
        for await _ in await alerts.follow() {
            while true {
                let lines = try reader.read(before: await alerts.published)
                if lines.isEmpty { break }
                for (place, line) in lines.enumerated() {
                    try await post(line, token, session)
                    if (place + 1) % Self.noteEvery == 0 || place + 1 == lines.count {
                        await note(before: line.sequence + 1)
                    }
                }
            }
        }
    }

    /// Notes what the service has; what can't be noted now is noted with the next, or told twice.
    private func note(before sequence: UInt64) async {
        do {
            try await node.told(webhook.name, before: sequence)
        } catch {
            logger.error(
                "what a webhook has is not noted",
                metadata: ["webhook": "\(webhook.name)", "why": "\(error)"]
            )
        }
    }

    /// Posts one alert until it is taken or refused for good.
    private func post(_ line: AlertLogReader.Line, _ token: String?, _ session: URLSession) async throws {
        guard let url = URL(string: webhook.url) else { return }
        var request = URLRequest(url: url, timeoutInterval: Self.timeout)
        request.httpMethod = "POST"
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        request.setValue("\(await node.name)-\(line.sequence)", forHTTPHeaderField: "Idempotency-Key")
        if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
        request.httpBody = Data(line.text)
        var wait = Duration.milliseconds(500)
        var isReported = false
        while true {
            switch try await attempt(request, session) {
            case .taken:
                if isReported {
                    logger.notice("alerts are taken again", metadata: ["webhook": "\(webhook.name)"])
                }
                return
            case .refused(let status):
                logger.error(
                    "alert refused",
                    metadata: [
                        "webhook": "\(webhook.name)", "alert": "\(line.sequence)", "status": "\(status)",
                    ]
                )
                return
            case .later(let why):
                if !isReported {
                    logger.warning("alerts wait", metadata: ["webhook": "\(webhook.name)", "why": "\(why)"])
                }
                isReported = true
                try await Task.sleep(for: wait * Double.random(in: 0.5...1))
                wait = min(wait * 2, Self.waitMax)
            }
        }
    }

    private func attempt(_ request: URLRequest, _ session: URLSession) async throws -> Outcome {
        // Not the session's own asynchronous call: cancelled just when the answer comes, it can wait for itself for ever.
        let (answers, answer) = AsyncStream.makeStream(of: Outcome.self)
        session.dataTask(with: request) { _, response, error in
            answer.yield(Self.outcome(response, error))
            answer.finish()
        }.resume()
        for await outcome in answers { return outcome }
        throw CancellationError()
    }

    private static func outcome(_ response: URLResponse?, _ error: (any Error)?) -> Outcome {
        if let error { return .later("no answer: \((error as? URLError)?.code.rawValue ?? 0)") }
        guard let status = (response as? HTTPURLResponse)?.statusCode else { return .later("no HTTP answer") }
        switch status {
        case 200..<300: return .taken
        case 408, 425, 429: return .later("status \(status)")
        case 400..<500: return .refused(status)
        default: return .later("status \(status)")
        }
    }
}
