/// Unpacks what a `EntropyPacker` packed, message by message.
///
/// Hostile bytes give other bytes or a fault, never more than was asked for; after a fault it must not be used again.
///
/// - Complexity: some nanoseconds a byte.
public struct EntropyUnpacker: Sendable {
    private var models: SymbolModels
    /// What a codebook says, in place of models.
    private let settled: SettledShares?
    private var source = EntropySource()
    /// Bytes of numbers that have more than one, by their place in the number.
    private var planes: [UInt8] = []

    /// An unpacker that knows nothing.
    ///
    /// - Parameter kinds: as the packer's.
    public init(kinds: Int) {
        models = SymbolModels(kinds: kinds, isDecoding: true)
        settled = nil
    }

    /// An unpacker of messages that each stand alone.
    ///
    /// - Complexity: 5 KB a kind, which copies share; some hundred microseconds to make.
    public init(_ codebook: Codebook) {
        models = SymbolModels(kinds: 0, isDecoding: true)
        settled = SettledShares(codebook)
    }

    /// Where in the message it reads next: how far a fault lies in.
    public var position: Int { source.position }

    /// Begins a message.
    ///
    /// - Parameters:
    ///   - message: its bytes, to their end.
    ///   - position: where it begins in them.
    public mutating func begin(_ message: [UInt8], at position: Int) throws(CompressionError) {
        source = EntropySource(position: position)
        guard message.count - position >= 8 else { throw .truncated }
        guard (message.count - position) % 2 == 0 else { throw .damaged }
        let state = Self.state(message, at: position)
        let next = Self.state(message, at: position + 4)
        guard min(state, next) >= EntropyPacker.stateMin else { throw .damaged }
        source = EntropySource(message: message, position: position + 8, state: state, next: next)
    }

    private static func state(_ message: [UInt8], at position: Int) -> UInt32 {
        (position..<position + 4).reversed().reduce(0) { $0 << 8 | UInt32(message[$1]) }
    }

    /// Ends a message, of which nothing may be left.
    public mutating func finish() throws(CompressionError) {
        let isWhole = source.position == source.message.count
        source.message = []
        guard isWhole else { throw .tooLong }
        guard source.state == EntropyPacker.stateMin, source.next == EntropyPacker.stateMin else {
            throw .damaged
        }
    }

    /// Reads bytes of one kind and appends them.
    public mutating func bytes(_ count: Int, kind: Int, into output: inout [UInt8]) {
        Self.bytes(count, kind, settled, &models, &source, into: &output)
    }

    private static func bytes(
        _ count: Int,
        _ kind: Int,
        _ settled: SettledShares?,
        _ models: inout SymbolModels,
        _ source: inout EntropySource,
        into output: inout [UInt8]
    ) {
        if let settled { return source.bytes(count, settled, kind, into: &output) }
        var left = count
        while left > 0 {
            let run = min(left, models.due(kind))
            let escapes = source.bytes(
                run,
                &models.symbols,
                models.places,
                kind,
                models.escapeStarts[kind],
                into: &output
            )
            models.advance(kind, by: run, escapes: escapes)
            left -= run
        }
    }

    /// Reads so many numbers of seven bits a byte and appends them.
    ///
    /// - Parameter lengthMax: the most bytes that they may have together.
    /// - Throws: `.tooLong` if they have more, `.damaged` if one has more than `EntropyPacker.numberLengthMax`.
    public mutating func numbers(
        _ count: Int,
        kind: Int,
        lengthMax: Int,
        into output: inout [UInt8]
    ) throws(CompressionError) {
        guard count <= lengthMax else { throw .tooLong }
        let start = output.count
        bytes(count, kind: kind, into: &output)
        var more = Self.long(in: output, from: start)
        guard more > 0 else { return }
        planes.removeAll(keepingCapacity: true)
        planes += output[start...]
        output.removeSubrange(start...)
        var next = InlineArray<10, Int>(repeating: 0)
        for level in 1..<EntropyPacker.numberLengthMax {
            next[level] = planes.count
            guard more > 0 else { continue }
            guard planes.count + more <= lengthMax else { throw .tooLong }
            let begin = planes.count
            Self.bytes(more, kind + 1, settled, &models, &source, into: &planes)
            more = Self.long(in: planes, from: begin)
        }
        guard more == 0 else { throw .damaged }
        if next[2] == planes.count {
            Self.joinPairs(planes, count, into: &output)
        } else {
            Self.join(planes, count, &next, into: &output)
        }
    }

    /// How many of the bytes say that more follow.
    private static func long(in bytes: [UInt8], from start: Int) -> Int {
        unsafe bytes.withUnsafeBytes { bytes in
            var place = start
            var count = 0
            // In bounds: eight bytes are read only where eight are left.
            while place + 8 <= bytes.count {
                let word = unsafe bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)
                count += (word & 0x8080_8080_8080_8080).nonzeroBitCount
                place += 8
            }
            while place < bytes.count {
                count += Int(unsafe bytes[place] >> 7)
                place += 1
            }
            return count
        }
    }

    /// Puts numbers of one or two bytes together again, without a branch, which nothing could foretell.
    ///
    /// - Parameter planes: the first bytes of all numbers, then the second ones of those that have one.
    private static func joinPairs(_ planes: [UInt8], _ count: Int, into output: inout [UInt8]) {
        let planes = planes.span
        // One more: behind the last number of one byte a second one is written and not counted.
        output.append(addingCapacity: planes.count + 1) { output in
            unsafe output.withUnsafeMutableBufferPointer { buffer, initialized in
                var next = count
                for number in 0..<count {
                    let byte = planes[number]
                    let more = Int(byte >> 7)
                    // In bounds: `initialized` grows by no more than there are bytes in `planes`, and one is left behind them.
                    unsafe buffer[initialized] = byte
                    unsafe buffer[initialized &+ 1] = planes[min(next, planes.count &- 1)]
                    initialized &+= 1 &+ more
                    next &+= more
                }
            }
        }
    }

    /// Puts the bytes of each number together again.
    ///
    /// - Parameters:
    ///   - planes: the first bytes of all numbers, then the second ones of those that have one, and so on.
    ///   - next: by place in the number, where those begin.
    private static func join(
        _ planes: [UInt8],
        _ count: Int,
        _ next: inout InlineArray<10, Int>,
        into output: inout [UInt8]
    ) {
        let planes = planes.span
        output.append(addingCapacity: planes.count) { output in
            for number in 0..<count {
                var byte = planes[number]
                var level = 1
                output.append(byte)
                while byte >= 0x80 {
                    byte = planes[next[level]]
                    next[level] += 1
                    level += 1
                    output.append(byte)
                }
            }
        }
    }

    /// Reads bits that are as good as random, 0 to 32.
    public mutating func bits(_ count: Int) -> UInt32 {
        let low = min(count, EntropyPacker.bitsMax)
        let bits = low > 0 ? source.bits(UInt32(low)) : 0
        return count > low ? bits | source.bits(UInt32(count - low)) << UInt32(low) : bits
    }

    /// Reads bits several times, 0 to 32 at a time, and appends them.
    public mutating func bits(_ count: Int, times: Int, into output: inout [UInt32]) {
        let low = min(count, EntropyPacker.bitsMax)
        output.append(addingCapacity: times) { output in
            source.bits(low, count - low, times, into: &output)
            while output.count < times { output.append(bits(count)) }
        }
    }
}
