/// A growing run of bytes for text that is written fast.
///
/// One reservation covers a whole line, so that the single appends inside need no growth check; each append still
/// checks its bounds. The only raw memory in this target.
@safe
public struct ByteWriter: ~Copyable {
    private var storage: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    /// How many bytes are written.
    public private(set) var count = 0

    /// Starts empty with room for `capacity` bytes.
    public init(capacity: Int = 4096) {
        self.capacity = max(capacity, 64)
        unsafe storage = .allocate(capacity: self.capacity)
    }

    deinit {
        unsafe storage.deallocate()
    }

    /// Makes room for at least `more` bytes.
    @inline(__always)
    public mutating func reserve(_ more: Int) {
        if count + more > capacity { grow(to: count + more) }
    }

    /// Appends one byte of which the room was reserved.
    @inline(__always)
    public mutating func put(_ byte: UInt8) {
        precondition(count < capacity)
        unsafe storage[count] = byte
        count += 1
    }

    /// Appends a literal of which the room was reserved.
    @inline(__always)
    public mutating func put(_ text: StaticString) {
        let length = text.utf8CodeUnitCount
        precondition(count + length <= capacity)
        unsafe (storage + count).update(from: text.utf8Start, count: length)
        count += length
    }

    /// Appends a part of an array, of which the room was reserved.
    @inline(__always)
    public mutating func put(_ bytes: [UInt8], _ range: Range<Int>) {
        precondition(
            count + range.count <= capacity && range.lowerBound >= 0 && range.upperBound <= bytes.count
        )
        unsafe bytes.withUnsafeBufferPointer { source in
            guard let base = source.baseAddress else { return }
            unsafe (storage + count).update(from: base + range.lowerBound, count: range.count)
        }
        count += range.count
    }

    /// Appends eight bytes, the lowest first, of which the room was reserved.
    @inline(__always)
    public mutating func put(word: UInt64) {
        precondition(count + 8 <= capacity)
        unsafe UnsafeMutableRawPointer(storage + count).storeBytes(of: word.littleEndian, as: UInt64.self)
        count += 8
    }

    /// Appends a mark's characters; reserves its own room.
    public mutating func put(_ vrm: VRM) {
        reserve(VRM.lengthMax)
        let codes = vrm.codes
        for place in 0..<VRM.lengthMax where codes[place] > 0 {
            put(codes[place] > 10 ? codes[place] &+ 54 : codes[place] &+ 47)
        }
    }

    /// Appends sixteen hexadecimal digits; reserves its own room.
    public mutating func put(hexadecimal value: UInt64) {
        reserve(16)
        putHexadecimal(half: value >> 32)
        putHexadecimal(half: value & 0xFFFF_FFFF)
    }

    private mutating func putHexadecimal(half: UInt64) {
        // Eight nibbles, one in each byte, then each its digit.
        var nibbles = (half << 16 | half) & 0x0000_FFFF_0000_FFFF
        nibbles = (nibbles << 8 | nibbles) & 0x00FF_00FF_00FF_00FF
        nibbles = (nibbles << 4 | nibbles) & 0x0F0F_0F0F_0F0F_0F0F
        let letters = (nibbles &+ ByteWord.all(6)) >> 4 & ByteWord.all(1)
        let digits = nibbles &+ ByteWord.all(0x30) &+ letters &* 0x27
        put(word: digits.byteSwapped)
    }

    /// Appends a whole number in decimal; reserves its own room.
    public mutating func put(decimal value: Int) {
        reserve(20)
        if value >= 0, value < 10 {
            put(UInt8(48 + value))
            return
        }
        if value >= 0, value < 100 {
            put(UInt8(48 + value / 10))
            put(UInt8(48 + value % 10))
            return
        }
        for byte in String(value).utf8 { put(byte) }
    }

    /// Appends text; reserves its own room.
    public mutating func put(text: String) {
        reserve(text.utf8.count)
        for byte in text.utf8 { put(byte) }
    }

    /// Gives the bytes written so far to `body` and starts over.
    public mutating func drain<Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        let filled = count
        count = 0
        try unsafe body(UnsafeRawBufferPointer(start: storage, count: filled))
    }

    /// Takes the bytes written so far as an array and starts over.
    public mutating func take() -> [UInt8] {
        let bytes = unsafe Array(UnsafeBufferPointer(start: storage, count: count))
        count = 0
        return bytes
    }

    private mutating func grow(to needed: Int) {
        let larger = max(needed, capacity * 2)
        let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        unsafe moved.update(from: storage, count: count)
        unsafe storage.deallocate()
        unsafe storage = moved
        capacity = larger
    }
}
