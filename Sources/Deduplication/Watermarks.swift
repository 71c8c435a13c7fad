import ANPRModel

/// Whether a source holds the engine's watermark back.
public enum SourceState: UInt8, Sendable {
    /// It may bring more, and the engine waits for it.
    case live = 0
    /// Silent for too long: it does not hold the others back until it speaks again.
    case idle = 1
    /// Its input has ended.
    case ended = 2
}

/// Where the sources of a stream stand, to be kept and taken up again.
public struct WatermarkSnapshot: Codable, Sendable, Equatable {
    /// Each source's watermark in milliseconds, by number.
    public var watermarks: [Int64]
    /// Each source's `SourceState`, by number.
    public var states: [UInt8]
    /// The engine's watermark in milliseconds.
    public var engine: Int64
    /// The latest time seen, in milliseconds.
    public var last: Int64
}

/// How far the sources of a stream have come, and so how far the stream is complete.
///
/// A source's own watermark promises that nothing earlier will come from it, but for late reads. The engine's is the
/// least over the live sources and never goes back.
struct Watermarks: Sendable {
    private struct Source {
        var watermark = Timestamp.distantPast
        var state = SourceState.ended
    }

    private var sources: [Source] = []
    /// The least over the live sources so far; behind it a read is late.
    private(set) var engine = Timestamp.distantPast

    /// The least watermark of the live sources other than one: constant while that one speaks.
    func least(besides source: Int) -> Timestamp {
        var least = Timestamp.distantFuture
        for (index, other) in sources.enumerated() where index != source && other.state == .live {
            least = min(least, other.watermark)
        }
        return least
    }

    func watermark(of source: Int) -> Timestamp {
        source < sources.count ? sources[source].watermark : .distantPast
    }

    func state(of source: Int) -> SourceState {
        source < sources.count ? sources[source].state : .ended
    }

    /// Notes that a source spoke up to a watermark; it is live from now on.
    mutating func note(_ source: Int, watermark: Timestamp) {
        add(source)
        sources[source].watermark = max(sources[source].watermark, watermark)
        sources[source].state = .live
    }

    /// Waits for these sources and for no other.
    mutating func start(live: [Int]) {
        for index in sources.indices { sources[index].state = .ended }
        for source in live { set(source, .live) }
    }

    mutating func set(_ source: Int, _ state: SourceState) {
        add(source)
        sources[source].state = state
    }

    /// Moves the engine's watermark to what the sources allow.
    ///
    /// - Returns: `distantFuture` when no source is live, so that nothing is waited for; the engine's own watermark
    ///   then stays at `last`, the end of what was seen.
    mutating func advance(last: Timestamp) -> Timestamp {
        let least = least(besides: -1)
        guard least == .distantFuture else {
            engine = max(engine, least)
            return engine
        }
        engine = max(engine, last)
        return .distantFuture
    }

    mutating func advance(to watermark: Timestamp) {
        engine = max(engine, watermark)
    }

    func snapshot(last: Timestamp) -> WatermarkSnapshot {
        WatermarkSnapshot(
            watermarks: sources.map(\.watermark.milliseconds),
            states: sources.map(\.state.rawValue),
            engine: engine.milliseconds,
            last: last.milliseconds
        )
    }

    mutating func restore(_ snapshot: WatermarkSnapshot) {
        sources = zip(snapshot.watermarks, snapshot.states).map { watermark, state in
            Source(
                watermark: Timestamp(milliseconds: watermark),
                state: SourceState(rawValue: state) ?? .ended
            )
        }
        engine = Timestamp(milliseconds: snapshot.engine)
    }

    private mutating func add(_ source: Int) {
        while sources.count <= source { sources.append(Source()) }
    }
}
