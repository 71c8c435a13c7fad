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
///
/// `POST /bof2/services/inputbinarydatawebservice` takes `addBinaryCaptureData`: an image of a capture, which may come before it,
/// after it, or twice. An empty result means that the image is on stable storage; any other, that nothing has changed.
struct CaptureService: Sendable {
    let table: FeedTable
    let budget: IntakeBudget
    let logger: Logger

    private static let bodyMax = 8 << 20

    /// Answers a call.
    ///
    /// - Parameter operations: those of the service that is called.
    func answer(_ request: Request, operations: Set<String> = CaptureCall.captureOperations) async
        -> Response
    {
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
            let call = try CaptureCall(Array(body.readableBytesView), operations)
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
        let rules = intake.feed.images
        if CaptureCall.binaryOperations.contains(call.operation) {
            if let refusal = Self.takeAlone(call.images, &batch, rules) { return refusal }
        } else if let read = batch.reads.first {
            for image in call.images {
                batch.take(base64: image.text.span, image.text.indices, image.kind, of: read, rules)
            }
        }
        _ = try await intake.accept(batch)
        return ""
    }

    /// Leaves in a batch nothing but the image of its one capture.
    ///
    /// - Returns: why that can't be, if it can't.
    private static func takeAlone(
        _ images: [CaptureCall.Image],
        _ batch: inout DecodedBatch,
        _ rules: ImageRules
    ) -> String? {
        guard let read = batch.reads.first else {
            return
                "the capture that is named can't be one: \(batch.refusals.first?.reason.name ?? "no plate")"
        }
        guard let image = images.first else {
            return "binaryDataType is neither P nor C, or there is no binaryImage"
        }
        guard rules.lengthMax(image.kind) > 0 else { return "images of this type are not kept here" }
        guard batch.take(base64: image.text.span, image.text.indices, image.kind, of: read, rules) else {
            return "the image is longer than \(rules.lengthMax(image.kind)) bytes, not base 64 or no JPEG"
        }
        batch.keepImagesAlone()
        return nil
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

    /// An image of the call's one capture, as base 64.
    struct Image {
        var kind: ImageKind
        var text: [UInt8]
    }

    /// The most captures in one call.
    static let capturesMax = 50
    /// The operations of the capture service.
    static let captureOperations: Set = ["sendCompactCapture", "sendCompoundCapture", "sendCapture"]
    /// The operations of the binary data service.
    static let binaryOperations: Set = ["addBinaryCaptureData"]

    /// The operation's name.
    private(set) var operation: String
    /// Its captures, in order.
    private(set) var captures: [Capture] = []
    /// Its images, of a call of one capture.
    private(set) var images: [Image] = []

    /// The order of a compact capture's values, as `sendCapture` names them.
    private static let names = [
        "signature", "username", "vrm", "feed", "source", "camera", "captureDate", "latitude", "longitude",
        "cameraPresetPosition", "cameraPan", "cameraTilt", "cameraZoom", "confidencePercentage",
        "motionTowardCamera",
    ]

    /// The same of an image's capture, which is named by its identity alone.
    private static let binaryNames = [
        "signature", "username", "vrm", "feedIdentifier", "sourceIdentifier", "cameraIdentifier",
        "captureTime",
    ]

    /// Takes a SOAP envelope apart.
    ///
    /// - Parameter operations: those that are known.
    init(_ bytes: [UInt8], _ operations: Set<String>) throws(Problem) {
        let envelope: DocumentNode
        do throws(ReadRefusal) {
            envelope = try DocumentNode(xml: bytes)
        } catch { throw Self.unreadable("the body is no XML document") }
        guard let body = Self.member("Body", of: envelope), case .object(let calls) = body,
            let call = calls.first(where: { !$0.name.hasPrefix("@") })
        else { throw Self.unreadable("the body is no SOAP envelope with a call") }
        operation = call.name
        guard operations.contains(operation) else { throw Self.unreadable("the operation is not known") }
        switch operation {
        case "sendCompactCapture", "sendCompoundCapture":
            for text in Self.texts(of: call.value) { captures.append(Self.capture(of: text)) }
        case "sendCapture":
            captures = [try Self.capture(Self.names, of: call.value)]
            takeImage("plateImage", .plate, of: call.value)
            takeImage("overviewImage", .overview, of: call.value)
        default:
            captures = [try Self.capture(Self.binaryNames, of: call.value)]
            switch Self.member("binaryDataType", of: call.value)?.word {
            case "P": takeImage("binaryImage", .plate, of: call.value)
            case "C": takeImage("binaryImage", .overview, of: call.value)
            default: break
            }
        }
    }

    private mutating func takeImage(_ name: String, _ kind: ImageKind, of call: DocumentNode) {
        guard let text = Self.member(name, of: call)?.word, !text.isEmpty else { return }
        images.append(Image(kind: kind, text: Array(text.utf8)))
    }

    /// A capture whose values are members of the call.
    private static func capture(_ names: [String], of call: DocumentNode) throws(Problem) -> Capture {
        let values = names.map { member($0, of: call).flatMap { texts(of: $0).first } ?? "" }
        // A line end or a bar inside a value would make it another capture.
        guard !values.contains(where: { $0.contains("|") || $0.contains("\n") }) else {
            throw unreadable("a value holds a bar or a line end")
        }
        return capture(of: values.joined(separator: "|"))
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
