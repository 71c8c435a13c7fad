import NIOCore
import ServiceLifecycle

/// Serves each connection of a listening socket in a task of its own, until the service is told to stop.
///
/// A stop ends the listening and cancels what is being served.
///
/// - Parameters:
///   - server: the listening socket, closed when this returns.
///   - serve: serves one connection to its end; its faults are its own.
func serveConnections<Inbound: Sendable, Outbound: Sendable>(
    of server: NIOAsyncChannel<NIOAsyncChannel<Inbound, Outbound>, Never>,
    _ serve: @escaping @Sendable (NIOAsyncChannel<Inbound, Outbound>) async -> Void
) async throws {
    do {
        try await cancelWhenGracefulShutdown {
            try await server.executeThenClose { connections in
                try await withThrowingDiscardingTaskGroup { group in
                    for try await connection in connections {
                        group.addTask { await serve(connection) }
                    }
                }
            }
        }
    } catch is CancellationError {}
}
