import NIOCore
import NIOPosix

/// What TCP has taken and not yet let go, because what went before is not acknowledged: after a loss, seconds' worth.
///
/// What lies there leaves all at once, so a budget can't be held without looking.
struct LineQueue {
    private let channel: any Channel

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

    init(of channel: any Channel) { self.channel = channel }

    /// Has the kernel take no more while something waits in it.
    static func bound(_ bootstrap: ClientBootstrap) -> ClientBootstrap {
        bootstrap.channelOption(
            ChannelOptions.Types.SocketOption(level: .tcp, name: unsentMax),
            value: 1
        )
    }

    /// Writes bytes, and returns when they have left.
    ///
    /// - Returns: whether they had to wait.
    func send(_ bytes: ArraySlice<UInt8>) async throws -> Bool {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
        var hasWaited = false
        while try await unsent() > 0 {
            hasWaited = true
            try await Task.sleep(for: Self.interval)
        }
        return hasWaited
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
