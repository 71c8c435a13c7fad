public import ANPRModel
import Compression
import SightingFrames

/// Everything that came in, in order, on disk before anything is done with it.
///
/// Segments of checksummed entries. A torn tail, as a crash leaves it, is cut off when the journal is opened; damage
/// anywhere is an error that names file and place, and changes nothing. Each segment begins with a snapshot of what must be known to
/// begin there, so that old segments can go.
///
/// - Complexity: an append copies the entry once; `sync` is one `fdatasync` for all appended since.
public final class Journal {
    private struct Segment {
        var first: UInt64
        var lastCaptured = Timestamp.distantPast
    }

    private let folder: String
    private let keys: KeyRing?
    private let segmentLengthMax: Int
    private var segments: [Segment] = []
    private var file: SealedFile?
    private var length = 0
    private var unwritten: [UInt8] = []
    private var unsyncedEntries: UInt64 = 0
    private var unsyncedCaptured = Timestamp.distantPast
    /// The number of the first entry that is still there; where there is none, the next.
    public var first: UInt64 { segments.first?.first ?? next }
    /// The number that the next entry gets.
    public private(set) var next: UInt64 = 0

    /// Opens a journal, made if it is not there.
    ///
    /// - Parameters:
    ///   - keys: of the data folder; without them all is written in the clear.
    ///   - segmentLengthMax: a segment that has grown to this many bytes is closed.
    public init(_ folder: String, keys: KeyRing?, segmentLengthMax: Int = 64 << 20) throws(StorageError) {
        self.folder = folder
        self.keys = keys
        self.segmentLengthMax = segmentLengthMax
        try DataFolder.make(folder)
        try SealedFile.clear(folder, keys)
        for name in DataFolder.names(in: folder) where name.hasSuffix(".journal") {
            guard let first = UInt64(name.dropLast(8)) else {
                throw StorageError(.damaged, "\(folder)/\(name): not a journal segment's name")
            }
            segments.append(Segment(first: first))
        }
        next = segments.first?.first ?? 0
    }

    /// Hands out all entries on disk, in order, and makes the journal ready for more.
    ///
    /// - Parameter body: takes each entry with its number, and returns the latest time of anything in it.
    /// - Returns: how many bytes of a torn tail were cut off.
    public func replay(_ body: (UInt64, JournalEntry) throws -> Timestamp) throws -> Int {
        var torn = 0
        for index in segments.indices {
            guard segments[index].first == next else {
                throw StorageError(
                    .damaged,
                    "\(path(segments[index].first)): entries from \(next) on are missing"
                )
            }
            let isLast = index == segments.count - 1
            torn += try replay(index, isLast: isLast, body)
        }
        return torn
    }

    private func replay(_ index: Int, isLast: Bool, _ body: (UInt64, JournalEntry) throws -> Timestamp) throws
        -> Int
    {
        let path = path(segments[index].first)
        let file = try SealedFile(path, isLast ? .append : .read, keys)
        let bytes = try file.contents()
        var position = 0
        while position < bytes.count {
            guard let entry = Self.entry(bytes, at: &position) else {
                guard isLast, Self.isTorn(bytes, from: position) else {
                    throw StorageError(.damaged, "\(path): damaged at byte \(position)")
                }
                break
            }
            segments[index].lastCaptured = max(segments[index].lastCaptured, try body(next, entry))
            if case .snapshot = entry { continue }
            next += 1
        }
        guard isLast else {
            try file.demandWhole()
            return 0
        }
        try file.demandUndamaged()
        let torn = bytes.count - position + (try file.torn())
        if position == 0 {
            // Begun, but not even its snapshot is there.
            try SealedFile.remove(path, keys)
            segments.removeLast()
        } else {
            if torn > 0 { try file.truncate(to: position) }
            self.file = file
            length = position
        }
        return torn
    }

    /// The entry at a position, if one is whole and right there.
    private static func entry(_ bytes: [UInt8], at position: inout Int) -> JournalEntry? {
        guard bytes.count - position >= 8 else { return nil }
        let length = Int(LittleEndian.read(bytes, at: position) as UInt32)
        let checksum: UInt32 = LittleEndian.read(bytes, at: position + 4)
        let body = position + 8
        guard length > 0, bytes.count - body >= length,
            Checksum.crc32(bytes, body..<body + length) == checksum,
            let entry = JournalCoding.decode(Array(bytes[body..<body + length]))
        else { return nil }
        position = body + length
        return entry
    }

    /// Whether what can't be read from a position on is what a crash leaves of the last write: cut off, or never written.
    ///
    /// - Complexity: O(length) of what can't be read, but for what looks like an entry and is none.
    private static func isTorn(_ bytes: [UInt8], from position: Int) -> Bool {
        if hasEntry(bytes, behind: position) { return false }
        if TornTail.isHollow(bytes, position..<bytes.count) { return true }
        let body = position + 8
        guard body <= bytes.count else { return true }
        guard Int(LittleEndian.read(bytes, at: position) as UInt32) > bytes.count - body else { return false }
        // Where the rest is just what was summed up, it is the length that is damaged.
        return Checksum.crc32(bytes, body..<bytes.count) != LittleEndian.read(bytes, at: position + 4)
            as UInt32
    }

    /// Whether a whole entry begins anywhere behind a position, so that nothing was torn there.
    private static func hasEntry(_ bytes: [UInt8], behind position: Int) -> Bool {
        guard bytes.count - position > 9 else { return false }
        for start in position + 1..<bytes.count - 8 {
            // Most places are ruled out by what would be the kind of an entry there, and its length.
            guard JournalCoding.canBegin(bytes, at: start + 8, length: LittleEndian.read(bytes, at: start))
            else { continue }
            var place = start
            if entry(bytes, at: &place) != nil { return true }
        }
        return false
    }

    /// Adds an entry behind the others; it is safe only once `sync` returns.
    ///
    /// - Parameters:
    ///   - entry: what came in.
    ///   - latest: the latest time of anything in it, by which its segment is dropped one day.
    /// - Returns: the entry's number.
    @discardableResult
    public func append(_ entry: JournalEntry, latest: Timestamp) -> UInt64 {
        let start = unwritten.count
        LittleEndian.append(UInt64(0), to: &unwritten)
        JournalCoding.encode(entry, into: &unwritten)
        let body = start + 8..<unwritten.count
        var head: [UInt8] = []
        LittleEndian.append(UInt32(body.count), to: &head)
        LittleEndian.append(Checksum.crc32(unwritten, body), to: &head)
        unwritten.replaceSubrange(start..<start + 8, with: head)
        unsyncedCaptured = max(unsyncedCaptured, latest)
        unsyncedEntries += 1
        next += 1
        return next - 1
    }

    /// How many bytes were appended and not yet written.
    public var unsyncedCount: Int { unwritten.count }

    /// Returns when every entry appended is on stable storage.
    ///
    /// - Parameter snapshot: the state before the entries not yet synced; a new segment begins with it.
    public func sync(snapshot: [UInt8]) throws(StorageError) {
        guard !unwritten.isEmpty else { return }
        let file: SealedFile
        if let open = self.file { file = open } else { file = try startSegment(snapshot) }
        try file.write(unwritten, at: length)
        try file.sync()
        length += unwritten.count
        unwritten.removeAll(keepingCapacity: true)
        segments[segments.count - 1].lastCaptured = max(
            segments[segments.count - 1].lastCaptured,
            unsyncedCaptured
        )
        unsyncedEntries = 0
        unsyncedCaptured = .distantPast
        if length >= segmentLengthMax { self.file = nil }
    }

    /// Takes back every entry appended since the last `sync`, after one that failed for want of room.
    ///
    /// - Throws: when the file can't be cut back; what it holds must then be found out by opening it anew.
    public func discardUnsynced() throws(StorageError) {
        next -= unsyncedEntries
        unsyncedEntries = 0
        unsyncedCaptured = .distantPast
        unwritten.removeAll(keepingCapacity: true)
        guard let file else { return }
        if length > 0 { return try file.truncate(to: length) }
        // A segment that was just begun. Where there is no room even to destroy its key, it is on its way out, and nobody was told
        // of what is in it.
        do throws(StorageError) {
            try SealedFile.remove(file.path, keys)
        } catch {
            guard error.code == .full else { throw error }
        }
        self.file = nil
        segments.removeLast()
    }

    /// Whether the next `sync` begins a segment.
    public var needsSnapshot: Bool { file == nil }

    /// Closes the segment being written, so that it can be dropped in its turn.
    public func closeSegment() {
        file = nil
    }

    /// Starts a segment with a snapshot, which has no number of its own, before the entries that wait.
    private func startSegment(_ snapshot: [UInt8]) throws(StorageError) -> SealedFile {
        var entry: [UInt8] = []
        JournalCoding.encode(.snapshot(snapshot), into: &entry)
        var start: [UInt8] = []
        LittleEndian.append(UInt32(entry.count), to: &start)
        LittleEndian.append(Checksum.crc32(entry), to: &start)
        let first = next - unsyncedEntries
        let file = try SealedFile(path(first), .replace, keys)
        try DataFolder.sync(folder)
        unwritten = start + entry + unwritten
        segments.append(Segment(first: first))
        self.file = file
        length = 0
        return file
    }

    /// Whether the oldest segment with reads ends before a time.
    public func hasReads(before time: Timestamp) -> Bool {
        guard let oldest = segments.first(where: { $0.lastCaptured > .distantPast }) else { return false }
        return oldest.lastCaptured < time
    }

    /// Removes segments that end before a time, oldest first, each with its key; the newest always stays, for the numbering.
    ///
    /// - Parameter entry: this one and all behind it stay.
    /// - Returns: how many went.
    public func drop(before time: Timestamp, keepingFrom entry: UInt64 = .max) throws(StorageError) -> Int {
        var gone = 0
        while segments.count > 1, let oldest = segments.first,
            oldest.lastCaptured < time, segments[1].first <= entry
        {
            try SealedFile.remove(path(oldest.first), keys)
            segments.removeFirst()
            gone += 1
        }
        return gone
    }

    private func path(_ first: UInt64) -> String {
        let digits = String(first)
        return "\(folder)/\(String(repeating: "0", count: 20 - digits.count))\(digits).journal"
    }
}
