public import ANPRModel

/// What a catalogue keeps for retention: holds, versions of the policy, records of purges.
extension Catalogue {
    static let retentionTables = [
        """
        holds (id INTEGER PRIMARY KEY AUTOINCREMENT, reference TEXT NOT NULL, owner TEXT NOT NULL, \
        reason TEXT NOT NULL, review INTEGER NOT NULL, mark TEXT NOT NULL, since INTEGER NOT NULL, \
        until INTEGER NOT NULL, sites TEXT NOT NULL, placed INTEGER NOT NULL, released INTEGER NOT NULL, \
        releasedBy TEXT NOT NULL, releaseReason TEXT NOT NULL)
        """,
        "policies (version INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, text TEXT NOT NULL)",
        "purgeRecords (purge INTEGER PRIMARY KEY, text TEXT NOT NULL, signature TEXT NOT NULL)",
        "purgesBegun (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL)",
    ]

    // MARK: - Holds

    /// Places a hold; it is in force when this returns, also for a purge that is under way.
    ///
    /// - Returns: the hold with its number.
    public func place(_ hold: Hold) throws(StorageError) -> Hold {
        try database.transaction { () throws(StorageError) in
            try database.run(
                "INSERT INTO holds VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '', '')",
                [
                    .text(hold.reference), .text(hold.owner), .text(hold.reason),
                    .integer(hold.review.milliseconds), .text(hold.scope.mark?.text ?? ""),
                    .integer((hold.scope.from ?? .distantPast).milliseconds),
                    .integer((hold.scope.to ?? .distantFuture).milliseconds),
                    .text(hold.scope.sites.joined(separator: "\n")), .integer(hold.placed.milliseconds),
                ]
            )
            var placed = hold
            placed.id = try database.run("SELECT last_insert_rowid()").first?[0].integer ?? 0
            try changeHolds()
            return placed
        }
    }

    /// Ends a hold; what it was about goes when its time is up.
    ///
    /// - Returns: whether there was such a hold in force.
    public func release(_ id: Int64, _ release: Hold.Release) throws(StorageError) -> Bool {
        try database.transaction { () throws(StorageError) in
            guard try holds().contains(where: { $0.id == id && $0.release == nil }) else { return false }
            try database.run(
                "UPDATE holds SET released = ?, releasedBy = ?, releaseReason = ? WHERE id = ?",
                [.integer(release.at.milliseconds), .text(release.by), .text(release.reason), .integer(id)]
            )
            try changeHolds()
            return true
        }
    }

    /// All holds that there ever were, oldest first; none in a folder of before there were any.
    public func holds() throws(StorageError) -> [Hold] {
        guard try hasTable("holds") else { return [] }
        return try database.run("SELECT * FROM holds ORDER BY id").map { row in
            let (from, to) = (row[6].integer, row[7].integer)
            let sites = row[8].text.split(separator: "\n").map { String($0) }
            var hold = Hold(
                reference: row[1].text,
                owner: row[2].text,
                reason: row[3].text,
                review: Timestamp(milliseconds: row[4].integer),
                scope: Hold.Scope(
                    mark: MarkPattern(row[5].text),
                    from: from == Timestamp.distantPast.milliseconds ? nil : Timestamp(milliseconds: from),
                    to: to == Timestamp.distantFuture.milliseconds ? nil : Timestamp(milliseconds: to),
                    sites: sites
                ),
                placed: Timestamp(milliseconds: row[9].integer)
            )
            hold.id = row[0].integer
            if row[10].integer != 0 {
                let at = Timestamp(milliseconds: row[10].integer)
                hold.release = Hold.Release(at: at, by: row[11].text, reason: row[12].text)
            }
            return hold
        }
    }

    /// The holds in force.
    public func activeHolds() throws(StorageError) -> ActiveHolds {
        try database.run("BEGIN")
        defer { _ = try? database.run("COMMIT") }
        return ActiveHolds(try holds(), version: try holdsVersion())
    }

    func holdsVersion() throws(StorageError) -> Int64 { try meta("holds").flatMap(Int64.init) ?? 0 }

    private func changeHolds() throws(StorageError) { try setMeta("holds", String(try holdsVersion() + 1)) }

    private func hasTable(_ name: String) throws(StorageError) -> Bool {
        let sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
        return try !database.run(sql, [.text(name)]).isEmpty
    }

    // MARK: - Policies

    /// A policy as it held from a moment on.
    public struct PolicyVersion: Sendable, Equatable {
        /// Its number, from 1.
        public var version: Int
        /// Since when.
        public var since: Timestamp
        /// Its rules, a line each.
        public var text: String
    }

    /// The version of a policy, given out when it is met first or met again after another.
    public func version(of policy: RetentionPolicy, at now: Timestamp) throws(StorageError) -> PolicyVersion {
        let text = policy.rules.map(\.text).joined(separator: "\n")
        // Asked often, and nearly always known: without a transaction that others would wait for.
        if let known = try policies().last, known.text == text { return known }
        return try database.transaction { () throws(StorageError) in
            if let known = try policies().last, known.text == text { return known }
            try database.run(
                "INSERT INTO policies VALUES (NULL, ?, ?)",
                [.integer(now.milliseconds), .text(text)]
            )
            let version = try database.run("SELECT last_insert_rowid()").first?[0].integer ?? 0
            return PolicyVersion(version: Int(version), since: now, text: text)
        }
    }

    /// All versions of the policy, oldest first.
    public func policies() throws(StorageError) -> [PolicyVersion] {
        guard try hasTable("policies") else { return [] }
        return try database.run("SELECT version, at, text FROM policies ORDER BY version").map { row in
            PolicyVersion(
                version: Int(row[0].integer),
                since: Timestamp(milliseconds: row[1].integer),
                text: row[2].text
            )
        }
    }

    // MARK: - Purges

    /// A record of what a retention rule deleted.
    public struct Purge: Sendable, Equatable {
        /// Its number, from 1; the next one's is one more.
        public var number: Int64
        /// When.
        public var at: Timestamp
        /// Which rule, as configured.
        public var rule: String
        /// Sightings that went whole.
        public var sightings: Int
        /// Contributions that went.
        public var contributions: Int
        /// The record as it was signed; none of purges of before that was done, and none where it is gone or can't be read.
        public var signed: SignedPurge?
    }

    /// A purge that was begun and is not known to have ended.
    struct BegunPurge {
        var id: Int64
        var record: PurgeRecord
    }

    /// Notes that a purge of files begins, which are no part of a transaction: before anything of them goes.
    ///
    /// - Parameter purges: what is about to go.
    /// - Returns: what `end` takes.
    public func begin(_ purges: [SignedPurge]) throws(StorageError) -> [Int64] {
        if purges.isEmpty { return [] }
        return try database.transaction { () throws(StorageError) in
            var begun: [Int64] = []
            for purge in purges {
                try database.run("INSERT INTO purgesBegun (text) VALUES (?)", [.text(purge.text)])
                begun.append(try database.run("SELECT last_insert_rowid()").first?[0].integer ?? 0)
            }
            return begun
        }
    }

    /// Notes what a purge has done that was begun.
    ///
    /// - Parameter purges: what went.
    public func end(_ begun: [Int64], _ purges: [SignedPurge]) throws(StorageError) {
        if begun.isEmpty, purges.isEmpty { return }
        try database.transaction { () throws(StorageError) in
            for id in begun { try database.run("DELETE FROM purgesBegun WHERE id = ?", [.integer(id)]) }
            try insert(purges)
        }
    }

    /// How many purges were begun and have not ended: those under way, and those that the next pass puts on record.
    public func begunCount() throws(StorageError) -> Int {
        guard try hasTable("purgesBegun") else { return 0 }
        return Int(try database.run("SELECT count(*) FROM purgesBegun").first?[0].integer ?? 0)
    }

    /// The purges that were begun and did not end; one whose text can't be read is left where it is.
    func begunPurges() throws(StorageError) -> [BegunPurge] {
        try database.run("SELECT id, text FROM purgesBegun ORDER BY id").compactMap { row in
            SignedPurge(text: row[1].text, signature: "").map { purge in
                BegunPurge(id: row[0].integer, record: purge.record)
            }
        }
    }

    func insert(_ purges: [SignedPurge]) throws(StorageError) {
        for purge in purges {
            let record = purge.record
            guard case .moment(let at) = TimestampReader.read(record.at) else { continue }
            try database.run(
                "INSERT INTO purges (at, rule, sightings, contributions) VALUES (?, ?, ?, ?)",
                [
                    .integer(at.milliseconds), .text(record.rule), .integer(Int64(record.sightings)),
                    .integer(Int64(record.contributions)),
                ]
            )
            try database.run(
                "INSERT INTO purgeRecords VALUES (last_insert_rowid(), ?, ?)",
                [.text(purge.text), .text(purge.signature)]
            )
        }
    }

    /// The days of which sightings went that others may name still.
    func daysNamed() throws(StorageError) -> [Int32] {
        try meta("daysNamed")?.split(separator: " ").compactMap { Int32($0) } ?? []
    }

    /// Notes that sightings of a day go that others may name: in the transaction in which they do.
    func noteNamed(_ day: Int32) throws(StorageError) {
        let days = Set(try daysNamed()).union([day]).sorted()
        try setMeta("daysNamed", days.map(String.init).joined(separator: " "))
    }

    /// Notes that no sighting names one that went, but perhaps of these days.
    func keepDaysNamed(_ days: [Int32]) throws(StorageError) {
        guard try daysNamed() != days else { return }
        try setMeta("daysNamed", days.map(String.init).joined(separator: " "))
    }

    /// All purges, oldest first.
    public func purges() throws(StorageError) -> [Purge] {
        let signed = try hasTable("purgeRecords")
        let sql = """
            SELECT id, at, rule, sightings, contributions, \(signed ? "text, signature" : "NULL, NULL") FROM purges \
            \(signed ? "LEFT JOIN purgeRecords ON purge = id" : "") ORDER BY id
            """
        return try database.run(sql).map { row in
            Purge(
                number: row[0].integer,
                at: Timestamp(milliseconds: row[1].integer),
                rule: row[2].text,
                sightings: Int(row[3].integer),
                contributions: Int(row[4].integer),
                signed: SignedPurge(text: row[5].text, signature: row[6].text)
            )
        }
    }
}
