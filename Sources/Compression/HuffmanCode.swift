/// A prefix code made for given frequencies: for each symbol a length of at most some bits, and its bits.
///
/// Lengths are Huffman's where none exceeds the limit, and nearly the best where the limit bites. Codes are canonical
/// (RFC 1951, 3.2.2), with their bits turned round, ready to be written least bit first.
struct HuffmanCode {
    /// By symbol; 0 for one that does not occur.
    private(set) var lengths: [UInt8]
    /// By symbol.
    private(set) var codes: [UInt32]

    private var used: [Symbol] = []
    private var depths: [UInt32] = []

    private struct Symbol: Comparable {
        var frequency: UInt32
        var symbol: UInt16

        static func < (left: Symbol, right: Symbol) -> Bool {
            (left.frequency, left.symbol) < (right.frequency, right.symbol)
        }
    }

    /// Room for a code of so many symbols.
    init(symbolCount: Int) {
        lengths = [UInt8](repeating: 0, count: symbolCount)
        codes = [UInt32](repeating: 0, count: symbolCount)
    }

    /// Makes the code.
    ///
    /// - Parameters:
    ///   - frequencies: by symbol.
    ///   - lengthMax: the longest code: at least log2 of the number of symbols.
    mutating func make(_ frequencies: [UInt32], lengthMax: Int) {
        used.removeAll(keepingCapacity: true)
        for symbol in lengths.indices {
            lengths[symbol] = 0
            if frequencies[symbol] > 0 {
                used.append(Symbol(frequency: frequencies[symbol], symbol: UInt16(symbol)))
            }
        }
        guard used.count > 1 else {
            for one in used { lengths[Int(one.symbol)] = 1 }
            assign()
            return
        }
        used.sort()
        measureDepths()
        limit(to: lengthMax)
        assign()
    }

    /// Huffman's code lengths in place, of frequencies in rising order (Moffat and Katajainen, 1995): `depths` falls.
    private mutating func measureDepths() {
        let count = used.count
        depths.removeAll(keepingCapacity: true)
        for one in used { depths.append(one.frequency) }
        // Joins: each inner node's weight, then whose child it is.
        depths[0] += depths[1]
        var root = 0
        var leaf = 2
        for next in 1..<count - 1 {
            for isSecond in [false, true] {
                let weight: UInt32
                if leaf >= count || (root < next && depths[root] < depths[leaf]) {
                    weight = depths[root]
                    depths[root] = UInt32(next)
                    root += 1
                } else {
                    weight = depths[leaf]
                    leaf += 1
                }
                depths[next] = isSecond ? depths[next] + weight : weight
            }
        }
        // From parents to depths of inner nodes, then to depths of leaves.
        depths[count - 2] = 0
        for next in (0..<count - 2).reversed() { depths[next] = depths[Int(depths[next])] + 1 }
        var available = 1
        var depth: UInt32 = 0
        var inner = count - 2
        var place = count - 1
        while available > 0 {
            var innerCount = 0
            while inner >= 0, depths[inner] == depth {
                innerCount += 1
                inner -= 1
            }
            for _ in innerCount..<max(available, innerCount) {
                depths[place] = depth
                place -= 1
            }
            available = 2 * innerCount
            depth += 1
        }
    }

    /// Cuts what is too long, lengthens the rarest of the others until all fit, and gives out what is then left over, so
    /// that the code is complete again.
    private mutating func limit(to lengthMax: Int) {
        let room: UInt32 = 1 << UInt32(lengthMax)
        var taken: UInt32 = 0
        for place in depths.indices {
            depths[place] = min(depths[place], UInt32(lengthMax))
            taken += room >> depths[place]
        }
        // The rarest symbols stand first.
        var rarest = 0
        while taken > room {
            while depths[rarest] == UInt32(lengthMax) { rarest += 1 }
            depths[rarest] += 1
            taken -= room >> depths[rarest]
        }
        // All shares are multiples of the least, and so is what is left: some symbol can always be shortened.
        while taken < room {
            for place in depths.indices.reversed() where room >> depths[place] <= room - taken {
                taken += room >> depths[place]
                depths[place] -= 1
            }
        }
        for (place, one) in used.enumerated() { lengths[Int(one.symbol)] = UInt8(depths[place]) }
    }

    /// Gives each symbol the next code of its length.
    private mutating func assign() {
        var next = InlineArray<16, UInt32>(repeating: 0)
        for length in lengths where length > 0 { next[Int(length)] += 1 }
        var code: UInt32 = 0
        for length in 1..<16 {
            let count = next[length]
            next[length] = code
            code = (code + count) << 1
        }
        for symbol in lengths.indices where lengths[symbol] > 0 {
            let length = Int(lengths[symbol])
            codes[symbol] = Self.turned(next[length], length)
            next[length] += 1
        }
    }

    private static func turned(_ code: UInt32, _ length: Int) -> UInt32 {
        var rest = code
        var turned: UInt32 = 0
        for _ in 0..<length {
            turned = turned << 1 | rest & 1
            rest >>= 1
        }
        return turned
    }
}
