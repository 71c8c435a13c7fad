public import ANPRModel
public import SightingFrames
import Synchronization

/// Everything that left deduplication, in order and numbered: what the archive and the forwarder read.
///
/// Files of blocks; each begins with the register, so that it decodes alone. A mark after the frames of a journal
/// entry says that all up to there is in the log; what a crash leaves behind the last mark is cut off when the log is opened,
/// because the journal will give it again. Damage is told, and nothing is cut off for it. One writer, any number of readers of what lies before the last mark.
public final class SightingLog: Sendable {
    /// A file of the log.
    struct Part: Sendable, Equatable {
        var first: UInt64
        var path: String
    }

    private struct State: ~Copyable {
        var parts: [Part] = []
        var file: SealedFile?
        var length = 0
        var committedLength = 0
        var next: UInt64 = 0
        var mark = StreamMark(journalEntry: 0, closedThrough: .distantPast, isEnd: false)
        var registered = 0
        var observers: [@Sendable () -> Void] = []
    }

    /// How far the log goes.
    public struct Extent: Sendable, Equatable {
        /// The number of the next sighting.
        public var next: UInt64
        /// The last mark.
        public var mark: StreamMark
    }

    private let folder: String
    private let keys: KeyRing?
    private let partLengthMax: Int
    private let state: Mutex<State>

    /// Opens a log for writing, made if it is not there, and cuts off what a crash left behind the last mark.
    ///
    /// - Parameters:
    ///   - keys: of the data folder; without them all is written in the clear.
    ///   - partLengthMax: a file that has grown beyond so many bytes is closed.
    /// - Throws: `StorageError`; of code `damaged`, with file and byte, where a file is not what a crash leaves; nothing is changed then.
    public init(_ folder: String, keys: KeyRing?, partLengthMax: Int = 64 << 20) throws {
        self.folder = folder
        self.keys = keys
        self.partLengthMax = partLengthMax
        state = Mutex(State())
        try DataFolder.make(folder)
        try SealedFile.clear(folder, keys)
        let parts = try Self.parts(in: folder)
        try state.withLock { state in
            state.parts = parts
            try recover(&state)
        }
    }

    /// The number of the first sighting that is still there; where there is none, of the next.
    public var first: UInt64 { state.withLock { $0.parts.first?.first ?? $0.next } }

    /// How far the log goes.
    public var extent: Extent { state.withLock { Extent(next: $0.next, mark: $0.mark) } }

    /// Has a function called after each append; for readers in the same process.
    public func observe(_ observer: @escaping @Sendable () -> Void) {
        state.withLock { $0.observers.append(observer) }
    }

    /// How far a log goes that another process may be writing: the number of the next sighting.
    public static func end(of folder: String, keys: KeyRing?) throws -> UInt64 {
        for part in try parts(in: folder).reversed() {
            let bytes = try SealedFile(part.path, .read, keys).contents()
            let scan = LogScan(bytes)
            try scan.demandUndamaged(part.path)
            if let end = scan.lastMark { return end.sequence }
        }
        return 0
    }

    static func parts(in folder: String) throws -> [Part] {
        try DataFolder.names(in: folder).filter { $0.hasSuffix(".sightings") }.map { name in
            guard let first = UInt64(name.dropLast(10)) else {
                throw StorageError(.damaged, "\(folder)/\(name): not a sighting log's name")
            }
            return Part(first: first, path: "\(folder)/\(name)")
        }
    }

    /// Finds the last mark; last files without any are removed, as a crash leaves them.
    private func recover(_ state: inout State) throws {
        var begun: [Part] = []
        while let part = state.parts.last {
            let file = try SealedFile(part.path, .append, keys)
            let scan = LogScan(try file.contents())
            // Nothing is cut off or removed before all of it was looked at.
            try file.demandUndamaged()
            try scan.demandUndamaged(part.path)
            guard let end = scan.lastMark else {
                begun.append(state.parts.removeLast())
                continue
            }
            if try scan.length > end.offset || file.torn() > 0 { try file.truncate(to: end.offset) }
            state.file = file
            state.length = end.offset
            state.committedLength = end.offset
            state.next = end.sequence
            state.mark = end.mark
            state.registered = end.cameraCount
            break
        }
        for part in begun { try SealedFile.remove(part.path, keys) }
    }

    /// Appends sightings and a mark behind them.
    ///
    /// - Parameters:
    ///   - batch: all that the journal gave up to the mark and the log does not have yet; may be empty.
    ///   - encoder: of `register`.
    ///   - isDurable: whether to return only when it is on stable storage. Without, a crash of the machine loses what the
    ///     journal then gives again; a crash of the process loses nothing.
    public func append(
        _ batch: SightingBatch,
        mark: StreamMark,
        register: CameraRegister,
        encoder: FrameEncoder,
        frameCount: Int = 8192,
        isDurable: Bool
    ) throws {
        let observers = try state.withLock { state in
            var bytes: [UInt8] = []
            if state.file == nil || state.length > partLengthMax { try startPart(&state) }
            if state.registered < register.count {
                try RegisterBlock.encode(register, from: state.registered).write(to: &bytes)
            }
            var next = state.next
            var start = 0
            while start < batch.count {
                let end = min(start + frameCount, batch.count)
                encoder.encode(batch, start..<end, sequence: next).write(to: &bytes)
                next += UInt64(end - start)
                start = end
            }
            mark.block(sequence: next).write(to: &bytes)
            guard let file = state.file else { return [@Sendable () -> Void]() }
            do {
                try file.write(bytes, at: state.length)
                if isDurable { try file.sync() }
            } catch {
                // Nothing of it must be found behind what is written there next.
                try? file.truncate(to: state.length)
                throw error
            }
            // Nothing has changed before all of it is written.
            state.next = next
            state.registered = max(state.registered, register.count)
            state.length += bytes.count
            state.committedLength = state.length
            state.mark = mark
            return state.observers
        }
        for observer in observers { observer() }
    }

    private func startPart(_ state: inout State) throws {
        let digits = String(state.next)
        var path = "\(folder)/\(String(repeating: "0", count: 20 - digits.count))\(digits).sightings"
        if state.parts.last?.path == path { path = state.parts.last?.path ?? path }
        if let old = state.file { try old.sync() }
        state.file = try SealedFile(path, .replace, keys)
        try DataFolder.sync(folder)
        if state.parts.last?.path != path { state.parts.append(Part(first: state.next, path: path)) }
        state.length = 0
        state.committedLength = 0
        state.registered = 0
    }

    /// Returns when all that was appended is on stable storage.
    public func sync() throws {
        try state.withLock { state in try state.file?.sync() }
    }

    /// Removes files whose sightings all readers have passed, each with its key.
    ///
    /// - Parameter sequence: the number that every reader has reached.
    public func drop(before sequence: UInt64) throws {
        try state.withLock { state in
            // What stays has a mark on stable storage.
            let kept = state.committedLength > 0 ? 1 : 2
            guard state.parts.count > kept, state.parts[1].first <= sequence else { return }
            try state.file?.sync()
            while state.parts.count > kept, state.parts[1].first <= sequence {
                try SealedFile.remove(state.parts[0].path, keys)
                state.parts.removeFirst()
            }
        }
    }

    /// Closes the file being written, so that it can be dropped in its turn; the next one starts with a mark.
    public func closePart(register: CameraRegister, encoder: FrameEncoder) throws {
        let mark = try state.withLock { state in
            guard state.length > 0, state.parts.last?.first != state.next else { return nil as StreamMark? }
            try startPart(&state)
            return state.mark
        }
        guard let mark else { return }
        try append(SightingBatch(), mark: mark, register: register, encoder: encoder, isDurable: true)
    }
}
