public import ANPRModel
import Compression

/// Finds the image of a read while more come, without looking through a day's file each time.
///
/// Of each of the last two days asked for it remembers where the images of one kind stand and looks at what was added since. What
/// it remembers is a hint: nothing is given out before the file says that it is of the read. A file that retention wrote anew is
/// looked through again.
///
/// - Complexity: O(1) for what is known; what was added is read once, a few kilobytes for each picture. Memory for the last
///   half million to million images of a day, some 40 bytes each: of a day with more the first are not found.
public struct ImageIndex {
    private let folder: String
    private let keys: KeyRing?
    private let kind: ImageKind
    private var days: [Day] = []

    private static let daysMax = 2

    /// An index over a data folder's images of a kind.
    ///
    /// - Parameter keys: of the folder; without them only what is in the clear can be read.
    public init(data folder: String, keys: KeyRing?, kind: ImageKind) {
        self.folder = "\(folder)/images"
        self.keys = keys
        self.kind = kind
    }

    /// A number for all that identifies a read, by which it is found.
    public static func key(force: String, camera: String, vrm: VRM, captured: Timestamp) -> UInt64 {
        func add(_ byte: UInt8, to hash: UInt64) -> UInt64 { (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in force.utf8 { hash = add(byte, to: hash) }
        // No text has this byte, so that no two pairs of texts run together.
        hash = add(0xFF, to: hash)
        for byte in camera.utf8 { hash = add(byte, to: hash) }
        for word in [vrm.packed, UInt64(bitPattern: captured.milliseconds)] {
            for shift in stride(from: UInt64(0), to: 64, by: 8) {
                hash = add(UInt8(truncatingIfNeeded: word >> shift), to: hash)
            }
        }
        return hash
    }

    /// The image of a read, to be read with `ImageSearch`.
    ///
    /// - Returns: `nil` when there is none now.
    /// - Throws: `StorageError`; of code `damaged`, with file and byte, where not all of the day's file can be read.
    public mutating func find(
        force: String,
        camera: String,
        vrm: VRM,
        captured: Timestamp
    ) throws(StorageError) -> ImageSearch.Found? {
        let path = "\(folder)/\(ImageStore.fileName(captured.day))"
        guard DataFolder.exists(path) else { return nil }
        var day = try take(captured.day, path)
        defer { days.append(day) }
        let file = day.file
        let key = Self.key(force: force, camera: camera, vrm: vrm, captured: captured)
        if day.entry(key) == nil { try day.extend(kind) }
        guard let entry = day.entry(key) else { return nil }
        guard let binding = try entry.binding(in: file), binding.kind == kind, binding.vrm == vrm,
            binding.captured == captured, binding.force == force, binding.camera == camera
        else { return nil }
        return try entry.content(of: binding, in: file)
    }

    /// A day's places, taken out of those that are kept; the one used last stands last.
    private mutating func take(_ number: Int32, _ path: String) throws(StorageError) -> Day {
        let identity = try DataFile(path, .read).identity()
        if let known = days.firstIndex(where: { $0.number == number }) {
            let day = days.remove(at: known)
            if try day.file.identity() == identity { return day }
        }
        if days.count >= Self.daysMax { days.removeFirst() }
        return Day(number, try SealedFile(path, .read, keys))
    }
}

extension ImageIndex {
    /// Where an image stands.
    private struct Entry {
        var binding: Int
        /// 0 where it is not just before its binding, because another read of the day has the same image.
        var content: Int

        func binding(in file: SealedFile) throws(StorageError) -> ImageBinding? {
            let bytes = try file.read(ImageRecords.headLength, at: binding)
            guard let head = ImageRecords.head(bytes, at: 0), head.kind == .binding else { return nil }
            let body = try file.read(head.bodyLength, at: binding + ImageRecords.headLength)
            guard Checksum.crc32(body) == head.checksum else { return nil }
            return ImageRecords.binding(body)
        }

        func content(of binding: ImageBinding, in file: SealedFile) throws(StorageError)
            -> ImageSearch.Found?
        {
            let start = content == 0 ? ImageRecords.magic.count : content
            var reader = ImageFileReader(file, length: try file.length(), from: start)
            while let place = try reader.next() {
                guard case .content(let hash) = place.record, hash == binding.hash else {
                    if content == 0 { continue }
                    return nil
                }
                return ImageSearch.Found(binding: binding, length: place.pictureLength, place: place.start)
            }
            return nil
        }
    }

    /// What is known of a day's file.
    private struct Day {
        let number: Int32
        let file: SealedFile
        /// Where the next record to be looked at starts.
        private var position = ImageRecords.magic.count
        /// The record looked at last: where it starts, and its head.
        private var last: (start: Int, head: [UInt8])?
        private var entries: [UInt64: Entry] = [:]
        private var older: [UInt64: Entry] = [:]

        private static let entriesMax = 1 << 19

        init(_ number: Int32, _ file: SealedFile) {
            self.number = number
            self.file = file
        }

        func entry(_ key: UInt64) -> Entry? { entries[key] ?? older[key] }

        /// Looks at what was added.
        mutating func extend(_ kind: ImageKind) throws(StorageError) {
            // What a full disk made the writer take back may have been looked at, and others may stand there now.
            if let last, try file.read(last.head.count, at: last.start) != last.head {
                self = Day(number, file)
            }
            let length = try file.length()
            guard length > position else { return }
            var reader = ImageFileReader(file, length: length, from: position)
            var before: (hash: ImageHash, start: Int)?
            var lastStart: Int?
            while let place = try reader.next() {
                lastStart = place.start
                switch place.record {
                case .mark: continue
                case .content(let hash): before = (hash, place.start)
                case .binding(let binding):
                    guard binding.kind == kind else { continue }
                    let content = before?.hash == binding.hash ? before?.start : nil
                    remember(binding, Entry(binding: place.start, content: content ?? 0))
                }
            }
            // What could not be read is looked at again.
            try reader.demandUndamaged()
            position = reader.position
            if let lastStart {
                last = (lastStart, try file.read(ImageRecords.headLength, at: lastStart))
            }
        }

        private mutating func remember(_ binding: ImageBinding, _ entry: Entry) {
            if entries.count >= Self.entriesMax {
                older = entries
                entries = [:]
            }
            let key = ImageIndex.key(
                force: binding.force,
                camera: binding.camera,
                vrm: binding.vrm,
                captured: binding.captured
            )
            // Of two images of one read the first stays.
            if self.entry(key) == nil { entries[key] = entry }
        }
    }
}
