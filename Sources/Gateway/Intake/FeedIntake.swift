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

    private struct State {
        var feed: NodeConfiguration.Feed
        var prototype: FeedDecoder
        var spare: [FeedDecoder] = []
        /// Rises with each change of rules or cameras.
        var version = 0
    }

    private let node: NodeService
    private let alerts: AlertService?
    private let index: FeedIndex
    private let name: String
    private let futureSkew: Int64
    private let state: Mutex<State>

    /// So many used decoders are kept for the next posts.
    private static let spareMax = 64

    /// A feed of a node.
    ///
    /// - Parameter alerts: who looks out for vehicles of interest in what it brings.
    init(
        _ feed: NodeConfiguration.Feed,
        of configuration: NodeConfiguration,
        node: NodeService,
        alerts: AlertService?
    ) async throws {
        self.node = node
        self.alerts = alerts
        name = feed.name
        futureSkew = configuration.futureSkew
        index = try await node.feed(feed.name)
        state = Mutex(State(feed: feed, prototype: feed.decoder(await node.cameras)))
    }

    /// The feed as configured now.
    package var feed: NodeConfiguration.Feed { state.withLock { $0.feed } }

    /// Takes over other rules, and the cameras that the node knows now.
    package func update(_ feed: NodeConfiguration.Feed) async {
        let prototype = feed.decoder(await node.cameras)
        state.withLock { $0 = State(feed: feed, prototype: prototype, version: $0.version + 1) }
    }

    /// Rises with each change, so that decoders that live long know of it.
    package var version: Int { state.withLock { $0.version } }

    /// A decoder at the start of a feed's bytes.
    package func decoder() -> FeedDecoder {
        var decoder = state.withLock { $0.spare.popLast() ?? $0.prototype }
        decoder.refuse(after: latest)
        return decoder
    }

    /// Takes a decoder back that has come to the end of its bytes.
    ///
    /// - Parameter version: of the feed when the decoder was given out.
    package func recycle(_ decoder: FeedDecoder, version: Int) {
        guard let decoder = decoder.restarted() else { return }
        state.withLock { state in
            guard state.version == version, state.spare.count < Self.spareMax else { return }
            state.spare.append(decoder)
        }
    }

    /// Gives a decoder in the midst of its bytes the rules and cameras that hold now.
    package func renew(_ decoder: inout FeedDecoder) {
        decoder.adopt(state.withLock { $0.prototype })
    }

    /// No read may be later than this now.
    package var latest: Timestamp {
        Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000) + futureSkew)
    }

    /// Takes a batch in; it is on stable storage when this returns.
    package func accept(_ batch: DecodedBatch) async throws -> Receipt {
        if batch.received > 0 || batch.ignored > 0 || batch.images > 0 {
            try await node.accept(batch, from: index, named: name)
            await alerts?.arrived(batch.reads)
        }
        return Receipt(received: batch.received, accepted: batch.reads.count, rejected: batch.rejected)
    }

    /// Takes a batch of a file in, with the place in it that is safe then.
    package func accept(_ batch: DecodedBatch, at progress: FeedProgress) async throws {
        try await node.accept(batch, from: index, named: name, progress: progress)
        await alerts?.arrived(batch.reads)
    }

    /// How far the file that came last was taken in.
    package func progress() async -> FeedProgress? { await node.progress(of: index) }

    /// Notes that nothing more will come.
    package func ended() async throws { try await node.ended(name) }

    /// The cameras, for decoders that live longer than a batch.
    package func register() async -> CameraRegister { await node.cameras }
}

extension NodeConfiguration.Feed {
    /// What decoders of the feed hold its records against.
    func rules(latest: Timestamp) -> FeedRules {
        FeedRules(
            forces: forces,
            timeZone: timeZone.flatMap(LocalTimeZone.named),
            latest: latest,
            force: forces.count == 1 ? forces.first : nil,
            camera: camera,
            dateOrder: dateOrder,
            epochIsLocal: epochIsLocal,
            mapping: mapping,
            images: images
        )
    }

    /// A decoder that knows the feed's rules and the cameras given.
    func decoder(_ register: CameraRegister) -> FeedDecoder {
        FeedDecoder(format: format ?? .ndjson, register: register, rules: rules(latest: .latest))
    }
}
