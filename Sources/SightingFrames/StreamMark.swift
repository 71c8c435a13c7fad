public import ANPRModel

/// Says in a stream how far it is complete.
public struct StreamMark: Sendable, Equatable {
    /// Everything that follows from the writer's journal up to here, exclusive, stands before this mark.
    public var journalEntry: UInt64
    /// No sighting on time with an earlier first read follows.
    public var closedThrough: Timestamp
    /// Whether the writer's own inputs have all ended, so that nobody need wait for it.
    public var isEnd: Bool

    /// A mark.
    public init(journalEntry: UInt64, closedThrough: Timestamp, isEnd: Bool) {
        self.journalEntry = journalEntry
        self.closedThrough = closedThrough
        self.isEnd = isEnd
    }

    /// The mark as a block.
    ///
    /// - Parameter sequence: the number of the next sighting of the stream.
    public func block(sequence: UInt64) -> Block {
        var payload: [UInt8] = []
        LittleEndian.append(journalEntry, to: &payload)
        LittleEndian.append(closedThrough.milliseconds, to: &payload)
        return Block(
            kind: .mark,
            flags: isEnd ? 1 : 0,
            count: 0,
            sequence: sequence,
            unpackedLength: UInt32(payload.count),
            payload: payload
        )
    }

    /// Reads a mark's block.
    public init(_ block: Block) throws(FrameFault) {
        guard block.kind == .mark, block.payload.count == 16 else { throw .notAFrame }
        journalEntry = LittleEndian.read(block.payload, at: 0)
        closedThrough = Timestamp(milliseconds: LittleEndian.read(block.payload, at: 8))
        isEnd = block.flags & 1 == 1
    }
}
