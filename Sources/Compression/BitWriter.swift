/// Writes bits behind bytes, least bit first, as deflate wants them.
struct BitWriter {
    private(set) var bytes: [UInt8]
    private var position: Int
    private var pending: UInt64 = 0
    private var pendingCount: UInt64 = 0

    /// Starts behind bytes.
    ///
    /// - Parameter room: as many bytes will be written at the most.
    init(behind bytes: consuming [UInt8], room: Int) {
        position = bytes.count
        self.bytes = bytes
        self.bytes.append(contentsOf: repeatElement(0, count: room + 8))
    }

    /// How many bits stand in the byte begun last.
    var bitsInByte: Int { Int(pendingCount & 7) }

    /// Writes up to 32 bits.
    @inline(__always)
    mutating func put(_ bits: UInt32, _ count: Int) {
        pending |= UInt64(bits) &<< pendingCount
        pendingCount += UInt64(count)
        if pendingCount >= 32 { flush() }
    }

    /// Writes the codes of bytes, at most 15 bits each.
    mutating func put(_ section: [UInt8], _ table: [UInt32]) {
        var pending = pending
        var count = pendingCount
        var position = position
        unsafe bytes.withUnsafeMutableBytes { target in
            for byte in section {
                // Six bits of length below the code.
                let entry = table[Int(byte)]
                pending |= UInt64(entry >> 6) &<< count
                count += UInt64(entry & 0x3F)
                if count >= 32 {
                    unsafe target.storeBytes(
                        of: UInt32(truncatingIfNeeded: pending).littleEndian,
                        toByteOffset: position,
                        as: UInt32.self
                    )
                    position += 4
                    pending >>= 32
                    count -= 32
                }
            }
        }
        self.pending = pending
        pendingCount = count
        self.position = position
    }

    /// Fills the last byte up with zeroes.
    mutating func align() {
        let rest = bitsInByte
        if rest > 0 { put(0, 8 - rest) }
        while pendingCount > 0 {
            bytes[position] = UInt8(truncatingIfNeeded: pending)
            position += 1
            pending >>= 8
            pendingCount -= 8
        }
    }

    /// Writes whole bytes; `align` comes first.
    mutating func put(_ section: ArraySlice<UInt8>) {
        for byte in section {
            bytes[position] = byte
            position += 1
        }
    }

    /// Gives the bytes back, the last one filled up.
    consuming func finish() -> [UInt8] {
        align()
        bytes.removeLast(bytes.count - position)
        return bytes
    }

    private mutating func flush() {
        for _ in 0..<4 {
            bytes[position] = UInt8(truncatingIfNeeded: pending)
            position += 1
            pending >>= 8
        }
        pendingCount -= 32
    }
}
