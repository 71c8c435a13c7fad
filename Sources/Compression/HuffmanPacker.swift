/// Packs bytes into one deflate stream (RFC 1951) by entropy coding alone, with a code of its own for each section.
///
/// For columns that hold no repeats: zlib's own way of doing that takes several times as long, most of it to set up each
/// section. Any inflater unpacks the stream. Each section becomes a block with a code of its own, with deflate's fixed
/// code, or as it is, whichever is shortest; the result depends on the sections alone.
///
/// - Complexity: O(bytes), and for each section O(256) for its code.
public struct HuffmanPacker: Sendable {
    private var literals = HuffmanCode(symbolCount: 257)
    private var lengths = HuffmanCode(symbolCount: 19)
    private var frequencies = [UInt32](repeating: 0, count: 257)
    private var runs: [Run] = []
    private var table = [UInt32](repeating: 0, count: 256)

    /// A symbol of the code for code lengths, with the extra bits that follow it.
    private struct Run {
        var symbol: UInt8
        var extra: UInt8 = 0
        var extraCount: UInt8 = 0
    }

    private enum Form { case stored, fixed, own }

    /// The order in which deflate names the lengths of the code for code lengths.
    private static let lengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
    private static let endOfBlock = 256
    private static let storedMax = 65_535

    /// A packer that can be used for any number of streams.
    public init() {}

    /// Packs sections, in order, as one stream.
    ///
    /// - Parameters:
    ///   - sections: the bytes; empty ones take no room.
    ///   - output: the stream is appended.
    public mutating func pack(_ sections: [[UInt8]], into output: inout [UInt8]) {
        // A section is never longer than its fixed code, 9 bits a byte; or its header, if shorter.
        let room = sections.reduce(64) { $0 + $1.count + $1.count / 8 + 16 }
        var bytes: [UInt8] = []
        swap(&bytes, &output)
        var writer = BitWriter(behind: bytes, room: room)
        let last = sections.lastIndex { !$0.isEmpty }
        for (place, section) in sections.enumerated() where !section.isEmpty {
            pack(section, isLast: place == last, into: &writer)
        }
        if last == nil {
            // Nothing at all: an empty block of the fixed code.
            writer.put(0b011, 3)
            writer.put(0, 7)
        }
        output = writer.finish()
    }

    private mutating func pack(_ section: [UInt8], isLast: Bool, into writer: inout BitWriter) {
        count(section)
        literals.make(frequencies, lengthMax: 15)
        describeLengths()
        let final: UInt32 = isLast ? 1 : 0
        switch shortest(section, writer.bitsInByte) {
        case .stored:
            writer.put(final, 3)
            writer.align()
            let length = UInt32(section.count)
            writer.put(length | (~length & 0xFFFF) << 16, 32)
            writer.align()
            writer.put(section[...])
        case .fixed:
            writer.put(final | 0b010, 3)
            for byte in section { putFixed(byte, into: &writer) }
            writer.put(0, 7)
        case .own:
            writer.put(final | 0b100, 3)
            putCode(into: &writer)
            for byte in 0..<256 { table[byte] = literals.codes[byte] << 6 | UInt32(literals.lengths[byte]) }
            writer.put(section, table)
            writer.put(literals.codes[Self.endOfBlock], Int(literals.lengths[Self.endOfBlock]))
        }
    }

    /// Counts bytes, in four tables side by side so that equal neighbours do not wait for each other.
    private mutating func count(_ section: [UInt8]) {
        var counts = InlineArray<1024, UInt32>(repeating: 0)
        var place = 0
        while place + 4 <= section.count {
            counts[Int(section[place])] += 1
            counts[256 | Int(section[place + 1])] += 1
            counts[512 | Int(section[place + 2])] += 1
            counts[768 | Int(section[place + 3])] += 1
            place += 4
        }
        while place < section.count {
            counts[Int(section[place])] += 1
            place += 1
        }
        for byte in 0..<256 {
            frequencies[byte] = counts[byte] + counts[256 | byte] + counts[512 | byte] + counts[768 | byte]
        }
        frequencies[Self.endOfBlock] = 1
    }

    // MARK: - Which form

    private func shortest(_ section: [UInt8], _ bitsInByte: Int) -> Form {
        var own = 17 + 3 * lengthCount
        for run in runs { own += Int(lengths.lengths[Int(run.symbol)]) + Int(run.extraCount) }
        var fixed = 3 + 7
        for byte in 0..<256 where frequencies[byte] > 0 {
            own += Int(frequencies[byte]) * Int(literals.lengths[byte])
            fixed += Int(frequencies[byte]) * (byte < 144 ? 8 : 9)
        }
        own += Int(literals.lengths[Self.endOfBlock])
        let filled = (bitsInByte + 3 + 7) / 8 * 8 - bitsInByte
        let stored = section.count > Self.storedMax ? .max : filled + 32 + 8 * section.count
        return own <= min(fixed, stored) ? .own : fixed <= stored ? .fixed : .stored
    }

    private func putFixed(_ byte: UInt8, into writer: inout BitWriter) {
        // 8 bits from 0x30 for 0-143, 9 bits from 0x190 for the others, the code's highest bit first.
        let isShort = byte < 144
        let code = isShort ? 0x30 + UInt32(byte) : 0x190 + UInt32(byte - 144)
        var turned: UInt32 = 0
        let count = isShort ? 8 : 9
        for place in 0..<count { turned |= (code >> UInt32(place) & 1) << UInt32(count - 1 - place) }
        writer.put(turned, count)
    }

    // MARK: - The code's own description

    /// How many lengths of the code for code lengths are named.
    private var lengthCount: Int {
        var count = 19
        while count > 4, lengths.lengths[Self.lengthOrder[count - 1]] == 0 { count -= 1 }
        return count
    }

    /// Puts the code's lengths into runs, and makes the code for those.
    private mutating func describeLengths() {
        runs.removeAll(keepingCapacity: true)
        // The 257 of literals and the end, and one for no distances.
        var place = 0
        while place < 258 {
            let length = place < 257 ? literals.lengths[place] : 0
            var end = place + 1
            while end < 258, (end < 257 ? literals.lengths[end] : 0) == length { end += 1 }
            describe(length, end - place)
            place = end
        }
        var counts = [UInt32](repeating: 0, count: 19)
        for run in runs { counts[Int(run.symbol)] += 1 }
        // One symbol alone would be an incomplete code.
        if counts.count(where: { $0 > 0 }) < 2 { counts[counts[0] > 0 ? 1 : 0] += 1 }
        lengths.make(counts, lengthMax: 7)
    }

    private mutating func describe(_ length: UInt8, _ count: Int) {
        var rest = count
        if length > 0 {
            runs.append(Run(symbol: length))
            rest -= 1
            while rest >= 3 {
                let taken = min(rest, 6)
                runs.append(Run(symbol: 16, extra: UInt8(taken - 3), extraCount: 2))
                rest -= taken
            }
        } else {
            while rest >= 3 {
                let taken = min(rest, 138)
                let isLong = taken > 10
                runs.append(
                    Run(
                        symbol: isLong ? 18 : 17,
                        extra: UInt8(taken - (isLong ? 11 : 3)),
                        extraCount: isLong ? 7 : 3
                    )
                )
                rest -= taken
            }
        }
        for _ in 0..<rest { runs.append(Run(symbol: length)) }
    }

    private func putCode(into writer: inout BitWriter) {
        writer.put(0, 5)
        writer.put(0, 5)
        let named = lengthCount
        writer.put(UInt32(named - 4), 4)
        for place in 0..<named { writer.put(UInt32(lengths.lengths[Self.lengthOrder[place]]), 3) }
        for run in runs {
            let symbol = Int(run.symbol)
            writer.put(lengths.codes[symbol], Int(lengths.lengths[symbol]))
            writer.put(UInt32(run.extra), Int(run.extraCount))
        }
    }
}
