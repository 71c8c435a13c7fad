/// How files go, and their keys with them.
///
/// A file that is to go is first given a name that says so, `NAME.old.tmp`, then its key is destroyed, then it is removed: where a
/// crash comes in between, `clear` ends what was begun. So no key is left without a file that names it, and nothing is destroyed
/// that is not on its way out: a ring that is missing, or a folder, costs nothing but an error.
extension SealedFile {
    /// The ending of files that are on their way in or out.
    static let temporary = ".tmp"
    private static let leaving = ".old" + temporary

    /// Removes a file, if it is there, and destroys its key: no copy of it opens from then on.
    ///
    /// - Throws: `StorageError`; the same may then be tried again.
    static func remove(_ path: String, _ keys: KeyRing?) throws(StorageError) {
        if SealedHead.key(of: path) != nil {
            // Of one that had the name before, and could not be removed yet.
            try discard(path + leaving, keys)
            try DataFolder.rename(path, to: path + leaving)
            try DataFolder.syncName(path)
        }
        try discard(path + leaving, keys)
        try DataFolder.remove(path)
    }

    /// Gives a file that was written as `NAME.tmp`, and synced, its name; what had that goes with its key.
    ///
    /// After a crash in between one of the two is there, whole.
    static func replace(_ path: String, _ keys: KeyRing?) throws(StorageError) {
        let old = SealedHead.key(of: path) == nil ? nil : path + leaving
        if let old {
            try discard(old, keys)
            try DataFolder.link(path, to: old)
        }
        try DataFolder.rename(path + temporary, to: path)
        try DataFolder.syncName(path)
        if let old { try discard(old, keys) }
    }

    /// Ends what a crash broke off: removes the files of a folder that were on their way in or out.
    static func clear(_ folder: String, _ keys: KeyRing?) throws(StorageError) {
        for name in DataFolder.names(in: folder) where name.hasSuffix(temporary) {
            try discard("\(folder)/\(name)", keys)
        }
    }

    /// Destroys the key of a temporary file, unless it is another name of the file in its place, and removes it.
    private static func discard(_ path: String, _ keys: KeyRing?) throws(StorageError) {
        let ending = path.hasSuffix(leaving) ? leaving : temporary
        if let keys, let key = SealedHead.key(of: path),
            SealedHead.key(of: String(path.dropLast(ending.count))) != key
        {
            try destroy(key, of: path, keys)
        }
        try DataFolder.remove(path)
    }

    private static func destroy(_ key: DataKeyName, of path: String, _ keys: KeyRing) throws(StorageError) {
        try StorageError.told(of: path) {
            guard try keys.have([key]) else { return }
            do {
                try keys.destroy([key])
            } catch let error as StorageError where error.code == .full {
                // A full disk has no room for the ring to be written anew; the file still has to say which key goes.
                try DataFile(path, .append).truncate(to: SealedHead.length)
                try keys.destroy([key])
            }
        }
    }
}
