internal import Compression

/// One checksummed block of a stream: what files and links are made of.
///
/// A stream is a run of blocks: cameras before the frames that name them, frames of sightings, marks of how far the
/// stream is complete. `FrameFormat.md` draws the bytes.
public struct Block: Sendable, Equatable {
    /// What a block holds.
    public enum Kind: UInt8, Sendable {
        /// Cameras of the sender's register, appended to those sent before.
        case register = 1
        /// Sightings.
        case frame = 2
        /// How far the stream is complete.
        case mark = 3
    }

    /// Why bytes are no block.
    public enum Fault: Error, Equatable, Sendable {
        /// The bytes end inside the block: more may come, or the writer died.
        case incomplete
        /// Another magic, an unknown kind or version, or an absurd length.
        case notABlock
        /// The checksum is another.
        case badChecksum
    }

    /// What it holds.
    public var kind: Kind
    /// Bits whose meaning depends on the kind.
    public var flags: UInt16 = 0
    /// How many items it holds.
    public var count: UInt32
    /// The number of its first item in its stream.
    public var sequence: UInt64
    /// How long its payload is once unpacked.
    public var unpackedLength: UInt32
    /// The payload as stored.
    public var payload: [UInt8]

    /// The length of the header before each payload.
    public static let headerLength = 32
    /// The longest payload, stored or unpacked, that is taken.
    public static let payloadMax = 64 << 20
    private static let magic: [UInt8] = Array("ANPB".utf8)
    private static let version: UInt8 = 1

    /// How many bytes it takes with its header.
    public var length: Int { Block.headerLength + payload.count }

    /// Appends the block.
    public func write(to bytes: inout [UInt8]) {
        let start = bytes.count
        bytes += Block.magic
        bytes.append(kind.rawValue)
        bytes.append(Block.version)
        LittleEndian.append(flags, to: &bytes)
        LittleEndian.append(UInt32(payload.count), to: &bytes)
        LittleEndian.append(unpackedLength, to: &bytes)
        LittleEndian.append(count, to: &bytes)
        LittleEndian.append(sequence, to: &bytes)
        let checksum = Checksum.crc32(
            payload,
            0..<payload.count,
            continuing: Checksum.crc32(bytes, start..<bytes.count)
        )
        LittleEndian.append(checksum, to: &bytes)
        bytes += payload
    }

    /// Reads the block at a position.
    ///
    /// - Parameter position: moved behind the block.
    /// - Complexity: O(length); nothing is allocated before the length has been found believable.
    public static func read(_ bytes: [UInt8], at position: inout Int) throws(Fault) -> Block {
        let end = try length(bytes, at: position) + position
        guard end <= bytes.count else { throw .incomplete }
        let start = position
        let body = start + headerLength
        let checksum: UInt32 = LittleEndian.read(bytes, at: start + 28)
        let computed = Checksum.crc32(
            bytes,
            body..<end,
            continuing: Checksum.crc32(bytes, start..<start + 28)
        )
        guard checksum == computed else { throw .badChecksum }
        guard let kind = Kind(rawValue: bytes[start + 4]) else { throw .notABlock }
        position = end
        return Block(
            kind: kind,
            flags: LittleEndian.read(bytes, at: start + 6),
            count: LittleEndian.read(bytes, at: start + 16),
            sequence: LittleEndian.read(bytes, at: start + 20),
            unpackedLength: LittleEndian.read(bytes, at: start + 12),
            payload: Array(bytes[body..<end])
        )
    }

    /// The whole length of the block whose header stands at a position.
    public static func length(_ bytes: [UInt8], at start: Int) throws(Fault) -> Int {
        guard bytes.count - start >= headerLength else { throw .incomplete }
        guard bytes[start..<start + 4].elementsEqual(magic), bytes[start + 5] == version,
            Kind(rawValue: bytes[start + 4]) != nil
        else { throw .notABlock }
        let payload = Int(LittleEndian.read(bytes, at: start + 8) as UInt32)
        let unpacked = Int(LittleEndian.read(bytes, at: start + 12) as UInt32)
        guard payload <= payloadMax, unpacked <= payloadMax else { throw .notABlock }
        return headerLength + payload
    }
}

/// Whole numbers of seven bits a byte, the least first; the high bit says that more follow (LEB128).
public enum VaryingLength {
    /// Appends a number.
    public static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    /// Reads a number.
    ///
    /// - Parameter position: moved behind it.
    /// - Returns: `nil` where the bytes end in it, or it is larger than 64 bits.
    public static func read(_ bytes: [UInt8], at position: inout Int) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard position < bytes.count else { return nil }
            let byte = bytes[position]
            position += 1
            guard shift < 63 || byte < 2 else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }
}

/// Whole numbers with the least byte first.
public enum LittleEndian {
    /// Appends a number.
    @inlinable
    public static func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
        var rest = value
        for _ in 0..<value.bitWidth / 8 {
            bytes.append(UInt8(truncatingIfNeeded: rest))
            rest = rest >> 8
        }
    }

    /// Reads a number whose bytes must be there.
    @inlinable
    public static func read<Number: FixedWidthInteger>(_ bytes: [UInt8], at position: Int) -> Number {
        var value: Number = 0
        for offset in (0..<Number.bitWidth / 8).reversed() {
            value = value << 8 | Number(truncatingIfNeeded: bytes[position + offset])
        }
        return value
    }
}
