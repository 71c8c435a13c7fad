import ANPRModel
package import FeedDecoding

/// Reads several finite feeds side by side, in step by event time, as live feeds would come.
///
/// The next chunk is always taken from the feed that is least far: so the others wait little, whatever their sizes,
/// and the reorder buffer stays small.
package struct FeedRotation {
    private struct Source {
        let file: FeedFile
        var highest = Timestamp.distantPast
        var isBroken = false
    }

    /// A chunk of one feed.
    package struct Chunk {
        /// The feed's place among those given.
        package let feed: Int
        /// Bytes read.
        package let byteCount: Int
        /// Whether the feed ended with it.
        package let isLast: Bool
    }

    /// A feed that broke off.
    package struct Failure: Error {
        /// The feed's place among those given.
        package let feed: Int
        /// Where and why.
        package let failure: FeedFile.Failure
    }

    private var sources: [Source]
    private let chunkSize: Int

    /// Rotates through feeds.
    ///
    /// - Parameter chunkSize: how many bytes to read at a time.
    package init(_ files: [FeedFile], chunkSize: Int = 1 << 18) {
        sources = files.map { Source(file: $0) }
        self.chunkSize = chunkSize
    }

    /// Decodes the next chunk.
    ///
    /// - Parameter batch: emptied first, then filled.
    /// - Returns: `nil` when all feeds have ended.
    /// - Throws: the failure of a feed; that feed takes no further part.
    package mutating func next(into batch: inout DecodedBatch) throws(Failure) -> Chunk? {
        batch.removeAll()
        var chosen: Int?
        for index in sources.indices where !sources[index].file.isFinished && !sources[index].isBroken {
            if let best = chosen, sources[best].highest <= sources[index].highest { continue }
            chosen = index
        }
        guard let feed = chosen else { return nil }
        let count: Int
        do throws(FeedFile.Failure) {
            count = try sources[feed].file.decodeChunk(chunkSize, into: &batch)
        } catch {
            sources[feed].isBroken = true
            throw Failure(feed: feed, failure: error)
        }
        for read in batch.reads where read.captured > sources[feed].highest {
            sources[feed].highest = read.captured
        }
        return Chunk(feed: feed, byteCount: count, isLast: sources[feed].file.isFinished)
    }
}
