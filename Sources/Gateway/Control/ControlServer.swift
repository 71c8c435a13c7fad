import Access
import Archive
import Foundation
import Glibc
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// A running node's ear for those who work on its machine: the socket `control` in its data folder.
///
/// Only the node's own user and root can open it; who asks is what the kernel says of the other end.
struct ControlServer: Service {
    let data: String
    let desk: ReplayDesk
    let images: ImageDesk
    let logger: Logger

    private typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    func run() async throws {
        let server: NIOAsyncChannel<Connection, Never>
        do {
            server = try await listen()
        } catch {
            // A file system that knows no sockets is no reason not to take reads.
            logger.warning(
                "no quarantine replay and no images of gateways while this daemon runs",
                metadata: ["why": "\(error)"]
            )
            return try await gracefulShutdown()
        }
        defer { unsafe unlink("\(data)/\(ControlSocket.name)") }
        try await serveConnections(of: server) { await serve($0) }
    }

    private func listen() async throws -> NIOAsyncChannel<Connection, Never> {
        let place = try ControlSocket(data)
        defer { withExtendedLifetime(place) {} }
        // What a daemon that was killed left there: the folder is this process's alone.
        try DataFolder.remove("\(data)/\(ControlSocket.name)")
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(unixDomainSocketPath: place.path) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try Connection(wrappingChannelSynchronously: channel)
                }
            }
        guard unsafe chmod("\(data)/\(ControlSocket.name)", 0o600) == 0 else {
            try await server.channel.close()
            throw StorageError(.system, "\(data)/\(ControlSocket.name): can't be kept to its owner")
        }
        return server
    }

    private func serve(_ connection: Connection) async {
        do {
            let actor = try await PeerCredentials.of(connection.channel).name
            try await connection.executeThenClose { inbound, outbound in
                var line: [UInt8] = []
                for try await piece in inbound {
                    line += piece.readableBytesView
                    guard line.last != 0x0A else { break }
                    guard line.count < ControlAnswer.lineMax else { return }
                }
                let answer = await answer(line, from: actor)
                try await outbound.write(ByteBuffer(bytes: try answer.line()))
            }
        } catch {
            logger.info("control connection ended", metadata: ["why": "\(error)"])
        }
    }

    private func answer(_ line: [UInt8], from actor: String) async -> ControlAnswer {
        guard let request = try? JSONDecoder().decode(ControlRequest.self, from: Data(line)) else {
            return ControlAnswer(error: "the request is not of this version")
        }
        do {
            if let replay = request.replay {
                return ControlAnswer(report: try await desk.replay(replay, actor: actor))
            }
            guard let image = request.image else {
                return ControlAnswer(error: "the request is not of this version")
            }
            switch try await images.fetch(image, actor: actor) {
            case .stored: return ControlAnswer(isStored: true)
            case .missing(let reason): return ControlAnswer(isStored: false, missing: reason)
            }
        } catch is CancellationError {
            return ControlAnswer(
                error: "it was told to stop; what it took is safe, the rest can be asked for again"
            )
        } catch {
            return ControlAnswer(error: "\(error)")
        }
    }
}

/// Who is at the other end of a socket on this machine.
private struct PeerCredentials {
    /// As the kernel gives it.
    private struct Raw: Sendable {
        var process: Int32 = 0
        var user: UInt32 = 0
        var group: UInt32 = 0
    }

    let user: UInt32

    static func of(_ channel: any Channel) async throws -> PeerCredentials {
        guard let provider = channel as? any SocketOptionProvider else {
            throw StorageError(.system, "who asks can't be told")
        }
        let raw: Raw = try await provider.unsafeGetSocketOption(
            level: .socket,
            name: .init(rawValue: SO_PEERCRED)
        ).get()
        return PeerCredentials(user: raw.user)
    }

    /// The login name, from the system.
    var name: String {
        guard let entry = unsafe getpwuid(user) else { return "uid \(user)" }
        return unsafe String(cString: entry.pointee.pw_name)
    }
}
