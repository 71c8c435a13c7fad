import Synchronization

/// The catalogue as searches see it: opened once, and read again when somebody has changed it.
///
/// Opening it and reading it anew would take longer than all else of a short search.
final class CatalogueView: Sendable {
    private struct Opened {
        var catalogue: Catalogue
        var keys: KeyRing
        var version: Int64
        var snapshot: Catalogue.Snapshot
    }

    private let folder: String
    private let opened = Mutex<Opened?>(nil)

    /// The catalogue of a data folder.
    init(data folder: String) { self.folder = folder }

    /// The archive as it is now, and the keys that open it.
    func look() throws -> (snapshot: Catalogue.Snapshot, keys: KeyRing) {
        try opened.withLock { opened in
            if let known = opened, try known.catalogue.dataVersion() == known.version {
                return (known.snapshot, known.keys)
            }
            let catalogue = try opened?.catalogue ?? Catalogue("\(folder)/catalogue.sqlite", isReadOnly: true)
            // The version first: what changes in between shows at the next look.
            let version = try catalogue.dataVersion()
            let snapshot = try catalogue.snapshot()
            let keys = try opened?.keys ?? KeyRing(data: folder, catalogue)
            opened = Opened(catalogue: catalogue, keys: keys, version: version, snapshot: snapshot)
            return (snapshot, keys)
        }
    }
}
