import Synchronization

/// An archive at one moment, and the keys that open it.
struct ArchiveView: Sendable {
    let snapshot: Catalogue.Snapshot
    let segments: SegmentGroups
    let reach: SightingReach
    let keys: KeyRing
}

/// The catalogue as searches see it: opened once, and read again when somebody has changed it.
///
/// Opening it and reading it anew would take longer than all else of a short search.
final class CatalogueView: Sendable {
    private struct Opened {
        var catalogue: Catalogue
        var version: Int64
        var view: ArchiveView
    }

    private let folder: String
    private let opened = Mutex<Opened?>(nil)

    /// The catalogue of a data folder.
    init(data folder: String) { self.folder = folder }

    /// The archive as it is now.
    ///
    /// - Parameter note: told of an archive that is another than at the look before.
    func look(_ note: (ArchiveView) -> Void) throws -> ArchiveView {
        try opened.withLock { opened in
            if let known = opened, try known.catalogue.dataVersion() == known.version { return known.view }
            let catalogue = try opened?.catalogue ?? Catalogue("\(folder)/catalogue.sqlite", isReadOnly: true)
            // The version first: what changes in between shows at the next look.
            let version = try catalogue.dataVersion()
            let snapshot = try catalogue.snapshot()
            let view = ArchiveView(
                snapshot: snapshot,
                segments: SegmentGroups(snapshot.segments),
                reach: snapshot.reach,
                keys: try opened?.view.keys ?? KeyRing(data: folder, catalogue)
            )
            note(view)
            opened = Opened(catalogue: catalogue, version: version, view: view)
            return view
        }
    }
}
