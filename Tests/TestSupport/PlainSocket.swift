import Glibc

/// A blocking TCP connection to this machine, for tests that speak a protocol byte by byte.
public final class PlainSocket {
    /// Why a connection broke.
    public struct Broken: Error {
        /// What failed.
        public let action: String

        /// A break.
        public init(action: String) { self.action = action }
    }

    private let descriptor: Int32
    private var received: [UInt8] = []

    /// Connects to a port.
    public init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port)).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let code = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else { throw Broken(action: "connect") }
        // Whoever waits for an answer that never comes is a failed test, not a hanging one.
        var patience = timeval(tv_sec: 60, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            unsafe setsockopt(
                descriptor,
                SOL_SOCKET,
                option,
                &patience,
                socklen_t(MemoryLayout<timeval>.size)
            )
        }
    }

    /// Takes over a connection that was accepted.
    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Whether something to receive, or the end, is there now.
    public var hasArrivals: Bool {
        if !received.isEmpty { return true }
        var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&wanted, 1, 0) > 0
    }

    /// Sends all bytes.
    public func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { all in
                unsafe Glibc.send(
                    descriptor,
                    all.baseAddress.map { unsafe $0 + sent },
                    bytes.count - sent,
                    Int32(MSG_NOSIGNAL)
                )
            }
            guard count > 0 else { throw Broken(action: "send") }
            sent += count
        }
    }

    /// Says that nothing more will be sent.
    public func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Receives what is there, waiting for something.
    ///
    /// - Returns: nothing at the end.
    public func receive() throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe bytes.withUnsafeMutableBytes { all in
            unsafe recv(descriptor, all.baseAddress, all.count, 0)
        }
        guard count >= 0 else { throw Broken(action: "receive") }
        return Array(bytes[0..<count])
    }

    /// The next line, without its line feed; `nil` at the end.
    public func line() throws -> String? {
        while true {
            if let end = received.firstIndex(of: 0x0A) {
                let line = String(decoding: received[..<end], as: UTF8.self)
                received.removeFirst(end + 1)
                return line
            }
            let more = try receive()
            if more.isEmpty { return nil }
            received += more
        }
    }

    /// Exactly so many bytes.
    public func bytes(_ count: Int) throws -> [UInt8] {
        while received.count < count {
            let more = try receive()
            guard !more.isEmpty else { throw Broken(action: "receive") }
            received += more
        }
        defer { received.removeFirst(count) }
        return Array(received[..<count])
    }
}

/// What an HTTP server answered.
public struct PlainResponse: Sendable {
    /// The status code.
    public var status: Int
    /// The header fields, names in lower case.
    public var headers: [String: String]
    /// The body.
    public var body: String
}

extension PlainSocket {
    /// Sends a request and waits for its answer; the connection stays open.
    public func request(
        _ method: String,
        _ path: String,
        headers: [String: String] = [:],
        body: [UInt8] = []
    ) throws -> PlainResponse {
        var head = "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(body.count)\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        try send(Array((head + "\r\n").utf8) + body)
        return try response()
    }

    /// Waits for an answer whose length is given.
    public func response() throws -> PlainResponse {
        guard let first = try line(), first.hasPrefix("HTTP/1.1 "),
            let status = Int(first.dropFirst(9).prefix(3))
        else {
            throw Broken(action: "read a status line")
        }
        let fields = try fields()
        let body = try bytes(Int(fields["content-length"] ?? "0") ?? 0)
        return PlainResponse(status: status, headers: fields, body: String(decoding: body, as: UTF8.self))
    }

    /// Receives header fields up to the blank line behind them; names in lower case.
    func fields() throws -> [String: String] {
        var fields: [String: String] = [:]
        while let line = try line(), line != "\r" {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            fields[parts[0].lowercased()] = String(parts[1].drop { $0 == " " }.filter { $0 != "\r" })
        }
        return fields
    }
}
