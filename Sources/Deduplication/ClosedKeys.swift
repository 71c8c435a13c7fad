import ANPRModel

/// Finds closed sightings by (vrm, site) and time, in chunks that are indexed only when something late asks.
///
/// Late reads are rare, closing is not: so closing appends, and the first question into a chunk pays for its table.
struct ClosedKeys: Sendable {
    /// Where a closed sighting is kept.
    struct Reference: Hashable, Sendable {
        /// The chunk's number, counted from the first there ever was.
        var chunk: Int
        var row: Int
    }

    private struct Chunk: Sendable {
        var vrms: [UInt64] = []
        var sites: [SiteIndex] = []
        var first = Timestamp.distantFuture
        var last = Timestamp.distantPast
        /// Rows plus one by the hash of (vrm, site), once someone asked.
        var table: [UInt32] = []
    }

    /// How many rows a chunk takes before the next one is begun.
    static let chunkCount = 1 << 15
    /// The most rows of the last chunk that are searched one by one.
    private static let plainCount = 1024

    private var chunks: [Chunk] = []
    /// The number of `chunks[0]`.
    private(set) var firstChunk = 0
    private(set) var count = 0

    /// Adds a closed sighting behind the others.
    mutating func append(_ vrm: VRM, _ site: SiteIndex, first: Timestamp, last: Timestamp) -> Reference {
        let index = open()
        add(vrm, site, first, last, to: index)
        return Reference(chunk: firstChunk + index, row: chunks[index].vrms.count - 1)
    }

    /// Adds a batch of closed sightings behind the others, all into one chunk.
    ///
    /// - Returns: the chunk's number.
    mutating func append(_ sightings: [Sighting], siteOfCamera: [SiteIndex]) -> Int {
        let index = open()
        for sighting in sightings {
            let site = siteOfCamera[Int(sighting.camera)]
            add(sighting.vrm, site, sighting.first, sighting.last, to: index)
        }
        return firstChunk + index
    }

    /// The chunk that takes what closes next.
    private mutating func open() -> Int {
        if chunks.last.map({ $0.vrms.count >= Self.chunkCount || !$0.table.isEmpty }) ?? true {
            chunks.append(Chunk())
        }
        return chunks.count - 1
    }

    @inline(__always)
    private mutating func add(
        _ vrm: VRM,
        _ site: SiteIndex,
        _ first: Timestamp,
        _ last: Timestamp,
        to index: Int
    ) {
        chunks[index].vrms.append(vrm.packed)
        chunks[index].sites.append(site)
        chunks[index].first = min(chunks[index].first, first)
        chunks[index].last = max(chunks[index].last, last)
        count += 1
    }

    /// Notes that a sighting's span has grown.
    mutating func widen(_ reference: Reference, first: Timestamp, last: Timestamp) {
        let index = reference.chunk - firstChunk
        chunks[index].first = min(chunks[index].first, first)
        chunks[index].last = max(chunks[index].last, last)
    }

    /// The sightings of a (vrm, site) in chunks that come within `margin` milliseconds of a time.
    mutating func find(_ vrm: VRM, _ site: SiteIndex, near time: Timestamp, margin: Int64) -> [Reference] {
        var found: [Reference] = []
        let earliest = Timestamp(milliseconds: time.milliseconds - margin)
        let latest = Timestamp(milliseconds: time.milliseconds + margin)
        for index in chunks.indices where chunks[index].last >= earliest && chunks[index].first <= latest {
            if chunks[index].table.isEmpty, chunks[index].vrms.count > Self.plainCount { makeTable(index) }
            for row in rows(index, vrm.packed, site) {
                found.append(Reference(chunk: firstChunk + index, row: row))
            }
        }
        return found
    }

    /// Forgets whole chunks from the front: those that end before a time, and more while there are over `countMax`.
    ///
    /// - Returns: how many chunks went.
    mutating func forget(before time: Timestamp, countMax: Int) -> Int {
        var gone = 0
        while let chunk = chunks.first, chunks.count > 1, chunk.last < time || count > countMax {
            count -= chunk.vrms.count
            chunks.removeFirst()
            gone += 1
        }
        firstChunk += gone
        return gone
    }

    /// Indexes a chunk: a flat table of rows by the hash of their key, at most half full.
    private mutating func makeTable(_ index: Int) {
        let count = chunks[index].vrms.count
        var size = 2048
        while size < count * 2 { size *= 2 }
        var table = [UInt32](repeating: 0, count: size)
        for row in 0..<count {
            var place = Self.hash(chunks[index].vrms[row], chunks[index].sites[row]) & (size - 1)
            while table[place] != 0 { place = (place + 1) & (size - 1) }
            table[place] = UInt32(row) + 1
        }
        chunks[index].table = table
    }

    private static func hash(_ vrm: UInt64, _ site: SiteIndex) -> Int {
        let mixed = (vrm ^ UInt64(site) << 40) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: mixed >> 32)
    }

    /// The rows of a key, oldest first.
    private func rows(_ index: Int, _ vrm: UInt64, _ site: SiteIndex) -> [Int] {
        let chunk = chunks[index]
        guard !chunk.table.isEmpty else {
            return chunk.vrms.indices.filter { chunk.vrms[$0] == vrm && chunk.sites[$0] == site }
        }
        let mask = chunk.table.count - 1
        var place = Self.hash(vrm, site) & mask
        var found: [Int] = []
        while chunk.table[place] != 0 {
            let row = Int(chunk.table[place]) - 1
            if chunk.vrms[row] == vrm, chunk.sites[row] == site { found.append(row) }
            place = (place + 1) & mask
        }
        return found.sorted()
    }
}
