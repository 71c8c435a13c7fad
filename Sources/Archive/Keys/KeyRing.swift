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
    struct State {
        /// Where the master key comes from that is to replace the source's, or has: the keys may be wrapped by either.
        var coming: MasterKeySource?
        var master: MasterKey?
        /// Whether that is the one that replaces the source's.
        var isComing = false
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
    let state: Mutex<State>
    var path: String { "\(folder)/ring" }

    /// The keys of a data folder; nothing is read or made before it is needed.
    ///
    /// - Parameter coming: where another master key comes from that may wrap the keys already.
    public init(
        data folder: String,
        _ source: MasterKeySource,
        coming: MasterKeySource? = nil,
        isOn: Bool = true
    ) {
        self.folder = "\(folder)/keys"
        self.source = source
        state = Mutex(State(coming: coming))
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

    func key(_ name: DataKeyName, _ state: inout State) throws -> SymmetricKey {
        if let key = state.plain[name] { return key }
        if state.content.wrapped[name] == nil { try refresh(&state) }
        let key = try unwrapped(try wrapped(name, state), name, by: try master(&state))
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
                "the master key is not in a file: say which one is to wrap the keys instead"
            )
        }
        let next = Self.next(path)
        try state.withLock { state in
            let old = try change(&state) { state, current in
                guard !state.isComing else {
                    throw StorageError(
                        .mismatch,
                        "changing to another master key broke off: do that once more first"
                    )
                }
                // Where the rotation before broke off, the ring may be wrapped by what is not yet in its place.
                if DataFolder.exists(next), try MasterKey.read(path).check != current.check {
                    let stale = try DataFile(path, .append)
                    try Self.put(next, inPlaceOf: stale)
                }
                let old = try DataFile(path, .append)
                let master = MasterKey()
                try master.write(next)
                try rewrap(&state, by: master)
                return old
            }
            try Self.put(next, inPlaceOf: old)
        }
    }

    /// Wraps all keys by the master key of another file, made if it is not there, or of a command, and has the data folder say so.
    ///
    /// A crash in between leaves the keys wrapped by the one or by the other, and a folder that opens with either; doing it
    /// again completes it. A master key of the folder's own that is another one is gone when this returns; one in a
    /// file elsewhere is left to those who keep it. No other process may write to the data folder.
    ///
    /// - Parameter catalogue: of the data folder, which these are the keys of.
    /// - Throws: `StorageError` of code `mismatch` if the file has no key, or the command prints none, or not always the same.
    public func changeMaster(to target: MasterKeySource, in catalogue: Catalogue) throws {
        try DataFolder.make(folder)
        let master = try MasterKey.take(target)
        try state.withLock { state in
            try refresh(&state)
            // What wraps the keys must be among the two that the folder names, wherever this breaks off.
            if state.isComing, let coming = state.coming { try Self.set(told(coming), in: catalogue) }
            try Self.set(coming: told(target), in: catalogue)
            try change(&state) { state, _ in try rewrap(&state, by: master) }
            (state.coming, state.isComing) = (target, true)
            try Self.set(told(target), in: catalogue)
            try Self.setNoneComing(in: catalogue)
            try forgetMasters(except: master)
        }
    }

    private func rewrap(_ state: inout State, by master: MasterKey) throws {
        for name in state.content.wrapped.keys { _ = try key(name, &state) }
        state.master = master
        for (name, key) in state.plain where state.content.wrapped[name] != nil {
            state.content.set(try master.wrap(key, name), for: name)
        }
    }

    /// Gives a master key its name, and wipes the one that had it: copies of the ring that it wrapped may be anywhere.
    private static func put(_ next: String, inPlaceOf old: DataFile) throws {
        try DataFolder.rename(next, to: old.path)
        try DataFolder.syncName(old.path)
        try old.wipe()
    }

    /// Wipes and removes the folder's own master key, and what broken-off rotations left.
    ///
    /// Not the one that is used, of which a file that was linked here, or a command, may have no other copy.
    private func forgetMasters(except master: MasterKey) throws {
        var paths = [ownMaster, Self.next(ownMaster)]
        if case .file(let path) = source { paths.append(Self.next(path)) }
        for path in paths where DataFolder.exists(path) {
            if (try? MasterKey.read(path))?.check == master.check { continue }
            try DataFile(path, .append).wipe()
            try DataFolder.remove(path)
            try DataFolder.syncName(path)
        }
    }

    /// Where a master key comes from, as the data folder says it.
    private func told(_ source: MasterKeySource) -> MasterKeySource? {
        if case .file(let path) = source, Self.isSame(path, ownMaster) { return nil }
        return source
    }

    private var ownMaster: String { "\(folder)/\(Self.masterName)" }

    private static func isSame(_ path: String, _ other: String) -> Bool {
        URL(fileURLWithPath: path).standardizedFileURL == URL(fileURLWithPath: other).standardizedFileURL
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
    func refresh(_ state: inout State) throws {
        guard DataFolder.exists(path) else {
            state.content = KeyRingFile()
            state.isLoaded = true
            return
        }
        if state.isLoaded, try KeyRingFile.version(path) == state.content.version { return }
        // Nothing of a ring is known before its master key is: whoever asks next is told the same of it.
        state.isLoaded = false
        state.content = KeyRingFile()
        let content = try KeyRingFile(path)
        try checkMaster(&state, content.check)
        state.content = content
        state.plain = state.plain.filter { content.wrapped[$0.key] != nil }
        state.isLoaded = true
    }

    /// Takes the master key by which the ring was written: the one that is there, or the one that was about to replace it.
    private func checkMaster(_ state: inout State, _ check: [UInt8]) throws {
        if state.master?.check == check { return }
        (state.master, state.isComing) = (nil, false)
        let given = Result { try Self.candidate(source, check) }
        if case .success(let master) = given, master.check == check {
            state.master = master
        } else if let coming = state.coming, let master = try? Self.candidate(coming, check),
            master.check == check
        {
            (state.master, state.isComing) = (master, true)
        } else {
            _ = try given.get()
            throw StorageError(.mismatch, "\(path): wrapped by another master key than the one that is given")
        }
    }

    private static func candidate(_ source: MasterKeySource, _ check: [UInt8]) throws -> MasterKey {
        switch source {
        case .command(let command): return try MasterKey.ask(command)
        case .file(let file):
            let next = next(file)
            let isNext = DataFolder.exists(next) && (try? MasterKey.read(next).check) == check
            return try MasterKey.read(isNext ? next : file)
        }
    }

    /// The master key; made where it is the data folder's own and there is none.
    func master(_ state: inout State) throws -> MasterKey {
        if let known = state.master { return known }
        let master: MasterKey
        switch source {
        case .command(let command): master = try MasterKey.ask(command)
        case .file(let file):
            if !DataFolder.exists(file) {
                guard file == ownMaster else {
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
