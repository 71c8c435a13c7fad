internal import CZlib

/// Packs bytes into one deflate stream, looking for repeats.
@safe
public final class Deflater {
    private let stream: UnsafeMutablePointer<z_stream>

    /// Makes a packer that can be used for any number of streams.
    ///
    /// - Parameter level: how hard to look, 1 to 9.
    public init(level: Int32 = 6, wrapper: CompressionWrapper = .raw) throws(CompressionError) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        let bits = wrapper.windowBits
        let size = unsafe Int32(MemoryLayout<z_stream>.size)
        let code = unsafe deflateInit2_(
            stream,
            level,
            Z_DEFLATED,
            bits,
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

    /// Packs bytes as one stream.
    ///
    /// - Parameter output: the stream is appended.
    public func pack(_ bytes: [UInt8], into output: inout [UInt8]) throws(CompressionError) {
        unsafe deflateReset(stream)
        let bound = Int(unsafe deflateBound(stream, UInt(bytes.count))) + 64
        let start = output.count
        output.append(contentsOf: repeatElement(0, count: bound))
        var source = bytes
        let (code, rest) = unsafe source.withUnsafeMutableBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { target in
                unsafe stream.pointee.next_in = source.baseAddress
                unsafe stream.pointee.avail_in = UInt32(source.count)
                unsafe stream.pointee.next_out = target.baseAddress.map { unsafe $0 + start }
                unsafe stream.pointee.avail_out = UInt32(bound)
                let code = unsafe deflate(stream, Z_FINISH)
                return (code, unsafe Int(stream.pointee.avail_out))
            }
        }
        guard code == Z_STREAM_END else { throw .failed(code: code) }
        output.removeLast(rest)
    }

    /// Packs bytes as one stream.
    public static func pack(
        _ bytes: [UInt8],
        level: Int32 = 6,
        wrapper: CompressionWrapper
    ) throws(CompressionError) -> [UInt8] {
        let deflater = try Deflater(level: level, wrapper: wrapper)
        var output: [UInt8] = []
        try deflater.pack(bytes, into: &output)
        return output
    }
}

/// CRC-32 as gzip uses it.
public enum Checksum {
    /// The checksum of bytes, continuing from an earlier one.
    public static func crc32(_ bytes: UnsafeRawBufferPointer, continuing previous: UInt32 = 0) -> UInt32 {
        let base = unsafe bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        return UInt32(truncatingIfNeeded: unsafe crc32_z(UInt(previous), base, bytes.count))
    }

    /// The checksum of a part of an array.
    public static func crc32(_ bytes: [UInt8], _ range: Range<Int>, continuing previous: UInt32 = 0) -> UInt32
    {
        unsafe bytes.withUnsafeBytes { all in
            unsafe crc32(UnsafeRawBufferPointer(rebasing: all[range]), continuing: previous)
        }
    }

    /// The checksum of an array.
    public static func crc32(_ bytes: [UInt8]) -> UInt32 { crc32(bytes, 0..<bytes.count) }
}
