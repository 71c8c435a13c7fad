import Foundation
import Glibc

/// Tells the service manager how the daemon stands, by the datagrams that systemd reads; silent where there is none.
struct Notifier: Sendable {
    private let path: String?

    /// Takes the socket's name from the environment.
    init(_ environment: [String: String] = ProcessInfo.processInfo.environment) {
        path = environment["NOTIFY_SOCKET"].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Sends one state, such as `READY=1`.
    func tell(_ state: String) {
        guard let path else { return }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // A name that begins with @ has no file: its first byte is zero.
        let name = Array(path.utf8)
        let bytes = name.first == UInt8(ascii: "@") ? [0] + name.dropFirst() : name
        let isFitting = unsafe withUnsafeMutableBytes(of: &address.sun_path) { target in
            guard bytes.count < target.count else { return false }
            unsafe target.copyBytes(from: bytes)
            return true
        }
        guard isFitting else { return }
        let text = Array(state.utf8)
        let length = MemoryLayout<sa_family_t>.size + bytes.count
        _ = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe sendto(descriptor, text, text.count, Int32(MSG_NOSIGNAL), $0, socklen_t(length))
            }
        }
    }
}
