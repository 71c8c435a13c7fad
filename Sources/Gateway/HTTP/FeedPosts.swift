import ANPRModel
import Archive
import FeedDecoding
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// `POST /v1/feeds/{feed}`: reads in; answered once they are on stable storage.
struct FeedPosts: Sendable {
    let table: FeedTable
    let budget: IntakeBudget
    let logger: Logger

    /// Answers a post.
    ///
    /// - Parameter names: those in the client's certificate.
    func answer(_ request: Request, feed name: String, from names: Set<String>) async -> Response {
        do {
            let receipt = try await take(request, table.intake(name, for: request, from: names))
            return .json(Self.text(receipt))
        } catch let problem as Problem {
            return problem.response
        } catch {
            return Self.problem(error, feed: name, logger).response
        }
    }

    private static func text(_ receipt: FeedIntake.Receipt) -> String {
        "{\"received\":\(receipt.received),\"accepted\":\(receipt.accepted),\"rejected\":\(receipt.rejected)}"
    }

    static func problem(_ error: any Error, feed: String, _ logger: Logger) -> Problem {
        let isFull = (error as? StorageError)?.code == .full
        logger.warning("post not taken", metadata: ["feed": "\(feed)", "why": "\(error)"])
        return Problem(
            status: .serviceUnavailable,
            name: isFull ? "storage-full" : "not-stored",
            detail: isFull ? "the engine has no room on its disk" : "the engine could not store it",
            retryAfter: isFull ? 10 : 2
        )
    }

    private func take(_ request: Request, _ intake: FeedIntake) async throws -> FeedIntake.Receipt {
        let expected = request.headers[.contentLength].flatMap { Int($0) }
        if let expected, expected > intake.feed.bodyMax { throw Self.problem(.tooLong, intake) }
        let version = intake.version
        var body: PostedBody
        var broken: PostedBody.Fault?
        do throws(PostedBody.Fault) {
            body = try PostedBody(
                intake.decoder(),
                encoding: request.headers[.contentEncoding],
                expected: expected,
                lengthMax: intake.feed.bodyMax,
                budget: budget
            )
        } catch { throw Self.problem(error, intake) }
        defer { body.release() }
        do {
            for try await piece in request.body {
                do throws(PostedBody.Fault) {
                    if broken == nil { try body.take(piece) }
                } catch {
                    // What could be read before the damage is still taken; the rest is read past.
                    guard case .damaged = error else { throw Self.problem(error, intake) }
                    broken = error
                }
            }
        } catch let problem as Problem {
            throw problem
        } catch {
            throw Problem(
                status: .badRequest,
                name: "body-incomplete",
                detail: "the body did not come whole; nothing of it was taken"
            )
        }
        do throws(PostedBody.Fault) {
            if broken == nil { intake.recycle(try body.finish(), version: version) }
        } catch { broken = error }
        let receipt = try await intake.accept(body.batch)
        if let problem = Self.fault(of: body, broken, receipt) { throw problem }
        return receipt
    }

    /// What makes a body that was read to its end no body of its format.
    private static func fault(
        of body: PostedBody,
        _ broken: PostedBody.Fault?,
        _ receipt: FeedIntake.Receipt
    ) -> Problem? {
        var detail: String?
        if case .damaged(let why) = broken { detail = why }
        if let unusable = body.unusable { detail = unusable }
        if detail == nil, receipt.received > 0, receipt.accepted == 0,
            body.batch.refusals.allSatisfy({
                $0.reason == .malformed || $0.reason == .badUTF8 || $0.isContinuation
            })
        {
            detail = "nothing in the body is of the feed's format"
        }
        guard let detail else { return nil }
        return Problem(
            status: .badRequest,
            name: "body-unreadable",
            detail: detail,
            more: [
                "\"received\":\(receipt.received)", "\"accepted\":\(receipt.accepted)",
                "\"rejected\":\(receipt.rejected)",
            ]
        )
    }

    static var busy: Problem {
        Problem(
            status: .serviceUnavailable,
            name: "behind",
            detail: "the engine is behind; nothing of this body was taken",
            retryAfter: 1
        )
    }

    private static func problem(_ fault: PostedBody.Fault, _ intake: FeedIntake) -> Problem {
        switch fault {
        case .tooLong:
            Problem(
                status: .contentTooLarge,
                name: "body-too-long",
                detail: "a body of this feed may have \(intake.feed.bodyMax) bytes; nothing of it was taken"
            )
        case .noRoom: busy
        case .encodingUnknown:
            Problem(
                status: .unsupportedMediaType,
                name: "encoding-unknown",
                detail: "Content-Encoding may be gzip or deflate"
            )
        case .damaged(let why): Problem(status: .badRequest, name: "body-unreadable", detail: why)
        }
    }
}
