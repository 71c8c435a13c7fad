import Foundation
import Glibc

/// Records that are past their date.
extension AuditLog {
    /// How many records there are at the beginning that are older than a moment, as records have it, and how old the first is.
    public func count(before time: String) throws -> (count: Int, oldest: String?) {
        let beginning = try beginning(before: time)
        return (beginning.count, beginning.oldest)
    }

    /// Lets go the records at the beginning that are older than a moment.
    ///
    /// One that names the last that went, and the hash that the rest goes on from, is appended first: by it `verify` knows
    /// this cut from any other. A crash between the two leaves all of them.
    ///
    /// - Parameters:
    ///   - time: UTC, as records have it.
    ///   - record: what is appended; its action, request and count are completed.
    /// - Returns: how many went, and how old the first was.
    @discardableResult
    public func drop(before time: String, _ record: AuditRecord) throws -> (count: Int, oldest: String?) {
        guard FileManager.default.fileExists(atPath: path), let descriptor = try locked() else {
            return (0, nil)
        }
        defer { close(descriptor) }
        // What a cut that was killed left is no part of the log, and records in it may be past their date by now.
        unsafe unlink(Self.temporary(path))
        let beginning = try beginning(before: time)
        guard let last = beginning.last else { return (0, nil) }
        var record = record
        record.action = .purge
        record.request[Self.classKey] = Self.className
        record.request[Self.throughKey] = String(last.sequence)
        record.request[Self.hashKey] = last.hash
        record.count = beginning.count
        try append(record, to: descriptor)
        try replace(path, by: try Data(contentsOf: URL(fileURLWithPath: path)).dropFirst(beginning.length))
        // What is appended from now on must not be in a file that a loss of power takes the name from.
        try syncFolder()
        return (beginning.count, beginning.oldest)
    }

    /// What a record of a cut says of it.
    private static let (classKey, className, throughKey, hashKey) = ("class", "audit", "through", "hash")

    /// Whether a record says that the log was cut there.
    static func names(_ base: Head, _ record: AuditRecord) -> Bool {
        record.action == .purge && record.request[classKey] == className
            && record.request[throughKey] == String(base.count) && record.request[hashKey] == base.hash
    }

    private struct Beginning {
        var last: AuditRecord?
        var oldest: String?
        var count = 0
        var length = 0
    }

    private func beginning(before time: String) throws -> Beginning {
        var beginning = Beginning()
        guard FileManager.default.fileExists(atPath: path) else { return beginning }
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        // What stands behind the last line feed is being written, or a crash tore it.
        let whole = bytes[..<(bytes.lastIndex(of: 0x0A) ?? 0)].split(separator: 0x0A)
        for (index, line) in whole.enumerated() {
            guard let record = try? JSONDecoder().decode(AuditRecord.self, from: line) else {
                throw Failure(line: index + 1, description: "\(path): line \(index + 1) is not a record")
            }
            guard record.at < time else { break }
            beginning.last = record
            beginning.oldest = beginning.oldest ?? record.at
            beginning.count += 1
            beginning.length += line.count + 1
        }
        return beginning
    }
}
