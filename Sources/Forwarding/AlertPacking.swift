import Compression

/// Packs the alerts of one connection: one deflate stream, flushed after each, so that what they have in common, which is most
/// of them, is said once.
public struct AlertPacker {
    private let stream: DeflateStream

    /// What every flush ends with, and is therefore left out (RFC 7692 does the same).
    static let flushEnd: [UInt8] = [0, 0, 0xFF, 0xFF]

    /// A packer at the begin of a connection.
    public init() throws { stream = try DeflateStream(level: 9, wrapper: .raw) }

    /// Packs an alert; what is packed must be sent, in order.
    public mutating func pack(_ text: [UInt8]) throws -> [UInt8] {
        var packed: [UInt8] = []
        try stream.pack(text, .flushed, into: &packed)
        if packed.suffix(4).elementsEqual(Self.flushEnd) { packed.removeLast(4) }
        return packed
    }
}

/// Unpacks what an `AlertPacker` packed; hostile bytes give a fault, never more than an alert may have.
public struct AlertUnpacker {
    private let inflater: Inflater

    /// An unpacker at the begin of a connection.
    public init() throws { inflater = try Inflater(.raw) }

    /// Unpacks an alert.
    ///
    /// - Throws: `CompressionError`; the connection is then over.
    public mutating func unpack(_ packed: [UInt8]) throws -> [UInt8] {
        inflater.feed(packed + AlertPacker.flushEnd)
        var text = [UInt8](repeating: 0, count: LinkMessage.alertMax + 1)
        let count = try unsafe text.withUnsafeMutableBytes { try unsafe inflater.read(into: $0) }
        guard count <= LinkMessage.alertMax else { throw CompressionError.tooLong }
        guard !inflater.isFinished, inflater.pending == 0 else { throw CompressionError.damaged }
        return Array(text[..<count])
    }
}
