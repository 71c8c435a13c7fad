import Compression
import SightingFrames

/// The first bytes of a sealed file: which key closes it.
///
/// `StorageFormats.md` draws them.
struct SealedHead {
    /// The key of this file, and of no other.
    let key: DataKeyName

    static let magic = Array("ANPRSEAL".utf8)
    static let length = 26
    private static let version: UInt32 = 1

    /// A head that names a key.
    init(_ key: DataKeyName) { self.key = key }

    /// As they stand in a file.
    var bytes: [UInt8] {
        var bytes = Self.magic
        LittleEndian.append(Self.version, to: &bytes)
        key.append(to: &bytes)
        LittleEndian.append(Checksum.crc32(bytes), to: &bytes)
        return bytes
    }

    /// What the first bytes of a file say of it.
    enum Finding {
        /// Nothing yet: it was begun, or not even that.
        case nothing
        /// It is not sealed.
        case plain
        case sealed(SealedHead)
    }

    /// Looks at the first bytes of a file, `length` of them or all there are.
    ///
    /// - Throws: `StorageError` of code `damaged` for what was a head once, also where the magic was hit: a file that is sealed must
    ///   never pass for one in the clear, whose tail is torn from the first byte on.
    static func find(_ bytes: [UInt8], in path: String) throws(StorageError) -> Finding {
        guard bytes.count >= length else { return magic.starts(with: bytes.prefix(8)) ? .nothing : .plain }
        let fields = Array(bytes[8..<length - 4])
        let isWhole = Checksum.crc32(magic + fields) == LittleEndian.read(bytes, at: length - 4) as UInt32
        guard bytes.starts(with: magic) || isWhole else { return .plain }
        var position = 4
        guard bytes.starts(with: magic), isWhole, let key = DataKeyName(fields, at: &position),
            position == fields.count
        else { throw StorageError(.damaged, "\(path): damaged at byte 0") }
        guard LittleEndian.read(fields, at: 0) as UInt32 == version else {
            throw StorageError(.mismatch, "\(path): sealed as another version of anpr does it")
        }
        return .sealed(SealedHead(key))
    }

    /// The key of a file.
    ///
    /// - Returns: `nil` where the file is not sealed, not there, or its head can't be read.
    static func key(of path: String) -> DataKeyName? {
        guard let file = try? DataFile(path, .read), let bytes = try? file.read(length, at: 0),
            case .sealed(let head)? = try? find(bytes, in: path)
        else { return nil }
        return head.key
    }
}

/// What stands before the ciphertext of a piece.
struct PieceHead {
    /// Of the content, which is that of the ciphertext, too.
    let length: Int
    /// Which piece of its file it is, from 0.
    let number: Int

    /// Length, number, their checksum, and the nonce.
    static let length = 24
    /// How much longer a piece is than what it holds: head and tag.
    static let overhead = length + 16
    /// The bytes by which a head is told, and which the tag vouches for.
    static let fieldsLength = 8
    /// No piece holds more, so that little is opened for little that is wanted.
    static let contentMax = 1 << 20

    /// Length, number and their checksum.
    static func bytes(length: Int, number: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        LittleEndian.append(UInt32(length), to: &bytes)
        LittleEndian.append(UInt32(number), to: &bytes)
        LittleEndian.append(Checksum.crc32(bytes), to: &bytes)
        return bytes
    }

    /// The head at a place; `nil` where none is.
    init?(_ bytes: [UInt8], at start: Int) {
        guard bytes.count - start >= Self.length else { return nil }
        let length: UInt32 = LittleEndian.read(bytes, at: start)
        // Most of what is no head is told from one by this alone.
        guard length > 0, length <= UInt32(Self.contentMax),
            Checksum.crc32(bytes, start..<start + Self.fieldsLength)
                == LittleEndian.read(bytes, at: start + Self.fieldsLength) as UInt32
        else { return nil }
        self.length = Int(length)
        number = Int(LittleEndian.read(bytes, at: start + 4) as UInt32)
    }
}
