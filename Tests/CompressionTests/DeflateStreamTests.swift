import Compression
import Simulation
import Testing

/// A stream packed in pieces is one stream.
struct DeflateStreamTests {
    private static func unpacked(_ bytes: [UInt8], _ wrapper: CompressionWrapper) throws -> [UInt8] {
        let inflater = try Inflater(wrapper)
        inflater.feed(bytes)
        var all: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = try unsafe room.withUnsafeMutableBytes { try unsafe inflater.read(into: $0) }
            guard count > 0 else { return all }
            all += room[0..<count]
        }
    }

    @Test("each flushed piece can be unpacked as it comes", arguments: [1, 2, 3] as [UInt64])
    func flushed(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let stream = try DeflateStream(wrapper: .gzip)
        var plain: [UInt8] = []
        var packed: [UInt8] = []
        for round in 0..<40 {
            // Some pieces pack well, some not at all, some are empty.
            let count = random.below(1 << random.within(0...17))
            let piece = (0..<count).map { _ in UInt8(random.below(round % 3 == 0 ? 256 : 3)) }
            plain += piece
            try stream.pack(piece, .flushed, into: &packed)
            #expect(try Self.unpacked(packed, .gzip) == plain, "seed \(seed), piece \(round)")
        }
        try stream.pack([], .finished, into: &packed)
        #expect(try Self.unpacked(packed, .gzip) == plain)
    }

    @Test(
        "open pieces are no longer than the whole at once",
        arguments: [CompressionWrapper.gzip, .zlib, .raw]
    )
    func open(wrapper: CompressionWrapper) throws {
        let plain = (0..<200_000).map { UInt8($0 % 251 ^ $0 / 1000 & 0xFF) }
        let stream = try DeflateStream(level: 6, wrapper: wrapper)
        var packed: [UInt8] = []
        for start in stride(from: 0, to: plain.count, by: 777) {
            try stream.pack(Array(plain[start..<min(start + 777, plain.count)]), .open, into: &packed)
        }
        try stream.pack([], .finished, into: &packed)
        #expect(try Self.unpacked(packed, wrapper) == plain)
        #expect(packed.count <= (try Deflater.pack(plain, level: 6, wrapper: wrapper)).count + 64)
    }
}
