import FeedDecoding
import Foundation
import Logging
import ServiceLifecycle

/// A feed from standard input, until it ends.
struct InputIntake: Service {
    let intake: FeedIntake
    let logger: Logger

    private static let chunks = 4
    private static let chunkSize = 1 << 16

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await takeAll() }
        } catch is CancellationError {}
        logger.info("standard input has ended", metadata: ["feed": "\(intake.feed.name)"])
        // The other sources go on.
        try await gracefulShutdown()
    }

    private func takeAll() async throws {
        let file = try FeedFile(
            path: "-",
            name: intake.feed.name,
            format: intake.feed.format,
            register: await intake.register(),
            rules: intake.feed.rules(latest: intake.latest)
        )
        // So many batches may be read ahead of the node.
        let room = DispatchSemaphore(value: Self.chunks)
        for try await batch in Self.batches(of: file, room) {
            _ = try await intake.accept(batch)
            room.signal()
        }
        try await intake.ended()
    }

    /// Reads on a thread of its own: a read from a terminal may wait for ever.
    private static func batches(of file: FeedFile, _ room: DispatchSemaphore) -> AsyncThrowingStream<
        DecodedBatch, any Error
    > {
        let (stream, continuation) = AsyncThrowingStream<DecodedBatch, any Error>.makeStream(
            bufferingPolicy: .unbounded
        )
        nonisolated(unsafe) let owned = file
        Thread.detachNewThread {
            do throws(FeedFile.Failure) {
                while unsafe !owned.isFinished {
                    room.wait()
                    var batch = DecodedBatch()
                    _ = try unsafe owned.decodeChunk(chunkSize, into: &batch)
                    continuation.yield(batch)
                }
                continuation.finish()
            } catch { continuation.finish(throwing: error) }
        }
        return stream
    }
}
