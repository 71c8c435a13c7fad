public import ANPRModel

/// What an archive consists of: segments, cursors, sources, purges.
///
/// Changed in transactions only.
public final class Catalogue {
    /// A segment file.
    public struct Segment: Sendable, Equatable {
        /// Its number; higher is newer.
        public var id: Int64
        /// The day it belongs to, counted from 1970-01-01.
        public var day: Int32
        /// The file, below the archive's folder.
        public var name: String
        /// How many rows it has.
        public var rows: Int
        /// How long the file is.
        public var bytes: Int
        /// The earliest first read in it.
        public var first: Timestamp
        /// The latest read in it.
        public var last: Timestamp
        /// What is in it; not known of segments that were written before it was counted.
        public var counts: Counts?
        /// What tells its contents from all others, in hexadecimal; empty of segments that name their marks themselves.
        public var contents = ""
        /// The index that names its marks, below the archive's folder; empty of segments that name their marks themselves.
        public var marks = ""

        /// How much a segment has of what need not be read for it.
        public struct Counts: Sendable, Equatable {
            /// Contributions, of amended sightings those of every version.
            public var contributions: Int
            /// Rows that amend an earlier one, here or in another segment.
            public var amendments: Int
            /// How many other sightings are named as probably of the same vehicle.
            public var links: Int
            /// How long a sighting in it lasts at most, or begins from when it was opened, in milliseconds.
            public var reach: Int64
        }
    }

    /// A file that names the marks of segments.
    public struct Index: Sendable, Equatable {
        /// The file, below the archive's folder.
        public var name: String
        /// How long the file is.
        public var bytes: Int
    }

    /// What changes in one step.
    struct Change {
        /// The segments that go; their files are the caller's to remove, afterwards.
        var removed: [Segment] = []
        /// The segments that come, whose files are complete and durable; their ids are given out in the step.
        var added: [Segment] = []
        /// The indexes that come, likewise.
        var indexes: [Index] = []
        /// By index that another one takes the place of, that one; for all segments that are left of it.
        var replaced: [String: String] = [:]
        /// The new cursor of the archive, if it moves.
        var archivedThrough: UInt64?
        /// What was deleted by which rule, when a retention rule does this.
        var purges: [SignedPurge] = []
        /// The version of the holds that this goes by, if it goes by any.
        var holds: Int64?
        /// The keys that must be destroyed now.
        var doomed: [DataKeyName] = []
        /// The keys under which what comes is closed.
        var used: Set<DataKeyName> = []
        /// A day sightings of which go that others may name until that is forgotten.
        var dayNamed: Int32?
        /// A day whose segments must still be these.
        var day: (day: Int32, segments: Set<Int64>)?
    }

    /// A consistent look at the archive.
    public struct Snapshot: Sendable {
        /// The segments.
        public var segments: [Segment]
        /// The indexes of their marks.
        public var indexes: [Index] = []
        /// The number of the first sighting that is in the log and not in a segment.
        public var archivedThrough: UInt64

        /// How long all files are together.
        public var bytes: Int { segments.reduce(0) { $0 + $1.bytes } + indexes.reduce(0) { $0 + $1.bytes } }

        /// How far versions of one sighting lie apart in these segments.
        var reach: SightingReach {
            var longest: Int64 = 0
            for segment in segments {
                guard let reach = segment.counts?.reach, reach >= 0 else { return .unknown }
                longest = max(longest, reach)
            }
            return SightingReach(longest)
        }
    }

    let database: Database
    /// Whether the table of segments has what is in them, which a folder of before gets when it is written to.
    private let hasCounts: Bool, hasReach: Bool, hasMarks: Bool
    private static let version: Int64 = 1

    /// Opens the catalogue of a data folder.
    ///
    /// - Parameter isReadOnly: whether it must exist and is only looked at.
    public init(_ path: String, isReadOnly: Bool = false) throws(StorageError) {
        if isReadOnly, !DataFolder.exists(path) {
            throw StorageError(.system, "\(path): there is no catalogue; is this an anpr data folder?")
        }
        let database = try Database(path, isReadOnly: isReadOnly)
        self.database = database
        if !isReadOnly { try Self.makeTables(database) }
        let columns = try Self.columnsOfSegments(database)
        (hasCounts, hasReach) = (columns.contains("links"), columns.contains("reach"))
        hasMarks = columns.contains("marks")
        let version = try meta("version").flatMap(Int64.init) ?? Self.version
        guard version == Self.version else {
            throw StorageError(
                .mismatch,
                "\(path): version \(version) of the catalogue; this program reads \(Self.version)"
            )
        }
    }

    private static func makeTables(_ database: Database) throws(StorageError) {
        let tables = [
            "meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
            "sources (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (kind, name))",
            """
            segments (id INTEGER PRIMARY KEY AUTOINCREMENT, day INTEGER NOT NULL, name TEXT NOT NULL, \
            rows INTEGER NOT NULL, bytes INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL)
            """,
            "indexes (name TEXT PRIMARY KEY, bytes INTEGER NOT NULL)",
            "doomedKeys (day INTEGER NOT NULL, force TEXT NOT NULL, number INTEGER NOT NULL)",
            "cursors (name TEXT PRIMARY KEY, sequence INTEGER NOT NULL)",
            "replayed (record TEXT PRIMARY KEY)",
            """
            purges (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, rule TEXT NOT NULL, \
            sightings INTEGER NOT NULL, contributions INTEGER NOT NULL)
            """,
        ]
        for table in tables + retentionTables { try database.run("CREATE TABLE IF NOT EXISTS \(table)") }
        let known = try columnsOfSegments(database)
        for column in ["contributions", "amendments", "links", "reach"] where !known.contains(column) {
            try database.run("ALTER TABLE segments ADD COLUMN \(column) INTEGER NOT NULL DEFAULT -1")
        }
        for column in ["contents", "marks"] where !known.contains(column) {
            try database.run("ALTER TABLE segments ADD COLUMN \(column) TEXT NOT NULL DEFAULT ''")
        }
        try database.run("INSERT OR IGNORE INTO meta VALUES ('version', ?)", [.text(String(version))])
    }

    private static func columnsOfSegments(_ database: Database) throws(StorageError) -> Set<String> {
        Set(try database.run("PRAGMA table_info(segments)").map { $0[1].text })
    }

    /// A number that changes when another connection has changed anything.
    func dataVersion() throws(StorageError) -> Int64 {
        try database.run("PRAGMA data_version").first?[0].integer ?? 0
    }

    /// A named setting of the data folder.
    public func meta(_ key: String) throws(StorageError) -> String? {
        try database.run("SELECT value FROM meta WHERE key = ?", [.text(key)]).first?[0].text
    }

    /// Sets a named setting.
    public func setMeta(_ key: String, _ value: String) throws(StorageError) {
        try database.run(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            [.text(key), .text(value)]
        )
    }

    /// Keeps a named setting unless it is there.
    ///
    /// - Returns: what is kept.
    public func keepMeta(_ key: String, _ value: String) throws(StorageError) -> String {
        try database.run("INSERT OR IGNORE INTO meta VALUES (?, ?)", [.text(key), .text(value)])
        return try meta(key) ?? value
    }

    /// The number of a feed or sender, given out at its first use and kept for ever.
    public func source(_ kind: String, _ name: String) throws(StorageError) -> UInt16 {
        try database.run(
            "INSERT OR IGNORE INTO sources (kind, name) VALUES (?, ?)",
            [.text(kind), .text(name)]
        )
        let rows = try database.run(
            "SELECT id FROM sources WHERE kind = ? AND name = ?",
            [.text(kind), .text(name)]
        )
        guard let id = rows.first?[0].integer, let number = UInt16(exactly: id) else {
            throw StorageError(.mismatch, "more than 65,535 feeds and senders")
        }
        return number
    }

    /// The names of the sources of a kind, by number.
    public func sources(_ kind: String) throws(StorageError) -> [UInt16: String] {
        var names: [UInt16: String] = [:]
        for row in try database.run("SELECT id, name FROM sources WHERE kind = ?", [.text(kind)]) {
            names[UInt16(row[0].integer)] = row[1].text
        }
        return names
    }

    /// Where a reader of the sighting log stands.
    public func cursor(_ name: String) throws(StorageError) -> UInt64 {
        UInt64(
            try database.run("SELECT sequence FROM cursors WHERE name = ?", [.text(name)]).first?[0].integer
                ?? 0
        )
    }

    /// Where each reader of the sighting log stands, by name.
    public func cursors() throws(StorageError) -> [(name: String, sequence: UInt64)] {
        try database.run("SELECT name, sequence FROM cursors ORDER BY name").map { row in
            (row[0].text, UInt64(row[1].integer))
        }
    }

    /// The quarantine records that were taken in after all, by their ids.
    public func replayed() throws(StorageError) -> Set<String> {
        Set(try database.run("SELECT record FROM replayed").map { row in row[0].text })
    }

    /// Notes quarantine records that were taken in after all.
    public func noteReplayed(_ records: [String]) throws(StorageError) {
        try database.transaction { () throws(StorageError) in
            for record in records {
                try database.run("INSERT OR IGNORE INTO replayed VALUES (?)", [.text(record)])
            }
        }
    }

    /// Moves a reader of the sighting log forward.
    public func setCursor(_ name: String, _ sequence: UInt64) throws(StorageError) {
        try database.run(
            "INSERT INTO cursors VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET sequence = excluded.sequence",
            [.text(name), .integer(Int64(sequence))]
        )
    }

    /// All segments, and how far the log is in them.
    public func snapshot() throws(StorageError) -> Snapshot {
        try database.run("BEGIN")
        defer { _ = try? database.run("COMMIT") }
        let counts = hasCounts ? "contributions, amendments, links" : "-1, -1, -1"
        let reach = hasReach ? "reach" : "-1"
        let marks = hasMarks ? "contents, marks" : "'', ''"
        let rows = try database.run(
            """
            SELECT id, day, name, rows, bytes, first, last, \(counts), \(reach), \(marks) \
            FROM segments ORDER BY day, id
            """
        )
        var snapshot = Snapshot(segments: rows.map(Self.segment), archivedThrough: try cursor("archive"))
        if hasMarks {
            snapshot.indexes = try database.run("SELECT name, bytes FROM indexes ORDER BY name").map { row in
                Index(name: row[0].text, bytes: Int(row[1].integer))
            }
        }
        return snapshot
    }

    private static func segment(_ row: [Database.Value]) -> Segment {
        Segment(
            id: row[0].integer,
            day: Int32(row[1].integer),
            name: row[2].text,
            rows: Int(row[3].integer),
            bytes: Int(row[4].integer),
            first: Timestamp(milliseconds: row[5].integer),
            last: Timestamp(milliseconds: row[6].integer),
            counts: row[7].integer < 0
                ? nil
                : .init(
                    contributions: Int(row[7].integer),
                    amendments: Int(row[8].integer),
                    links: Int(row[9].integer),
                    reach: row[10].integer
                ),
            contents: row[11].text,
            marks: row[12].text
        )
    }

    /// Changes what the archive consists of, in one step.
    ///
    /// - Parameter haveKeys: whether the keys under which what comes is closed are still there.
    /// - Returns: the indexes that no segment needs any more, whose files are the caller's to remove; `nil`, and nothing was changed,
    ///   if the holds have another version by now, or the day other segments.
    /// - Throws: `StorageError` of code `destroyed`, and nothing was changed, if keys are not there, or not for long.
    func change(_ change: Change, haveKeys: () -> Bool) throws(StorageError) -> [Index]? {
        try database.transaction { () throws(StorageError) in
            guard try change.used.isDisjoint(with: doomedKeys()), haveKeys() else {
                throw StorageError(
                    .destroyed,
                    "a key that was to be used has been destroyed; it is tried again"
                )
            }
            if let holds = change.holds, try holdsVersion() != holds { return nil }
            if let (day, segments) = change.day {
                let sql = "SELECT id FROM segments WHERE day = ?"
                let found = try database.run(sql, [.integer(Int64(day))]).map { row in row[0].integer }
                guard Set(found) == segments else { return nil }
            }
            for segment in change.removed {
                try database.run("DELETE FROM segments WHERE id = ?", [.integer(segment.id)])
            }
            for (old, new) in change.replaced {
                let known = try database.run("SELECT 1 FROM indexes WHERE name = ?", [.text(old)])
                guard !known.isEmpty else {
                    throw StorageError(.system, "\(old): replaced by another meanwhile; it is tried again")
                }
                try database.run("UPDATE segments SET marks = ? WHERE marks = ?", [.text(new), .text(old)])
            }
            for segment in change.added { try insert(segment) }
            for index in change.indexes {
                try database.run(
                    "INSERT INTO indexes VALUES (?, ?)",
                    [.text(index.name), .integer(Int64(index.bytes))]
                )
            }
            if let archivedThrough = change.archivedThrough { try setCursor("archive", archivedThrough) }
            try insert(change.purges)
            if let day = change.dayNamed { try noteNamed(day) }
            for key in change.doomed {
                try database.run(
                    "INSERT INTO doomedKeys VALUES (?, ?, ?)",
                    [.integer(Int64(key.day)), .text(key.force), .integer(Int64(key.number))]
                )
            }
            let unused = "FROM indexes WHERE name NOT IN (SELECT marks FROM segments)"
            let gone = try database.run("SELECT name, bytes \(unused)").map { row in
                Index(name: row[0].text, bytes: Int(row[1].integer))
            }
            if !gone.isEmpty { try database.run("DELETE \(unused)") }
            return gone
        }
    }

    /// The keys that must be destroyed, and may be by now.
    func doomedKeys() throws(StorageError) -> [DataKeyName] {
        try database.run("SELECT day, force, number FROM doomedKeys").map { row in
            DataKeyName(day: Int32(row[0].integer), force: row[1].text, number: UInt32(row[2].integer))
        }
    }

    /// Notes that keys were destroyed.
    func forgetDoomed(_ keys: [DataKeyName]) throws(StorageError) {
        try database.transaction { () throws(StorageError) in
            for key in keys {
                try database.run(
                    "DELETE FROM doomedKeys WHERE day = ? AND force = ? AND number = ?",
                    [.integer(Int64(key.day)), .text(key.force), .integer(Int64(key.number))]
                )
            }
        }
    }

    private func insert(_ segment: Segment) throws(StorageError) {
        try database.run(
            """
            INSERT INTO segments (day, name, rows, bytes, first, last, contributions, amendments, links, reach, \
            contents, marks) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .integer(Int64(segment.day)), .text(segment.name), .integer(Int64(segment.rows)),
                .integer(Int64(segment.bytes)), .integer(segment.first.milliseconds),
                .integer(segment.last.milliseconds), .integer(Int64(segment.counts?.contributions ?? -1)),
                .integer(Int64(segment.counts?.amendments ?? -1)),
                .integer(Int64(segment.counts?.links ?? -1)), .integer(segment.counts?.reach ?? -1),
                .text(segment.contents), .text(segment.marks),
            ]
        )
    }
}
