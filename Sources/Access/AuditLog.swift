import Crypto
import Foundation
import Glibc

/// The tamper-evident log: each record carries the hash of the one before, so none can be changed, cut or moved unseen.
///
/// Append-only, a JSON object a line, synced before `append` returns. The head (how many records, and the last hash) is
/// kept beside it, so that a cut tail shows too; who keeps the head elsewhere is safe even from one who rewrites both.
/// Several processes may append: a file lock puts them in order.
public struct AuditLog: Sendable {
    /// Where the log stands.
    public struct Head: Codable, Sendable, Equatable {
        /// How many records there are.
        public var count: UInt64
        /// The hash of the last.
        public var hash: String

        /// A head.
        public init(count: UInt64, hash: String) {
            self.count = count
            self.hash = hash
        }

        /// The head of an empty log.
        public static let empty = Head(count: 0, hash: String(repeating: "0", count: 64))
    }

    /// Why the log could not be written or does not verify.
    public struct Failure: Error, CustomStringConvertible, Equatable {
        /// The line of the first record that is wrong, if it is about one.
        public var line: Int?
        /// What is wrong, and where.
        public var description: String
    }

    let path: String
    private let headPath: String

    /// The log of a data folder.
    public init(_ folder: String) {
        path = "\(folder)/audit.ndjson"
        headPath = "\(folder)/head.json"
    }

    /// Appends a record; when this returns it is on stable storage.
    ///
    /// - Returns: the log's new head.
    @discardableResult
    public func append(_ record: AuditRecord) throws -> Head {
        try FileManager.default.createDirectory(
            at: URL(fileURLWithPath: path).deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        guard let descriptor = try locked() else { throw failure("open") }
        defer { close(descriptor) }
        return try append(record, to: descriptor)
    }

    /// The log, opened and locked: to append to it, or only to read what nobody changes meanwhile.
    ///
    /// - Returns: `nil` where there is none to be read.
    func locked(toRead isReading: Bool = false) throws -> Int32? {
        while true {
            let flags = isReading ? O_RDONLY | O_CLOEXEC : O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC
            let descriptor = unsafe open(path, flags, 0o640)
            if descriptor < 0, isReading, errno == ENOENT { return nil }
            guard descriptor >= 0 else { throw failure("open") }
            var (own, named) = (stat(), stat())
            guard flock(descriptor, isReading ? LOCK_SH : LOCK_EX) == 0, unsafe fstat(descriptor, &own) == 0
            else {
                close(descriptor)
                throw failure("lock")
            }
            // It may have been cut, and be another file by now.
            if unsafe stat(path, &named) == 0, own.st_ino == named.st_ino { return descriptor }
            close(descriptor)
        }
    }

    @discardableResult
    func append(_ record: AuditRecord, to descriptor: Int32) throws -> Head {
        var head = try repairedHead(descriptor)
        var record = record
        record.sequence = head.count + 1
        record.previous = head.hash
        record.hash = try Self.hash(record)
        var line = try Self.encode(record)
        line.append(0x0A)
        try write(line, to: descriptor)
        guard fdatasync(descriptor) == 0 else { throw failure("sync") }
        head = Head(count: record.sequence, hash: record.hash)
        try keep(head)
        return head
    }

    /// Checks the whole chain.
    ///
    /// - Parameter expected: a head noted down earlier, that the log must contain.
    /// - Returns: the head.
    /// - Throws: `Failure` with the first line that is wrong.
    public func verify(expected: Head? = nil) throws -> Head {
        // Nobody may be between a record and its head.
        let descriptor = try locked(toRead: true)
        defer { if let descriptor { close(descriptor) } }
        var (base, isBaseNamed) = (Head.empty, true)
        var head = Head.empty
        var before = Head.empty
        var isExpectedSeen = expected == nil || expected == .empty
        for (index, line) in try lines().enumerated() {
            let number = index + 1
            guard let record = try? JSONDecoder().decode(AuditRecord.self, from: line),
                record.sequence <= UInt64(Int.max)
            else {
                throw Failure(line: number, description: "\(path): line \(number) is not a record")
            }
            if index == 0, record.sequence > 1 {
                (base, isBaseNamed) = (Head(count: record.sequence - 1, hash: record.previous), false)
                (head, before) = (base, base)
                if base == expected { isExpectedSeen = true }
            }
            if Self.names(base, record) { isBaseNamed = true }
            guard record.sequence == head.count + 1, record.previous == head.hash else {
                throw Failure(
                    line: number,
                    description:
                        "\(path): line \(number) does not follow the record before it: one was cut, added or moved"
                )
            }
            guard try Self.hash(record) == record.hash, try Self.encode(record) == line else {
                throw Failure(line: number, description: "\(path): line \(number) was altered")
            }
            before = head
            head = Head(count: record.sequence, hash: record.hash)
            if head == expected { isExpectedSeen = true }
        }
        guard isBaseNamed else {
            throw Failure(
                line: 1,
                description:
                    "\(path): line 1 is record \(base.count + 1), and no record says that those before went"
            )
        }
        let kept = try keptHead() ?? .empty
        // A crash between a record and its head leaves the head one behind.
        guard kept == head || kept == before else {
            throw Failure(
                line: Int(head.count - base.count),
                description:
                    "\(path): ends after record \(head.count), but record \(kept.count) was written: the end was cut"
            )
        }
        if let expected, expected.count < base.count {
            throw Failure(
                line: nil,
                description:
                    "\(path): record \(expected.count), whose head was expected, went with those up to \(base.count)"
            )
        }
        guard isExpectedSeen else {
            throw Failure(line: nil, description: "\(path): the head that was expected is not in the log")
        }
        return head
    }

    /// All records, oldest first, unchecked.
    public func records() throws -> [AuditRecord] {
        try lines().map { try JSONDecoder().decode(AuditRecord.self, from: $0) }
    }

    /// The head as kept; after a crash between record and head, as the log's last whole record tells.
    private func repairedHead(_ descriptor: Int32) throws -> Head {
        let kept = try keptHead() ?? .empty
        let (bytes, length) = try tail(descriptor)
        guard let end = bytes.lastIndex(of: 0x0A) else {
            guard kept == .empty else {
                throw Failure(line: 0, description: "\(path): the log is gone, its head is not")
            }
            guard ftruncate(descriptor, 0) == 0 else { throw failure("truncate") }
            return .empty
        }
        // What stands behind the last line feed is a record that a crash tore.
        let torn = bytes.count - (end + 1)
        if torn > 0, ftruncate(descriptor, length - off_t(torn)) != 0 { throw failure("truncate") }
        let start = bytes[..<end].lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        guard let last = try? JSONDecoder().decode(AuditRecord.self, from: bytes[start..<end]) else {
            throw Failure(line: nil, description: "\(path): the last line is not a record")
        }
        let head = Head(count: last.sequence, hash: last.hash)
        if head == kept { return head }
        guard last.previous == kept.hash, last.sequence == kept.count + 1 else {
            throw Failure(
                line: nil,
                description: "\(path): the log does not end where its head says: run audit verify"
            )
        }
        // Before another record follows: a second crash must not leave the head two behind. Nor may a head lead to what is not on
        // disk: the crash may have been before the record was.
        guard fdatasync(descriptor) == 0 else { throw failure("sync") }
        try keep(head)
        return head
    }

    /// The end of the log, from before its last whole record on: it may be years long.
    private func tail(_ descriptor: Int32) throws -> (bytes: Data, length: off_t) {
        let length = lseek(descriptor, 0, SEEK_END)
        guard length >= 0 else { throw failure("seek") }
        var wanted: off_t = 1 << 14
        while true {
            let start = max(0, length - wanted)
            let bytes = try read(descriptor, from: start, count: Int(length - start))
            let end = bytes.lastIndex(of: 0x0A)
            if start == 0 || end.map({ bytes[..<$0].contains(0x0A) }) == true { return (bytes, length) }
            wanted *= 8
        }
    }

    private func read(_ descriptor: Int32, from start: off_t, count: Int) throws -> Data {
        var bytes = Data(count: count)
        var done = 0
        while done < count {
            let got = unsafe bytes.withUnsafeMutableBytes { all in
                unsafe pread(
                    descriptor,
                    all.baseAddress.map { unsafe $0 + done },
                    count - done,
                    start + off_t(done)
                )
            }
            if got < 0, errno == EINTR { continue }
            guard got > 0 else { throw failure("read") }
            done += got
        }
        return bytes
    }

    /// Replaces the head so that, after a loss of power too, the old one or the new one is there whole.
    private func keep(_ head: Head) throws { try replace(headPath, by: try JSONEncoder().encode(head)) }

    /// Replaces a file: whoever looks finds the old one or the new one, whole.
    ///
    /// What was begun is gone where it throws.
    func replace(_ path: String, by data: Data) throws {
        let temporary = Self.temporary(path)
        // What stands there may be another's, or lead elsewhere: it is never written to.
        unsafe unlink(temporary)
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let descriptor = unsafe open(temporary, flags, 0o640)
        guard descriptor >= 0 else { throw failure("open \(temporary)") }
        defer { close(descriptor) }
        do {
            keepOwner(descriptor)
            try write(data, to: descriptor)
            guard fdatasync(descriptor) == 0, unsafe rename(temporary, path) == 0 else {
                throw failure("replace \(path)")
            }
        } catch {
            unsafe unlink(temporary)
            throw error
        }
    }

    /// What a file that takes another's place is called before.
    static func temporary(_ path: String) -> String { path + ".tmp" }

    /// Has a new file belong to whom the log belongs: what an administrator's command replaces, the daemon must go on writing.
    private func keepOwner(_ descriptor: Int32) {
        var log = stat()
        guard unsafe stat(path, &log) == 0 else { return }
        // Only root can give a file away; who else may write here can at most leave it to the group.
        if fchown(descriptor, log.st_uid, log.st_gid) != 0 { fchown(descriptor, uid_t.max, log.st_gid) }
        fchmod(descriptor, log.st_mode & 0o777)
    }

    func syncFolder() throws {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open \(folder)") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("sync \(folder)") }
    }

    private func keptHead() throws -> Head? {
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: headPath)) else { return nil }
        return try JSONDecoder().decode(Head.self, from: data)
    }

    private func lines() throws -> [Data] {
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        return try Data(contentsOf: URL(fileURLWithPath: path)).split(separator: 0x0A).map { Data($0) }
    }

    /// SHA-256 of the record as it is written, with an empty hash.
    private static func hash(_ record: AuditRecord) throws -> String {
        var bare = record
        bare.hash = ""
        return SHA256.hash(data: try encode(bare)).map { byte in
            String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
        }.joined()
    }

    private static func encode(_ record: AuditRecord) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(record)
    }

    private func write(_ data: Data, to descriptor: Int32) throws {
        var written = 0
        while written < data.count {
            let count = unsafe data.withUnsafeBytes { all in
                unsafe Glibc.write(
                    descriptor,
                    all.baseAddress.map { unsafe $0 + written },
                    data.count - written
                )
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw failure("write")
            }
            written += count
        }
    }

    func failure(_ action: String) -> Failure {
        Failure(line: nil, description: "\(path): \(action): \(unsafe String(cString: strerror(errno)))")
    }
}
