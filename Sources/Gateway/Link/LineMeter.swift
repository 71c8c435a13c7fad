package import NIOCore
import Synchronization

/// Counts what a connection puts on the line besides the pieces that it was given: TLS's handshake, which waits for no turn.
///
/// To be the first handler of a channel, so that it sees what goes to the socket.
package final class LineMeter: ChannelOutboundHandler, Sendable {
    package typealias OutboundIn = ByteBuffer

    /// What went less what was given; below zero while a piece waits for the handshake.
    private let excess = Atomic(0)
    private let recordOverhead: Int

    /// What TLS 1.3 adds to what is written at once: head, type and tag of a record.
    private static let record = 22

    /// A meter of a new connection.
    package init(isEncrypted: Bool) { recordOverhead = isEncrypted ? Self.record : 0 }

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        excess.add(unwrapOutboundIn(data).readableBytes, ordering: .relaxed)
        context.write(data, promise: promise)
    }

    /// Notes that a piece of so many bytes, of one record, is written.
    func expect(_ count: Int) { excess.subtract(count + recordOverhead, ordering: .relaxed) }

    /// Bytes beyond the pieces since this was asked last, once they have gone.
    func besides() -> Int {
        let count = excess.load(ordering: .relaxed)
        guard count > 0 else { return 0 }
        excess.subtract(count, ordering: .relaxed)
        return count
    }
}
