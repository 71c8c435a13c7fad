import ANPRModel
import Archive
import Crypto
import FeedDecoding
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// `POST /bof2/services/inputcapturewebservice`: the capture service of the UK back office, so that a reader built for it
/// can be pointed here unchanged.
///
/// `sendCompactCapture`, `sendCompoundCapture` (up to 50) and `sendCapture`. An empty result means that the captures are on
/// stable storage, as reads or, where they were refused, in quarantine: a reader that sent them again would only be
/// refused again. Any other result says why nothing was taken.
struct CaptureService: Sendable {
    let table: FeedTable
    let budget: IntakeBudget
    let logger: Logger

    private static let bodyMax = 8 << 20

    /// Answers a call.
    func answer(_ request: Request) async -> Response {
        do {
            let expected = request.headers[.contentLength].flatMap { Int($0) } ?? Self.bodyMax
            let room = min(max(expected, 0), Self.bodyMax)
            guard budget.take(room) else { throw FeedPosts.busy }
            defer { budget.giveBack(room) }
            let body: ByteBuffer
            do {
                body = try await request.body.collect(upTo: Self.bodyMax)
            } catch is NIOTooManyBytesError {
                throw Problem(
                    status: .contentTooLarge,
                    name: "body-too-long",
                    detail: "a call may have \(Self.bodyMax) bytes"
                )
            } catch {
                throw Problem(
                    status: .badRequest,
                    name: "body-incomplete",
                    detail: "the call did not come whole; nothing of it was taken"
                )
            }
            let call = try CaptureCall(Array(body.readableBytesView))
            return Self.envelope(call.operation, try await take(call))
        } catch let problem as Problem {
            return problem.response
        } catch {
            return FeedPosts.problem(error, feed: "bof2", logger).response
        }
    }

    /// Takes a call's captures in.
    ///
    /// - Returns: the result: empty when all are safe.
    private func take(_ call: CaptureCall) async throws -> String {
        guard !call.captures.isEmpty else { return "no capture in the call" }
        guard call.captures.count <= CaptureCall.capturesMax else {
            return "at most \(CaptureCall.capturesMax) captures in a call"
        }
        guard Set(call.captures.map(\.signature)).count == 1, let signature = call.captures.first?.signature,
            let intake = table.captureFeed(hash: Array(SHA256.hash(data: Array(signature.utf8))))
        else { return "the signature is not known" }
        var buffer = FeedBuffer(capacity: 4096)
        for capture in call.captures { buffer.append(Array(capture.line.utf8) + [0x0A]) }
        var decoder = intake.decoder()
        var batch = DecodedBatch()
        decoder.decode(&buffer, isFinal: true, into: &batch)
        _ = try await intake.accept(batch)
        return ""
    }

    private static func envelope(_ operation: String, _ result: String) -> Response {
        let escaped = result.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
        let text = """
            <?xml version="1.0" encoding="UTF-8"?>
            <soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>\
            <\(operation)Response><\(operation)Return>\(escaped)</\(operation)Return></\(operation)Response>\
            </soapenv:Body></soapenv:Envelope>

            """
        return Response(
            status: .ok,
            headers: [.contentType: "text/xml; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text))
        )
    }
}

/// A call of the capture service, taken apart.
struct CaptureCall {
    /// One capture: its secret, and the compact line without it.
    struct Capture {
        var signature: String
        var line: String
    }

    /// The most captures in one call.
    static let capturesMax = 50

    /// The operation's name.
    private(set) var operation: String
    /// Its captures, in order.
    private(set) var captures: [Capture] = []

    /// The order of a compact capture's values, as `sendCapture` names them.
    private static let names = [
        "signature", "username", "vrm", "feed", "source", "camera", "captureDate", "latitude", "longitude",
        "cameraPresetPosition", "cameraPan", "cameraTilt", "cameraZoom", "confidencePercentage",
        "motionTowardCamera",
    ]

    /// Takes a SOAP envelope apart.
    init(_ bytes: [UInt8]) throws(Problem) {
        let envelope: DocumentNode
        do throws(ReadRefusal) {
            envelope = try DocumentNode(xml: bytes)
        } catch { throw Self.unreadable("the body is no XML document") }
        guard let body = Self.member("Body", of: envelope), case .object(let calls) = body,
            let call = calls.first(where: { !$0.name.hasPrefix("@") })
        else { throw Self.unreadable("the body is no SOAP envelope with a call") }
        operation = call.name
        switch operation {
        case "sendCompactCapture", "sendCompoundCapture":
            for text in Self.texts(of: call.value) { captures.append(Self.capture(of: text)) }
        case "sendCapture":
            let values = Self.names.map {
                Self.member($0, of: call.value).flatMap { Self.texts(of: $0).first } ?? ""
            }
            // A line end or a bar inside a value would make it another capture.
            guard !values.contains(where: { $0.contains("|") || $0.contains("\n") }) else {
                throw Self.unreadable("a value holds a bar or a line end")
            }
            captures = [Self.capture(of: values.joined(separator: "|"))]
        default: throw Self.unreadable("the operation is not known")
        }
    }

    private static func unreadable(_ why: String) -> Problem {
        Problem(status: .badRequest, name: "body-unreadable", detail: why)
    }

    /// Parts the secret from the line, so that it is nowhere kept.
    private static func capture(of text: String) -> Capture {
        guard let bar = text.firstIndex(of: "|") else { return Capture(signature: "", line: text) }
        return Capture(signature: String(text[..<bar]), line: String(text[bar...]))
    }

    private static func member(_ name: String, of node: DocumentNode) -> DocumentNode? {
        guard case .object(let members) = node else { return nil }
        return members.first { $0.name == name }?.value
    }

    /// The texts in a node, attributes left out, in order.
    private static func texts(of node: DocumentNode) -> [String] {
        switch node {
        case .text(let text): text.isEmpty ? [] : text.split(separator: "\n").map(String.init)
        case .number(let text): [text]
        case .array(let items): items.flatMap(texts)
        case .object(let members): members.filter { !$0.name.hasPrefix("@") }.flatMap { texts(of: $0.value) }
        case .boolean, .null: []
        }
    }
}
