package import Archive

/// The alerts of a node, for its links.
package struct AlertSource: Sendable {
    /// The alert log's folder.
    package var folder: String
    /// What opens it; without it only what is in the clear can be read.
    package var keys: KeyRing?
    /// The number of the next alert; all before it may be told.
    package var published: @Sendable () async -> UInt64
    /// The first alert that the next node does not have yet.
    package var cursor: @Sendable () async throws -> UInt64
    /// Notes that the next node has all alerts before one.
    package var note: @Sendable (UInt64) async throws -> Void

    /// A source.
    package init(
        folder: String,
        keys: KeyRing?,
        published: @escaping @Sendable () async -> UInt64,
        cursor: @escaping @Sendable () async throws -> UInt64,
        note: @escaping @Sendable (UInt64) async throws -> Void
    ) {
        self.folder = folder
        self.keys = keys
        self.published = published
        self.cursor = cursor
        self.note = note
    }
}
