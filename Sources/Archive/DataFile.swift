import ANPRModel
import Glibc

/// A file that grows at its end, written with plain system calls so that what was synced is known.
public final class DataFile: Sendable {
    /// Its path.
    public let path: String
    private let descriptor: Int32

    /// How to open a file.
    public enum Mode: Sendable {
        /// For reading; it must exist.
        case read
        /// For appending; made if it is not there.
        case append
        /// For writing anew; whatever was there is gone.
        case replace
        /// The same, for its owner's eyes only.
        case secret
    }

    /// Opens a file.
    public init(_ path: String, _ mode: Mode) throws(StorageError) {
        self.path = path
        let flags: Int32 =
            switch mode {
            case .read: O_RDONLY
            case .append: O_RDWR | O_CREAT
            case .replace, .secret: O_RDWR | O_CREAT | O_TRUNC
            }
        descriptor = unsafe open(path, flags | O_CLOEXEC, mode == .secret ? 0o600 : 0o640)
        guard descriptor >= 0 else { throw .system("open", path) }
    }

    deinit { close(descriptor) }

    /// How long the file is.
    public func length() throws(StorageError) -> Int {
        let end = lseek(descriptor, 0, SEEK_END)
        guard end >= 0 else { throw .system("seek", path) }
        return end
    }

    /// Tells this file from one that has its name later.
    func identity() throws(StorageError) -> [UInt64] {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .system("look at", path) }
        return [UInt64(status.st_dev), UInt64(status.st_ino)]
    }

    /// Writes all bytes at a place.
    public func write(_ bytes: [UInt8], at offset: Int) throws(StorageError) {
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { all in
                unsafe pwrite(
                    descriptor,
                    all.baseAddress.map { unsafe $0 + written },
                    bytes.count - written,
                    offset + written
                )
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw .system("write", path)
            }
            written += count
        }
    }

    /// Reads up to `count` bytes from a place; fewer only at the end of the file.
    public func read(_ count: Int, at offset: Int) throws(StorageError) -> [UInt8] {
        // Not filled with zeros before: that would take nearly as long as to read what is in memory.
        var failure: StorageError?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { all, filled in
            while filled < count {
                let got = unsafe pread(
                    descriptor,
                    all.baseAddress.map { unsafe $0 + filled },
                    count - filled,
                    offset + filled
                )
                if got < 0 {
                    if errno == EINTR { continue }
                    failure = .system("read", path)
                    return
                }
                if got == 0 { return }
                filled += got
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Reads the whole file.
    public func contents() throws(StorageError) -> [UInt8] { try read(try length(), at: 0) }

    /// Asks the system to keep nothing of the file in memory; for measuring what the first look at it costs.
    public func forget() throws(StorageError) {
        guard posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED) == 0 else { throw .system("forget", path) }
    }

    /// Waits until no other has the file locked, and locks it.
    func lock() throws(StorageError) {
        guard flock(descriptor, LOCK_EX) == 0 else { throw .system("lock", path) }
    }

    /// Lets others lock the file.
    func unlock() { flock(descriptor, LOCK_UN) }

    /// Cuts the file to a length.
    public func truncate(to length: Int) throws(StorageError) {
        guard ftruncate(descriptor, length) == 0 else { throw .system("truncate", path) }
    }

    /// Overwrites all of it with zeros, on stable storage when this returns: also for who has the file under another name.
    func wipe() throws(StorageError) {
        try write([UInt8](repeating: 0, count: try length()), at: 0)
        try sync()
    }

    /// Returns when everything written is on stable storage.
    public func sync() throws(StorageError) {
        guard fdatasync(descriptor) == 0 else { throw .system("sync", path) }
    }
}

/// What is done with folders and whole files.
public enum DataFolder {
    /// Makes a folder, and those above it, unless it is there.
    public static func make(_ path: String) throws(StorageError) {
        var made = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            made += made.isEmpty || made.hasSuffix("/") ? "\(part)" : "/\(part)"
            if unsafe mkdir(made, 0o750) == 0 {
                // The new name is durable once the folder above is.
                try sync("\(made)/..")
            } else if errno != EEXIST {
                throw .system("make folder", made)
            }
        }
    }

    /// The names in a folder, sorted; empty when it is not there.
    public static func names(in path: String) -> [String] {
        guard let folder = unsafe opendir(path) else { return [] }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Makes the names in a folder durable.
    public static func sync(_ path: String) throws(StorageError) {
        let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("open folder", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .system("sync folder", path) }
    }

    /// Makes the name of a file durable.
    static func syncName(_ path: String) throws(StorageError) {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        try sync(folder.isEmpty ? "/" : folder)
    }

    /// Removes a file; it need not be there.
    public static func remove(_ path: String) throws(StorageError) {
        guard unsafe unlink(path) == 0 || errno == ENOENT else { throw .system("remove", path) }
    }

    /// Gives a file its final name, replacing what had it.
    public static func rename(_ from: String, to: String) throws(StorageError) {
        guard unsafe Glibc.rename(from, to) == 0 else { throw .system("rename to \(to)", from) }
    }

    /// Gives a file another name beside the one it has.
    static func link(_ path: String, to other: String) throws(StorageError) {
        guard unsafe Glibc.link(path, other) == 0 else { throw .system("link to \(other)", path) }
    }

    /// The name of a day's file, by which files sort as their days do; days are counted from 1970-01-01.
    static func dayFile(_ day: Int32) -> String {
        TimestampWriter.text(Timestamp(milliseconds: Int64(day) * 86_400_000)).prefix(10) + ".ndjson"
    }

    /// When the day began whose file has that name.
    static func start(ofDayFile name: String) -> Timestamp? {
        guard case .moment(let time) = TimestampReader.read(name.prefix(10) + "T00:00:00Z") else {
            return nil
        }
        return time
    }

    /// Whether something has that name.
    public static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }
}

/// Keeps a data folder to one writing process.
public final class DataLock: Sendable {
    private let descriptor: Int32

    /// So often a folder that is taken is looked at again, a hundredth of a second apart, before it is said to be.
    private static let patience = 100

    /// Takes the folder, or says that another process has it.
    ///
    /// Whoever asks for the ``holder(of:)`` of a folder has its lock for a moment, and so has a child that this process
    /// starts while it lets go of one, until the child is a program of its own: only a second of finding it taken says
    /// that it is.
    public init(_ folder: String) throws(StorageError) {
        try DataFolder.make(folder)
        let path = "\(folder)/lock"
        descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw .system("open", path) }
        var tries = 0
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            tries += 1
            if errno == EWOULDBLOCK, tries < Self.patience {
                usleep(10_000)
                continue
            }
            throw StorageError(.locked, "\(folder): another anpr process is writing to this data folder")
        }
        // Who has it, for those who want to send it a signal.
        let text = Array("\(getpid())\n".utf8)
        guard ftruncate(descriptor, 0) == 0, unsafe pwrite(descriptor, text, text.count, 0) == text.count
        else { throw .system("write", path) }
    }

    /// The process that has a folder, if any has.
    public static func holder(of folder: String) -> Int32? {
        let descriptor = unsafe open("\(folder)/lock", O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        // Shared: who asks the same at this moment is not taken for one who has the folder.
        if flock(descriptor, LOCK_SH | LOCK_NB) == 0 { return nil }
        var text = [UInt8](repeating: 0, count: 16)
        let count = unsafe text.withUnsafeMutableBytes {
            unsafe pread(descriptor, $0.baseAddress, $0.count, 0)
        }
        return Int32(String(decoding: text.prefix(max(count, 0)), as: UTF8.self).prefix { $0.isNumber })
    }

    deinit { close(descriptor) }
}
