public import ANPRModel
import Foundation

/// The alerts of a node, in order: a file a day, a JSON object a line, each with its `sequence`.
///
/// Append-only. What a crash left half written is cut off when the log is opened: it was told to nobody.
public final class AlertLog {
    private let folder: String
    private let keys: KeyRing?
    private var file: SealedFile?
    private var day: Int32 = .min
    private var length = 0
    /// The number of the next alert.
    public private(set) var next: UInt64 = 1

    /// The days' files, in order.
    static func files(in folder: String) -> [String] {
        DataFolder.names(in: folder).filter { !$0.hasSuffix(SealedFile.temporary) }
    }

    /// Opens a log, made if it is not there.
    ///
    /// - Parameter keys: of the data folder; without them all is written in the clear.
    public init(_ folder: String, keys: KeyRing?) throws {
        self.folder = folder
        self.keys = keys
        try DataFolder.make(folder)
        try SealedFile.clear(folder, keys)
        // A file without a whole line may be the newest.
        for name in AlertLog.files(in: folder).reversed() {
            let file = try SealedFile("\(folder)/\(name)", .append, keys)
            let bytes = try file.contents()
            let end = bytes.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
            if try end < bytes.count || file.torn() > 0 { try file.truncate(to: end) }
            guard end > 0 else { continue }
            let start = bytes[..<(end - 1)].lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
            next = try AlertLogReader.sequence(bytes[start..<end - 1], in: "\(folder)/\(name)") + 1
            break
        }
    }

    /// Adds alerts; all are on stable storage when this returns, or none is in the log.
    ///
    /// - Parameters:
    ///   - lines: makes the lines, without line feeds, given the number of the first.
    ///   - day: the day they are raised, counted from 1970-01-01; an earlier one than before counts as that.
    public func append(day: Int32, _ lines: (UInt64) throws -> [[UInt8]]) throws {
        let lines = try lines(next)
        guard !lines.isEmpty else { return }
        if file == nil || day > self.day { try open(day) }
        guard let file else { return }
        let bytes = Array(lines.joined(separator: [0x0A])) + [0x0A]
        do {
            try file.write(bytes, at: length)
            try file.sync()
        } catch {
            try file.truncate(to: length)
            throw error
        }
        length += bytes.count
        next += UInt64(lines.count)
    }

    /// Removes what is due of days that ended before a moment, with their keys; the newest file stays, which may be written to.
    ///
    /// - Parameters:
    ///   - keys: of the data folder.
    ///   - isDry: whether nothing is to be changed.
    ///   - purge: what goes is added to it, also where it throws.
    ///   - rule: the rule by which an alert, a JSON object of a file of a day that began then, goes, if it does.
    /// - Throws: the first trouble, once all files were looked at.
    public static func purge(
        before time: Timestamp,
        in folder: String,
        keys: KeyRing?,
        isDry: Bool = false,
        into purge: inout RecordPurge,
        by rule: (_ line: [UInt8], _ day: Timestamp) -> Int?
    ) throws {
        let names = AlertLog.files(in: folder)
        var attempts = Attempts()
        for name in names where name < DataFolder.dayFile(time.day) && name != names.last {
            guard let day = DataFolder.start(ofDayFile: name) else { continue }
            attempts.make {
                let path = "\(folder)/\(name)"
                let file = try SealedFile(path, .read, keys)
                try file.demandWhole()
                let lines = try file.contents().split(separator: 0x0A).map { Array($0) }
                let rules = lines.map { rule($0, day) }
                let kept = zip(lines, rules).filter { $0.1 == nil }.map(\.0)
                if !isDry, kept.count < lines.count || kept.isEmpty { try replace(path, by: kept, keys) }
                for case let rule? in rules { purge.add(1, by: rule, at: day) }
            }
        }
        try attempts.finish()
    }

    /// Has a file hold these lines and no others; none at all, and it goes.
    private static func replace(
        _ path: String,
        by lines: [[UInt8]],
        _ keys: KeyRing?
    ) throws(StorageError) {
        if lines.isEmpty { return try SealedFile.remove(path, keys) }
        let fresh = try SealedFile(path + SealedFile.temporary, .replace, keys)
        try fresh.write(lines.reduce(into: []) { $0 += $1 + [0x0A] }, at: 0)
        try fresh.sync()
        try SealedFile.replace(path, keys)
    }

    private func open(_ day: Int32) throws(StorageError) {
        // The clock may have been set back: the newest file is the one that grows.
        let name = max(DataFolder.dayFile(day), AlertLog.files(in: folder).last ?? "")
        let file = try SealedFile("\(folder)/\(name)", .append, keys, day: day)
        try DataFolder.sync(folder)
        length = try file.length()
        self.file = file
        self.day = day
    }
}

/// Reads an alert log in order, from any number on, while it is being written.
public struct AlertLogReader {
    private let folder: String
    private let keys: KeyRing?
    private var name: String?
    private var file: SealedFile?
    private var offset = 0
    /// The number of the alert that is read next.
    public private(set) var next: UInt64

    private static let pieceLength = 1 << 20

    /// Starts at a number; alerts that are no longer there are passed over.
    ///
    /// - Parameter keys: of the data folder; without them only what is in the clear can be read.
    public init(_ folder: String, keys: KeyRing?, from sequence: UInt64) {
        self.folder = folder
        self.keys = keys
        next = sequence
    }

    /// Starts at the first alert of the last files.
    ///
    /// - Parameter keys: of the data folder; without them only what is in the clear can be read.
    public init(_ folder: String, keys: KeyRing?, lastFiles count: Int) {
        self.folder = folder
        self.keys = keys
        name = AlertLog.files(in: folder).suffix(count).first
        next = 0
    }

    /// An alert as it stands in the log.
    public struct Line: Sendable, Equatable {
        /// Its number.
        public var sequence: UInt64
        /// The JSON object, without its line feed.
        public var text: [UInt8]
    }

    /// Reads the next alerts that are wholly there; none at the log's end.
    ///
    /// - Parameter limit: alerts from this number on are left alone; for the log's own writer, its `next`.
    /// - Throws: `StorageError` of code `damaged` with the file.
    public mutating func read(before limit: UInt64 = .max) throws -> [Line] {
        while true {
            let names = AlertLog.files(in: folder)
            guard let current = name ?? names.first else { return [] }
            name = current
            let lines = try piece(of: "\(folder)/\(current)", before: limit)
            if !lines.isEmpty { return lines }
            // A younger file is there only when this one is complete,
            guard let following = names.first(where: { $0 > current }) else { return [] }
            // though its end may have come between the two looks.
            let late = try piece(of: "\(folder)/\(current)", before: limit)
            if !late.isEmpty || next >= limit { return late }
            try file?.demandWhole()
            name = following
            file = nil
            offset = 0
        }
    }

    /// The lines of the next megabyte that are wanted.
    private mutating func piece(of path: String, before limit: UInt64) throws -> [Line] {
        guard next < limit else { return [] }
        if file == nil {
            guard DataFolder.exists(path) else { return [] }
            // Kept open: what retention writes anew in the meantime does not stand where it stood.
            file = try SealedFile(path, .read, keys)
        }
        guard let file else { return [] }
        var lines: [Line] = []
        while lines.isEmpty {
            let bytes = try file.read(Self.pieceLength, at: offset)
            guard bytes.contains(0x0A) else { return [] }
            var start = 0
            while let end = bytes[start...].firstIndex(of: 0x0A) {
                let sequence = try Self.sequence(bytes[start..<end], in: path)
                guard sequence < limit else { return lines }
                if sequence >= next {
                    lines.append(Line(sequence: sequence, text: Array(bytes[start..<end])))
                    next = sequence + 1
                }
                offset += end + 1 - start
                start = end + 1
            }
        }
        return lines
    }

    private struct Numbered: Decodable {
        var sequence: UInt64
    }

    static func sequence(_ line: ArraySlice<UInt8>, in path: String) throws -> UInt64 {
        guard let numbered = try? JSONDecoder().decode(Numbered.self, from: Data(line)) else {
            throw StorageError(.damaged, "\(path): a line is not an alert")
        }
        return numbered.sequence
    }
}
