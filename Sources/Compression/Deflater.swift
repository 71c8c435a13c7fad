internal import CZlib

/// How hard to look for what can be saved.
public enum CompressionEffort: Sendable {
    /// Entropy coding alone: best and fastest for columns that hold no repeats.
    case huffmanOnly
    /// String matching too, at a zlib level of 1 to 9.
    case level(Int32)
}

/// Packs bytes into one deflate stream, with a new code table wherever the caller says that the data changes.
@safe
public final class Deflater {
    private let stream: UnsafeMutablePointer<z_stream>

    /// Makes a packer that can be used for any number of streams.
    public init(_ effort: CompressionEffort, wrapper: CompressionWrapper = .raw) throws(CompressionError) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        let (level, strategy): (Int32, Int32) =
            switch effort {
            case .huffmanOnly: (6, Z_HUFFMAN_ONLY)
            case .level(let level): (level, Z_DEFAULT_STRATEGY)
            }
        let bits: Int32 = wrapper == .gzip ? 15 + 16 : -15
        let size = unsafe Int32(MemoryLayout<z_stream>.size)
        let code = unsafe deflateInit2_(stream, level, Z_DEFLATED, bits, 8, strategy, ZLIB_VERSION, size)
        guard code == Z_OK else { throw .failed(code: code) }
    }

    deinit {
        unsafe deflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Packs sections, in order, as one stream; each section gets a code table of its own.
    ///
    /// - Parameters:
    ///   - sections: the bytes.
    ///   - output: the stream is appended.
    public func pack(_ sections: [[UInt8]], into output: inout [UInt8]) throws(CompressionError) {
        unsafe deflateReset(stream)
        let whole = sections.reduce(0) { $0 + $1.count }
        let bound = Int(unsafe deflateBound(stream, UInt(whole))) + 64 * sections.count + 64
        let start = output.count
        output.append(contentsOf: repeatElement(0, count: bound))
        var written = 0
        for (index, section) in sections.enumerated() where !section.isEmpty || index == sections.count - 1 {
            let flush = index == sections.count - 1 ? Z_FINISH : Z_BLOCK
            written += try step(section, flush, into: &output, at: start + written)
        }
        output.removeLast(bound - written)
    }

    /// Packs bytes as one stream.
    public static func pack(
        _ bytes: [UInt8],
        effort: CompressionEffort = .level(6),
        wrapper: CompressionWrapper
    ) throws(CompressionError) -> [UInt8] {
        let deflater = try Deflater(effort, wrapper: wrapper)
        var output: [UInt8] = []
        try deflater.pack([bytes], into: &output)
        return output
    }

    private func step(
        _ section: [UInt8],
        _ flush: Int32,
        into output: inout [UInt8],
        at place: Int
    ) throws(CompressionError) -> Int {
        var section = section
        let room = output.count - place
        let code = unsafe section.withUnsafeMutableBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { target in
                unsafe stream.pointee.next_in = source.baseAddress
                unsafe stream.pointee.avail_in = UInt32(source.count)
                unsafe stream.pointee.next_out = target.baseAddress.map { unsafe $0 + place }
                unsafe stream.pointee.avail_out = UInt32(room)
                return unsafe deflate(stream, flush)
            }
        }
        guard code == (flush == Z_FINISH ? Z_STREAM_END : Z_OK) else { throw .failed(code: code) }
        return room - Int(unsafe stream.pointee.avail_out)
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
