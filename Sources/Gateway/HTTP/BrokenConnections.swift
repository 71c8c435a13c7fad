import NIOCore

/// Lets go of connections whose bytes are no HTTP.
///
/// The server answers those and then waits for the client to close; one that doesn't would keep its place, and what it
/// sent unread, until it counts as idle.
final class BrokenConnections: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    /// Time enough for the answer to arrive.
    private static let grace = TimeAmount.seconds(1)

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let channel = context.channel
        context.eventLoop.scheduleTask(in: Self.grace) { channel.close(promise: nil) }
        context.fireErrorCaught(error)
    }
}
