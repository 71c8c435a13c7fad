import Foundation
import Glibc
import Synchronization

/// A small HTTP server that keeps what is posted to it, for tests of those who post.
public final class HookServer: Sendable {
    /// A request that was answered.
    public struct Post: Sendable {
        /// The header fields, names in lower case.
        public var headers: [String: String]
        /// The body.
        public var body: String
        /// The status it was answered with.
        public var status: Int
    }

    /// The port it listens on.
    public let port: Int
    private let descriptor: Int32
    private let book: Book

    /// What came, and how to answer; outlives the server for connections that are still open.
    private final class Book: Sendable {
        let posts = Mutex<[Post]>([])
        let statuses: Mutex<[Int]>

        init(_ statuses: [Int]) { self.statuses = Mutex(statuses) }

        func serve(_ socket: PlainSocket) {
            while let (headers, body) = try? socket.post() {
                let status = statuses.withLock { $0.isEmpty ? 204 : $0.removeFirst() }
                posts.withLock { $0.append(Post(headers: headers, body: body, status: status)) }
                let answer = "HTTP/1.1 \(status) Status\r\nContent-Length: 0\r\n\r\n"
                guard (try? socket.send(Array(answer.utf8))) != nil else { return }
            }
        }
    }

    /// Listens on a port that the system chooses.
    ///
    /// - Parameter statuses: how the first requests are answered; all that follow with 204.
    public init(statuses: [Int] = []) throws {
        book = Book(statuses)
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let (code, listening, named) = unsafe withUnsafeMutablePointer(to: &address) { [descriptor] pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                (
                    unsafe bind(descriptor, $0, length), listen(descriptor, 16),
                    unsafe getsockname(descriptor, $0, &length)
                )
            }
        }
        guard code == 0, listening == 0, named == 0 else { throw PlainSocket.Broken(action: "listen") }
        port = Int(UInt16(bigEndian: address.sin_port))
        let accepting = descriptor
        Thread.detachNewThread { [book] in
            while true {
                let accepted = accept(accepting, nil, nil)
                guard accepted >= 0 else { return }
                Thread.detachNewThread { book.serve(PlainSocket(accepted)) }
            }
        }
    }

    deinit {
        shutdown(descriptor, Int32(SHUT_RDWR))
        close(descriptor)
    }

    /// All that was posted so far.
    public var received: [Post] { book.posts.withLock { $0 } }
}

extension PlainSocket {
    /// Receives a request with its body.
    fileprivate func post() throws -> (headers: [String: String], body: String) {
        guard let first = try line(), first.contains(" HTTP/1.1") else {
            throw Broken(action: "read a request")
        }
        let headers = try fields()
        let body = try bytes(Int(headers["content-length"] ?? "0") ?? 0)
        return (headers, String(decoding: body, as: UTF8.self))
    }
}
