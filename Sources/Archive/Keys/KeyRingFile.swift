import Compression
import SightingFrames

/// The file of a key ring: keys by name, each wrapped.
///
/// `StorageFormats.md` draws the bytes.
struct KeyRingFile {
    /// Tells the master key by which they are wrapped.
    var check: [UInt8] = []
    /// Grows with every change.
    var version: UInt64 = 0
    /// Nonce, key and tag of each.
    private(set) var wrapped: [DataKeyName: [UInt8]] = [:]
    /// By day and force the keys they have; from when that is asked for on, which readers do not.
    private var ofPlace: [Place: [DataKeyName]]?

    private static let magic: [UInt8] = Array("ANPRKEY1".utf8)
    private static let headLength = 28
    static let wrappedLength = 12 + 32 + 16

    /// No keys yet.
    init() {}

    private struct Place: Hashable {
        var day: Int32
        var force: String

        init(day: Int32, force: String) { (self.day, self.force) = (day, force) }

        init(_ name: DataKeyName) { self.init(day: name.day, force: name.force) }
    }

    /// A key of a day and force that is none of some others.
    mutating func name(_ day: Int32, _ force: String, except others: Set<DataKeyName>) -> DataKeyName? {
        let places = ofPlace ?? Dictionary(grouping: wrapped.keys.sorted()) { Place($0) }
        ofPlace = places
        return places[Place(day: day, force: force)]?.first { !others.contains($0) }
    }

    /// Puts a wrapped key under a name, or none.
    mutating func set(_ bytes: [UInt8]?, for name: DataKeyName) {
        wrapped[name] = bytes
        guard ofPlace != nil else { return }
        let place = Place(name)
        ofPlace?[place, default: []].removeAll { $0 == name }
        if bytes != nil { ofPlace?[place, default: []].append(name) }
        if ofPlace?[place]?.isEmpty == true { ofPlace?[place] = nil }
    }

    /// Reads a file.
    init(_ path: String) throws {
        let damaged = StorageError(.damaged, "\(path): damaged; without it what is encrypted can't be read")
        guard let bytes = try Self.contents(path) else { throw damaged }
        check = Array(bytes[8..<16])
        version = LittleEndian.read(bytes, at: 16)
        var position = Self.headLength
        let count = Int(LittleEndian.read(bytes, at: 24) as UInt32)
        wrapped.reserveCapacity(min(count, bytes.count / Self.wrappedLength))
        for _ in 0..<count {
            guard let name = DataKeyName(bytes, at: &position),
                position + Self.wrappedLength <= bytes.count - 4
            else { throw damaged }
            wrapped[name] = Array(bytes[position..<position + Self.wrappedLength])
            position += Self.wrappedLength
        }
    }

    /// The version of a file, without the rest.
    static func version(_ path: String) throws -> UInt64 {
        let head = try DataFile(path, .read).read(headLength, at: 0)
        return head.count == headLength ? LittleEndian.read(head, at: 16) : 0
    }

    /// The bytes of a file; `nil` if they are not as they were written.
    private static func contents(_ path: String) throws -> [UInt8]? {
        // What was replaced while it was being read is empty by now: there is another one then.
        for _ in 0..<3 {
            let bytes = try DataFile(path, .read).contents()
            let end = bytes.count - 4
            if end >= headLength, bytes.starts(with: magic),
                Checksum.crc32(bytes, 0..<end) == LittleEndian.read(bytes, at: end) as UInt32
            {
                return bytes
            }
        }
        return nil
    }

    /// Puts it in a file's place, durable when this returns, and wipes what was there.
    func write(_ path: String) throws {
        var bytes = Self.magic + check
        LittleEndian.append(version, to: &bytes)
        LittleEndian.append(UInt32(wrapped.count), to: &bytes)
        for (name, key) in wrapped.sorted(by: { $0.key < $1.key }) {
            name.append(to: &bytes)
            bytes += key
        }
        LittleEndian.append(Checksum.crc32(bytes), to: &bytes)
        let old = DataFolder.exists(path) ? try DataFile(path, .append) : nil
        let file = try DataFile(path + ".tmp", .secret)
        try file.write(bytes, at: 0)
        try file.sync()
        try DataFolder.rename(path + ".tmp", to: path)
        try DataFolder.syncName(path)
        // What was there before has keys that may be destroyed now.
        try old?.wipe()
    }
}
