public import ANPRModel
public import FeedDecoding
public import Simulation

/// All that decoding gave, to be compared as a whole.
public struct DecodedFeed: Equatable, Sendable {
    /// The good reads.
    public var reads: [Read]
    /// Their details.
    public var details: [ReadDetails]
    /// The records refused.
    public var refusals: [RefusedRecord]
    /// Received, rejected, unknown fields, dropped fields, images.
    public var counts: [Int]
    /// Where decoding stopped.
    public var position: FeedPosition

    /// The reasons of the refusals.
    public var reasons: [ReadRefusal] { refusals.map(\.reason) }
    /// Records met.
    public var received: Int { counts[0] }
    /// Records refused.
    public var rejected: Int { counts[1] }
    /// Fields that the format does not know.
    public var unknownFields: Int { counts[2] }
    /// Optional fields that were dropped.
    public var droppedFields: Int { counts[3] }
}

/// Decodes feeds whole or in pieces.
public enum FeedBytes {
    /// Decodes a feed that comes in one piece.
    public static func decode(
        _ bytes: some Collection<UInt8>,
        _ format: FeedFormat,
        _ register: CameraRegister,
        _ rules: FeedRules = FeedRules()
    ) -> DecodedFeed {
        decode([Array(bytes)], format, register, rules)
    }

    /// Decodes a feed that comes in the given pieces; the last is final.
    public static func decode(
        _ pieces: [[UInt8]],
        _ format: FeedFormat,
        _ register: CameraRegister,
        _ rules: FeedRules = FeedRules()
    ) -> DecodedFeed {
        var decoder = FeedDecoder(format: format, register: register, rules: rules)
        var buffer = FeedBuffer(capacity: 64)
        var batch = DecodedBatch()
        for (index, piece) in pieces.enumerated() {
            buffer.append(piece)
            decoder.decode(&buffer, isFinal: index == pieces.count - 1, into: &batch)
        }
        return DecodedFeed(
            reads: batch.reads,
            details: batch.details,
            refusals: batch.refusals,
            counts: [batch.received, batch.rejected, batch.unknownFields, batch.droppedFields, batch.images],
            position: decoder.position
        )
    }

    /// Cuts bytes into pieces of 0 to `pieceMax` bytes.
    public static func cut(_ bytes: [UInt8], pieceMax: Int, _ random: inout SeededRandom) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + random.within(0...pieceMax))
            pieces.append(Array(bytes[start..<end]))
            start = end
        }
        return pieces + [[]]
    }
}
