public import ANPRModel

/// The images that came with reads: each once a day however many reads name it, bound to the reads it belongs to.
///
/// A file a day of capture (UTC), so that what is past its date goes whole. What `append` takes is safe once `sync` returns; the
/// same image of the same read again changes nothing, so an image may come before its read, after it, or twice.
///
/// - Complexity: an append writes the image once and looks two places up; `sync` is one `fdatasync` for each day that was added
///   to, mostly one.
public final class ImageStore {
    /// Where the files are.
    public let folder: String
    let keys: KeyRing?
    private var files: [ImageFile] = []
    /// By day, of files that were closed, when something was cut off their end the last time.
    private var cuts: [Int32: ContinuousClock.Instant] = [:]

    /// So many days are open at once.
    private static let filesMax = 4

    /// A store in a folder, which is made with the first image.
    ///
    /// - Parameters:
    ///   - keys: of the data folder; without them all is written in the clear.
    ///   - isReadOnly: whether another process may be writing there; only what changes nothing may then be asked for.
    public init(_ folder: String, keys: KeyRing?, isReadOnly: Bool = false) throws(StorageError) {
        self.folder = folder
        self.keys = keys
        if !isReadOnly { try SealedFile.clear(folder, keys) }
    }

    /// The name of a day's file, by which files sort as their days do.
    static func fileName(_ day: Int32) -> String {
        TimestampWriter.text(Timestamp(milliseconds: Int64(day) * 86_400_000)).prefix(10) + ".images"
    }

    /// The days that have a file, oldest first, counted from 1970-01-01.
    public static func days(in folder: String) -> [Int32] {
        DataFolder.names(in: folder).compactMap { name in
            guard name.hasSuffix(".images"),
                case .moment(let moment) = TimestampReader.read(name.prefix(10) + "T00:00:00Z")
            else { return nil }
            return moment.day
        }
    }

    /// Takes images; they are safe once `sync` returns.
    ///
    /// - Parameter register: names the cameras.
    /// - Throws: `StorageError`; of code `full` when there is no room: what was taken before can be synced or taken back.
    public func append(_ images: [ReadImage], register: CameraRegister) throws(StorageError) {
        // Each day's file is opened once, whatever the order.
        for image in images.count > 1 ? images.sorted(by: { $0.captured < $1.captured }) : images {
            let camera = register.cameras[Int(image.camera)]
            let binding = ImageBinding(
                hash: ImageHash(of: image.jpeg),
                kind: image.kind,
                confidence: image.confidence,
                vrm: image.vrm,
                captured: image.captured,
                force: camera.force,
                camera: camera.name
            )
            _ = try file(of: binding.day).add(binding, image.jpeg)
        }
    }

    /// Takes an image that another node bound to a read; it is safe once `sync` returns.
    ///
    /// One that is there under the same binding changes nothing.
    ///
    /// - Throws: `StorageError`; of code `full` when there is no room.
    public func append(_ jpeg: [UInt8], of binding: ImageBinding) throws(StorageError) {
        _ = try file(of: binding.day).add(binding, jpeg)
    }

    /// Returns when all images taken are on stable storage.
    public func sync() throws(StorageError) {
        for file in files { try file.sync() }
    }

    /// Takes back what was taken since the last `sync`, after one that failed.
    public func discardUnsynced() throws(StorageError) {
        for file in files { try file.discardUnsynced() }
    }

    private func file(of day: Int32) throws(StorageError) -> ImageFile {
        if let known = files.firstIndex(where: { $0.day == day }) {
            // The one used last stands last.
            if known < files.count - 1 { files.append(files.remove(at: known)) }
            return files[files.count - 1]
        }
        if files.isEmpty { try DataFolder.make(folder) }
        if files.count >= Self.filesMax, let idle = files.firstIndex(where: { !$0.isDirty }) {
            remove(at: idle)
        } else if files.count >= Self.filesMax {
            try files[0].sync()
            remove(at: 0)
        }
        let opened = try ImageFile(folder, day: day, keys: keys)
        files.append(opened)
        return opened
    }

    /// Lets go of a day's file, before it is replaced or removed.
    func close(_ day: Int32) throws(StorageError) {
        guard let known = files.firstIndex(where: { $0.day == day }) else { return }
        try files[known].sync()
        remove(at: known)
    }

    private func remove(at place: Int) {
        let file = files.remove(at: place)
        if let cut = file.cut { cuts[file.day] = cut }
    }

    /// When something was cut off the end of a day's file the last time; the file is closed.
    func lastCut(_ day: Int32) -> ContinuousClock.Instant? { cuts[day] }
}
