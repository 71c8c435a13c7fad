import Compression
import Crypto
import Foundation
import SightingFrames
import Synchronization

/// The keys of a data folder's sightings: one for each day and force, wrapped by a master key.
///
/// They stand in a small file of their own, which is all that must be kept from whoever keeps copies of the rest: where a key is
/// destroyed, nothing that was closed under it opens again, on this disk or on any other. One process writes, others read.
///
/// - Complexity: a change writes the whole file, about 80 bytes a key.
public final class KeyRing: Sendable {
    private struct State {
        var master: MasterKey?
        var wrapped: [DataKeyName: [UInt8]] = [:]
        var plain: [DataKeyName: SymmetricKey] = [:]
        var current: [DayOfForce: UInt32] = [:]
        var isLoaded = false
    }

    private struct DayOfForce: Hashable {
        var day: Int32
        var force: String
    }

    private let folder: String
    /// Where the master key comes from.
    public let source: MasterKeySource
    /// Whether what is written is encrypted; what was encrypted is read in any case.
    public let isOn: Bool
    private let state = Mutex(State())

    private static let magic: [UInt8] = Array("ANPRKEY1".utf8)
    private static let ringName = "ring"
    /// Of the master key that a data folder has for itself.
    static let masterName = "master.key"

    /// The keys of a data folder; nothing is read or made before it is needed.
    public init(data folder: String, _ source: MasterKeySource, isOn: Bool = true) {
        self.folder = "\(folder)/keys"
        self.source = source
        self.isOn = isOn
    }

    /// The keys of a data folder, as it says itself.
    ///
    /// A folder that says nothing has its master key in a file of its own.
    public convenience init(data folder: String, _ catalogue: Catalogue) throws(StorageError) {
        let said = try catalogue.meta(Self.sourceSetting) ?? "file:keys/\(Self.masterName)"
        guard let source = MasterKeySource(said) else {
            throw StorageError(.mismatch, "\(folder): it is not known where its master key comes from")
        }
        let isOn = try catalogue.meta(Self.offSetting) != "off"
        self.init(data: folder, Self.resolved(source, folder), isOn: isOn)
    }

    /// The settings of a data folder that say where its master key comes from, and whether nothing is to be encrypted.
    private static let sourceSetting = "masterKey", offSetting = "encryption"

    /// Has a data folder say where its master key comes from, and whether what is written from now on is encrypted.
    ///
    /// - Parameter source: `nil` for a file of the folder's own.
    public static func set(_ source: MasterKeySource?, isOn: Bool, in catalogue: Catalogue)
        throws(StorageError)
    {
        let text = source?.text ?? "file:keys/\(masterName)"
        if try catalogue.meta(sourceSetting) != text { try catalogue.setMeta(sourceSetting, text) }
        let state = isOn ? "on" : "off"
        if try catalogue.meta(offSetting) ?? "on" != state { try catalogue.setMeta(offSetting, state) }
    }

    /// A path of a data folder is told from the folder on, so that the folder can be moved.
    private static func resolved(_ source: MasterKeySource, _ folder: String) -> MasterKeySource {
        guard case .file(let path) = source, !path.hasPrefix("/") else { return source }
        return .file("\(folder)/\(path)")
    }

    // MARK: - Sealing

    /// The names of the keys under which data of forces is written now, made if there are none.
    ///
    /// - Returns: one for each day and force, in their order; they are on disk. None where nothing is encrypted.
    func names(_ day: Int32, _ forces: [String]) throws -> [DataKeyName] {
        guard isOn else { return [] }
        return try state.withLock { state in
            try load(&state)
            var isNew = false
            let names = forces.map { force in
                let place = DayOfForce(day: day, force: force)
                let name = DataKeyName(day: day, force: force, generation: state.current[place] ?? 1)
                if state.wrapped[name] == nil, state.plain[name] == nil {
                    state.plain[name] = SymmetricKey(size: .bits256)
                    state.current[place] = name.generation
                    isNew = true
                }
                return name
            }
            if isNew { try write(&state) }
            return names
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
        let keys = try state.withLock { state in
            try load(&state)
            return try names.map { name in try key(name, &state) }
        }
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
        if state.wrapped[name] == nil { try reload(&state) }
        guard let wrapped = state.wrapped[name] else {
            throw StorageError(
                .destroyed,
                "\(folder)/\(Self.ringName): the key of force \(name.force)'s day \(name.day) is not there"
            )
        }
        let key = try Self.unwrap(wrapped, name, try master(&state), "\(folder)/\(Self.ringName)")
        state.plain[name] = key
        return key
    }

    // MARK: - Destroying

    /// Has what is written from now on of days and forces go under new keys.
    func renew(_ names: [DataKeyName]) throws {
        guard !names.isEmpty else { return }
        try state.withLock { state in
            try load(&state)
            for name in names {
                let place = DayOfForce(day: name.day, force: name.force)
                state.current[place] = max(state.current[place] ?? 0, name.generation + 1)
            }
        }
    }

    /// Destroys keys; when this returns, nothing that was closed under them opens again.
    func destroy(_ names: [DataKeyName]) throws {
        guard !names.isEmpty else { return }
        try state.withLock { state in
            try load(&state)
            for name in names {
                state.wrapped[name] = nil
                state.plain[name] = nil
                let place = DayOfForce(day: name.day, force: name.force)
                state.current[place] = max(state.current[place] ?? 0, name.generation + 1)
            }
            try write(&state)
        }
    }

    /// The names of all keys there are.
    public func names() throws -> [DataKeyName] {
        try state.withLock { state in
            try reload(&state)
            return state.wrapped.keys.sorted()
        }
    }

    /// Wraps all keys by another master key, where the data folder has its own.
    ///
    /// A crash in between leaves a ring and the master key that opens it.
    public func rotateMaster() throws {
        guard case .file(let path) = source else {
            throw StorageError(
                .mismatch,
                "the master key is not in a file: who runs the command that has it rotates it"
            )
        }
        try state.withLock { state in
            try reload(&state)
            let current = try master(&state)
            let nextPath = Self.next(path)
            // Where the rotation before broke off, the ring may be wrapped by what is not yet in its place.
            if DataFolder.exists(nextPath), try MasterKey.read(path).check != current.check {
                try DataFolder.rename(nextPath, to: path)
                try DataFolder.syncName(path)
            }
            for name in state.wrapped.keys { _ = try key(name, &state) }
            let next = MasterKey()
            try next.write(nextPath)
            state.master = next
            state.wrapped = [:]
            try write(&state)
            try DataFolder.rename(nextPath, to: path)
            try DataFolder.syncName(path)
        }
    }

    private static func next(_ path: String) -> String { path + ".next" }
}

// MARK: - The file

extension KeyRing {
    private var path: String { "\(folder)/\(Self.ringName)" }

    private func load(_ state: inout State) throws {
        if !state.isLoaded { try reload(&state) }
    }

    private func reload(_ state: inout State) throws {
        guard DataFolder.exists(path) else {
            state.isLoaded = true
            return
        }
        let damaged = StorageError(.damaged, "\(path): damaged; without it what is encrypted can't be read")
        guard let bytes = try contents() else { throw damaged }
        try checkMaster(Array(bytes[8..<16]), &state)
        var position = 20
        var wrapped: [DataKeyName: [UInt8]] = [:]
        for _ in 0..<(LittleEndian.read(bytes, at: 16) as UInt32) {
            guard let name = DataKeyName(bytes, at: &position),
                position + Self.wrappedLength <= bytes.count - 4
            else { throw damaged }
            wrapped[name] = Array(bytes[position..<position + Self.wrappedLength])
            position += Self.wrappedLength
        }
        state.wrapped = wrapped
        state.plain = state.plain.filter { wrapped[$0.key] != nil }
        for name in wrapped.keys {
            let place = DayOfForce(day: name.day, force: name.force)
            state.current[place] = max(state.current[place] ?? 0, name.generation)
        }
        state.isLoaded = true
    }

    /// The bytes of the file; `nil` if they are not as they were written.
    private func contents() throws -> [UInt8]? {
        // What was replaced while it was being read is empty by now: there is another one then.
        for _ in 0..<3 {
            let bytes = try DataFile(path, .read).contents()
            let end = bytes.count - 4
            if end >= 20, bytes.starts(with: Self.magic),
                Checksum.crc32(bytes, 0..<end) == LittleEndian.read(bytes, at: end) as UInt32
            {
                return bytes
            }
        }
        return nil
    }

    /// Takes the master key by which the ring was written: the one that is there, or the one that was about to replace it.
    private func checkMaster(_ check: [UInt8], _ state: inout State) throws {
        if let known = state.master, known.check == check { return }
        state.master = nil
        let master = try master(&state, isThere: true)
        if master.check == check { return }
        if case .file(let path) = source, DataFolder.exists(Self.next(path)) {
            let next = try MasterKey.read(Self.next(path))
            if next.check == check {
                state.master = next
                return
            }
        }
        state.master = nil
        throw StorageError(.mismatch, "\(path): another master key than the one that is given")
    }

    private func master(_ state: inout State, isThere: Bool = false) throws -> MasterKey {
        if let known = state.master { return known }
        let master: MasterKey
        switch source {
        case .command(let command): master = try MasterKey.ask(command)
        case .file(let path):
            if !isThere, !DataFolder.exists(path) {
                try DataFolder.make(folder)
                try MasterKey().write(path)
            }
            master = try MasterKey.read(path)
        }
        state.master = master
        return master
    }

    private func write(_ state: inout State) throws {
        let master = try master(&state)
        for (name, key) in state.plain where state.wrapped[name] == nil {
            state.wrapped[name] = try Self.wrap(key, name, master)
        }
        var bytes = Self.magic + master.check
        LittleEndian.append(UInt32(state.wrapped.count), to: &bytes)
        for (name, wrapped) in state.wrapped.sorted(by: { $0.key < $1.key }) {
            name.append(to: &bytes)
            bytes += wrapped
        }
        LittleEndian.append(Checksum.crc32(bytes), to: &bytes)
        try DataFolder.make(folder)
        let old = DataFolder.exists(path) ? try DataFile(path, .append) : nil
        let file = try DataFile(path + ".tmp", .secret)
        try file.write(bytes, at: 0)
        try file.sync()
        try DataFolder.rename(path + ".tmp", to: path)
        try DataFolder.sync(folder)
        // What was there before has keys that may be destroyed now.
        if let old {
            try old.write([UInt8](repeating: 0, count: try old.length()), at: 0)
            try old.sync()
        }
    }

    /// Nonce, key and tag.
    private static let wrappedLength = 12 + 32 + 16

    private static func wrap(_ key: SymmetricKey, _ name: DataKeyName, _ master: MasterKey) throws -> [UInt8]
    {
        let plain = unsafe key.withUnsafeBytes { unsafe Array($0) }
        let sealed = try AES.GCM.seal(plain, using: master.key, authenticating: name.bytes)
        return Array(sealed.nonce) + Array(sealed.ciphertext) + Array(sealed.tag)
    }

    private static func unwrap(_ bytes: [UInt8], _ name: DataKeyName, _ master: MasterKey, _ path: String)
        throws
        -> SymmetricKey
    {
        guard let sealed = try? AES.GCM.SealedBox(combined: bytes),
            let key = try? AES.GCM.open(sealed, using: master.key, authenticating: name.bytes)
        else {
            throw StorageError(
                .damaged,
                "\(path): the key of force \(name.force)'s day \(name.day) does not open"
            )
        }
        return SymmetricKey(data: key)
    }
}
