public import ANPRModel

/// Decodes a feed of any known format: the bytes go in as they arrive, reads and refusals come out.
///
/// Synchronous and without I/O; the same bytes give the same batch however they are cut into chunks.
public struct FeedDecoder: Sendable {
    private enum Kind: Sendable {
        case ndjson(NDJSONDecoder)
        case csv(CSVDecoder)
        case mapped(MappedDecoder)
    }

    private var kind: Kind
    /// Whether the format needs a mapping that the rules don't give.
    private let lacksMapping: Bool

    /// A decoder of one feed.
    ///
    /// - Parameters:
    ///   - format: how the feed is written.
    ///   - register: the cameras it may name.
    ///   - rules: what it may do.
    public init(format: FeedFormat, register: CameraRegister, rules: FeedRules) {
        lacksMapping = format == .mapped && rules.mapping == nil
        if let mapping = format.mapping(rules) {
            kind = .mapped(MappedDecoder(mapping, register: register, rules: rules))
        } else if format == .csv {
            kind = .csv(CSVDecoder(register: register, rules: rules))
        } else {
            kind = .ndjson(NDJSONDecoder(register: register, rules: rules))
        }
    }

    /// Where decoding stands; everything before it is in some batch.
    public var position: FeedPosition {
        switch kind {
        case .ndjson(let decoder): decoder.position
        case .csv(let decoder): decoder.position
        case .mapped(let decoder): decoder.position
        }
    }

    /// What makes the whole feed unusable, if anything.
    public var unusable: String? {
        if lacksMapping { return "the feed's format is mapped, and it has no mapping" }
        guard case .csv(let decoder) = kind, !decoder.missingColumns.isEmpty else { return nil }
        return "the header row has no column \(decoder.missingColumns.joined(separator: ", "))"
    }

    /// Refuses reads captured after a moment from now on.
    public mutating func refuse(after latest: Timestamp) {
        switch kind {
        case .ndjson(var decoder):
            decoder.refuse(after: latest)
            kind = .ndjson(decoder)
        case .csv(var decoder):
            decoder.refuse(after: latest)
            kind = .csv(decoder)
        case .mapped(var decoder):
            decoder.refuse(after: latest)
            kind = .mapped(decoder)
        }
    }

    /// Decodes one record by itself.
    ///
    /// - Parameters:
    ///   - record: its bytes, with or without a line end.
    ///   - header: the header row of a CSV feed; other formats have none.
    public mutating func decode(whole record: [UInt8], header: [UInt8], into batch: inout DecodedBatch) {
        var isCSV = false
        if case .csv = kind { isCSV = true }
        var buffer = FeedBuffer(capacity: record.count + header.count + 1)
        buffer.append(isCSV ? header + [0x0A] + record : record)
        decode(&buffer, isFinal: true, into: &batch)
    }

    /// Takes over the rules and cameras of another decoder of the same format, wherever this one stands.
    public mutating func adopt(_ other: FeedDecoder) {
        switch (kind, other.kind) {
        case (.ndjson(var decoder), .ndjson(let other)):
            decoder.adopt(other)
            kind = .ndjson(decoder)
        case (.csv(var decoder), .csv(let other)):
            decoder.adopt(other)
            kind = .csv(decoder)
        case (.mapped(var decoder), .mapped(let other)):
            decoder.adopt(other)
            kind = .mapped(decoder)
        default: break
        }
    }

    /// The decoder at the start of another run of bytes, with what it has learnt of the feed's ways.
    ///
    /// - Returns: `nil` for a format whose decoder is better made anew.
    public func restarted() -> FeedDecoder? {
        guard case .ndjson(var decoder) = kind else { return nil }
        decoder.resume(at: FeedPosition())
        var restarted = self
        restarted.kind = .ndjson(decoder)
        return restarted
    }

    /// Takes a feed up again at a place that `position` named before.
    ///
    /// - Parameters:
    ///   - position: the place; the bytes given next start there.
    ///   - opening: the feed's first bytes, for formats that begin with a header.
    public mutating func resume(at position: FeedPosition, opening: [UInt8]) {
        switch kind {
        case .ndjson(var decoder):
            decoder.resume(at: position)
            kind = .ndjson(decoder)
        case .csv(var decoder):
            decoder.resume(at: position, header: opening)
            kind = .csv(decoder)
        case .mapped(var decoder):
            decoder.resume(at: position, opening: opening)
            kind = .mapped(decoder)
        }
    }

    /// Decodes what is whole in the buffer and leaves what is not.
    ///
    /// - Parameters:
    ///   - buffer: what was received.
    ///   - isFinal: whether the feed ends here.
    ///   - batch: reads and refusals are appended.
    public mutating func decode(_ buffer: inout FeedBuffer, isFinal: Bool, into batch: inout DecodedBatch) {
        switch kind {
        case .ndjson(var decoder):
            decoder.decode(&buffer, isFinal: isFinal, into: &batch)
            kind = .ndjson(decoder)
        case .csv(var decoder):
            decoder.decode(&buffer, isFinal: isFinal, into: &batch)
            kind = .csv(decoder)
        case .mapped(var decoder):
            decoder.decode(&buffer, isFinal: isFinal, into: &batch)
            kind = .mapped(decoder)
        }
    }
}
