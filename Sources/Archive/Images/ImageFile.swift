import ANPRModel
import Compression
import SightingFrames

/// The images of one day, open to be added to.
///
/// A mark before each run of records says how much was synced before them: on opening, what stands behind the last mark's
/// place is checked whole, and what a crash tore is cut off. Damage anywhere is an error that names file and byte.
final class ImageFile {
    let day: Int32
    private let file: SealedFile
    private(set) var length: Int
    /// How much of it is on stable storage.
    private(set) var synced: Int
    /// When something was cut off its end the last time, as what was not whole or could not be synced.
    private(set) var cut: ContinuousClock.Instant?
    private var isMarkDue = true
    /// Where contents and bindings start, by the first eight bytes of their hash: a hint, looked up before it is believed.
    private var places: [UInt64: UInt64] = [:]
    private var olderPlaces: [UInt64: UInt64] = [:]

    /// So many places are remembered twice over; what is older may be stored again.
    private static let placesMax = 1 << 20

    var isDirty: Bool { length > synced }
    var path: String { file.path }

    /// Opens a day's file, made if it is not there.
    init(_ folder: String, day: Int32, keys: KeyRing?) throws(StorageError) {
        self.day = day
        file = try SealedFile("\(folder)/\(ImageStore.fileName(day))", .append, keys, day: day)
        length = 0
        synced = 0
        let found = try file.length()
        if found >= ImageRecords.magic.count {
            try recover(found)
        } else {
            // Begun, but not even its first bytes are there.
            try file.truncate(to: 0)
            try file.write(ImageRecords.magic, at: 0)
            try file.sync()
            try DataFolder.sync(folder)
            length = ImageRecords.magic.count
            synced = length
        }
    }

    private func recover(_ found: Int) throws(StorageError) {
        guard try file.read(ImageRecords.magic.count, at: 0) == ImageRecords.magic else {
            throw StorageError(.damaged, "\(path): damaged at byte 0: not an image file of this version")
        }
        var reader = ImageFileReader(file, length: found)
        var sure = ImageRecords.magic.count
        var unsure: [ImageFileReader.Place] = []
        while let place = try reader.next() {
            remember(place)
            if case .mark(let synced) = place.record {
                sure = max(sure, synced)
                unsure.removeAll { $0.end <= sure }
            }
            unsure.append(place)
        }
        var end = reader.position
        for place in unsure where try !isWhole(place) {
            end = place.start
            break
        }
        guard end >= sure, try ImageTail(file: file, place: end, end: found).isTorn() else {
            throw StorageError(.damaged, "\(path): damaged at byte \(end)")
        }
        try file.demandUndamaged()
        let torn = try file.torn()
        if end < found || torn > 0 {
            try file.truncate(to: end)
            cut = .now
        }
        length = end
        synced = end
        if end < found { forget(from: end) }
    }

    private func isWhole(_ place: ImageFileReader.Place) throws(StorageError) -> Bool {
        let body = try file.read(place.head.bodyLength, at: place.start + ImageRecords.headLength)
        return Checksum.crc32(body) == place.head.checksum
    }

    /// Adds an image and whose it is, unless both are there.
    ///
    /// - Returns: whether anything was added.
    func add(_ binding: ImageBinding, _ jpeg: [UInt8]) throws(StorageError) -> Bool {
        var mark: [UInt8] = []
        var content: [UInt8] = []
        var bound: [UInt8] = []
        var fresh: [(key: UInt64, place: Int)] = []
        if isMarkDue { ImageRecords.append(.mark, ImageRecords.mark(synced), to: &mark) }
        if try !has(.content, binding.hash.key, { $0.starts(with: binding.hash.bytes) }) {
            fresh.append((binding.hash.key, length + mark.count))
            ImageRecords.append(.content, ImageRecords.content(binding.hash, jpeg), to: &content)
        }
        let body = ImageRecords.binding(binding)
        let key = Self.key(of: body)
        if try !has(.binding, key, { $0 == body[...] }) {
            fresh.append((key, length + mark.count + content.count))
            ImageRecords.append(.binding, body, to: &bound)
        }
        guard !fresh.isEmpty else { return false }
        do {
            var parts = ImageRecords.parts(content)
            parts[0] = mark + parts[0]
            try file.write(parts + [bound], at: length)
        } catch {
            cut = .now
            try file.truncate(to: length)
            throw error
        }
        isMarkDue = false
        length += mark.count + content.count + bound.count
        for (key, place) in fresh { remember(key, place) }
        return true
    }

    /// Returns when all that was added is on stable storage.
    func sync() throws(StorageError) {
        guard isDirty else { return }
        try file.sync()
        synced = length
        isMarkDue = true
    }

    /// Takes back what was added since the last `sync`.
    func discardUnsynced() throws(StorageError) {
        guard isDirty else { return }
        cut = .now
        try file.truncate(to: synced)
        forget(from: synced)
        length = synced
        isMarkDue = true
    }

    private func has(
        _ kind: ImageRecords.Kind,
        _ key: UInt64,
        _ isSame: (ArraySlice<UInt8>) -> Bool
    ) throws(StorageError) -> Bool {
        guard let place = places[key] ?? olderPlaces[key] else { return false }
        let head = try file.read(ImageRecords.headLength, at: Int(place))
        guard let found = ImageRecords.head(head, at: 0), found.kind == kind else { return false }
        let count = kind == .content ? ImageRecords.hashLength : found.bodyLength
        return isSame(try file.read(count, at: Int(place) + ImageRecords.headLength)[...])
    }

    private func remember(_ place: ImageFileReader.Place) {
        switch place.record {
        case .content(let hash): remember(hash.key, place.start)
        case .binding(let binding): remember(Self.key(of: ImageRecords.binding(binding)), place.start)
        case .mark: break
        }
    }

    private func remember(_ key: UInt64, _ place: Int) {
        if places.count >= Self.placesMax {
            olderPlaces = places
            places = [:]
        }
        places[key] = UInt64(place)
    }

    private func forget(from end: Int) {
        places = places.filter { $0.value < end }
        olderPlaces = olderPlaces.filter { $0.value < end }
    }

    /// FNV-1a of a binding's bytes.
    private static func key(of body: [UInt8]) -> UInt64 {
        body.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
    }
}
