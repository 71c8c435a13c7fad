import Crypto
import SightingFrames
import Synchronization

/// What keys close.
extension KeyRing {
    /// What closes the pieces of a part of a file.
    ///
    /// - Parameters:
    ///   - names: all of whose keys it takes to open them; none where they are not encrypted.
    ///   - file: what tells the file from all others.
    ///   - part: what tells the part from all others of the file.
    /// - Throws: `StorageError` of code `destroyed` if one of the keys is no more.
    func seal(_ names: [DataKeyName], file: [UInt8], part: Int) throws -> PieceSeal {
        if names.isEmpty { return PieceSeal(nil) }
        var material: [UInt8] = []
        for key in try keys(names) { unsafe key.withUnsafeBytes { unsafe material.append(contentsOf: $0) } }
        return PieceSeal(
            HKDF<SHA256>.deriveKey(
                inputKeyMaterial: SymmetricKey(data: material),
                salt: file,
                info: Array("anpr part \(part)".utf8),
                outputByteCount: 32
            )
        )
    }

    /// Keys by name.
    ///
    /// Those that were not asked for before are unwrapped while nobody waits: a first search asks for thousands, from several threads.
    private func keys(_ names: [DataKeyName]) throws -> [SymmetricKey] {
        let (known, wrapped, master) = try state.withLock {
            state -> ([SymmetricKey?], [[UInt8]], MasterKey?) in
            let known = names.map { state.plain[$0] }
            if !known.contains(where: { $0 == nil }) { return (known, [], nil) }
            // At once, so that all are of one version of the ring, which one master key opens.
            if names.contains(where: { state.content.wrapped[$0] == nil }) { try refresh(&state) }
            return (known, try names.map { try self.wrapped($0, state) }, try self.master(&state))
        }
        guard let master else { return known.compactMap(\.self) }
        let keys = try names.indices.map { place in
            try known[place] ?? unwrapped(wrapped[place], names[place], by: master)
        }
        state.withLock { state in
            // One that was destroyed meanwhile is not kept.
            for (name, key) in zip(names, keys) where state.content.wrapped[name] != nil {
                state.plain[name] = key
            }
        }
        return keys
    }

    /// A key as it stands in the ring.
    func wrapped(_ name: DataKeyName, _ state: State) throws -> [UInt8] {
        guard let wrapped = state.content.wrapped[name] else {
            throw StorageError(.destroyed, "\(path): the key of \(name.closed) is not there")
        }
        return wrapped
    }

    /// A key by what stands in the ring.
    func unwrapped(_ wrapped: [UInt8], _ name: DataKeyName, by master: MasterKey) throws -> SymmetricKey {
        guard let key = master.unwrap(wrapped, name) else {
            throw StorageError(.damaged, "\(path): the key of \(name.closed) does not open")
        }
        return key
    }
}
