import Synchronization

/// Files of one kind that were opened, for the searches that come after; several may read the same one at the same time.
///
/// What a catalogue no longer names is closed.
final class ReaderCache<Reader: AnyObject & Sendable>: Sendable {
    private let readers = Mutex<[String: Reader]>([:])
    private let countMax: Int

    /// A cache of so many files at most.
    init(countMax: Int) { self.countMax = countMax }

    /// Who reads a file.
    ///
    /// - Parameter open: opens it, if it was not before.
    func reader(_ path: String, open: () throws -> Reader) rethrows -> Reader {
        if let known = readers.withLock({ $0[path] }) { return known }
        let new = try open()
        return readers.withLock { readers in
            // Another may have opened it meanwhile.
            if let known = readers[path] { return known }
            if readers.count < countMax { readers[path] = new }
            return new
        }
    }

    /// Whether a file was opened.
    func has(_ path: String) -> Bool { readers.withLock { $0[path] != nil } }

    /// Closes a file, once nobody reads it.
    func close(_ path: String) { readers.withLock { $0[path] = nil } }

    /// Closes the files that are not among these, once nobody reads them.
    func keep(only paths: Set<String>) {
        readers.withLock { readers in
            guard readers.count > 0 else { return }
            readers = readers.filter { paths.contains($0.key) }
        }
    }
}
