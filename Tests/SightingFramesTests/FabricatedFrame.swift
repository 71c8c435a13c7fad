import Compression
import Testing

/// A first frame of a connection put together by hand, with the right checksum: one sighting, and anything about it wrong.
struct FabricatedFrame: Sendable, CustomTestStringConvertible {
    var name: String
    /// How many sightings it says it has, and its flags.
    var count: UInt64 = 1
    var flags: UInt64 = 4
    /// How many numbers the columns unusual, bearings, speeds and identities are said to have.
    var told: [Int64] = [0, 0, 0, 0]
    /// The column letter1's codes of distances, and the bits behind them.
    var distances: [UInt8] = []
    var distanceBits: [(UInt32, Int)] = []
    /// By the number of the column: a sighting of AB27CDE at time 0, by camera 0, once.
    var columns: [Int: [UInt64]] = [
        0: [0], 1: [1], 2: [2], 3: [27], 4: [3], 5: [4], 6: [5], 8: [0], 9: [0], 10: [0], 11: [0], 12: [1],
    ]

    var testDescription: String { name }

    init(name: String, _ change: (inout FabricatedFrame) -> Void = { _ in }) {
        self.name = name
        change(&self)
    }

    /// Numbers of columns that hold bytes, and of all as they go over.
    private static let ofBytes: Set<Int> = [1, 2, 3, 4, 5, 6, 8, 10, 20]
    private static let order = [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 17, 16, 18, 19, 20, 13, 14, 21, 22, 23, 24,
    ]

    private static func leb(_ numbers: [UInt64]) -> [UInt8] {
        var bytes: [UInt8] = []
        for number in numbers {
            var rest = number
            while rest >= 0x80 {
                bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
                rest >>= 7
            }
            bytes.append(UInt8(rest))
        }
        return bytes
    }

    static func folded(_ number: Int64) -> UInt64 { UInt64(bitPattern: number << 1 ^ number >> 63) }

    /// The frame.
    var bytes: [UInt8] {
        var packer = EntropyPacker(kinds: 57)
        packer.put(numbers: Self.leb([count, flags]), kind: 52)
        packer.put(numbers: Self.leb(told.map(Self.folded)), kind: 54)
        for column in Self.order {
            let values = columns[column] ?? []
            if Self.ofBytes.contains(column) {
                packer.put(values.map { UInt8(truncatingIfNeeded: $0) }, kind: 2 * column)
            } else {
                packer.put(numbers: Self.leb(values), kind: 2 * column)
            }
            guard column == 1 else { continue }
            packer.put(distances, kind: 56)
            for (bits, count) in distanceBits { packer.put(bits: bits, count: count) }
        }
        var frame: [UInt8] = [0, 0, 0, 0]
        packer.finish(into: &frame)
        let checksum = Checksum.crc32(frame, 4..<frame.count)
        for byte in 0..<4 { frame[byte] = UInt8(truncatingIfNeeded: checksum >> UInt32(8 * byte)) }
        return frame
    }

    /// Frames to be refused.
    static let hostile: [FabricatedFrame] = heads + marks + rows + joints + exceptions

    private static let heads: [FabricatedFrame] = [
        .init(name: "no sightings") { $0.count = 0 },
        .init(name: "more sightings than a frame has") { $0.count = 65_537 },
        .init(name: "sightings without end") { $0.count = .max },
        .init(name: "the first layout") { $0.flags = 0 },
        .init(name: "flags that mean nothing") { $0.flags = 4 | 8 },
        .init(name: "flags of more than two bytes") { $0.flags = 1 << 20 | 4 },
        .init(name: "a column of more numbers than a frame has") { $0.told[0] = 16 << 20 + 1 },
        .init(name: "a column without end") { $0.told[1] = .max },
        .init(name: "a column of less than nothing") { $0.told[2] = -1 },
        .init(name: "a column of the least number there is") { $0.told[3] = .min },
        .init(name: "exceptions that are not there") { $0.told[1] = 1 << 19 },
        .init(name: "bytes behind the last column") {
            $0.columns[15] = [1]; $0.columns[24] = [5, 5]
        },
    ]

    private static let marks: [FabricatedFrame] = [
        .init(name: "a letter that is none") { $0.columns[1] = [28] },
        .init(name: "an age that is none") { $0.columns[3] = [100] },
        .init(name: "a mark that is none") {
            for column in 2...6 { $0.columns[column] = nil }
            $0.columns[1] = [0]
            $0.columns[7] = [.max]
        },
        .init(name: "a mark that never went over") { $0.recall(code: 1) },
        .init(name: "a distance of 0") { $0.recall(code: 0) },
        .init(name: "a distance beyond the memory") { $0.recall(code: 16 + 15 * 8 + 7, (0xFFFF, 16)) },
        .init(name: "a code of no distance") { $0.recall(code: 255) },
    ]

    private mutating func recall(code: UInt8, _ bits: (UInt32, Int)? = nil) {
        for column in 2...6 { columns[column] = nil }
        columns[1] = [27]
        distances = [code]
        distanceBits = bits.map { [$0] } ?? []
    }

    private static let rows: [FabricatedFrame] = [
        .init(name: "a time after the last there is") { $0.columns[0] = [folded(.max)] },
        .init(name: "a time before the first there is") { $0.columns[0] = [folded(.min)] },
        .init(name: "times that overflow") {
            $0.columns = $0.columns.mapValues { $0 + $0 }
            $0.count = 2
            $0.columns[0] = [folded(.max), folded(.max)]
        },
        .init(name: "a camera that is not registered") { $0.columns[8] = [200] },
        .init(name: "a camera of more than four bytes") { $0.columns[9] = [1 << 40] },
        .init(name: "a confidence above 100") { $0.columns[10] = [102] },
        .init(name: "more reads than there can be") { $0.columns[12] = [1 << 32] },
        .init(name: "a last read after all time") {
            $0.columns[12] = [2]; $0.columns[13] = [1 << 62]; $0.columns[14] = [0]
        },
        .init(name: "a best read after all time") {
            $0.columns[12] = [2]; $0.columns[13] = [0]; $0.columns[14] = [.max]
        },
        .init(name: "more contributions than there are cameras") { $0.join(count: 1 << 20) },
        .init(name: "contributions without end") { $0.join(count: .max) },
    ]

    /// Makes it a sighting of several contributions; the others' cameras stand behind the first one's at their site.
    private mutating func join(count: UInt64, parts: [UInt64] = [0, 0], places: [UInt64] = [1]) {
        columns[11] = [count]
        columns[12] = nil
        columns[17] = parts
        columns[16] = places
        columns[18] = [0]
        columns[19] = places.map { _ in 5 }
        columns[20] = places.map { _ in 0 }
    }

    private static let joints: [FabricatedFrame] = [
        .init(name: "a camera that the site has not") { $0.join(count: 2, places: [100]) },
        .init(name: "the best read's camera once more") { $0.join(count: 2, places: [0]) },
        .init(name: "a camera twice") { $0.join(count: 3, parts: [0, 0, 0], places: [1, 1]) },
        .init(name: "reads that overflow together") {
            $0.join(count: 2, parts: [UInt64(UInt32.max) - 1, UInt64(UInt32.max) - 1])
            $0.columns[13] = [0]
            $0.columns[14] = [0]
        },
        .init(name: "a contribution's reads that overflow") {
            $0.join(count: 2, parts: [.max, 0])
            $0.columns[13] = [0]
            $0.columns[14] = [0]
        },
        .init(name: "a first read of none of them") {
            $0.join(count: 2); $0.columns[18] = [2]
        },
        .init(name: "a first read after all time") {
            $0.join(count: 2); $0.columns[19] = [.max]
        },
    ]

    private static let exceptions: [FabricatedFrame] = [
        .init(name: "an exception of no row") {
            $0.told[2] = 2; $0.columns[23] = [0, 9]
        },
        .init(name: "an exception behind the last row") {
            $0.told[2] = 2; $0.columns[23] = [2, 9]
        },
        .init(name: "an exception far behind it") {
            $0.told[2] = 2; $0.columns[23] = [.max, 9]
        },
        .init(name: "an exception that breaks off") {
            $0.told[2] = 1; $0.columns[23] = [1]
        },
        .init(name: "a speed of more than two bytes") {
            $0.told[2] = 2; $0.columns[23] = [1, 1 << 16]
        },
        .init(name: "a direction that is none") {
            $0.told[1] = 3; $0.columns[22] = [1, 11, 0]
        },
        .init(name: "a lane that is none") {
            $0.told[1] = 3; $0.columns[22] = [1, 0, 65]
        },
        .init(name: "an opening before all time") {
            $0.told[3] = 3; $0.columns[24] = [1, folded(.min), 0]
        },
        .init(name: "a revision of more than two bytes") {
            $0.told[3] = 3; $0.columns[24] = [1, 0, 1 << 17]
        },
        .init(name: "an unusual one of more cameras than there are") {
            $0.columns[11] = [1]
            $0.columns[12] = nil
            $0.told[0] = 4
            $0.columns[21] = [1, 0, 0, 1 << 50]
        },
    ]
}
