import Synchronization

/// Files of one kind that were opened, for the searches that come after.
///
/// What a catalogue no longer names is closed. One reader serves one search at a time: who finds it in use opens the file once more.
final class ReaderCache<Reader: Sendable>: Sendable {
    /// Read with where it stands: a reader is too much to be moved to and fro for one page.
    private final class Slot: Sendable {
        struct State: Sendable {
            var reader: Reader
            /// Whether something was thrown over it, so that it may have stopped anywhere.
            var isBroken = false
        }

        let state: Mutex<State>

        init(_ reader: Reader) { state = Mutex(State(reader: reader)) }

        /// What is read with it; `nil` if it is in use, or broken.
        func read<Result: Sendable>(_ body: (inout Reader) throws -> Result) throws -> Result? {
            try state.withLockIfAvailable { state -> Result? in
                if state.isBroken { return nil }
                do { return try body(&state.reader) } catch {
                    state.isBroken = true
                    throw error
                }
            } ?? nil
        }
    }

    private let slots = Mutex<[String: Slot]>([:])
    private let countMax: Int

    /// A cache of so many files at most.
    init(countMax: Int) { self.countMax = countMax }

    /// Reads a file.
    ///
    /// - Parameters:
    ///   - open: opens it, if it was not before or is in use.
    ///   - body: is given the reader, which it may change, and must not ask for the same file; a reader that it throws over
    ///     is not used again.
    func read<Result: Sendable>(
        _ path: String,
        open: () throws -> Reader,
        _ body: (inout Reader) throws -> Result
    ) throws -> Result {
        if let known = slots.withLock({ $0[path] }) {
            do {
                if let result = try known.read(body) { return result }
            } catch {
                slots.withLock { slots in
                    if slots[path] === known { slots[path] = nil }
                }
                throw error
            }
        }
        var reader = try open()
        let result = try body(&reader)
        let own = Slot(reader)
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
