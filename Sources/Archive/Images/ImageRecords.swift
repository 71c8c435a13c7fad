public import ANPRModel
import Compression
import Crypto
import SightingFrames

/// The SHA-256 of an image.
public struct ImageHash: Hashable, Sendable {
    /// The 32 bytes.
    public let bytes: [UInt8]

    /// The hash of an image.
    public init(of jpeg: [UInt8]) { bytes = Array(SHA256.hash(data: jpeg)) }

    /// A hash that was told.
    ///
    /// - Returns: `nil` unless there are 32 bytes.
    public init?(told bytes: [UInt8]) {
        guard bytes.count == ImageRecords.hashLength else { return nil }
        self.bytes = bytes
    }

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// 64 lower-case hexadecimal digits.
    public var text: String {
        bytes.map { byte in String(byte >> 4, radix: 16) + String(byte & 15, radix: 16) }.joined()
    }

    /// The first eight bytes.
    var key: UInt64 { LittleEndian.read(bytes, at: 0) }
}

/// That an image belongs to a read.
public struct ImageBinding: Sendable, Equatable {
    /// The image.
    public var hash: ImageHash
    /// What it shows.
    public var kind: ImageKind
    /// The read's confidence, or -1 where it is not known.
    public var confidence: Int8
    /// The read's mark.
    public var vrm: VRM
    /// When the read was captured.
    public var captured: Timestamp
    /// The owning force's code.
    public var force: String
    /// The camera's name.
    public var camera: String

    /// The day whose file has it, counted from 1970-01-01.
    var day: Int32 { captured.day }

    /// A binding.
    public init(
        hash: ImageHash,
        kind: ImageKind,
        confidence: Int8,
        vrm: VRM,
        captured: Timestamp,
        force: String,
        camera: String
    ) {
        self.hash = hash
        self.kind = kind
        self.confidence = confidence
        self.vrm = vrm
        self.captured = captured
        self.force = force
        self.camera = camera
    }
}

/// The bytes of an image file's records; `StorageFormats.md` draws them.
enum ImageRecords {
    enum Kind: UInt8 { case content = 1, binding = 2, mark = 3 }

    /// What a record's first bytes say.
    struct Head {
        var kind: Kind
        var bodyLength: Int
        var checksum: UInt32
    }

    /// The file's first bytes.
    static let magic = Array("ANPRIMG1".utf8)
    /// Of a record, before its body.
    static let headLength = 16
    /// A body of more than this is none.
    static let bodyMax = 64 << 20
    static let hashLength = 32

    static func append(_ kind: Kind, _ body: [UInt8], to bytes: inout [UInt8]) {
        let start = bytes.count
        LittleEndian.append(UInt32(body.count), to: &bytes)
        LittleEndian.append(Checksum.crc32(body), to: &bytes)
        LittleEndian.append(UInt32(kind.rawValue), to: &bytes)
        LittleEndian.append(Checksum.crc32(bytes, start..<bytes.count), to: &bytes)
        bytes += body
    }

    /// The head at the front of bytes; `nil` when it is none.
    static func head(_ bytes: [UInt8], at start: Int) -> Head? {
        guard bytes.count - start >= headLength else { return nil }
        let checksum: UInt32 = LittleEndian.read(bytes, at: start + 12)
        guard Checksum.crc32(bytes, start..<start + 12) == checksum else { return nil }
        let number: UInt32 = LittleEndian.read(bytes, at: start + 8)
        let length: UInt32 = LittleEndian.read(bytes, at: start)
        guard let kind = UInt8(exactly: number).flatMap(Kind.init(rawValue:)), Int(length) <= bodyMax else {
            return nil
        }
        return Head(
            kind: kind,
            bodyLength: Int(length),
            checksum: LittleEndian.read(bytes, at: start + 4)
        )
    }

    static func content(_ hash: ImageHash, _ jpeg: [UInt8]) -> [UInt8] { hash.bytes + jpeg }

    /// A content's record in parts, so that one who passes the picture over need not open it.
    static func parts(_ record: [UInt8]) -> [[UInt8]] {
        let start = min(headLength + hashLength, record.count)
        return [Array(record[..<start]), Array(record[start...])]
    }

    static func mark(_ synced: Int) -> [UInt8] {
        var body: [UInt8] = []
        LittleEndian.append(UInt64(synced), to: &body)
        return body
    }

    static func binding(_ binding: ImageBinding) -> [UInt8] {
        var body = binding.hash.bytes
        body.append(binding.kind.rawValue)
        body.append(UInt8(bitPattern: binding.confidence))
        LittleEndian.append(binding.vrm.packed, to: &body)
        LittleEndian.append(binding.captured.milliseconds, to: &body)
        for text in [binding.force, binding.camera] {
            let utf8 = Array(text.utf8)
            LittleEndian.append(UInt16(utf8.count), to: &body)
            body += utf8
        }
        return body
    }

    /// Reads what `binding` wrote; `nil` when it is not that.
    static func binding(_ body: [UInt8]) -> ImageBinding? {
        let fixed = hashLength + 18
        guard body.count >= fixed + 4, let kind = ImageKind(rawValue: body[hashLength]) else { return nil }
        var position = fixed
        var texts: [String] = []
        for _ in 0..<2 {
            guard body.count - position >= 2 else { return nil }
            let length = Int(LittleEndian.read(body, at: position) as UInt16)
            position += 2
            guard body.count - position >= length else { return nil }
            texts.append(String(decoding: body[position..<position + length], as: UTF8.self))
            position += length
        }
        return ImageBinding(
            hash: ImageHash(bytes: Array(body[..<hashLength])),
            kind: kind,
            confidence: Int8(bitPattern: body[hashLength + 1]),
            vrm: VRM(trusted: LittleEndian.read(body, at: hashLength + 2)),
            captured: Timestamp(milliseconds: LittleEndian.read(body, at: hashLength + 10)),
            force: texts[0],
            camera: texts[1]
        )
    }
}
