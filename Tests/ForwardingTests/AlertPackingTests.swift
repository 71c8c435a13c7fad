import Compression
import Forwarding
import Simulation
import Testing

/// Alerts of one connection, packed and unpacked.
struct AlertPackingTests {
    private static func alert(_ number: Int, _ random: inout SeededRandom) -> [UInt8] {
        let camera = random.below(400)
        return Array(
            #"{"camera":"30-\#(camera)","captured":"2026-11-16T06:00:\#(10 + number % 50).613Z","entry":{"action":"STOP"},"force":"30","id":"gw-\#(number)","list":"wanted","match":"exact","origin":"read","sequence":\#(number),"site":"SITE-\#(camera / 3)","vrm":"AB27\#(random.below(1000))"}"#
                .utf8
        )
    }

    @Test("each comes out as it went in, and takes little after the first", arguments: [1, 2] as [UInt64])
    func roundTrip(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var packer = try AlertPacker()
        var unpacker = try AlertUnpacker()
        var later = 0
        for number in 1...300 {
            let text = Self.alert(number, &random)
            let packed = try packer.pack(text)
            #expect(try unpacker.unpack(packed) == text)
            if number > 100 { later += packed.count }
        }
        #expect(later < 200 * 100)
    }

    @Test("more than an alert may have is refused, and so is what is no deflate")
    func hostile() throws {
        var packer = try AlertPacker()
        var unpacker = try AlertUnpacker()
        let bomb = try packer.pack([UInt8](repeating: 32, count: LinkMessage.alertMax + 1))
        #expect(bomb.count < 1000)
        #expect(throws: CompressionError.self) { try unpacker.unpack(bomb) }
        var random = SeededRandom(seed: 9)
        for _ in 0..<500 {
            var other = try AlertUnpacker()
            let bytes = (0...random.below(60)).map { _ in UInt8(random.below(256)) }
            // Whatever comes out is no more than an alert may have.
            if let text = try? other.unpack(bytes) { #expect(text.count <= LinkMessage.alertMax) }
        }
        // The end of the stream itself is none of an alert's.
        var ended = try AlertUnpacker()
        #expect(throws: CompressionError.self) { try ended.unpack([3, 0]) }
    }
}
