import ANPRModel
import Archive
import FeedDecoding
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// A feed over TCP: bytes in the feed's format, from any number of connections.
///
/// What the node can't take is not read, so a sender feels a slow disk as a full socket. A sender that must know what is
/// safe asks for acknowledgements: a line with the number of bytes of this connection that are on stable storage, after
/// each sync; on another connection it sends again what was not acknowledged, and that counts once.
struct LineIntake: Service {
    let intake: FeedIntake
    let address: NodeConfiguration.Address
    let acknowledges: Bool
    let logger: Logger
    /// Called with the port once it is bound.
    let onBound: @Sendable (Int) -> Void

    private typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    /// So many decoded reads are taken in at a time at the most.
    private static let pieceMax = 1 << 17

    func run() async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.backlog, value: 1024)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 4096, maximum: Self.pieceMax)
            )
            .bind(host: address.host, port: address.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try Connection(
                        wrappingChannelSynchronously: channel,
                        configuration: .init(isOutboundHalfClosureEnabled: true)
                    )
                }
            }
        let port = server.channel.localAddress?.port ?? address.port
        logger.info("listening", metadata: ["feed": "\(intake.feed.name)", "port": "\(port)"])
        onBound(port)
        try await serveConnections(of: server) { await serve($0) }
    }

    private func serve(_ connection: Connection) async {
        do {
            try await connection.executeThenClose { inbound, outbound in
                var stream = LineStream(intake)
                for try await piece in inbound {
                    try await takeWhenPossible(&stream, piece)
                    if acknowledges { try await outbound.write(Self.acknowledgement(stream.safe)) }
                }
                try await stream.finish()
                if acknowledges { try await outbound.write(Self.acknowledgement(stream.safe)) }
            }
        } catch {
            logger.info("connection ended", metadata: ["feed": "\(intake.feed.name)", "why": "\(error)"])
        }
    }

    /// Tries until the node has room: a socket that is not read is all that a sender notices.
    private func takeWhenPossible(_ stream: inout LineStream, _ piece: ByteBuffer) async throws {
        stream.decode(piece)
        while true {
            do {
                return try await stream.accept()
            } catch let error as StorageError where error.code == .full {
                logger.warning(
                    "feed held back",
                    metadata: ["feed": "\(intake.feed.name)", "why": "\(error)"]
                )
                try await Task.sleep(for: .seconds(1))
            }
        }
    }

    private static func acknowledgement(_ bytes: UInt64) -> ByteBuffer { ByteBuffer(string: "\(bytes)\n") }
}

/// One connection's bytes on their way through a decoder.
struct LineStream {
    private let intake: FeedIntake
    private var decoder: FeedDecoder
    private var buffer = FeedBuffer(capacity: 512)
    private var batch = DecodedBatch()
    private var version: Int
    /// How many bytes from the start are on stable storage, as reads or in quarantine.
    private(set) var safe: UInt64 = 0

    init(_ intake: FeedIntake) {
        self.intake = intake
        version = intake.version
        decoder = intake.decoder()
    }

    /// Decodes what a piece completes.
    mutating func decode(_ piece: ByteBuffer) {
        let now = intake.version
        if now != version { intake.renew(&decoder) }
        version = now
        decoder.refuse(after: intake.latest)
        let count = piece.readableBytes
        unsafe piece.withUnsafeReadableBytes { source in
            _ = unsafe buffer.fill(upTo: count) { target in
                unsafe target.copyMemory(from: source)
                return count
            }
        }
        decoder.decode(&buffer, isFinal: false, into: &batch)
    }

    /// Takes what was decoded in; may be called again when it throws.
    mutating func accept() async throws {
        _ = try await intake.accept(batch)
        batch.removeAll()
        safe = decoder.position.offset
    }

    /// Takes in what stands behind the last line end.
    mutating func finish() async throws {
        decoder.decode(&buffer, isFinal: true, into: &batch)
        try await accept()
    }
}
