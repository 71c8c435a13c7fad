import Crypto
import Foundation
import SightingFrames
import Synchronization

/// The keys of a data folder's sightings, one for each day and force, and of its other files, wrapped by a master key.
///
/// They stand in a small file of their own, which is all that must be kept from whoever keeps copies of the rest: where a key is
/// destroyed, nothing that was closed under it opens again, on this disk or on any other. What changes them looks at the file
/// first, under a lock, so that several may.
///
/// - Complexity: a change writes the whole file, about 80 bytes a key.
public final class KeyRing: Sendable {
    private struct State {
        var master: MasterKey?
        var content = KeyRingFile()
        /// Keys that were unwrapped.
        var plain: [DataKeyName: SymmetricKey] = [:]
        /// Keys under which nothing more is written.
        var retired: Set<DataKeyName> = []
        var isLoaded = false
    }

    private let folder: String
    /// Where the master key comes from.
    public let source: MasterKeySource
    /// Whether what is written is encrypted; what was encrypted is read in any case.
    public let isOn: Bool
    private let state = Mutex(State())
    private var path: String { "\(folder)/ring" }

    /// The keys of a data folder; nothing is read or made before it is needed.
    public init(data folder: String, _ source: MasterKeySource, isOn: Bool = true) {
        self.folder = "\(folder)/keys"
        self.source = source
        self.isOn = isOn
    }

    // MARK: - Sealing

    /// The names of the keys under which data of forces is written now, made if there are none.
    ///
    /// - Returns: one for each force, in their order; they are on disk. None where nothing is encrypted.
    func names(_ day: Int32, _ forces: [String]) throws -> [DataKeyName] {
        guard isOn else { return [] }
        return try state.withLock { state in
            try refresh(&state)
            let known = forces.compactMap { state.content.name(day, $0, except: state.retired) }
            if known.count == forces.count { return known }
            return try change(&state) { state, master in
                try forces.map { force in
                    if let name = state.content.name(day, force, except: state.retired) { return name }
                    let name = DataKeyName(day: day, force: force, number: .random(in: 1 ... .max))
                    let key = SymmetricKey(size: .bits256)
                    state.plain[name] = key
                    state.content.set(try master.wrap(key, name), for: name)
                    return name
                }
            }
        }
    }

    /// Whether keys are all still there.
    func have(_ names: Set<DataKeyName>) throws -> Bool {
        try names.isEmpty
            || state.withLock { state in
                try refresh(&state)
                return names.allSatisfy { state.content.wrapped[$0] != nil }
            }
    }

    /// What closes the pieces of a part of a file.
    ///
    /// - Parameters:
    ///   - names: all of whose keys it takes to open them; none where they are not encrypted.
    ///   - file: what tells the file from all others.
    ///   - part: what tells the part from all others of the file.
    /// - Throws: `StorageError` of code `destroyed` if one of the keys is no more.
    func seal(_ names: [DataKeyName], file: [UInt8], part: Int) throws -> PieceSeal {
        if names.isEmpty { return PieceSeal(nil) }
        let keys = try state.withLock { state in try names.map { name in try key(name, &state) } }
        var material: [UInt8] = []
        for key in keys { unsafe key.withUnsafeBytes { unsafe material.append(contentsOf: $0) } }
        return PieceSeal(
            HKDF<SHA256>.deriveKey(
                inputKeyMaterial: SymmetricKey(data: material),
                salt: file,
                info: Array("anpr part \(part)".utf8),
                outputByteCount: 32
            )
        )
    }

    private func key(_ name: DataKeyName, _ state: inout State) throws -> SymmetricKey {
        if let key = state.plain[name] { return key }
        if state.content.wrapped[name] == nil { try refresh(&state) }
        guard let wrapped = state.content.wrapped[name] else {
            throw StorageError(
                .destroyed,
                "\(path): the key of \(name.closed) is not there"
            )
        }
        guard let key = try master(&state).unwrap(wrapped, name) else {
            throw StorageError(
                .damaged,
                "\(path): the key of \(name.closed) does not open"
            )
        }
        state.plain[name] = key
        return key
    }

    // MARK: - Files

    /// Makes a file's key, unless it is there; it is on disk when this returns.
    func make(_ name: DataKeyName) throws {
        try state.withLock { state in
            try refresh(&state)
            guard state.content.wrapped[name] == nil else { return }
            try change(&state) { state, master in
                let key = SymmetricKey(size: .bits256)
                state.plain[name] = key
                state.content.set(try master.wrap(key, name), for: name)
            }
        }
    }

    /// What closes the pieces of a file that has a key of its own.
    ///
    /// - Returns: `nil` if that is no more.
    func key(ofFile name: DataKeyName) throws -> SymmetricKey? {
        let own = try state.withLock { state in
            try refresh(&state)
            return state.content.wrapped[name] == nil ? nil : try key(name, &state)
        }
        return own.map { key in
            HKDF<SHA256>.deriveKey(
                inputKeyMaterial: key,
                salt: name.bytes,
                info: Array("anpr file".utf8),
                outputByteCount: 32
            )
        }
    }

    // MARK: - Changing

    /// Has what is written from now on of days and forces go under other keys than these.
    func renew(_ names: [DataKeyName]) {
        state.withLock { state in state.retired.formUnion(names) }
    }

    /// Destroys keys; when this returns, nothing that was closed under them opens again.
    func destroy(_ names: [DataKeyName]) throws {
        guard !names.isEmpty else { return }
        try state.withLock { state in
            state.retired.formUnion(names)
            try change(&state) { state, _ in
                for name in names {
                    state.content.set(nil, for: name)
                    state.plain[name] = nil
                }
            }
        }
    }

    /// The names of all keys there are, in their order.
    public func names() throws -> [DataKeyName] {
        try state.withLock { state in
            try refresh(&state)
            return state.content.wrapped.keys.sorted()
        }
    }

    /// Wraps all keys by another master key, where that is in a file.
    ///
    /// A crash in between leaves the keys and a master key that opens them. No other process may write to the data folder.
    public func rotateMaster() throws {
        guard case .file(let path) = source else {
            throw StorageError(
                .mismatch,
                "the master key is not in a file"
            )
        }
        try state.withLock { state in
            try change(&state) { state, current in
                let next = Self.next(path)
                // Where the rotation before broke off, the ring may be wrapped by what is not yet in its place.
                if DataFolder.exists(next), try MasterKey.read(path).check != current.check {
                    try DataFolder.rename(next, to: path)
                    try DataFolder.syncName(path)
                }
                for name in state.content.wrapped.keys { _ = try key(name, &state) }
                let master = MasterKey()
                try master.write(next)
                state.master = master
                for (name, key) in state.plain where state.content.wrapped[name] != nil {
                    state.content.set(try master.wrap(key, name), for: name)
                }
            }
            try DataFolder.rename(Self.next(path), to: path)
            try DataFolder.syncName(path)
        }
    }

    private static func next(_ path: String) -> String { path + ".next" }
}

// MARK: - The file

extension KeyRing {
    /// Changes the keys on disk: reads what is there, under a lock, and writes it anew.
    @discardableResult
    private func change<Result>(
        _ state: inout State,
        _ body: (inout State, MasterKey) throws -> Result
    ) throws -> Result {
        try DataFolder.make(folder)
        let lock = try FileLock("\(folder)/lock")
        defer { lock.release() }
        try refresh(&state)
        // Until it is written, what is in memory is not what there is.
        state.isLoaded = false
        let result = try body(&state, try master(&state))
        state.content.version += 1
        state.content.check = try master(&state).check
        try state.content.write(path)
        state.isLoaded = true
        return result
    }

    /// Reads the keys if they were changed.
    private func refresh(_ state: inout State) throws {
        guard DataFolder.exists(path) else {
            state.content = KeyRingFile()
            state.isLoaded = true
            return
        }
        if state.isLoaded, try KeyRingFile.version(path) == state.content.version { return }
        state.isLoaded = false
        state.content = try KeyRingFile(path)
        state.plain = state.plain.filter { state.content.wrapped[$0.key] != nil }
        try checkMaster(&state)
        state.isLoaded = true
    }

    /// Takes the master key by which the ring was written: the one that is there, or the one that was about to replace it.
    private func checkMaster(_ state: inout State) throws {
        if state.master?.check == state.content.check { return }
        state.master = nil
        let candidate: MasterKey
        switch source {
        case .command(let command): candidate = try MasterKey.ask(command)
        case .file(let file):
            let next = Self.next(file)
            let isNext = DataFolder.exists(next) && (try? MasterKey.read(next).check) == state.content.check
            candidate = try MasterKey.read(isNext ? next : file)
        }
        guard candidate.check == state.content.check else {
            throw StorageError(.mismatch, "\(path): wrapped by another master key than the one that is given")
        }
        state.master = candidate
    }

    /// The master key; made where it is the data folder's own and there is none.
    private func master(_ state: inout State) throws -> MasterKey {
        if let known = state.master { return known }
        let master: MasterKey
        switch source {
        case .command(let command): master = try MasterKey.ask(command)
        case .file(let file):
            if !DataFolder.exists(file) {
                guard file == "\(folder)/\(Self.masterName)" else {
                    throw StorageError(
                        .system,
                        "\(file): there is no master key; write 32 random bytes in Base64 there"
                    )
                }
                try MasterKey().write(file)
            }
            master = try MasterKey.read(file)
        }
        state.master = master
        return master
    }
}

/// Keeps others out for a while.
private final class FileLock {
    private let file: DataFile

    init(_ path: String) throws {
        file = try DataFile(path, .secret)
        try file.lock()
    }

    /// Lets others in again.
    func release() { file.unlock() }
}
