public import Archive

/// Which alert goes over a connection next: the newest first, each until the receiver has it.
///
/// - Complexity: memory for `heldMax` alerts; of a longer backlog the oldest are read again later.
public struct AlertOutbox {
    private let folder: String
    private let keys: KeyRing?
    private var reader: AlertLogReader
    /// Read and not sent, in the log's order within each reading.
    private var unsent: [AlertLogReader.Line] = []
    /// Sent and not yet known to be there.
    private var underWay: Set<UInt64> = []
    /// Passed over for want of room: from this number on, up to another.
    private var gap: (from: UInt64, to: UInt64)?

    /// So many may be under way.
    private static let windowMax = 32
    private static let heldMax = 8192

    /// An outbox of a log, from an alert on.
    ///
    /// - Parameter keys: of the data folder; without them only what is in the clear can be read.
    public init(_ folder: String, keys: KeyRing?, from sequence: UInt64) {
        self.folder = folder
        self.keys = keys
        reader = AlertLogReader(folder, keys: keys, from: sequence)
    }

    /// The next alert to send.
    ///
    /// - Parameter published: alerts from this number on are left alone.
    /// - Returns: `nil` when there is none, or too many are under way.
    public mutating func next(before published: UInt64) throws -> AlertLogReader.Line? {
        guard underWay.count < Self.windowMax else { return nil }
        if reader.next < published {
            while case let lines = try reader.read(before: published), !lines.isEmpty { hold(lines) }
        }
        if unsent.isEmpty, let gap { try refill(gap) }
        guard let line = unsent.popLast() else { return nil }
        underWay.insert(line.sequence)
        return line
    }

    private mutating func hold(_ lines: [AlertLogReader.Line]) {
        unsent += lines
        guard unsent.count > Self.heldMax else { return }
        let dropped = unsent[..<(unsent.count - Self.heldMax / 2)]
        let numbers = dropped.map(\.sequence)
        let (from, to) = (numbers.min() ?? 0, (numbers.max() ?? 0) + 1)
        gap = (min(gap?.from ?? from, from), max(gap?.to ?? to, to))
        unsent.removeFirst(dropped.count)
    }

    private mutating func refill(_ gap: (from: UInt64, to: UInt64)) throws {
        var old = AlertLogReader(folder, keys: keys, from: gap.from)
        while unsent.count < Self.heldMax / 2 {
            let lines = try old.read(before: gap.to)
            if lines.isEmpty { break }
            unsent += lines
        }
        self.gap = old.next < gap.to && !unsent.isEmpty ? (old.next, gap.to) : nil
    }

    /// The receiver has an alert.
    public mutating func taken(_ sequence: UInt64) { underWay.remove(sequence) }

    /// The receiver has all alerts before this one.
    public var cursor: UInt64 {
        let open = [underWay.min(), unsent.lazy.map(\.sequence).min(), gap?.from].compactMap(\.self).min()
        return min(open ?? reader.next, reader.next)
    }

    /// Whether the receiver has all that were read.
    public var isSettled: Bool { underWay.isEmpty && unsent.isEmpty && gap == nil }
}
