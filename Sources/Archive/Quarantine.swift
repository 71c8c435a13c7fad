public import ANPRModel
public import Foundation

/// Rejected input, kept with its bytes, its place and its reason.
///
/// A file a day of receipt, a JSON object a line. The journal notes how long the file was with each batch; what a crash
/// left behind that is cut off, because the batch will be decoded again: nothing is kept twice, nothing is missing.
public final class Quarantine {
    /// A rejected record.
    public struct Record: Codable, Sendable, Equatable {
        /// When it was received.
        public var received: String
        /// The feed.
        public var feed: String
        /// Its line in the feed, from 1.
        public var line: UInt64
        /// Where it starts, in bytes after decompression.
        public var offset: UInt64
        /// Why it was refused.
        public var reason: String
        /// Whether it continues the over-long record before it.
        public var continued: Bool?
        /// The bytes, in base 64.
        public var raw: Data

        /// A record.
        public init(
            received: Timestamp,
            feed: String,
            line: UInt64,
            offset: UInt64,
            reason: ReadRefusal,
            continued: Bool,
            raw: [UInt8]
        ) {
            self.received = TimestampWriter.text(received)
            self.feed = feed
            self.line = line
            self.offset = offset
            self.reason = reason.name
            self.continued = continued ? true : nil
            self.raw = Data(raw)
        }
    }

    private let folder: String
    private let keys: KeyRing?
    private var file: SealedFile?
    private var day: Int32 = 0
    private var length = 0
    private var isSynced = true

    /// Opens a quarantine, made if it is not there.
    ///
    /// - Parameter keys: of the data folder; without them all is written in the clear.
    public init(_ folder: String, keys: KeyRing?) throws(StorageError) {
        self.folder = folder
        self.keys = keys
        try DataFolder.make(folder)
        try SealedFile.clear(folder, keys)
    }

    /// The days' files, in order.
    static func files(in folder: String) -> [String] {
        DataFolder.names(in: folder).filter { !$0.hasSuffix(SealedFile.temporary) }
    }

    /// Where the next record goes: the day's file, and how long it is.
    public var position: (day: Int32, length: UInt64) { (day, UInt64(length)) }

    /// Adds records; they are safe once `sync` returns.
    ///
    /// - Parameter day: the day of receipt, counted from 1970-01-01.
    public func append(_ records: [Record], day: Int32) throws {
        if file == nil || day != self.day { try open(day) }
        guard !records.isEmpty, let file else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        var bytes: [UInt8] = []
        for record in records {
            bytes += try encoder.encode(record)
            bytes.append(0x0A)
        }
        isSynced = false
        do {
            try file.write(bytes, at: length)
        } catch {
            try file.truncate(to: length)
            throw error
        }
        length += bytes.count
    }

    /// Returns when all records added are on stable storage.
    public func sync() throws(StorageError) {
        guard !isSynced, let file else { return }
        try file.sync()
        isSynced = true
    }

    /// Takes back what was added behind a place, in the file that is open.
    public func cut(to place: (day: Int32, length: UInt64)) throws(StorageError) {
        guard let file, day == place.day, length > Int(place.length) else { return }
        try file.truncate(to: Int(place.length))
        length = Int(place.length)
    }

    /// Cuts off what the journal does not know of.
    ///
    /// - Parameters:
    ///   - day: the file of the last batch in the journal.
    ///   - length: how long it was then.
    public func recover(day: Int32, length: UInt64) throws(StorageError) {
        for name in Self.files(in: folder) where name > DataFolder.dayFile(day) {
            try SealedFile.remove("\(folder)/\(name)", keys)
        }
        guard DataFolder.exists("\(folder)/\(DataFolder.dayFile(day))") else { return }
        let file = try SealedFile("\(folder)/\(DataFolder.dayFile(day))", .append, keys)
        // All that the journal knows of was synced before: that is no tail that a crash tore.
        let found = try file.length()
        if found < Int(length) { try file.demandWhole() } else { try file.truncate(to: Int(length)) }
    }

    /// Removes the files of days that ended before a moment, each with its key; also those that can't be read.
    ///
    /// - Parameters:
    ///   - rule: the rule by which they go.
    ///   - purge: what goes is added to it, also where it throws; a file that can't be read is one record.
    /// - Throws: the first trouble, once all files were tried.
    public func drop(before time: Timestamp, by rule: Int, into purge: inout RecordPurge) throws {
        var attempts = Attempts()
        for name in Self.files(in: folder) where name < DataFolder.dayFile(time.day) {
            let count = Self.count("\(folder)/\(name)", keys)
            attempts.make {
                try SealedFile.remove("\(folder)/\(name)", keys)
                purge.add(count, by: rule, at: DataFolder.start(ofDayFile: name))
                // The next batch opens its own.
                if file != nil, name == DataFolder.dayFile(day) { (file, length, isSynced) = (nil, 0, true) }
            }
        }
        try attempts.finish()
    }

    /// What `drop` would remove.
    public static func due(
        before time: Timestamp,
        by rule: Int,
        in folder: String,
        keys: KeyRing?
    ) -> RecordPurge {
        var purge = RecordPurge()
        for name in files(in: folder) where name < DataFolder.dayFile(time.day) {
            purge.add(count("\(folder)/\(name)", keys), by: rule, at: DataFolder.start(ofDayFile: name))
        }
        return purge
    }

    /// How many records a file has; one if it can't be read.
    private static func count(_ path: String, _ keys: KeyRing?) -> Int {
        guard let bytes = try? SealedFile(path, .read, keys).contents() else { return 1 }
        return bytes.count { $0 == 0x0A }
    }

    /// A record with its id: the day of receipt and the line in that day's file, such as `2026-11-20:17`.
    public struct Entry: Sendable {
        /// Names the record for good.
        public var id: String
        /// The record.
        public var record: Record
    }

    /// All records of a quarantine folder, oldest first.
    ///
    /// - Parameter keys: of the data folder; without them only what is in the clear can be read.
    public static func entries(in folder: String, keys: KeyRing?) throws -> [Entry] {
        var reader = QuarantineReader(folder, keys: keys)
        var all: [Entry] = []
        while true {
            let more = try reader.read(4 << 20)
            if more.isEmpty { return all }
            all += more
        }
    }

    private func open(_ day: Int32) throws(StorageError) {
        try sync()
        let file = try SealedFile("\(folder)/\(DataFolder.dayFile(day))", .append, keys, day: day)
        try DataFolder.sync(folder)
        length = try file.length()
        self.file = file
        self.day = day
    }
}
