import Synchronization

/// Files of one kind that were opened, for the searches that come after.
///
/// What a catalogue no longer names is closed. One reader serves one search at a time: who finds it in use opens the file once more.
final class ReaderCache<Reader: Sendable>: Sendable {
    /// Read with where it stands: a reader is too much to be moved to and fro for one page.
    private final class Slot: Sendable {
        let reader: Mutex<Reader>

        init(_ reader: Reader) { self.reader = Mutex(reader) }
    }

    private let slots = Mutex<[String: Slot]>([:])
    private let countMax: Int

    /// A cache of so many files at most.
    init(countMax: Int) { self.countMax = countMax }

    /// Reads a file.
    ///
    /// - Parameters:
    ///   - open: opens it, if it was not before or is in use.
    ///   - body: is given the reader, which it may change; one that it throws over is not used again.
    func read<Result: Sendable>(
        _ path: String,
        open: () throws -> Reader,
        _ body: (inout Reader) throws -> Result
    ) throws -> Result {
        if let known = slots.withLock({ $0[path] }) {
            do {
                let result = try known.reader.withLockIfAvailable { reader in try body(&reader) }
                if let result { return result }
            } catch {
                slots.withLock { slots in
                    if slots[path] === known { slots[path] = nil }
                }
                throw error
            }
        }
        let own = Slot(try open())
        let result = try own.reader.withLock { reader in try body(&reader) }
        slots.withLock { slots in
            if slots.count < countMax, slots[path] == nil { slots[path] = own }
        }
        return result
    }

    /// Whether a file was opened.
    func has(_ path: String) -> Bool { slots.withLock { $0[path] != nil } }

    /// Closes the files that are not among these.
    func keep(only paths: Set<String>) {
        slots.withLock { slots in
            guard slots.count > 0 else { return }
            slots = slots.filter { paths.contains($0.key) }
        }
    }
}
