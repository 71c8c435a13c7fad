/// What a data folder says of its keys itself, so that whoever has the folder can tell.
extension KeyRing {
    /// The settings of a data folder that say where its master key comes from, and whether nothing is to be encrypted.
    private static let sourceSetting = "masterKey", offSetting = "encryption"
    /// Of the master key that a data folder has for itself.
    static let masterName = "master.key"

    /// The keys of a data folder, as it says itself.
    ///
    /// A folder that says nothing has its master key in a file of its own.
    public convenience init(data folder: String, _ catalogue: Catalogue) throws(StorageError) {
        let said = try catalogue.meta(Self.sourceSetting) ?? "file:keys/\(Self.masterName)"
        guard var source = MasterKeySource(said) else {
            throw StorageError(.mismatch, "\(folder): it is not known where its master key comes from")
        }
        // A path of the data folder is told from the folder on, so that the folder can be moved.
        if case .file(let path) = source, !path.hasPrefix("/") { source = .file("\(folder)/\(path)") }
        self.init(data: folder, source, isOn: try catalogue.meta(Self.offSetting) != "off")
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
        let text = source?.text ?? "file:keys/\(masterName)"
        if try catalogue.meta(sourceSetting) != text { try catalogue.setMeta(sourceSetting, text) }
        let state = isOn ? "on" : "off"
        if try catalogue.meta(offSetting) ?? "on" != state { try catalogue.setMeta(offSetting, state) }
    }
}
