public import ANPRModel
import Compression
import Synchronization

/// What images are asked for; every condition that is set must hold.
public struct ImageQuery: Sendable, Equatable {
    /// The read's mark.
    public var mark: MarkPattern?
    /// The marks it can be of.
    public var marks: Set<VRM>?
    /// Captured at or after this.
    public var from: Timestamp?
    /// Captured at or before this.
    public var to: Timestamp?
    /// The camera, by name.
    public var camera: String?
    /// The owning force, by code.
    public var force: String?
    /// What it shows.
    public var kind: ImageKind?
    /// How its hash begins, in hexadecimal.
    public var hash: String?
    /// The cameras that can have taken it, by force and name.
    public var cameras: Set<[String]>?

    /// Everything.
    public init() {}

    func matches(_ binding: ImageBinding) -> Bool {
        if let mark, !mark.matches(binding.vrm) { return false }
        if let marks, !marks.contains(binding.vrm) { return false }
        if let from, binding.captured < from { return false }
        if let to, binding.captured > to { return false }
        if let camera, camera != binding.camera { return false }
        if let force, force != binding.force { return false }
        if let kind, kind != binding.kind { return false }
        if let hash, !binding.hash.text.hasPrefix(hash) { return false }
        if let cameras, !cameras.contains([binding.force, binding.camera]) { return false }
        return true
    }

    func takes(day: Int32) -> Bool { (from?.day ?? .min) <= day && day <= (to?.day ?? .max) }
}

/// Finds the images of a data folder, while another process may be writing to it.
public struct ImageSearch {
    /// An image that was found.
    public struct Found: Sendable, Equatable {
        /// Whose it is.
        public var binding: ImageBinding
        /// How many bytes it has.
        public var length: Int
        /// Where it stands.
        var place: Int
    }

    private let folder: String
    private let keys: KeyRing?
    private let last = LastImages()

    /// A search over a data folder.
    ///
    /// - Parameter keys: of the folder; without them only what is in the clear can be read.
    public init(data folder: String, keys: KeyRing?) {
        self.folder = "\(folder)/images"
        self.keys = keys
    }

    /// The images that match, newest first.
    ///
    /// - Throws: `StorageError`; of code `damaged`, with file and byte, where not all of a day's file can be read.
    /// - Complexity: looks at all records of the days asked for.
    public func run(_ query: ImageQuery) throws -> [Found] {
        var found: [Found] = []
        for day in ImageStore.days(in: folder) where query.takes(day: day) {
            found += try search(day, query)
        }
        return found.sorted { left, right in
            let (a, b) = (left.binding, right.binding)
            if a.captured != b.captured { return a.captured > b.captured }
            return (a.force, a.camera, a.kind.rawValue, a.hash.text)
                < (b.force, b.camera, b.kind.rawValue, b.hash.text)
        }
    }

    private func search(_ day: Int32, _ query: ImageQuery) throws(StorageError) -> [Found] {
        do throws(StorageError) {
            return try look(day, query)
        } catch {
            guard error.code == .damaged else { throw error }
            // What a writer took back while it was read, and wrote others in place of, only looks like damage.
            return try look(day, query)
        }
    }

    private func look(_ day: Int32, _ query: ImageQuery) throws(StorageError) -> [Found] {
        let file = try last.file("\(folder)/\(ImageStore.fileName(day))", keys)
        let length = try file.length()
        var found: [Found] = []
        var bindings = ImageFileReader(file, length: length)
        while let place = try bindings.next() {
            guard case .binding(let binding) = place.record, query.matches(binding) else { continue }
            found.append(Found(binding: binding, length: 0, place: place.start))
        }
        try bindings.demandUndamaged()
        guard !found.isEmpty else { return [] }
        let wanted = Set(found.map(\.binding.hash))
        var contents: [ImageHash: ImageFileReader.Place] = [:]
        var reader = ImageFileReader(file, length: length)
        while contents.count < wanted.count, let place = try reader.next() {
            if case .content(let hash) = place.record, wanted.contains(hash) { contents[hash] = place }
        }
        return try found.map { (one: Found) throws(StorageError) -> Found in
            guard let place = contents[one.binding.hash] else {
                throw StorageError(
                    .damaged,
                    "\(file.path): damaged: there is no image for the read at byte \(one.place)"
                )
            }
            return Found(binding: one.binding, length: place.pictureLength, place: place.start)
        }
    }

    /// The bytes of an image that was found: just those that came with the read.
    ///
    /// - Throws: `StorageError` of code `damaged` when what stands there is not that image.
    public func jpeg(of found: Found) throws(StorageError) -> [UInt8] {
        let path = "\(folder)/\(ImageStore.fileName(found.binding.day))"
        let start = found.place + ImageRecords.headLength + ImageRecords.hashLength
        let bytes = try last.file(path, keys).read(found.length, at: start)
        guard ImageHash(of: bytes) == found.binding.hash else {
            throw StorageError(.damaged, "\(path): the image at byte \(found.place) is not what it should be")
        }
        return bytes
    }
}

/// The file of images looked at last, so that what was found of where its pieces stand is not looked for again.
private final class LastImages: Sendable {
    private let last = Mutex<(identity: [UInt64], file: SealedFile)?>(nil)

    /// The file that has a name now.
    func file(_ path: String, _ keys: KeyRing?) throws(StorageError) -> SealedFile {
        let identity = try DataFile(path, .read).identity()
        if let known = last.withLock({ $0 }), known.identity == identity, known.file.path == path {
            return known.file
        }
        let file = try SealedFile(path, .read, keys)
        let own = try file.identity()
        last.withLock { $0 = (own, file) }
        return file
    }
}
