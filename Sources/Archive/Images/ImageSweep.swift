import ANPRModel
import Compression
import SightingFrames

/// A purge of a day's images: looked through and written anew beside their owner, who may add to the file meanwhile and only
/// has to put what was written in its place.
///
/// An image that another read still holds stays. What was added meanwhile is judged by the same rule when the owner ends it. A
/// file that can't be read whole stays as it is.
///
/// - Complexity: memory for the hashes of the images that stay.
public struct ImageSweep: Sendable {
    /// What goes.
    public private(set) var purge = ImageStore.Purge()
    let day: Int32
    /// Since then it looks at the file.
    let since = ContinuousClock.now
    private let path: String
    private let keys: KeyRing?
    let rule: @Sendable (ImageBinding) -> Int?
    private let file: SealedFile
    /// Up to there the file was looked through.
    private var position = ImageRecords.magic.count
    /// What stays, once there is any and something else goes.
    private var fresh: SealedFile?
    private var length = 0
    /// The images that stand there.
    private var stored: Set<ImageHash> = []
    /// Those that stay, each with the place of a read that keeps it, until they stand there.
    private var needed: [ImageHash: Int] = [:]
    /// Up to there what stays was written.
    private var written = ImageRecords.magic.count

    /// Looks a day's file through.
    ///
    /// - Parameters:
    ///   - folder: of the store.
    ///   - keys: of the data folder.
    ///   - rule: the rule by which a read's image goes, if it does.
    /// - Returns: `nil` where the day has no file.
    /// - Throws: `StorageError`; of code `damaged`, with file and byte, where nothing of the file can go.
    public init?(
        _ day: Int32,
        in folder: String,
        keys: KeyRing?,
        by rule: @escaping @Sendable (ImageBinding) -> Int?
    ) throws(StorageError) {
        path = "\(folder)/\(ImageStore.fileName(day))"
        guard DataFolder.exists(path) else { return nil }
        (self.day, self.keys, self.rule) = (day, keys, rule)
        file = try SealedFile(path, .read, keys)
        try look()
    }

    /// Writes what stays to a file of its own, on stable storage when this returns; nothing where nothing goes, or all.
    public mutating func write() throws(StorageError) {
        guard !purge.images.isEmpty else { return }
        do throws(StorageError) {
            if !needed.isEmpty || fresh != nil { try copy() }
            try fresh?.sync()
        } catch {
            drop()
            throw error
        }
    }

    /// Writes what stays, and then says what goes: the last that can fail before it does.
    ///
    /// - Parameter begin: is given what is about to go, if anything is; where it throws nothing is left of what was written.
    package mutating func write(begin: (_ due: ImageStore.Purge) throws -> Void) throws {
        guard !purge.isEmpty else { return }
        try write()
        do { try begin(purge) } catch {
            drop()
            throw error
        }
    }

    /// Ends it, for the owner who has let go of the file: with what was added since, what stays has the file's name when this
    /// returns, and what goes is gone, with the key it was under.
    mutating func finish() throws(StorageError) {
        do throws(StorageError) {
            try look()
            try write()
        } catch {
            drop()
            throw error
        }
        guard !purge.images.isEmpty else { return }
        guard let fresh else { return try SealedFile.remove(path, keys) }
        do throws(StorageError) {
            // None of it is a torn tail, once it has its name.
            var mark: [UInt8] = []
            ImageRecords.append(.mark, ImageRecords.mark(length), to: &mark)
            try fresh.write(mark, at: length)
            try fresh.sync()
            try SealedFile.replace(path, keys)
        } catch {
            drop()
            throw error
        }
    }

    /// Removes what was written; with a full disk the store's next opening does it.
    func drop() { try? SealedFile.remove(path + SealedFile.temporary, keys) }

    /// Looks through what was not yet: what goes, and what is needed by what stays.
    private mutating func look() throws(StorageError) {
        var reader = ImageFileReader(file, length: try file.length(), from: position)
        while let place = try reader.next() {
            guard case .binding(let binding) = place.record else { continue }
            if let index = rule(binding) {
                purge.images[index, default: 0] += 1
                purge.oldest[index] = min(purge.oldest[index] ?? binding.captured, binding.captured)
            } else if !stored.contains(binding.hash), needed[binding.hash] == nil {
                needed[binding.hash] = place.start
            }
        }
        // What can't be read may be held.
        try reader.demandUndamaged()
        position = reader.position
    }

    /// Copies what stays of what was looked through.
    private mutating func copy() throws(StorageError) {
        let (old, more) = (ImageRecords.magic.count..<written, written..<position)
        if !old.isEmpty, !needed.isEmpty {
            // A read that was added may name an image that seemed to be nobody's any more, and belongs before it.
            let added = try contents(more)
            let lacking = Set(needed.keys).subtracting(added)
            if !lacking.isEmpty {
                try copy(old) { record in
                    if case .content(let hash) = record { return lacking.contains(hash) }
                    return false
                }
            }
        }
        try copy(more) { _ in true }
        if let byte = needed.values.min() {
            throw StorageError(.damaged, "\(path): damaged: there is no image for the read at byte \(byte)")
        }
        written = position
    }

    /// The images that stand somewhere.
    private func contents(_ range: Range<Int>) throws(StorageError) -> Set<ImageHash> {
        var reader = ImageFileReader(file, length: range.upperBound, from: range.lowerBound)
        var found: Set<ImageHash> = []
        while let place = try reader.next() {
            if case .content(let hash) = place.record { found.insert(hash) }
        }
        return found
    }

    private mutating func copy(
        _ range: Range<Int>,
        _ isWanted: (ImageFileReader.Record) -> Bool
    ) throws(StorageError) {
        var reader = ImageFileReader(file, length: range.upperBound, from: range.lowerBound)
        while let place = try reader.next() {
            guard isWanted(place.record) else { continue }
            switch place.record {
            case .mark: continue
            case .content(let hash):
                guard needed.removeValue(forKey: hash) != nil else { continue }
                stored.insert(hash)
            case .binding(let binding): guard rule(binding) == nil else { continue }
            }
            try copy(place)
        }
        try reader.demandUndamaged()
    }

    private mutating func copy(_ place: ImageFileReader.Place) throws(StorageError) {
        let fresh = try begun()
        let record = try file.read(place.end - place.start, at: place.start)
        guard record.count == place.end - place.start,
            Checksum.crc32(record, ImageRecords.headLength..<record.count) == place.head.checksum
        else { throw StorageError(.damaged, "\(path): damaged at byte \(place.start)") }
        try fresh.write(ImageRecords.parts(record), at: length)
        length += record.count
    }

    /// The file of what stays.
    private mutating func begun() throws(StorageError) -> SealedFile {
        if let fresh { return fresh }
        let day = SealedHead.key(of: path)?.day
        let begun = try SealedFile(path + SealedFile.temporary, .replace, keys, day: day)
        try begun.write(ImageRecords.magic, at: 0)
        (fresh, length) = (begun, ImageRecords.magic.count)
        return begun
    }
}
