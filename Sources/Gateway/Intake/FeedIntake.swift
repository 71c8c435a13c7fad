package import ANPRModel
package import Archive
package import FeedDecoding
import Foundation
import Synchronization

/// A live feed: decoders that know its rules, and its way into the node.
///
/// Decoders share the register's tables until they are used, so that one for every connection costs little.
package final class FeedIntake: Sendable {
    /// What became of a batch: the feed's account of it.
    package struct Receipt: Sendable, Equatable {
        /// Records met.
        package var received: Int
        /// Reads taken, repeats included: those fall out in deduplication.
        package var accepted: Int
        /// Records in quarantine.
        package var rejected: Int
    }

    /// The feed as configured.
    package let feed: NodeConfiguration.Feed
    private let node: NodeService
    private let index: FeedIndex
    private let futureSkew: Int64
    private let prototype: FeedDecoder
    private let spare = Mutex<[FeedDecoder]>([])

    /// So many used decoders are kept for the next posts.
    private static let spareMax = 64

    /// A feed of a node.
    package init(_ feed: NodeConfiguration.Feed, of configuration: NodeConfiguration, node: NodeService)
        async throws
    {
        self.feed = feed
        self.node = node
        futureSkew = configuration.futureSkew
        index = try await node.feed(feed.name)
        prototype = FeedDecoder(
            format: feed.format ?? .ndjson,
            register: await node.register,
            rules: feed.rules(latest: .latest)
        )
    }

    /// A decoder at the start of a feed's bytes.
    package func decoder() -> FeedDecoder {
        var decoder = spare.withLock { $0.popLast() } ?? prototype
        decoder.refuse(after: latest)
        return decoder
    }

    /// Takes a decoder back that has come to the end of its bytes.
    package func recycle(_ decoder: FeedDecoder) {
        guard let decoder = decoder.restarted() else { return }
        spare.withLock { if $0.count < Self.spareMax { $0.append(decoder) } }
    }

    /// No read may be later than this now.
    package var latest: Timestamp {
        Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000) + futureSkew)
    }

    /// Takes a batch in; it is on stable storage when this returns.
    package func accept(_ batch: DecodedBatch) async throws -> Receipt {
        if batch.received > 0 { try await node.accept(batch, from: index, named: feed.name) }
        return Receipt(received: batch.received, accepted: batch.reads.count, rejected: batch.rejected)
    }

    /// Takes a batch of a file in, with the place in it that is safe then.
    package func accept(_ batch: DecodedBatch, at progress: FeedProgress) async throws {
        try await node.accept(batch, from: index, named: feed.name, progress: progress)
    }

    /// How far the file that came last was taken in.
    package func progress() async -> FeedProgress? { await node.progress(of: index) }

    /// Notes that nothing more will come.
    package func ended() async throws { try await node.ended(index) }

    /// The cameras, for decoders that live longer than a batch.
    package func register() async -> CameraRegister { await node.register }
}

extension NodeConfiguration.Feed {
    /// What decoders of the feed hold its records against.
    func rules(latest: Timestamp) -> FeedRules {
        FeedRules(forces: forces, timeZone: timeZone.flatMap(LocalTimeZone.named), latest: latest)
    }
}
