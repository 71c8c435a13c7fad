import ANPRModel
import Compression
import FeedDecoding
import NIOCore

/// The body of one post on its way through a feed's decoder: unpacked, decoded, counted as it arrives.
struct PostedBody {
    /// Why a body can't be taken.
    enum Fault: Error, Equatable {
        /// Longer than the feed allows.
        case tooLong
        /// Too much is in work already.
        case noRoom
        /// Packed in a way that is not known.
        case encodingUnknown
        /// The packing is damaged; what came before is in the batch.
        case damaged(String)
    }

    private(set) var batch = DecodedBatch()
    private var decoder: FeedDecoder
    private var buffer: FeedBuffer
    private var unpacker: BodyUnpacker
    private let lengthMax: Int
    private let budget: IntakeBudget
    private var length = 0
    private var reserved = 0
    /// How many bytes of images were decoded and counted.
    private var pictureBytes = 0

    /// What a post costs beside its bytes: buffers, decoder, task.
    private static let overhead = 4096

    /// A body of which nothing has come yet.
    ///
    /// - Parameters:
    ///   - decoder: at the start of a feed.
    ///   - encoding: how the body is packed.
    ///   - expected: how long the client says it is; believed for the size of a buffer only.
    ///   - lengthMax: the most bytes, unpacked.
    ///   - budget: what has come is taken out of it, until `release`. What was only announced is not: a client that
    ///     announces much and sends nothing takes nobody's room.
    init(
        _ decoder: FeedDecoder,
        encoding: String?,
        expected: Int?,
        lengthMax: Int,
        budget: IntakeBudget
    ) throws(Fault) {
        self.decoder = decoder
        self.lengthMax = lengthMax
        self.budget = budget
        buffer = FeedBuffer(capacity: min(max(expected ?? 0, 512), 1 << 18))
        unpacker = try BodyUnpacker(encoding)
        try reserve(Self.overhead)
    }

    private mutating func reserve(_ bytes: Int) throws(Fault) {
        guard budget.take(bytes) else { throw .noRoom }
        reserved += bytes
    }

    /// Gives back what was taken out of the budget.
    mutating func release() {
        budget.giveBack(reserved)
        reserved = 0
    }

    /// What makes the whole body unusable, if anything.
    var unusable: String? { decoder.unusable }

    /// Takes the next piece.
    mutating func take(_ piece: ByteBuffer) throws(Fault) {
        var piece = piece
        while true {
            let count = try unpacker.move(&piece, into: &buffer)
            guard count > 0 else { return }
            length += count
            guard length <= lengthMax else { throw .tooLong }
            try reserve(count)
            decoder.decode(&buffer, isFinal: false, into: &batch)
            try reservePictures()
        }
    }

    /// Images count beside the text they came in: both are held until the post is answered.
    private mutating func reservePictures() throws(Fault) {
        guard batch.pictureBytes > pictureBytes else { return }
        try reserve(batch.pictureBytes - pictureBytes)
        pictureBytes = batch.pictureBytes
    }

    /// Takes the end.
    ///
    /// - Returns: the decoder, to be used again.
    mutating func finish() throws(Fault) -> FeedDecoder {
        decoder.decode(&buffer, isFinal: true, into: &batch)
        try reservePictures()
        guard unpacker.isWhole else { throw .damaged("the compressed body ends too early") }
        return decoder
    }
}

/// Moves pieces of a body into a feed's buffer, unpacked.
private struct BodyUnpacker {
    private enum Packing { case none, gzip, deflate }

    private let packing: Packing
    private var inflater: Inflater?

    init(_ encoding: String?) throws(PostedBody.Fault) {
        switch encoding?.lowercased() {
        case nil, "", "identity": packing = .none
        case "gzip", "x-gzip": packing = .gzip
        case "deflate": packing = .deflate
        default: throw .encodingUnknown
        }
    }

    /// Whether the packing has come to its end.
    var isWhole: Bool { packing == .none || inflater?.isFinished ?? false }

    /// Moves some bytes.
    ///
    /// - Returns: how many came out; 0 when there are no more in this piece.
    mutating func move(_ piece: inout ByteBuffer, into buffer: inout FeedBuffer) throws(PostedBody.Fault)
        -> Int
    {
        guard packing != .none else {
            let count = piece.readableBytes
            guard count > 0 else { return 0 }
            unsafe piece.readWithUnsafeReadableBytes { source in
                _ = unsafe buffer.fill(upTo: count) { target in
                    unsafe target.copyMemory(from: source)
                    return count
                }
                return count
            }
            return count
        }
        do throws(CompressionError) {
            if piece.readableBytes > 0, let bytes = piece.readBytes(length: piece.readableBytes) {
                try inflater(for: bytes).feed(bytes)
            }
            guard let inflater else { return 0 }
            return try unsafe buffer.fill(upTo: 1 << 16) { target throws(CompressionError) in
                try unsafe inflater.read(into: target)
            }
        } catch {
            throw .damaged(error.description)
        }
    }

    private mutating func inflater(for bytes: [UInt8]) throws(CompressionError) -> Inflater {
        if let inflater { return inflater }
        let made = try Inflater(packing == .gzip ? .gzip : Self.wrapper(ofDeflate: bytes))
        inflater = made
        return made
    }

    /// `deflate` is zlib's form by the book and bare deflate in the wild; the first byte mostly tells.
    private static func wrapper(ofDeflate bytes: [UInt8]) -> CompressionWrapper {
        guard let first = bytes.first, first & 0x0F == 8, first >> 4 <= 7 else { return .raw }
        return bytes.count < 2 || (Int(first) << 8 | Int(bytes[1])) % 31 == 0 ? .zlib : .raw
    }
}
