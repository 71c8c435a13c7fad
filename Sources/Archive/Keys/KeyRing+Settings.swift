/// What a data folder says of its keys itself, so that whoever has the folder can tell.
extension KeyRing {
    /// The settings of a data folder that say where its master key comes from, and whether nothing is to be encrypted.
    private static let sourceSetting = "masterKey", offSetting = "encryption"
    /// Says where the master key comes from that is about to replace the one that is used; empty when none is.
    private static let comingSetting = "masterKeyNext"
    /// Of the master key that a data folder has for itself.
    static let masterName = "master.key"
    private static var ownText: String { "file:keys/\(masterName)" }

    /// The keys of a data folder, as it says itself.
    ///
    /// A folder that says nothing has its master key in a file of its own.
    public convenience init(data folder: String, _ catalogue: Catalogue) throws(StorageError) {
        guard let source = Self.source(try catalogue.meta(Self.sourceSetting) ?? Self.ownText, of: folder)
        else {
            throw StorageError(.mismatch, "\(folder): it is not known where its master key comes from")
        }
        self.init(
            data: folder,
            source,
            coming: Self.source(try catalogue.meta(Self.comingSetting) ?? "", of: folder),
            isOn: try catalogue.meta(Self.offSetting) != "off"
        )
    }

    /// The keys of a data folder, as its catalogue says; changes nothing.
    public convenience init(data folder: String) throws(StorageError) {
        try self.init(data: folder, Catalogue("\(folder)/catalogue.sqlite", isReadOnly: true))
    }

    /// Has a data folder say where its master key comes from, and whether what is written from now on is encrypted.
    ///
    /// - Parameter source: `nil` for a file of the folder's own.
    public static func set(_ source: MasterKeySource?, isOn: Bool, in catalogue: Catalogue)
        throws(StorageError)
    {
        try set(source, in: catalogue)
        let state = isOn ? "on" : "off"
        if try catalogue.meta(offSetting) ?? "on" != state { try catalogue.setMeta(offSetting, state) }
    }

    /// Refuses a master key that a data folder's keys are not wrapped by, before the folder says that it is its own.
    ///
    /// - Parameter source: where it comes from; `nil` for a file of the folder's own.
    /// - Throws: `StorageError` of code `mismatch`. Where the source is the one that the folder names, nothing is looked at.
    public static func demand(_ source: MasterKeySource?, opens folder: String, _ catalogue: Catalogue)
        throws(StorageError)
    {
        let (text, said) = (source?.text ?? ownText, try catalogue.meta(sourceSetting) ?? ownText)
        guard text != said, let other = Self.source(text, of: folder) else { return }
        let coming = Self.source(try catalogue.meta(comingSetting) ?? "", of: folder)
        do {
            _ = try KeyRing(data: folder, other, coming: coming).names()
        } catch {
            // A command may have in it what nobody else is to see.
            let known = said.hasPrefix("command:") ? "a command" : String(said.dropFirst(5))
            throw StorageError(
                .mismatch,
                """
                \(folder)/keys/ring: not wrapped by the master key that the configuration names, but by that of \
                \(known) (\(error))
                """
            )
        }
    }

    static func set(_ source: MasterKeySource?, in catalogue: Catalogue) throws(StorageError) {
        let text = source?.text ?? ownText
        if try catalogue.meta(sourceSetting) != text { try catalogue.setMeta(sourceSetting, text) }
    }

    /// Has a data folder say what its master key is about to be replaced by; the folder's own is told as any other.
    static func set(coming source: MasterKeySource?, in catalogue: Catalogue) throws(StorageError) {
        try catalogue.setMeta(comingSetting, source?.text ?? ownText)
    }

    /// Has a data folder say that its master key is not being replaced.
    static func setNoneComing(in catalogue: Catalogue) throws(StorageError) {
        try catalogue.setMeta(comingSetting, "")
    }

    private static func source(_ text: String, of folder: String) -> MasterKeySource? {
        guard let source = MasterKeySource(text) else { return nil }
        // A path of the data folder is told from the folder on, so that the folder can be moved.
        if case .file(let path) = source, !path.hasPrefix("/") { return .file("\(folder)/\(path)") }
        return source
    }
}
