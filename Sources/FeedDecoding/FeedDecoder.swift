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
