import ANPRModel

/// A column of a frame being written: bytes and whole numbers of varying length.
struct ColumnWriter {
    private(set) var bytes: [UInt8] = []

    @inline(__always)
    mutating func put(_ byte: UInt8) { bytes.append(byte) }

    /// Seven bits a byte, least first, the high bit says that more follow (LEB128).
    @inline(__always)
    mutating func put(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    /// A signed number, folded so that small ones of either sign are short.
    @inline(__always)
    mutating func put(signed value: Int64) { put(UInt64(bitPattern: value << 1 ^ value >> 63)) }
}

/// A column of a frame being read; every step checks that the bytes are there.
///
/// It looks into a buffer that it does not own: only `read` and `ColumnBytes.read` make readers, and none outlives the call.
@safe
struct ColumnReader {
    private let buffer: UnsafeBufferPointer<UInt8>
    /// Never behind `end`, which is never behind the buffer's.
    private var position: Int
    private let end: Int

    /// A reader of a part of a buffer.
    @inline(__always)
    init(_ buffer: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) {
        precondition(range.upperBound <= buffer.count)
        unsafe self.buffer = unsafe buffer
        position = range.lowerBound
        end = range.upperBound
    }

    /// Reads bytes from their first on.
    static func read<Result>(
        _ bytes: [UInt8],
        _ body: (inout ColumnReader) throws(FrameFault) -> Result
    ) throws(FrameFault) -> Result {
        try unsafe bytes.withUnsafeBufferPointer { buffer throws(FrameFault) in
            var reader = unsafe ColumnReader(buffer, 0..<buffer.count)
            return try body(&reader)
        }
    }

    var isAtEnd: Bool { position == end }

    /// How many bytes are still to be read.
    var left: Int { end - position }

    /// Passes over what is still to be read.
    mutating func skip() { position = end }

    @inline(__always)
    mutating func byte() throws(FrameFault) -> UInt8 {
        guard position < end else { throw .columnEnds }
        // In bounds: `end` is not behind the buffer's.
        let byte = unsafe buffer[position]
        position &+= 1
        return byte
    }

    @inline(__always)
    mutating func number() throws(FrameFault) -> UInt64 {
        let first = try byte()
        return first < 0x80 ? UInt64(first) : try number(from: first)
    }

    /// The rest of a number that has more than one byte.
    @inline(__always)
    private mutating func number(from first: UInt8) throws(FrameFault) -> UInt64 {
        let second = try byte()
        let low = UInt64(first & 0x7F) | UInt64(second & 0x7F) << 7
        return second < 0x80 ? low : try longNumber(from: low)
    }

    /// The rest of a number that has more than two bytes.
    private mutating func longNumber(from low: UInt64) throws(FrameFault) -> UInt64 {
        var value = low
        var shift: UInt64 = 14
        while true {
            let next = try byte()
            guard shift < 63 || next < 2 else { throw .numberTooLarge }
            value |= UInt64(next & 0x7F) << shift
            if next < 0x80 { return value }
            shift += 7
            guard shift <= 63 else { throw .numberTooLarge }
        }
    }

    @inline(__always)
    mutating func signed() throws(FrameFault) -> Int64 {
        let folded = try number()
        return Int64(bitPattern: folded >> 1) ^ -Int64(bitPattern: folded & 1)
    }

    /// The next row that has an exception: how far it is from the one before.
    mutating func next(_ row: inout Int, _ count: Int) throws(FrameFault) {
        let distance = try number(upTo: UInt64(count))
        guard distance > 0 else { throw .numberTooLarge }
        row += Int(distance)
        guard row < count else { throw .numberTooLarge }
    }

    /// A time, as difference to another.
    @inline(__always)
    mutating func time(after base: Timestamp) throws(FrameFault) -> Timestamp {
        let (sum, overflow) = base.milliseconds.addingReportingOverflow(try signed())
        let time = Timestamp(milliseconds: sum)
        guard !overflow, time >= .earliest, time <= .latest else { throw .numberTooLarge }
        return time
    }

    /// More milliseconds than lie between any two times that are taken.
    static var spanMax: UInt64 {
        UInt64(Timestamp.latest.milliseconds - Timestamp.earliest.milliseconds) + 2
    }

    /// A time no earlier than another, as difference to it.
    @inline(__always)
    mutating func laterTime(than base: Timestamp) throws(FrameFault) -> Timestamp {
        let time = Timestamp(milliseconds: base.milliseconds + Int64(try number(upTo: Self.spanMax)))
        guard time <= .latest else { throw .numberTooLarge }
        return time
    }

    /// A confidence plus one; 0 for none.
    @inline(__always)
    mutating func confidence() throws(FrameFault) -> Int8 {
        let byte = try byte()
        guard byte <= 101 else { throw .numberTooLarge }
        return Int8(byte) - 1
    }

    /// How many reads there are, told as one less.
    @inline(__always)
    mutating func reads() throws(FrameFault) -> UInt32 {
        UInt32(try number(upTo: UInt64(UInt32.max - 1))) + 1
    }

    /// A number of at most `limit`.
    @inline(__always)
    mutating func number(upTo limit: UInt64) throws(FrameFault) -> UInt64 {
        let value = try number()
        guard value <= limit else { throw .numberTooLarge }
        return value
    }
}

/// Why a frame could not be decoded though its checksum is right.
public enum FrameFault: Error, Equatable, Sendable {
    /// The block is no frame of this kind.
    case notAFrame
    /// It does not unpack to the length it names.
    case badPacking
    /// A column has fewer values than there are sightings.
    case columnEnds
    /// A column has bytes to spare.
    case columnTooLong
    /// A number outside its range.
    case numberTooLarge
    /// A camera that the stream has not named.
    case unknownCamera
    /// A mark that is none.
    case badMark
    /// A text that is not UTF-8, or too long.
    case badText
}
