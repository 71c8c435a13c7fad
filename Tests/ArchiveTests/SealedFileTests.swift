import Archive
import Foundation
import Simulation
import TestSupport
import Testing

/// A file that is sealed reads as one in the clear does, whatever happens to it, or says that it is damaged.
struct SealedFileTests {
    /// A data folder with keys, and one file.
    private struct Place {
        let folder: TemporaryFolder
        let path: String

        init() throws {
            folder = try TemporaryFolder()
            path = "\(folder.path)/file"
        }

        func keys(isOn: Bool = true) -> KeyRing {
            KeyRing(data: folder.path, .file("\(folder.path)/keys/master.key"), isOn: isOn)
        }

        func open(_ mode: DataFile.Mode = .append) throws -> SealedFile {
            try SealedFile(path, mode, keys())
        }

        /// What another process reads.
        func read() throws -> [UInt8] { try open(.read).contents() }

        func raw() throws -> [UInt8] { try DataFile(path, .read).contents() }

        func put(_ bytes: [UInt8]) throws { try DataFile(path, .replace).write(bytes, at: 0) }
    }

    private static func bytes(_ count: Int, _ random: inout SeededRandom) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        for place in stride(from: 0, to: count, by: 61) { bytes[place] = UInt8(random.below(256)) }
        return bytes
    }

    @Test(
        "writes, cuts and reopening in any order: its own reader and another's see what a plain file has",
        arguments: 1...6 as ClosedRange<UInt64>
    )
    func model(seed: UInt64) throws {
        let place = try Place()
        var random = SeededRandom(seed: seed)
        var model: [UInt8] = []
        var file = try place.open()
        let follower = try place.open(.read)
        for step in 0..<300 {
            switch random.below(10) {
            case 0..<6:
                let count = random.chance(perMille: 20) ? random.within(1...3_000_000) : random.below(3000)
                let more = Self.bytes(count, &random)
                try file.write(more, at: model.count)
                model += more
            case 6:
                // As after a write that failed.
                let offset = model.count - random.below(min(model.count, 500) + 1)
                let more = Self.bytes(random.within(1...700), &random)
                try file.write(more, at: offset)
                model = model[..<offset] + more
            case 7:
                let length = model.count - random.below(min(model.count, 4000) + 1)
                try file.truncate(to: length)
                model.removeLast(model.count - length)
            case 8: file = try place.open()
            default: try file.sync()
            }
            let start = random.below(model.count + 10)
            let count = random.below(5000)
            let expected = start < model.count ? Array(model[start..<min(start + count, model.count)]) : []
            #expect(try file.read(count, at: start) == expected, "seed \(seed) step \(step)")
            #expect(try follower.read(count, at: start) == expected, "seed \(seed) step \(step)")
            #expect(try follower.length() == model.count, "seed \(seed) step \(step)")
        }
        #expect(try place.read() == model && file.contents() == model)
        #expect(try place.keys().names().count == 1)
    }

    /// A file of five pieces, and where in its content each ends.
    private static func small(_ place: Place) throws -> (content: [UInt8], ends: [Int]) {
        let file = try place.open()
        var content: [UInt8] = []
        var ends: [Int] = []
        for piece in 1...5 as ClosedRange<UInt8> {
            let more = [UInt8](repeating: piece, count: 7 * Int(piece))
            try file.write(more, at: content.count)
            content += more
            ends.append(content.count)
        }
        return (content, ends)
    }

    @Test("every bit of a file flipped: it is damage, named by file and byte, or the last piece is as torn")
    func flips() throws {
        let place = try Place()
        let (content, ends) = try Self.small(place)
        let raw = try place.raw()
        // Head of 26 bytes, 40 bytes a piece.
        let lastPiece = 26 + 4 * 40 + ends[3]
        #expect(raw.count == lastPiece + 40 + 35)
        for byte in raw.indices {
            for bit in 0..<8 {
                var injured = raw
                injured[byte] ^= 1 << UInt8(bit)
                try place.put(injured)
                if byte >= lastPiece {
                    #expect(try place.read() == Array(content[..<ends[3]]), "byte \(byte)")
                } else {
                    let error = #expect(throws: StorageError.self) { try place.read() }
                    #expect(error?.code == .damaged, "byte \(byte)")
                    #expect(error?.description.hasPrefix("\(place.path): damaged at byte ") == true)
                    #expect(throws: StorageError.self) { try place.open().contents() }
                }
            }
        }
    }

    @Test(
        "cut off at every length: whole pieces are read, the rest is as not there, and it goes on from there"
    )
    func cuts() throws {
        let place = try Place()
        let (content, ends) = try Self.small(place)
        let raw = try place.raw()
        for length in stride(from: raw.count, through: 0, by: -1) {
            try place.put(Array(raw[..<length]))
            let whole = ends.indices.last { 26 + 40 * ($0 + 1) + ends[$0] <= length }.map { ends[$0] } ?? 0
            #expect(try place.read() == Array(content[..<whole]), "cut to \(length)")
            let file = try place.open()
            #expect(try file.length() == whole)
            // Shorter than what is torn, so that some of that would be left behind it.
            try file.write([9], at: whole)
            #expect(try place.read() == content[..<whole] + [9], "cut to \(length)")
            try place.open().write([8, 8], at: whole + 1)
            #expect(try place.read() == content[..<whole] + [9, 8, 8], "cut to \(length)")
        }
    }

    @Test("pieces that change places, come twice, or come from another file do not open")
    func moved() throws {
        let place = try Place()
        let other = try Place()
        for one in [place, other] {
            let file = try one.open()
            for piece in 0..<4 as Range<UInt8> { try file.write([piece, piece, piece], at: 3 * Int(piece)) }
        }
        let raw = try place.raw()
        let foreign = try other.raw()
        func piece(_ number: Int, of bytes: [UInt8]) -> [UInt8] {
            Array(bytes[26 + 43 * number..<26 + 43 * (number + 1)])
        }
        let head = Array(raw[..<26])
        let own = (0..<4).map { piece($0, of: raw) }
        for (name, pieces) in [
            ("swapped", [own[0], own[2], own[1], own[3]]), ("twice", [own[0], own[0], own[2], own[3]]),
            ("foreign", [own[0], piece(1, of: foreign), own[2], own[3]]),
            ("missing", [own[0], own[2], own[3]]),
        ] {
            try place.put(head + pieces.joined())
            let error = #expect(throws: StorageError.self, "\(name)") { try place.read() }
            #expect(error?.code == .damaged, "\(name)")
        }
        try place.put(Array(foreign[..<26]) + own.joined())
        let error = #expect(throws: StorageError.self) { try place.read() }
        #expect(error?.code == .destroyed, "named by a key that is none of this ring's")
    }

    @Test("what was written in the clear is read and goes on in the clear; what is sealed stays so")
    func onAndOff() throws {
        let place = try Place()
        try place.put(Array("in the clear, and not short".utf8))
        let file = try place.open()
        try file.write(Array("; more".utf8), at: try file.length())
        #expect(try place.raw() == Array("in the clear, and not short; more".utf8))
        #expect(
            try place.read() == place.raw() && SealedFile(place.path, .read, nil).contents() == place.raw()
        )
        #expect(try place.keys().names().isEmpty)

        let off = try SealedFile(place.path, .replace, place.keys(isOn: false))
        try off.write([1, 2, 3], at: 0)
        #expect(try place.raw() == [1, 2, 3])

        try place.open(.replace).write(Array("sealed".utf8), at: 0)
        try SealedFile(place.path, .append, place.keys(isOn: false)).write(Array(", still".utf8), at: 6)
        #expect(try place.read() == Array("sealed, still".utf8))
        #expect(Data(try place.raw()).range(of: Data("still".utf8)) == nil)
        let error = #expect(throws: StorageError.self) {
            try SealedFile(place.path, .read, nil).contents()
        }
        #expect(error?.code == .mismatch)
    }

    @Test("what is replaced goes with its key; a file of which only the head was written has none yet")
    func replaced() throws {
        let place = try Place()
        try place.open().write([1], at: 0)
        let before = try place.keys().names()
        let copy = try place.raw()
        let file = try place.open(.replace)
        #expect(try place.keys().names().isEmpty && place.read().isEmpty)
        // As after a crash: the key is made when the first piece comes.
        try place.open().write([2], at: 0)
        let after = try place.keys().names()
        #expect(after.count == 1 && after != before && after.allSatisfy(\.isOfFile))
        #expect(try file.contents() == [2])
        try place.put(copy)
        let error = #expect(throws: StorageError.self) { try place.read() }
        #expect(error?.code == .destroyed && error?.description.contains(place.path) == true)
    }

    @Test("a reader beside a writer sees only what was written, from any place, until it has all")
    func growing() async throws {
        let place = try Place()
        let count = 1500
        let writer = try place.open()
        func record(_ number: Int) -> [UInt8] { Array(String(format: "%08d", number).utf8) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for number in 0..<count { try writer.write(record(number), at: 8 * number) }
            }
            for reader in 0..<2 {
                group.addTask {
                    let file = try place.open(.read)
                    var seen = 0
                    while seen < count {
                        let bytes = try file.read(8 * (reader == 0 ? 1 : 100), at: 8 * seen)
                        #expect(bytes.count % 8 == 0)
                        for start in stride(from: 0, to: bytes.count, by: 8) {
                            #expect(Array(bytes[start..<start + 8]) == record(seen))
                            seen += 1
                        }
                        await Task.yield()
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
