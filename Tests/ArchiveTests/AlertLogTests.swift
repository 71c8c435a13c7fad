import ANPRModel
import Archive
import Foundation
import TestSupport
import Testing

/// The alert log on disk.
@Suite
struct AlertLogTests {
    private static func line(_ sequence: UInt64) -> [UInt8] {
        Array(
            #"{"sequence":\#(sequence),"text":"\#(String(repeating: "x", count: Int(sequence % 50)))"}"#.utf8
        )
    }

    private static func append(_ count: Int, to log: AlertLog, day: Int32) throws {
        try log.append(day: day) { first in (0..<UInt64(count)).map { line(first + $0) } }
    }

    private static func all(_ folder: String, from first: UInt64 = 0) throws -> [AlertLogReader.Line] {
        var reader = AlertLogReader(folder, keys: nil, from: first)
        var lines: [AlertLogReader.Line] = []
        while true {
            let more = try reader.read()
            if more.isEmpty { return lines }
            lines += more
        }
    }

    @Test("days, reopening, a clock set back, any starting point, and a reader that follows")
    func order() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/alerts"
        var log = try AlertLog(path, keys: nil)
        var follower = AlertLogReader(path, keys: nil, from: 1)
        #expect(try follower.read().isEmpty)
        try Self.append(3, to: log, day: 20_000)
        #expect(try follower.read(before: 3).map(\.sequence) == [1, 2])
        #expect(try follower.read(before: log.next).map(\.sequence) == [3])
        try Self.append(20_000, to: log, day: 20_001)
        log = try AlertLog(path, keys: nil)
        #expect(log.next == 20_004)
        try Self.append(2, to: log, day: 19_999)
        try Self.append(1, to: log, day: 20_002)
        let lines = try Self.all(path)
        #expect(lines.map(\.sequence) == Array(1...20_006))
        #expect(lines.allSatisfy { $0.text == Self.line($0.sequence) })
        for first: UInt64 in [1, 3, 4, 12_345, 20_005, 20_006, 20_007] {
            #expect(try Self.all(path, from: first).map(\.sequence) == Array(first..<20_007))
        }
        var followed: [UInt64] = []
        while let more = Optional(try follower.read()), !more.isEmpty { followed += more.map(\.sequence) }
        #expect(followed == Array(4...20_006))
        var tail = AlertLogReader(path, keys: nil, lastFiles: 1)
        #expect(try tail.read().map(\.sequence) == [20_006])
        #expect(DataFolder.names(in: path).count == 3)
        let third = Timestamp(milliseconds: 20_001 * 86_400_000)
        for isDry in [true, false] {
            var purge = RecordPurge()
            try AlertLog.purge(before: third, in: path, keys: nil, isDry: isDry, into: &purge) { _, day in
                day.milliseconds == 20_000 * 86_400_000 ? 7 : nil
            }
            #expect(purge.counts == [7: 3])
            #expect(purge.oldest == [7: Timestamp(milliseconds: 20_000 * 86_400_000)])
        }
        #expect(try Self.all(path).first?.sequence == 4)
        // What is held stays, and is read as before; a file that a crash left half written is none.
        let held: [UInt64] = [4, 77, 20_003]
        try Data("{".utf8).write(to: URL(fileURLWithPath: "\(path)/2024-10-05.ndjson.tmp"))
        var gone = RecordPurge()
        try AlertLog.purge(
            before: Timestamp(milliseconds: 20_002 * 86_400_000),
            in: path,
            keys: nil,
            into: &gone
        ) { line, _ in
            held.contains { line == Self.line($0) } ? nil : 0
        }
        #expect(gone.counts == [0: 19_999])
        #expect(try Self.all(path).map(\.sequence) == held + [20_006])
        #expect(try AlertLog(path, keys: nil).next == 20_007)
    }

    @Test("what a crash left half written is cut off, wherever it tore", arguments: [0, 1, 7, 20])
    func torn(kept: Int) throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/alerts"
        try Self.append(2, to: try AlertLog(path, keys: nil), day: 20_000)
        let file = try DataFile(path + "/" + DataFolder.names(in: path)[0], .append)
        try file.write(Array(Self.line(3).prefix(kept)), at: try file.length())
        let log = try AlertLog(path, keys: nil)
        #expect(log.next == 3)
        try Self.append(1, to: log, day: 20_000)
        #expect(try Self.all(path).map(\.sequence) == [1, 2, 3])
    }

    @Test("a line that is no alert is damage, named by its file")
    func damage() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/alerts"
        try Self.append(1, to: try AlertLog(path, keys: nil), day: 20_000)
        let name = DataFolder.names(in: path)[0]
        let file = try DataFile("\(path)/\(name)", .append)
        try file.write(Array("rubbish\n".utf8), at: try file.length())
        let error = try #require(throws: StorageError.self) { _ = try Self.all(path) }
        #expect("\(error)".contains(name) && !"\(error)".contains("rubbish"))
    }

    @Test("a file that can't be read stays, and holds up none behind it; what went is told")
    func unreadable() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/alerts"
        let keys = KeyRing(data: folder.path, .file("\(folder.path)/keys/master.key"))
        let log = try AlertLog(path, keys: keys)
        for day in 20_000..<20_005 as Range<Int32> { try Self.append(2, to: log, day: day) }
        let names = DataFolder.names(in: path)
        let file = URL(fileURLWithPath: "\(path)/\(names[1])")
        var bytes = try Data(contentsOf: file)
        for place in bytes.indices where place > bytes.count / 2 { bytes[place] ^= 0x55 }
        try bytes.write(to: file)
        var gone = RecordPurge()
        #expect(throws: StorageError.self) {
            try AlertLog.purge(before: .latest, in: path, keys: keys, into: &gone) { _, _ in 0 }
        }
        #expect(gone.counts == [0: 6])
        #expect(DataFolder.names(in: path) == [names[1], names[4]])
    }
}
