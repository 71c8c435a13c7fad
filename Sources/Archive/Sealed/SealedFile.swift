import Glibc
import Synchronization

/// A file that grows at its end and that nobody reads without its key: what `DataFile` is to those who write and read it.
///
/// All places and lengths are those of the content, so that who knows what is in it need not know how it is closed. It is closed
/// in pieces, one for each write or several, under a key of its own in the key ring, by which it goes from every copy when it
/// goes here: see `remove`. What a crash tore off the end is not there; what is damaged before that is said with file and byte,
/// and nothing of it is given out. A file that was written in the clear, or where encryption is off, is read and goes on as it is.
///
/// - Complexity: a write adds 40 bytes; a read opens the pieces it falls into, of at most a megabyte each, and keeps the last.
///   Memory of 8 bytes a piece.
public final class SealedFile: Sendable {
    private struct State: Sendable {
        /// Of a file that is sealed.
        var pieces: SealedPieces?
        var isPlain = false
    }

    private let file: DataFile
    private let keys: KeyRing?
    private let state = Mutex(State())
    /// Its path.
    public var path: String { file.path }

    /// Opens a file.
    ///
    /// - Parameters:
    ///   - mode: what is begun anew, or replaced, is sealed where encryption is on; what it replaces goes with its key.
    ///   - keys: of the data folder; without them only what is in the clear can be read, and all is written so.
    ///   - day: of a file that is begun, for the name of its key, counted from 1970-01-01; by default today.
    public init(_ path: String, _ mode: DataFile.Mode, _ keys: KeyRing?, day: Int32? = nil)
        throws(StorageError)
    {
        self.keys = keys
        if mode == .replace { try Self.remove(path, keys) }
        file = try DataFile(path, mode)
        try state.withLock { (state: inout sending State) throws(StorageError) in
            try settle(&state)
            // The key now: once the file is open, its removal does not keep it from being read to its end.
            if mode == .read { try state.pieces?.look() }
            if mode != .read, state.pieces == nil, !state.isPlain { try begin(&state, day: day) }
        }
    }

    /// Begins a file of which nothing is there, or not all of a head.
    private func begin(_ state: inout State, day: Int32?) throws(StorageError) {
        try file.truncate(to: 0)
        guard let keys, keys.isOn else {
            state.isPlain = true
            return
        }
        let head = SealedHead(DataKeyName(ofFile: day ?? Int32(time(nil) / 86_400)))
        try file.write(head.bytes, at: 0)
        // The key comes with the first piece: so there is none that no file names, whenever a crash comes.
        try file.sync()
        try DataFolder.syncName(path)
        state.pieces = SealedPieces(file, keys, head)
    }

    /// Finds out whether the file is sealed, once it says so.
    private func settle(_ state: inout State) throws(StorageError) {
        guard state.pieces == nil, !state.isPlain else { return }
        switch try SealedHead.find(try file.read(SealedHead.length, at: 0), in: path) {
        case .nothing: return
        case .plain: state.isPlain = true
        case .sealed(let head): state.pieces = SealedPieces(file, keys, head)
        }
    }

    /// Does one thing with the pieces of a sealed file, or another where it is in the clear.
    ///
    /// - Returns: `nil` of a file that does not say yet what it is: nothing is in it.
    private func choose<Result: Sendable>(
        _ sealed: (inout SealedPieces) throws(StorageError) -> Result,
        plain: () throws(StorageError) -> Result
    ) throws(StorageError) -> Result? {
        try state.withLock { (state: inout sending State) throws(StorageError) -> Result? in
            try settle(&state)
            if state.isPlain { return try plain() }
            return try state.pieces?.apply(sealed)
        }
    }

    /// How long the content is, as far as it is whole.
    public func length() throws(StorageError) -> Int {
        try choose { (pieces: inout SealedPieces) throws(StorageError) in
            try pieces.look()
            return pieces.length
        } plain: { () throws(StorageError) in
            try file.length()
        } ?? 0
    }

    /// How many bytes behind the content are none, as a crash leaves them; what is in the clear does not tell.
    func torn() throws(StorageError) -> Int {
        try choose { (pieces: inout SealedPieces) throws(StorageError) in
            try pieces.look()
            return pieces.torn
        } plain: { () throws(StorageError) in
            0
        } ?? 0
    }

    /// Says that a file which is complete, because others follow it, ends in what is none of it.
    ///
    /// - Throws: `StorageError` of code `damaged` with file and byte.
    func demandWhole() throws(StorageError) {
        let torn = try torn()
        guard torn > 0 else { return }
        throw StorageError(.damaged, "\(path): damaged at byte \(try file.length() - torn)")
    }

    /// Says that what is behind the content is not what a crash leaves there: for who opens the file to go on with it, or must have
    /// all of it.
    ///
    /// - Throws: `StorageError` of code `damaged` with file and byte.
    func demandUndamaged() throws(StorageError) {
        _ = try choose { (pieces: inout SealedPieces) throws(StorageError) in
            try pieces.look()
            try pieces.demandTorn()
        } plain: { () throws(StorageError) in
            // What is in the clear is told by what it says.
        }
    }

    /// Tells this file from one that has its name later.
    func identity() throws(StorageError) -> [UInt64] { try file.identity() }

    /// Reads up to `count` bytes from a place; fewer only at the end of the file.
    public func read(_ count: Int, at offset: Int) throws(StorageError) -> [UInt8] {
        try read(count, upTo: count, at: offset)
    }

    /// Reads `count` bytes from a place, or fewer at the end of the file, and up to `most` where that takes no more work.
    func read(_ count: Int, upTo most: Int, at offset: Int) throws(StorageError) -> [UInt8] {
        try choose { (pieces: inout SealedPieces) throws(StorageError) in
            try pieces.read(count, upTo: most, at: offset)
        } plain: { () throws(StorageError) in
            try file.read(most, at: offset)
        } ?? []
    }

    /// Reads the whole content.
    public func contents() throws(StorageError) -> [UInt8] { try read(try length(), at: 0) }

    /// Writes all bytes at the end; what stands behind that place, as a write that failed leaves it, goes first.
    public func write(_ bytes: [UInt8], at offset: Int) throws(StorageError) {
        try write([bytes], at: offset)
    }

    /// Writes parts at the end, one behind the other, so that each can be read without the others being opened.
    func write(_ parts: [[UInt8]], at offset: Int) throws(StorageError) {
        _ = try choose { (pieces: inout SealedPieces) throws(StorageError) in
            try pieces.look()
            if pieces.length > offset || pieces.torn > 0 { try pieces.truncate(to: offset) }
            guard pieces.length == offset else {
                throw StorageError(.damaged, "\(path): ends at \(pieces.length) and not at \(offset)")
            }
            try pieces.append(parts)
        } plain: { () throws(StorageError) in
            if try file.length() > offset { try file.truncate(to: offset) }
            try file.write(Array(parts.joined()), at: offset)
        }
    }

    /// Cuts the content to a length, and off the file what is torn.
    public func truncate(to length: Int) throws(StorageError) {
        _ = try choose { (pieces: inout SealedPieces) throws(StorageError) in
            try pieces.look()
            try pieces.truncate(to: length)
        } plain: { () throws(StorageError) in
            try file.truncate(to: length)
        }
    }

    /// Returns when everything written is on stable storage.
    public func sync() throws(StorageError) { try file.sync() }
}

extension SealedPieces {
    /// Does something with them where they are, without a copy.
    mutating func apply<Result>(_ body: (inout Self) throws(StorageError) -> Result) throws(StorageError)
        -> Result
    { try body(&self) }
}

extension StorageError {
    /// Makes any error one of a file.
    static func told<Result>(of path: String, _ body: () throws -> Result) throws(StorageError) -> Result {
        do {
            return try body()
        } catch let error as StorageError {
            throw error
        } catch {
            throw StorageError(.system, "\(path): \(error)")
        }
    }
}
