import Synchronization

/// The catalogue as searches see it: opened once, and read again when somebody has changed it.
///
/// Opening it and reading it anew would take longer than all else of a short search.
final class CatalogueView: Sendable {
    private struct Opened {
        var catalogue: Catalogue
        var version: Int64
        var snapshot: Catalogue.Snapshot
    }

    private let path: String
    private let opened = Mutex<Opened?>(nil)

    init(_ path: String) { self.path = path }

    /// The archive as it is now.
    func snapshot() throws -> Catalogue.Snapshot {
        try opened.withLock { opened in
            if let known = opened, try known.catalogue.dataVersion() == known.version {
                return known.snapshot
            }
            let catalogue = try opened?.catalogue ?? Catalogue(path, isReadOnly: true)
            // The version first: what changes in between shows at the next look.
            let version = try catalogue.dataVersion()
            let snapshot = try catalogue.snapshot()
            opened = Opened(catalogue: catalogue, version: version, snapshot: snapshot)
            return snapshot
        }
    }
}
