package import NIOCore
import NIOPosix
import NIOSSL

/// What TCP has taken and not yet let go, because what went before is not acknowledged: after a loss, seconds' worth.
///
/// What lies there leaves all at once, so a budget can't be held without looking.
package struct LineQueue {
    private let channel: any Channel
    private let meter: LineMeter?

    /// How a piece left.
    package struct Departure: Sendable, Equatable {
        /// Whether it had to wait for what went before.
        package var wasHeldUp: Bool
        /// Bytes that went and are nobody's piece, since this was told last: TLS's handshake.
        package var besides: Int
    }

    /// What the kernel tells of a connection (`struct tcp_info` of Linux), as far as it is looked at.
    private struct Information {
        var before: InlineArray<18, UInt64> = .init(repeating: 0)
        /// Bytes not sent yet (Linux 4.6 and later), 144 bytes in.
        var unsent: UInt32 = 0
        var between: UInt32 = 0
    }

    /// `TCP_INFO` and `TCP_NOTSENT_LOWAT` of Linux.
    private static let information = NIOBSDSocket.Option(rawValue: 11)
    private static let unsentMax = NIOBSDSocket.Option(rawValue: 25)
    private static let interval = Duration.milliseconds(4)

    /// The queue of a connection.
    ///
    /// - Parameter meter: the first of its handlers, if what goes besides the pieces is to be known.
    package init(of channel: any Channel, meter: LineMeter? = nil) {
        self.channel = channel
        self.meter = meter
    }

    /// Has the kernel take no more while something waits in it.
    static func bound(_ bootstrap: ClientBootstrap) -> ClientBootstrap {
        bootstrap.channelOption(
            ChannelOptions.Types.SocketOption(level: .tcp, name: unsentMax),
            value: 1
        )
    }

    /// Writes bytes, and returns when they have left.
    package func send(_ bytes: ArraySlice<UInt8>) async throws -> Departure {
        meter?.expect(bytes.count)
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
        var departure = Departure(wasHeldUp: false, besides: 0)
        while try await unsent() > 0 {
            departure.wasHeldUp = true
            try await Task.sleep(for: Self.interval)
        }
        departure.besides = besides()
        return departure
    }

    /// Bytes that went and are nobody's piece, since this was told last.
    package func besides() -> Int { meter?.besides() ?? 0 }

    /// Gives the connection up, and all that waits in it.
    ///
    /// Closed in the usual way, the kernel would go on sending what it took for a quarter of an hour, and TLS would wait for
    /// the other end's good-bye first: on a line that is back after a cut, beside the connection that sends it all again,
    /// and outside the budget.
    package func abandon() async throws {
        if let provider = channel as? any SocketOptionProvider {
            try await provider.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        }
        try await channel.eventLoop.submit { [channel] in
            let operations = channel.pipeline.syncOperations
            guard let secure = try? operations.context(handlerType: NIOSSLClientHandler.self) else {
                return channel.close(promise: nil)
            }
            // From its context on: the handler itself is passed by.
            secure.close(promise: nil)
        }.get()
    }

    /// Bytes that wait in the kernel; 0 where it does not tell.
    private func unsent() async throws -> UInt32 {
        guard let provider = channel as? any SocketOptionProvider else { return 0 }
        let information: Information = try await provider.unsafeGetSocketOption(
            level: .tcp,
            name: Self.information
        ).get()
        return information.unsent
    }
}
