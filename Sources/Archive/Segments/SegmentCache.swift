import ANPRModel
import Synchronization

/// Segments and indexes that were opened, for the searches that come after.
///
/// What a catalogue no longer names is closed; one reader serves one search at a time.
final class SegmentCache: Sendable {
    /// A file that was opened.
    enum Reader: Sendable {
        case sections(SectionedSegmentReader)
        case former(FormerSegmentReader)
        case index(MarkIndexReader)
        /// In use.
        case none
    }

    private let readers = Mutex<[String: Reader]>([:])
    private let prototypes = SegmentPrototypes()
    /// Each has a file open, of which a process may have a thousand by default.
    private static let readersMax = 640

    /// Reads a file.
    ///
    /// - Parameters:
    ///   - open: opens it, if it was not before; is given what others that are open share.
    ///   - body: is given the reader, which it may change.
    func read<Result>(
        _ path: String,
        open: (SegmentPrototypes) throws -> Reader,
        _ body: (inout Reader) throws -> Result
    ) throws -> Result {
        // Taken, not copied: what is read with changes in place.
        var known = readers.withLock { $0.removeValue(forKey: path) }
        var reader = try known.take() ?? open(prototypes)
        let result = try body(&reader)
        readers.withLock { readers in
            if readers.count < Self.readersMax { readers[path] = reader }
        }
        return result
    }

    /// Whether a file was opened, and is not in use.
    func has(_ path: String) -> Bool { readers.withLock { $0[path] != nil } }

    /// Closes the files that are not among these.
    func keep(only paths: Set<String>) {
        readers.withLock { readers in
            guard readers.count > 0 else { return }
            readers = readers.filter { paths.contains($0.key) }
        }
    }
}
