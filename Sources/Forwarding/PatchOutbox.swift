import ANPRModel
public import Archive
import SightingFrames

/// Which patch is pushed next: those of the best reads of sightings, in the order of the sighting log.
///
/// A cursor over the log, like `Outbox`, that holds nothing there: what every other reader has passed and the log has let go is
/// skipped, and its patches stay where they are. A sighting whose best read came without a patch is passed over, and so is one
/// whose patch went lately: an amendment mostly has the best read that the sighting had before.
///
/// - Complexity: memory for a frame of the log, the numbers under way and some 100,000 keys of what went.
public struct PatchOutbox {
    /// A patch that is there.
    public struct Patch: Sendable, Equatable {
        /// The number of its sighting in the log.
        public var number: UInt64
        /// Where it is.
        public var found: ImageSearch.Found
    }

    private let folder: String
    private let keys: KeyRing?
    private var reader: SightingLogReader
    private var index: ImageIndex
    /// Sightings that were read, and the number of the first of them.
    private var batch = SightingBatch()
    private var first: UInt64
    private var register = CameraRegister()
    /// The place in `batch` of the sighting that is looked at next.
    private var place = 0
    private var underWay: Set<UInt64> = []
    private var recent: Set<UInt64> = []
    private var before: Set<UInt64> = []

    /// So many may be under way.
    private static let windowMax = 8
    private static let recentMax = 1 << 16

    /// An outbox of a log, from a sighting on.
    ///
    /// - Parameters:
    ///   - folder: the log's.
    ///   - keys: of the data folder; without them only what is in the clear can be read.
    ///   - index: finds the patches.
    ///   - sequence: the first sighting whose patch the receiver may not have.
    public init(_ folder: String, keys: KeyRing?, _ index: ImageIndex, from sequence: UInt64) {
        self.folder = folder
        self.keys = keys
        self.index = index
        reader = SightingLogReader(folder, keys: keys, from: sequence)
        first = sequence
    }

    /// The next patch to push; it counts as under way then.
    ///
    /// - Parameters:
    ///   - delivered: sightings from this number on are left alone, because the receiver does not have them.
    ///   - first: the first sighting that the log still has.
    ///   - lengthMax: patches of more bytes are passed over.
    /// - Returns: `nil` when there is none now, or too many are under way.
    /// - Throws: `StorageError`; what was read before is not read again.
    public mutating func next(before delivered: UInt64, first: UInt64, lengthMax: Int) throws -> Patch? {
        guard underWay.count < Self.windowMax else { return nil }
        while try fill(before: delivered, first: first) {
            let number = position
            guard number < delivered else { return nil }
            place += 1
            guard let found = try patch(place - 1), found.length <= lengthMax, note(found) else { continue }
            underWay.insert(number)
            return Patch(number: number, found: found)
        }
        return nil
    }

    /// Reads on when all that was read was looked at.
    private mutating func fill(before delivered: UInt64, first: UInt64) throws -> Bool {
        guard place >= batch.count else { return true }
        if reader.next < first { reader = SightingLogReader(folder, keys: keys, from: first) }
        while reader.next < delivered, let next = try reader.read(before: delivered) {
            guard next.mark == nil else { continue }
            batch = next.batch
            self.first = next.first
            place = 0
            register = reader.register
            return true
        }
        batch.removeAll()
        self.first = reader.next
        place = 0
        return false
    }

    private mutating func patch(_ row: Int) throws -> ImageSearch.Found? {
        let sighting = batch.sightings[row]
        let camera = register.cameras[Int(sighting.camera)]
        // The best read may be one whose mark was merged into the sighting's.
        let marks = [sighting.vrm] + batch.variants(of: row).filter(\.isMerged).map(\.vrm)
        for mark in marks {
            let found = try index.find(
                force: camera.force,
                camera: camera.name,
                vrm: mark,
                captured: sighting.captured
            )
            if let found { return found }
        }
        return nil
    }

    /// Whether a patch did not go lately.
    private mutating func note(_ found: ImageSearch.Found) -> Bool {
        let binding = found.binding
        let key = ImageIndex.key(
            force: binding.force,
            camera: binding.camera,
            vrm: binding.vrm,
            captured: binding.captured
        )
        guard !before.contains(key), recent.insert(key).inserted else { return false }
        if recent.count >= Self.recentMax {
            before = recent
            recent = []
        }
        return true
    }

    /// A patch that was to go could not be read: it is done with.
    public mutating func dropped(_ number: UInt64) { underWay.remove(number) }

    /// The receiver has a patch.
    ///
    /// - Returns: whether it was under way.
    public mutating func taken(_ number: UInt64) -> Bool { underWay.remove(number) != nil }

    /// The sighting looked at next.
    private var position: UInt64 { first + UInt64(place) }

    /// The receiver has the patches of all sightings before this one, as far as there are any.
    public var cursor: UInt64 { min(underWay.min() ?? .max, position) }

    /// Whether patches are under way.
    public var isWaiting: Bool { !underWay.isEmpty }

    /// Whether the receiver has all patches of sightings before a number.
    public func isSettled(before delivered: UInt64) -> Bool { underWay.isEmpty && position >= delivered }
}
