internal import CZlib

/// Why compressed bytes could not be worked on.
public enum CompressionError: Error, Equatable, CustomStringConvertible {
    /// The bytes are not of the format.
    case damaged
    /// The bytes end before the stream does.
    case truncated
    /// More would come out than was allowed.
    case tooLong
    /// zlib refused for another reason, such as no memory.
    case failed(code: Int32)

    /// The error in words.
    public var description: String {
        switch self {
        case .damaged: "compressed data is damaged"
        case .truncated: "compressed data ends too early"
        case .tooLong: "compressed data is longer than it may be"
        case .failed(let code): "zlib failed with code \(code)"
        }
    }
}

/// How compressed bytes are wrapped.
public enum CompressionWrapper: Sendable {
    /// gzip (RFC 1952), of any number of members.
    case gzip
    /// Bare deflate (RFC 1951).
    case raw
    /// Deflate with a header and a checksum (RFC 1950).
    case zlib
}

extension CompressionWrapper {
    /// How zlib is told.
    var windowBits: Int32 {
        switch self {
        case .gzip: 15 + 16
        case .raw: -15
        case .zlib: 15
        }
    }
}

/// Unpacks a stream piece by piece.
///
/// Memory is bounded by what the caller gives room for: a small input that would unpack to much is unpacked only as
/// far as asked.
@safe
public final class Inflater {
    private let stream: UnsafeMutablePointer<z_stream>
    private let wrapper: CompressionWrapper
    private var input: [UInt8] = []
    private var inputStart = 0
    /// Whether the last byte of the stream was reached (of gzip: of the member, with no other begun).
    public private(set) var isFinished = false

    /// Starts a stream.
    public init(_ wrapper: CompressionWrapper) throws(CompressionError) {
        self.wrapper = wrapper
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        let bits = wrapper.windowBits
        let size = unsafe Int32(MemoryLayout<z_stream>.size)
        let code = unsafe inflateInit2_(stream, bits, ZLIB_VERSION, size)
        guard code == Z_OK else { throw .failed(code: code) }
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// How many input bytes wait.
    public var pending: Int { input.count - inputStart }

    /// Adds input.
    public func feed(_ bytes: [UInt8]) {
        if inputStart == input.count {
            input = bytes
        } else {
            input = Array(input[inputStart...]) + bytes
        }
        inputStart = 0
    }

    /// Unpacks into `output` as much as there is room and input for.
    ///
    /// - Returns: how many bytes came out; 0 when more input is needed or the stream is finished.
    public func read(into output: UnsafeMutableRawBufferPointer) throws(CompressionError) -> Int {
        var produced = 0
        while produced < output.count {
            if isFinished {
                guard wrapper == .gzip, pending > 0 else { break }
                unsafe inflateReset(stream)
                isFinished = false
            }
            guard pending > 0 else { break }
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: output[produced...])
            let (code, count) = unsafe step(rest)
            produced += count
            switch code {
            case Z_STREAM_END: isFinished = true
            case Z_OK: break
            case Z_BUF_ERROR: return produced
            case Z_DATA_ERROR, Z_NEED_DICT: throw .damaged
            default: throw .failed(code: code)
            }
        }
        return produced
    }

    private func step(_ output: UnsafeMutableRawBufferPointer) -> (code: Int32, count: Int) {
        let available = pending
        let code = unsafe input.withUnsafeMutableBufferPointer { source in
            guard let base = source.baseAddress else { return Z_BUF_ERROR }
            unsafe stream.pointee.next_in = base + inputStart
            unsafe stream.pointee.avail_in = UInt32(available)
            unsafe stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
            unsafe stream.pointee.avail_out = UInt32(output.count)
            return unsafe inflate(stream, Z_NO_FLUSH)
        }
        inputStart += available - Int(unsafe stream.pointee.avail_in)
        return (code, output.count - Int(unsafe stream.pointee.avail_out))
    }

    /// Unpacks bare deflate whose length is known.
    ///
    /// - Parameters:
    ///   - bytes: the whole stream.
    ///   - length: how many bytes must come out.
    /// - Throws: `.truncated` or `.tooLong` when another number does; `.damaged` when it is no deflate.
    /// - Complexity: O(length); room for `length` bytes and what zlib needs, no window.
    public static func unpack(_ bytes: ArraySlice<UInt8>, length: Int) throws(CompressionError) -> [UInt8] {
        // zlib counts in 32 bits; one byte more than expected shows a stream that is too long.
        guard length >= 0, length < Int(UInt32.max), bytes.count <= Int(UInt32.max) else { throw .tooLong }
        let room = length + 1
        var stream = unsafe z_stream()
        let bits = CompressionWrapper.raw.windowBits
        let size = unsafe Int32(MemoryLayout<z_stream>.size)
        let began = unsafe inflateInit2_(&stream, bits, ZLIB_VERSION, size)
        guard began == Z_OK else { throw .failed(code: began) }
        defer { unsafe inflateEnd(&stream) }
        var code = Z_OK
        let result = [UInt8](capacity: room) { output in
            unsafe output.withUnsafeMutableBufferPointer { target, count in
                unsafe bytes.withUnsafeBufferPointer { source in
                    // zlib reads and writes no more than it is told that there is; it changes nothing that it reads.
                    unsafe stream.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
                    unsafe stream.avail_in = UInt32(source.count)
                    unsafe stream.next_out = target.baseAddress
                    unsafe stream.avail_out = UInt32(room)
                    // All at once: no window has to be kept.
                    code = unsafe inflate(&stream, Z_FINISH)
                    count = unsafe room - Int(stream.avail_out)
                }
            }
        }
        switch code {
        case Z_STREAM_END, Z_BUF_ERROR: break
        case Z_DATA_ERROR, Z_NEED_DICT: throw .damaged
        default: throw .failed(code: code)
        }
        let left = unsafe stream.avail_in
        guard result.count <= length, left == 0 else { throw .tooLong }
        guard result.count == length, code == Z_STREAM_END else { throw .truncated }
        return result
    }
}
