internal import CSQLite

/// A thin hold on SQLite: statements with positional parameters, rows of integers and texts, transactions.
@safe
final class Database {
    enum Value: Equatable {
        case integer(Int64)
        case text(String)

        var integer: Int64 { if case .integer(let value) = self { value } else { 0 } }
        var text: String { if case .text(let value) = self { value } else { "" } }
    }

    private let path: String
    private var handle: OpaquePointer?

    /// Opens a database file.
    ///
    /// Synced at every commit, with readers beside the writer; a busy database is waited for, 10 s at most.
    init(_ path: String, isReadOnly: Bool) throws(StorageError) {
        self.path = path
        unsafe handle = nil
        let flags = isReadOnly ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        let code = unsafe sqlite3_open_v2(path, &handle, flags | SQLITE_OPEN_FULLMUTEX, nil)
        guard code == SQLITE_OK else { throw error("open") }
        unsafe sqlite3_busy_timeout(handle, 10_000)
        if !isReadOnly {
            try run("PRAGMA journal_mode = WAL")
            try run("PRAGMA synchronous = FULL")
        }
    }

    deinit { unsafe sqlite3_close_v2(handle) }

    /// Runs one statement and gives its rows.
    @discardableResult
    func run(_ sql: String, _ parameters: [Value] = []) throws(StorageError) -> [[Value]] {
        var statement: OpaquePointer?
        guard unsafe sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK else {
            throw error(sql)
        }
        defer { unsafe sqlite3_finalize(statement) }
        for (index, parameter) in parameters.enumerated() {
            switch parameter {
            case .integer(let value): unsafe sqlite3_bind_int64(statement, Int32(index + 1), value)
            case .text(let value):
                // The last argument asks SQLite to copy the text.
                let transient = unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)
                unsafe sqlite3_bind_text(statement, Int32(index + 1), value, -1, transient)
            }
        }
        var rows: [[Value]] = []
        while true {
            let code = unsafe sqlite3_step(statement)
            if code == SQLITE_DONE { return rows }
            guard code == SQLITE_ROW else { throw error(sql) }
            rows.append(
                (0..<(unsafe sqlite3_column_count(statement))).map { column in
                    if unsafe sqlite3_column_type(statement, column) == SQLITE_INTEGER {
                        return .integer(unsafe sqlite3_column_int64(statement, column))
                    }
                    guard let text = unsafe sqlite3_column_text(statement, column) else { return .text("") }
                    return .text(unsafe String(cString: text))
                }
            )
        }
    }

    /// Runs `body` as one transaction: all of it happens, or nothing.
    func transaction<Result>(_ body: () throws(StorageError) -> Result) throws(StorageError) -> Result {
        try run("BEGIN IMMEDIATE")
        do throws(StorageError) {
            let result = try body()
            try run("COMMIT")
            return result
        } catch {
            _ = try? run("ROLLBACK")
            throw error
        }
    }

    private func error(_ action: String) -> StorageError {
        StorageError(.system, "\(path): \(unsafe String(cString: sqlite3_errmsg(handle))) (\(action))")
    }
}
