import ANPRModel
import HTTPTypes
import Hummingbird
import NIOCore

/// Why a request was refused, as RFC 9457 writes it; `type` never changes its meaning.
struct Problem: Error {
    var status: HTTPResponse.Status
    /// The last part of the type.
    var name: String
    /// What is wrong, for people; never a mark.
    var detail: String
    /// When to come again, in seconds.
    var retryAfter: Int?
    /// More members, as JSON: `"name":value`.
    var more: [String] = []

    var response: Response {
        var members = [
            "\"type\":\"urn:anpr:problem:\(name)\"", "\"title\":\(JSONText.quoted(status.reasonPhrase))",
            "\"status\":\(status.code)", "\"detail\":\(JSONText.quoted(detail))",
        ]
        members += more
        var headers: HTTPFields = [.contentType: "application/problem+json"]
        if let retryAfter { headers[.retryAfter] = "\(retryAfter)" }
        if status == .unauthorized { headers[.wwwAuthenticate] = "Bearer" }
        let body = ByteBuffer(string: "{\(members.joined(separator: ","))}\n")
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: body))
    }
}

extension Response {
    /// An answer that is JSON.
    static func json(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status,
            headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text + "\n"))
        )
    }
}
