import Foundation
import Glibc

/// Asks a running node for something, over the socket in its data folder.
package enum ControlClient {
    /// Why there is no answer.
    package struct Failure: Error, CustomStringConvertible {
        /// What failed.
        package var description: String
    }

    /// Asks, and waits until it is done.
    ///
    /// - Parameter data: the node's data folder.
    /// - Throws: `Failure` when no node answers there, or the answer breaks off: the node may then have done it, in part or
    ///   whole, and the same may be asked again.
    package static func ask(_ request: ControlRequest, data: String) throws -> ControlAnswer {
        let place = try ControlSocket(data)
        defer { withExtendedLifetime(place) {} }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw failure("socket", data) }
        defer { close(descriptor) }
        guard connect(descriptor, to: place.path) == 0 else {
            throw failure("no daemon listens in this folder", data)
        }
        try send(Array(try JSONEncoder().encode(request)) + [0x0A], descriptor, data)
        let line = try receiveLine(descriptor, data)
        guard let answer = try? JSONDecoder().decode(ControlAnswer.self, from: Data(line)) else {
            throw Failure(description: "\(data): the daemon's answer is not of this version")
        }
        return answer
    }

    private static func connect(_ descriptor: Int32, to path: String) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8) + [0]
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { room in
            for (place, byte) in bytes.prefix(room.count).enumerated() { unsafe room[place] = byte }
        }
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    private static func send(_ bytes: [UInt8], _ descriptor: Int32, _ data: String) throws {
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
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("the daemon could not be asked", data) }
            sent += count
        }
    }

    private static func receiveLine(_ descriptor: Int32, _ data: String) throws -> [UInt8] {
        var line: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while line.last != 0x0A {
            let count = unsafe piece.withUnsafeMutableBytes {
                unsafe recv(descriptor, $0.baseAddress, $0.count, 0)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0, line.count < ControlAnswer.lineMax else {
                throw Failure(
                    description:
                        "\(data): the daemon ended before it was done; what it took is safe, the rest can be asked for again"
                )
            }
            line += piece[..<count]
        }
        return line
    }

    private static func failure(_ what: String, _ data: String) -> Failure {
        Failure(description: "\(data): \(what): \(unsafe String(cString: strerror(errno)))")
    }
}
