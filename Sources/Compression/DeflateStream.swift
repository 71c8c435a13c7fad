internal import CZlib

/// Packs bytes into one long deflate stream piece by piece, so that the other end can unpack each piece as it comes.
@safe
public final class DeflateStream {
    private let stream: UnsafeMutablePointer<z_stream>

    /// How a piece ends.
    public enum Ending: Sendable {
        /// Nothing is forced out: some of the piece may come with the next one.
        case open
        /// All of the piece comes out; what follows still refers back to it.
        case flushed
        /// The stream ends with it.
        case finished

        var flush: Int32 {
            switch self {
            case .open: Z_NO_FLUSH
            case .flushed: Z_SYNC_FLUSH
            case .finished: Z_FINISH
            }
        }
    }

    /// Begins a stream.
    ///
    /// - Parameter level: how hard to look for repeats, 1 to 9.
    public init(level: Int32 = 6, wrapper: CompressionWrapper) throws(CompressionError) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        let size = unsafe Int32(MemoryLayout<z_stream>.size)
        let code = unsafe deflateInit2_(
            stream,
            level,
            Z_DEFLATED,
            wrapper.windowBits,
            8,
            Z_DEFAULT_STRATEGY,
            ZLIB_VERSION,
            size
        )
        guard code == Z_OK else { throw .failed(code: code) }
    }

    deinit {
        unsafe deflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Packs a piece.
    ///
    /// - Parameters:
    ///   - bytes: the piece; may be empty.
    ///   - ending: how it ends; nothing may follow one that is `finished`.
    ///   - output: what comes out is appended.
    public func pack(_ bytes: [UInt8], _ ending: Ending, into output: inout [UInt8]) throws(CompressionError)
    {
        var source = bytes
        let room = max(256, bytes.count / 2)
        var position = 0
        var isFull = true
        // Full means that there may be more: zlib says so by leaving no room.
        while isFull {
            let start = output.count
            output.append(contentsOf: repeatElement(0, count: room))
            let (code, rest, left) = unsafe source.withUnsafeMutableBufferPointer { source in
                unsafe output.withUnsafeMutableBufferPointer { target in
                    unsafe stream.pointee.next_in = source.baseAddress.map { unsafe $0 + position }
                    unsafe stream.pointee.avail_in = UInt32(source.count - position)
                    unsafe stream.pointee.next_out = target.baseAddress.map { unsafe $0 + start }
                    unsafe stream.pointee.avail_out = UInt32(room)
                    let code = unsafe deflate(stream, ending.flush)
                    return (
                        code, unsafe Int(stream.pointee.avail_out), unsafe Int(stream.pointee.avail_in)
                    )
                }
            }
            // No progress is no failure: there was nothing left to say.
            guard code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR else {
                throw .failed(code: code)
            }
            output.removeLast(rest)
            position = source.count - left
            isFull = rest == 0 && code != Z_STREAM_END
        }
    }
}
