import ANPRModel
import Compression

/// A contribution that goes, for the images of its reads.
struct PurgedContribution: Sendable {
    var vrm: VRM
    var camera: CameraIndex
    /// From its first read to the end of its sighting.
    var times: ClosedRange<Timestamp>
    /// The rule by which it goes.
    var rule: Int
}

/// The contributions of a run of sightings that go, found by mark.
struct PurgedContributions: Sendable {
    private var all: [PurgedContribution]
    private let register: CameraRegister

    init(_ all: [PurgedContribution] = [], _ register: CameraRegister = CameraRegister()) {
        self.all = all.sorted { $0.vrm.packed < $1.vrm.packed }
        self.register = register
    }

    /// The days on which their reads were captured.
    var days: Set<Int32> {
        all.reduce(into: []) { days, part in
            days.insert(part.times.lowerBound.day)
            days.insert(part.times.upperBound.day)
        }
    }

    /// The rule by which the read of an image goes, if it does.
    func rule(_ binding: ImageBinding) -> Int? {
        var low = 0
        var high = all.count
        while low < high {
            let middle = (low + high) / 2
            if all[middle].vrm.packed < binding.vrm.packed { low = middle + 1 } else { high = middle }
        }
        while low < all.count, all[low].vrm == binding.vrm {
            let camera = register.cameras[Int(all[low].camera)]
            if all[low].times.contains(binding.captured), camera.name == binding.camera,
                camera.force == binding.force
            {
                return all[low].rule
            }
            low += 1
        }
        return nil
    }
}

extension ImageStore: ImagePurger {
    /// What a purge of a day found.
    public struct Purge: Sendable {
        /// Images that go, by the rule; one that belongs to several reads counts for each.
        var images: [Int: Int] = [:]
        /// The earliest of them, by the rule.
        var oldest: [Int: Timestamp] = [:]

        /// Nothing.
        public init() {}
    }

    /// The days with images, counted from 1970-01-01.
    public var days: [Int32] { Self.days(in: folder) }

    /// Removes what is due from a day's file; the room is free when this returns, and the file's key destroyed.
    ///
    /// An image that another read still holds stays. The file goes whole where nothing stays, else it is written anew and
    /// renamed: after a crash in between the old one is there, whole. A file that can't be read whole stays as it is.
    ///
    /// - Parameters:
    ///   - isDry: whether nothing is to be changed.
    ///   - rule: the rule by which a read's image goes, if it does.
    /// - Throws: `StorageError`; of code `damaged`, with file and byte, where nothing of the file can go.
    /// - Complexity: memory for the hashes of the images that stay.
    public func purge(
        _ day: Int32,
        isDry: Bool,
        by rule: (ImageBinding) -> Int?
    ) throws(StorageError) -> Purge {
        var purge = Purge()
        let path = "\(folder)/\(Self.fileName(day))"
        guard DataFolder.exists(path) else { return purge }
        if !isDry { try close(day) }
        let file = try SealedFile(path, .read, keys)
        // Each with the place of the first read that keeps it.
        var kept: [ImageHash: Int] = [:]
        var reader = ImageFileReader(file, length: try file.length())
        while let place = try reader.next() {
            guard case .binding(let binding) = place.record else { continue }
            if let index = rule(binding) {
                purge.images[index, default: 0] += 1
                purge.oldest[index] = min(purge.oldest[index] ?? binding.captured, binding.captured)
            } else {
                if kept[binding.hash] == nil { kept[binding.hash] = place.start }
            }
        }
        // What can't be read may be held.
        try reader.demandUndamaged()
        guard !isDry, !purge.images.isEmpty else { return purge }
        if kept.isEmpty {
            try SealedFile.remove(path, keys)
        } else {
            do throws(StorageError) {
                try rewrite(file, path, kept, by: rule)
            } catch {
                // With a full disk `clear` does it later.
                try? SealedFile.remove(path + SealedFile.temporary, keys)
                throw error
            }
        }
        try DataFolder.sync(folder)
        return purge
    }

    private func rewrite(
        _ file: SealedFile,
        _ path: String,
        _ kept: [ImageHash: Int],
        by rule: (ImageBinding) -> Int?
    ) throws(StorageError) {
        let day = SealedHead.key(of: path)?.day
        let fresh = try SealedFile(path + SealedFile.temporary, .replace, keys, day: day)
        try fresh.write(ImageRecords.magic, at: 0)
        var length = ImageRecords.magic.count
        var missing = kept
        var reader = ImageFileReader(file, length: try file.length())
        while let place = try reader.next() {
            switch place.record {
            case .mark: continue
            case .content(let hash): guard missing.removeValue(forKey: hash) != nil else { continue }
            case .binding(let binding): guard rule(binding) == nil else { continue }
            }
            let record = try file.read(place.end - place.start, at: place.start)
            guard record.count == place.end - place.start,
                Checksum.crc32(record, ImageRecords.headLength..<record.count) == place.head.checksum
            else { throw StorageError(.damaged, "\(path): damaged at byte \(place.start)") }
            try fresh.write(ImageRecords.parts(record), at: length)
            length += place.end - place.start
        }
        try reader.demandUndamaged()
        if let byte = missing.values.min() {
            throw StorageError(.damaged, "\(path): damaged: there is no image for the read at byte \(byte)")
        }
        // None of it is a torn tail, once it has its name.
        var mark: [UInt8] = []
        ImageRecords.append(.mark, ImageRecords.mark(length), to: &mark)
        try fresh.write(mark, at: length)
        try fresh.sync()
        try SealedFile.replace(path, keys)
    }
}

extension RetentionPolicy {
    /// The place of the rule that decides about an image by its own class.
    func rule(_ binding: ImageBinding) -> Int? {
        let own: RetentionRule.DataClass = binding.kind == .plate ? .patch : .overview
        return rule(of: own, force: binding.force, confidence: binding.confidence)
    }
}
