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

        fileprivate var prototype: SegmentPrototype? {
            switch self {
            case .sections(let reader): reader.prototype
            case .former(let reader): reader.prototype
            case .index, .none: nil
            }
        }
    }

    private struct Opened {
        var readers: [String: Reader] = [:]
        var prototypes: [SegmentPrototype] = []
    }

    private let opened = Mutex(Opened())
    /// Each has a file open, of which a process may have a thousand by default.
    private static let readersMax = 640
    /// Each is of a codebook and a register, which change seldom.
    private static let prototypesMax = 64

    /// Reads a file.
    ///
    /// - Parameters:
    ///   - open: opens it, if it was not before; is given what others that are open share.
    ///   - body: is given the reader, which it may change.
    func read<Result>(
        _ path: String,
        open: ([SegmentPrototype]) throws -> Reader,
        _ body: (inout Reader) throws -> Result
    ) throws -> Result {
        var (known, prototypes) = opened.withLock { ($0.readers.removeValue(forKey: path), $0.prototypes) }
        let isNew = known == nil
        // Taken, not copied: what is read with changes in place.
        var reader = try known.take() ?? open(prototypes)
        prototypes = []
        let result = try body(&reader)
        opened.withLock { opened in
            if opened.readers.count < Self.readersMax { opened.readers[path] = reader }
            guard isNew, let prototype = reader.prototype,
                !opened.prototypes.contains(where: {
                    $0.codebook == prototype.codebook && $0.registerBlock == prototype.registerBlock
                })
            else { return }
            if opened.prototypes.count == Self.prototypesMax { opened.prototypes.removeFirst() }
            opened.prototypes.append(prototype)
        }
        return result
    }

    /// Closes the files that are not among these.
    func keep(only paths: Set<String>) {
        opened.withLock { opened in
            guard opened.readers.count > 0 else { return }
            opened.readers = opened.readers.filter { paths.contains($0.key) }
        }
    }
}
