/// A vehicle registration mark of 1 to 12 characters from A-Z and 0-9, packed exactly into an integer.
///
/// The packing is base 37, left-aligned: character `i` is worth `code * 37^(11 - i)` where a missing
/// character is 0, `0`-`9` are 1-10 and `A`-`Z` are 11-36. Two marks are equal exactly when their integers
/// are, and integers compare as the texts do in ASCII order, so no comparison needs the text.
public struct VRM: Hashable, Comparable, Sendable {
    /// The longest mark that is taken.
    public static let lengthMax = 12

    /// The packed characters; 0 is no mark at all and never leaves this type's initialisers.
    public let packed: UInt64

    /// Takes a packed value that was made by this type before.
    ///
    /// - Returns: `nil` unless `packed` is the packing of some mark.
    @inlinable
    public init?(packed: UInt64) {
        guard VRM.isPacked(packed) else { return nil }
        self.packed = packed
    }

    /// Takes a packed value whose origin guarantees that it is one: the hot path's way in.
    ///
    /// A value that is not a packed mark makes `text` meaningless but is never unsafe.
    @inlinable
    public init(trusted packed: UInt64) {
        self.packed = packed
    }

    /// Packs a mark that is already normal, such as `AB12CDE`.
    ///
    /// - Returns: `nil` for an empty or over-long text, or any character outside A-Z and 0-9.
    public init?(_ text: some StringProtocol) {
        var packer = VRMPacker()
        for byte in text.utf8 where !packer.take(byte) { return nil }
        guard let packed = packer.finish(), !packer.normalised else { return nil }
        self.packed = packed
    }

    /// Normalises a mark as it comes: lower case is raised, separators (space `-` `.` `·` `•`) are removed.
    ///
    /// - Returns: `nil` if nothing is left, more than 12 characters are, or any other character is met.
    public init?(normalising text: some StringProtocol) {
        var packer = VRMPacker()
        for byte in text.utf8 where !packer.take(byte) { return nil }
        guard let packed = packer.finish() else { return nil }
        self.packed = packed
    }

    /// Whether one comes before the other.
    @inlinable
    public static func < (left: VRM, right: VRM) -> Bool { left.packed < right.packed }

    /// How many characters the mark has.
    public var length: Int {
        var rest = packed
        var length = VRM.lengthMax
        while length > 0, rest % 37 == 0 {
            rest /= 37
            length -= 1
        }
        return length
    }

    /// Each character's code: 1-10 for `0`-`9`, 11-36 for `A`-`Z`, 0 behind the last.
    package var codes: InlineArray<12, UInt8> {
        // Two halves of six characters, so that neither chain of divisions waits for the other.
        let half: UInt64 = 2_565_726_409
        var front = packed / half
        var back = packed % half
        var codes = InlineArray<12, UInt8>(repeating: 0)
        for place in (0..<6).reversed() {
            codes[place] = UInt8(truncatingIfNeeded: front % 37)
            codes[place + 6] = UInt8(truncatingIfNeeded: back % 37)
            front /= 37
            back /= 37
        }
        return codes
    }

    /// The mark's characters.
    public var text: String {
        String(decoding: utf8, as: UTF8.self)
    }

    /// The mark's characters as ASCII.
    public var utf8: [UInt8] {
        var writer = ByteWriter(capacity: VRM.lengthMax)
        writer.put(self)
        return writer.take()
    }

    /// What the first character's code is worth: 37^11.
    static let weight: UInt64 = 177_917_621_779_460_413

    /// Tells whether characters come first and gaps only after them.
    @usableFromInline
    static func isPacked(_ packed: UInt64) -> Bool {
        guard packed > 0, packed / VRM.weight < 37 else { return false }
        var rest = packed
        // From the right: gaps first, then nothing but characters.
        while rest % 37 == 0 { rest /= 37 }
        while rest > 0 {
            guard rest % 37 != 0 else { return false }
            rest /= 37
        }
        return packed >= VRM.weight
    }
}

extension VRM: CustomStringConvertible {
    /// Hides the mark: a log line or an error that interpolates a value must not carry people's data.
    public var description: String { "VRM(•)" }
}

/// Builds a packed mark byte by byte from UTF-8, applying the normalising rules on the way.
///
/// - Complexity: O(1) a byte, no allocation.
public struct VRMPacker: Sendable {
    private var packed: UInt64 = 0
    private var length = 0
    /// Bytes still expected of a multi-byte separator, and how many of them were seen.
    private var pending: UInt32 = 0
    /// Whether anything was changed, so that the text as sent differs from the mark.
    public private(set) var normalised = false

    /// Starts an empty mark.
    public init() {}

    /// Packs a mark of at most eight characters that is already normal, all characters at once.
    ///
    /// - Returns: `nil` for any other text, which is then taken byte by byte.
    package static func plain(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt64? {
        let length = range.count
        guard length > 0, length <= 8 else { return nil }
        return plain(ByteWord.load(bytes, at: range.lowerBound, count: length), length: length)
    }

    /// Packs a mark of at most eight characters that is already normal, all characters at once.
    ///
    /// - Parameters:
    ///   - word: the characters, the first one lowest, zeroes behind them.
    ///   - length: how many there are, 0-8.
    /// - Returns: `nil` for any other text.
    @inlinable
    package static func plain(_ word: UInt64, length: Int) -> UInt64? {
        guard length > 0 else { return nil }
        let digits = ByteWord.atLeast(word, 0x30) & ~ByteWord.atLeast(word, 0x3A)
        let letters = ByteWord.atLeast(word, 0x41) & ~ByteWord.atLeast(word, 0x5B)
        let taken = length == 8 ? ByteWord.highBits : ByteWord.highBits & ByteWord.first(length)
        guard word & ByteWord.highBits == 0, digits | letters == taken else { return nil }
        // `0` is 1 and `A` is 11; what is missing stays 0.
        let codes = word &- (digits &>> 7) &* 0x2F &- (letters &>> 7) &* 0x36
        let pairMask: UInt64 = 0x00FF_00FF_00FF_00FF
        let pairs = (codes & pairMask) &* 37 &+ (codes &>> 8 & pairMask)
        let fourMask: UInt64 = 0x0000_FFFF_0000_FFFF
        let fours = (pairs & fourMask) &* 1369 &+ (pairs &>> 16 & fourMask)
        let all = (fours & 0xFFFF_FFFF) &* 1_874_161 &+ fours &>> 32
        // Four more characters that are missing: 37^4.
        return all &* 1_874_161
    }

    /// Takes the next byte of the text.
    ///
    /// - Returns: `false` when the text can't be a mark.
    @inline(__always)
    public mutating func take(_ byte: UInt8) -> Bool {
        let code = VRMPacker.code(byte)
        if code &- 1 < 36, pending == 0 {
            guard length < VRM.lengthMax else { return false }
            packed = packed &* 37 &+ UInt64(code)
            length += 1
            return true
        }
        return takeUnusual(byte, code: code)
    }

    /// The packed mark, or `nil` when no character was taken or a separator broke off.
    public func finish() -> UInt64? {
        guard length > 0, pending == 0 else { return nil }
        var aligned = packed
        for _ in length..<VRM.lengthMax { aligned = aligned &* 37 }
        return aligned
    }

    private mutating func takeUnusual(_ byte: UInt8, code: UInt8) -> Bool {
        normalised = true
        if pending != 0 { return takeContinuation(byte) }
        switch code {
        case 37: return true
        case 38...:
            guard length < VRM.lengthMax else { return false }
            packed = packed &* 37 &+ UInt64(code - 64)
            length += 1
            return true
        default: break
        }
        guard byte == 0xC2 || byte == 0xE2 else { return false }
        pending = UInt32(byte)
        return true
    }

    /// `·` is C2 B7 and `•` is E2 80 A2; nothing else of these leading bytes is a separator.
    private mutating func takeContinuation(_ byte: UInt8) -> Bool {
        switch (pending, byte) {
        case (0xC2, 0xB7), (0xE280, 0xA2): pending = 0
        case (0xE2, 0x80): pending = 0xE280
        default: return false
        }
        return true
    }

    /// What a byte is: 1-36 a character, 37 a separator, 64 + code a lower-case letter, 0 neither.
    @inline(__always)
    private static func code(_ byte: UInt8) -> UInt8 {
        if byte &- 65 < 26 { return byte - 54 }
        if byte &- 48 < 10 { return byte - 47 }
        if byte &- 97 < 26 { return byte - 97 + 75 }
        return byte == 0x20 || byte == 0x2D || byte == 0x2E ? 37 : 0
    }
}
