import ANPRModel
package import Bandwidth
import FeedDecoding

/// Reads several finite feeds side by side and cuts them into slices of event time.
///
/// A recorded feed does not say when a read arrived. A read is taken to arrive when the feed's latest capture time so far
/// was reached: what is on time at its own, what is out of order together with what stood before it.
package struct FeedSlices {
    private struct Source {
        let file: FeedFile
        var batch = DecodedBatch()
        var next = 0
        var highest = Timestamp.distantPast
        /// Whether all of it was decoded, and whether a slice has said so.
        var isOver = false
        var hasTold = false
    }

    /// Where and why the first feed that did so broke off; what could be read of it is in the slices.
    package private(set) var failure: FeedFile.Failure?

    private var sources: [Source]
    private let step: Int64
    private static let chunkSize = 1 << 17

    /// Cuts feeds.
    ///
    /// - Parameter step: how much event time a slice covers, in milliseconds.
    package init(_ files: [FeedFile], step: Int64 = 100) {
        sources = files.map { Source(file: $0) }
        self.step = step
    }

    /// Fills the next slice that has anything in it.
    ///
    /// - Parameter slice: of as many feeds as there are.
    /// - Returns: `false` when all feeds have ended.
    package mutating func next(into slice: inout TrafficSlice) -> Bool {
        slice.removeAll()
        var earliest = Timestamp.distantFuture
        for index in sources.indices where prepare(index, &slice) {
            let captured = sources[index].batch.reads[sources[index].next].captured
            earliest = min(earliest, max(captured, sources[index].highest))
        }
        guard earliest < .distantFuture else {
            // Only the ends of feeds are left to be told, if any.
            return zip(slice.hasEnded, slice.received).contains { $0 || $1 > 0 }
        }
        let past = earliest.milliseconds % step
        let start = earliest.milliseconds - (past < 0 ? past + step : past)
        slice.end = max(slice.end, Timestamp(milliseconds: start + step))
        for index in sources.indices { take(index, &slice) }
        return true
    }

    /// Sees to it that a feed has a read to give.
    ///
    /// - Returns: `false` if it has come to its end.
    private mutating func prepare(_ index: Int, _ slice: inout TrafficSlice) -> Bool {
        while sources[index].next == sources[index].batch.reads.count {
            if sources[index].isOver {
                if !sources[index].hasTold { slice.hasEnded[index] = true }
                sources[index].hasTold = true
                return false
            }
            sources[index].next = 0
            sources[index].batch.removeAll()
            do throws(FeedFile.Failure) {
                _ = try sources[index].file.decodeChunk(Self.chunkSize, into: &sources[index].batch)
                sources[index].isOver = sources[index].file.isFinished
            } catch {
                failure = failure ?? error
                sources[index].isOver = true
            }
            slice.received[index] += sources[index].batch.received
            slice.rejected[index] += sources[index].batch.rejected
        }
        return true
    }

    /// Moves a feed's reads up to the end of the slice into it.
    private mutating func take(_ index: Int, _ slice: inout TrafficSlice) {
        while prepare(index, &slice) {
            let read = sources[index].batch.reads[sources[index].next]
            guard max(read.captured, sources[index].highest) < slice.end else { return }
            sources[index].highest = max(sources[index].highest, read.captured)
            slice.reads[index].append(read)
            sources[index].next += 1
        }
    }
}
